//! osvpn
pub mod simulator;
