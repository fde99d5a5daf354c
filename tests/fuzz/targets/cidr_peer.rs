//! The wizard's fields for a peer: its ranges, its address, its identity.
#![no_main]

#[path = "../../support/typed.rs"]
mod typed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    typed::ranges(text);
    typed::address(text);
    typed::identity(text);
});
