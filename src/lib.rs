//! osvpn

pub mod cloud;
