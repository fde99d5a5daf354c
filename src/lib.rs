//! osvpn connects two regions of an OpenStack project, or one region and an external peer, with an IPsec VPN.
//!
//! The binary and the tests link this library. CONTRIBUTING.md has the map of its modules and says why it is built this way;
//! `tests/layering.rs` enforces the arrows of the map.

#![allow(rustdoc::private_intra_doc_links, reason = "the documentation is for those who work on osvpn")]

pub mod change;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod engine;
pub mod inspect;
pub mod plan;
pub mod report;
pub mod sheet;
pub mod sign_in;
pub mod simulator;
pub mod system;
pub mod tui;
pub mod view;
pub mod wizard;
