//! Commands of python-openstackclient for what this program leaves to the user.

use super::{Ledger, Made, Step};
use crate::cloud::RegionId;
use crate::plan::shell_word;

/// What an object of that step is called on the client's command line.
const fn noun(step: Step) -> &'static str {
    match step {
        Step::Service => "vpn service",
        Step::IkePolicy => "vpn ike policy",
        Step::IpsecPolicy => "vpn ipsec policy",
        Step::LocalGroup | Step::PeerGroup => "vpn endpoint group",
        Step::Connection => "vpn ipsec site connection",
    }
}

fn command(region: &RegionId, step: Step, rest: &str) -> String {
    format!("openstack --os-region-name {} {} {rest}", shell_word(region), noun(step))
}

/// Removes these objects, in this order.
#[must_use]
pub fn removal(objects: &[Made]) -> Vec<String> {
    let delete = |made: &Made| command(&made.region, made.task.step, &format!("delete {}", shell_word(&made.id)));
    objects.iter().map(delete).collect()
}

/// Shows where the connections stand.
#[must_use]
pub fn look_again(ledger: &Ledger) -> Vec<String> {
    let connections = ledger.made().iter().filter(|made| made.task.step == Step::Connection);
    connections
        .map(|made| command(&made.region, made.task.step, &format!("show {} -c Status", shell_word(&made.id))))
        .collect()
}

/// Lists objects of that kind.
#[must_use]
pub fn list(region: &RegionId, step: Step) -> String {
    command(region, step, "list")
}

/// Shows the key of a connection.
#[must_use]
pub fn key(made: &Made) -> String {
    command(&made.region, made.task.step, &format!("show {} -f value -c 'Pre-shared Key'", shell_word(&made.id)))
}
