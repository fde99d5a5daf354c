//! What several modules of tests share.

pub mod broken_vpns;
pub mod command;
pub mod drawn;
pub mod drawn_vpns;
pub mod driven;
pub mod expected_fixes;
pub mod inventories;
pub mod journey;
pub mod pair;
pub mod passcode;
pub mod peer_input;
pub mod pty;
pub mod runs;
pub mod scripted_server;
pub mod sign_in_proxy;
pub mod site;
pub mod surveys;
pub mod svg;
pub mod token;
