//! The process and the machine it runs on.

pub mod hardening;
pub mod log;
pub mod private_file;
pub mod signals;
pub mod state;
