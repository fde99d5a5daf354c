//! osvpn
pub mod cloud;
pub mod plan;
pub mod wizard;
