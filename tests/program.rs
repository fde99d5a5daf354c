//! Tests that start programs: osvpn itself, with and without a terminal, and what else a test of it needs.
//!
//! `cargo test --test program terminal::` runs those of one module. `real_cloud` needs the OpenStack of `tests/openstack`.

// Clippy's exemption for tests does not reach the functions they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

mod broken_vpns;
mod cli;
mod commands;
mod diagnosis;
mod hostile_answers;
mod hostile_names;
mod install;
mod interrupted;
mod real_cloud;
mod released;
mod secrets;
mod terminal;

mod support {
    pub mod broken_vpns;
    pub mod command;
    pub mod expected_fixes;
    pub mod file_server;
    pub mod over_tls;
    pub mod passcode;
    pub mod pty;
    pub mod scripted_server;
    pub mod sign_in_proxy;
    pub mod token;
}
