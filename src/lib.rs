//! osvpn connects two regions of an OpenStack project, or one region and an outside peer, with an IPsec VPN.
//!
//! Arrows go one way, and a test enforces it:
//!
//! ```text
//! main ─► cli ─► commands ─► tui ─► view ─► wizard ─┬─► engine ─► change ─► inspect ─► plan ─► cloud
//!                   └─────────┴─► report ───────────┘
//! commands, tui, view, wizard ─► sign_in ─► simulator, which uses nothing of the rest: it speaks HTTP, as OpenStack does
//! commands, tui, engine ─► system
//! ```
//!
//! * [`cloud`]: credentials, Keystone, Neutron, VPNaaS; typed objects, typed errors.
//! * [`plan`]: from answers to a checked plan; pure.
//! * [`inspect`]: the VPNs that exist, as pairs of halves; checks of both ends, and the diagnosis.
//! * [`change`]: what is to be different about a VPN that exists, step by step, and how that is decided; pure.
//! * [`engine`]: the engine, and the only writer.
//! * [`wizard`]: model, messages, effects; pure. [`view`] draws it, [`tui`] runs it.
//! * [`commands`]: a file a command, and what they share. [`cli`] lists them. [`report`]: their answers as text and as JSON,
//!   and the exit codes.
//! * [`sign_in`]: from a choice of cloud to a session, or to what can be done about it; asks on the terminal.
//! * [`simulator`]: the OpenStack of the demo and the tests.
//! * [`system`]: the directory for log and journals, the log, signals, no core dump and no debugger.

pub mod change;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod engine;
pub mod inspect;
pub mod plan;
pub mod report;
pub mod sign_in;
pub mod simulator;
pub mod system;
pub mod tui;
pub mod view;
pub mod wizard;
