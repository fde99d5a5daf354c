//! Every test that is not beside the code it tests, in one program: one link, and all of them at once.
//!
//! `cargo test --test suite engine::` runs those of one module. `contract` and `real_cloud` also ask the real OpenStack of
//! `tests/openstack`, where there is one; all others need neither cloud nor network.

// Clippy's exemption for tests does not reach the functions they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

mod any_message;
mod broken_vpns;
mod cli;
mod cloud_client;
mod commands;
mod contract;
mod credentials;
mod diagnosis;
mod engine;
mod hostile_answers;
mod hostile_names;
mod interrupted;
mod journeys;
mod layering;
mod pairing;
mod pictures;
mod plan;
mod real_cloud;
mod report;
mod screens;
mod secrets;
mod signing_in;
mod simulator;
mod speed;
mod support;
mod terminal;
