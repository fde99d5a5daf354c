//! osvpn
