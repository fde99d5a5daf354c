//! Tests of the library within this process. Those that start programs stand in `program.rs`: a program that is just
//! starting holds the locks of whoever starts it for a moment, and journals are locked here.
//!
//! `cargo test --test library engine::` runs those of one module.

// Clippy's exemption for tests does not reach the functions they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

mod any_message;
mod cloud_client;
mod contract;
mod credentials;
mod engine;
mod forecast;
mod journeys;
mod layering;
mod leaving;
mod pairing;
mod peer_sheets;
mod pictures;
mod plan;
mod repair;
mod report;
mod screens;
mod signing_in;
mod simulator;
mod speed;

mod support {
    pub mod drawn;
    pub mod drawn_vpns;
    pub mod front_end;
    pub mod inventories;
    pub mod journey;
    pub mod pair;
    pub mod passcode;
    pub mod peer_input;
    pub mod runs;
    pub mod script;
    pub mod site;
    pub mod surveys;
    pub mod svg;
    pub mod token;
    pub mod typist;
}
