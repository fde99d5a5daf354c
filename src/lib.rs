//! osvpn connects two regions of an OpenStack project, or one region and an outside peer, with an IPsec VPN.
pub mod apply;
pub mod cli;
pub mod cloud;
pub mod log;
pub mod plan;
pub mod provision;
pub mod report;
pub mod sign_in;
pub mod signals;
pub mod simulator;
pub mod tui;
pub mod view;
pub mod wizard;
