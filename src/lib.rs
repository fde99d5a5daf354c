//! osvpn connects two regions of an OpenStack project, or one region and an outside peer, with an IPsec VPN.
pub mod cloud;
pub mod plan;
pub mod provision;
pub mod simulator;
pub mod view;
pub mod wizard;
