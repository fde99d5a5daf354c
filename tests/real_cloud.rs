//! The program against the real OpenStack of `tests/openstack`, end to end: keys in, objects and tunnels out.
//!
//! `tests/openstack/check` starts the clouds and runs this. It says where they are with `OSVPN_CONTRACT_2026_2` and
//! `OSVPN_CONTRACT_2026_1` (the address of a Keystone, ending in `/v3`), and with `OSVPN_CONTRACT_NEGOTIATES=1` that their
//! VPN agents are real daemons. What is not there is skipped, with a line that says so; `OSVPN_REQUIRE_REAL=1` makes a
//! failure of that. Every scenario is played in each cloud, and leaves none of its VPN objects.

mod as_in_the_guide;
mod changes;
mod cloud;
mod doctor;
mod guide_commands;
mod killed;
mod legacy;
mod maker_rules;
mod network_faults;
mod proxy;
mod scale;
mod script;
mod second_factor;
mod tunnels;
mod upgrade;
mod wizard;

use crate::support::{broken_vpns, expected_fixes, passcode, pty};
