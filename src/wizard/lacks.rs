//! What a region lacks for a VPN, and the commands that give it.

use super::RegionState;
use super::objects::RouterList;
use super::picker::worst;
use crate::cloud::{Error, ErrorKind, RegionId};
use crate::plan::shell::openstack;
use crate::plan::{Half, Known, Labels, ShellCommand};

/// A reason why there is nothing to choose, and the commands that change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    pub text: String,
    pub commands: Vec<ShellCommand>,
}

impl Lack {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), commands: Vec::new() }
    }

    pub fn of_router(region: &RegionId, labels: &Labels) -> Self {
        let place = labels.full(region);
        let command = |words| openstack(region, words);
        Self {
            text: format!("{place} has no router. A VPN ends on a router with a gateway to an external network:"),
            commands: vec![
                command("router create NAME"),
                command("router set --external-gateway NETWORK NAME"),
                command("router add subnet NAME SUBNET"),
            ],
        }
    }

    pub fn of_subnet(region: &RegionId, labels: &Labels) -> Self {
        let place = labels.full(region);
        let text = format!("{place} has no subnet. A VPN connects subnets that are attached to its router:");
        Self {
            text,
            commands: subnet_commands(region, "subnet create --network NETWORK --subnet-range 10.0.0.0/24 SUBNET"),
        }
    }

    /// Of two regions that have no subnets that go together.
    pub(super) fn of_common_subnets((a, b): &(RegionId, RegionId), why: &str, labels: &Labels) -> Self {
        let text = format!(
            "{} and {} cannot be connected: {why}. One of them needs a subnet with a range of its own:",
            labels.name(a),
            labels.name(b)
        );
        Self { text, commands: subnet_commands(b, "subnet create --network NETWORK --subnet-range RANGE SUBNET") }
    }
}

fn subnet_commands(region: &RegionId, subnet: &'static str) -> Vec<ShellCommand> {
    let command = |words| openstack(region, words);
    vec![command("network create NETWORK"), command(subnet), command("router add subnet ROUTER SUBNET")]
}

/// What a sentence goes on with after the name of a region that could not be read.
pub(super) fn unread(error: &Error) -> String {
    match (&error.kind, error.status) {
        (ErrorKind::Stopped, _) => "was not read, because you stopped it; r reads it".to_owned(),
        (_, Some(403)) => format!("does not allow it: {error}"),
        _ => format!("did not answer: {error}"),
    }
}

impl RegionState {
    /// Why no VPN can end in it: what a sentence goes on with after its name.
    pub(super) fn shortcoming(&self) -> String {
        if let Some(error) = self.inventory.error() {
            return unread(error);
        }
        let Some((known, list)) = self.known().zip(RouterList::of(self, Half::A)) else {
            return "has not been read".to_owned();
        };
        if !known.inventory.extensions.has_vpnaas() {
            return "has no VPN service (VPNaaS)".to_owned();
        }
        let Some(router) = known.inventory.routers.first() else { return "has no router".to_owned() };
        let why = list.findings_of(&router.id).and_then(|findings| Some(worst(&findings)?.text.clone()));
        format!("has no router that can hold a VPN: {} {}", router.name, why.unwrap_or_default())
    }

    /// The same with what helps.
    pub(super) fn lack(&self, labels: &Labels) -> Lack {
        let has_no_router =
            |known: Known<'_>| known.inventory.extensions.has_vpnaas() && known.inventory.routers.is_empty();
        if self.known().is_some_and(has_no_router) {
            return Lack::of_router(&self.id, labels);
        }
        Lack::new(format!("{} {}.", labels.full(&self.id), self.shortcoming()))
    }
}
