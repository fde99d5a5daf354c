//! osvpn
pub mod cloud;
pub mod plan;
pub mod provision;
pub mod wizard;
