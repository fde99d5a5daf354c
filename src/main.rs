//! osvpn
fn main() {}
