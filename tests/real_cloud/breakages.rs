//! What real strongSwan makes of each broken VPN.

use super::broken::{self, Behind, Site};
use super::cloud::{in_each_with_tunnels, say};

const HAMILTON: &str = "nz-hlz-1:10.0.0.10";
const PORIRUA: &str = "nz-por-1:10.20.30.10";

#[test]
fn each_broken_vpn_is_broken_as_it_is_said_to_be() {
    in_each_with_tunnels(|cloud| {
        let release = cloud.release;
        let mut wrong = Vec::new();
        for breakage in broken::all() {
            if breakage.needs_sha1 && !Behind::Real(release).stores_sha1() {
                continue;
            }
            // What else runs on the machine can hold up an agent or a daemon: a difference counts if it is there twice.
            let right = (0..2).any(|_| {
                let statuses = cloud.runtime.block_on(async {
                    let site = Site::enter(&cloud.auth_url, Behind::Real(release)).await;
                    site.connect().await;
                    site.suffer(&breakage).await
                });
                let reaches = cloud.run("ping", &[HAMILTON, PORIRUA]).status.success();
                say(&format!("{release} {:30} {:25} ping {reaches}", breakage.name, statuses.join(" / ")));
                cloud.reset();
                statuses == breakage.statuses && reaches == breakage.reaches
            });
            if !right {
                wrong.push(breakage.name);
            }
        }
        assert!(wrong.is_empty(), "{release}: {wrong:?}");
    });
}
