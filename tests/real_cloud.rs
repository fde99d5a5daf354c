//! The program against the real OpenStack of `tests/openstack`, end to end: keys in, objects and tunnels out.
//!
//! `tests/openstack/check` starts the clouds and runs this. It says where they are with `OSVPN_CONTRACT_2026_2` and
//! `OSVPN_CONTRACT_2026_1` (the address of a Keystone, ending in `/v3`), and with `OSVPN_CONTRACT_NEGOTIATES=1` that their
//! VPN agents are real daemons. What is not there is skipped, with a line that says so; `OSVPN_REQUIRE_REAL=1` makes a
//! failure of that. Every scenario is played in each cloud, and leaves none of its VPN objects.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

#[path = "real_cloud/afterwards.rs"]
mod afterwards;
#[path = "support/broken.rs"]
mod broken;
#[path = "real_cloud/cloud.rs"]
mod cloud;
#[path = "real_cloud/faulty.rs"]
mod faulty;
#[path = "real_cloud/guarded.rs"]
mod guarded;
#[path = "real_cloud/guide.rs"]
mod guide;
#[path = "real_cloud/interrupted.rs"]
mod interrupted;
#[path = "real_cloud/legacy.rs"]
mod legacy;
#[path = "real_cloud/made.rs"]
mod made;
#[path = "real_cloud/mended.rs"]
mod mended;
#[path = "support/passcode.rs"]
mod passcode;
#[path = "real_cloud/proxy.rs"]
mod proxy;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/remedies.rs"]
mod remedies;
#[path = "real_cloud/scale.rs"]
mod scale;
#[path = "real_cloud/tunnels.rs"]
mod tunnels;
#[path = "real_cloud/wizard.rs"]
mod wizard;
