//! osvpn connects two regions of an OpenStack project, or one region and an outside peer, with an IPsec VPN.
//!
//! Arrows go one way, and a test enforces it:
//!
//! ```text
//! main ─► cli ─► commands ─► tui ─► view ─► wizard ─► engine ─► change ─► inspect ─► plan ─► cloud
//!                   └──► report ◄────┘                  ▲
//!                          └────────────────────────────┘
//! commands, tui, wizard ─► sign_in ─► simulator, which uses nothing of the rest: it speaks HTTP, as the real thing does
//! ```
//!
//! * [`cloud`]: credentials, Keystone, Neutron, VPNaaS; typed objects, typed errors.
//! * [`plan`]: from answers to a checked plan; pure.
//! * [`inspect`]: what VPNs there are, as pairs of halves; the two-sided proof and the diagnosis.
//! * [`change`]: what is to be different about a VPN that exists, step by step, and how that is decided; pure.
//! * [`engine`]: the engine, and the only writer.
//! * [`wizard`]: model, messages, effects; pure. [`view`] draws it, [`tui`] runs it.
//! * [`commands`]: a file a command, and what all of them share. [`cli`] lists them. [`report`]: what is printed
//!   afterwards, and the exit codes.
//! * [`sign_in`]: from a choice of cloud to a signed-in one, or to what can be done about it; asks on the terminal.
//! * [`simulator`]: the OpenStack of the demo and the tests.
//! * [`hardening`]: no core dump, no debugger.
//! * [`state`]: where log and journals are kept.

pub mod change;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod engine;
pub mod hardening;
pub mod inspect;
pub mod log;
pub mod plan;
pub mod report;
pub mod sign_in;
pub mod signals;
pub mod simulator;
pub mod state;
pub mod tui;
pub mod view;
pub mod wizard;
