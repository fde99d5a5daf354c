//! The wizard's fields for a peer: its ranges, its address, its identity.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    peer_input::ranges(text);
    peer_input::address(text);
    peer_input::identity(text);
});
