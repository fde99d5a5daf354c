//! From answers to a plan: pure, and checked. A [`Plan`] exists only after its checks; its `Display` is the dry run.
//!
//! * [`PlanDraft`] is what the wizard or a plan file asks for, by ids;
//! * [`Plan::check`] compares it with what is known of the regions and either refuses with every reason, or knows
//!   exactly what will be created;
//! * [`checks`], [`policy`], [`psk`], [`cidr`] and [`peer`] hold the single rules;
//! * [`mod@file`] reads and writes plan files.

mod check;
pub mod checks;
pub mod cidr;
mod commands;
pub mod fields;
pub mod file;
pub mod findings;
pub mod fit;
pub mod labels;
pub mod names;
pub mod peer;
pub mod policy;
pub mod psk;
pub mod reference;
pub mod sharing;
pub mod shell;
mod text;
pub(crate) mod wrap;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::cloud::exposure::{RuleDirection, ethertype};
use crate::cloud::{Id, RegionId, Router, Subnet, VpnService};

pub use checks::Known;
pub use findings::{Finding, Place, Severity};
pub use fit::PolicyScope;
pub use labels::Labels;
pub use names::{Half, VpnId, VpnName, meant};
pub use peer::{Peer, PeerAddress, PeerSystem};
pub use policy::{Policy, Profile, Profiles};
pub use psk::Psk;
pub(crate) use sharing::is_between;
pub use sharing::{KeySharer, SharedKey};
pub use shell::ShellCommand;
pub use text::PlannedObject;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfDraft {
    pub region: RegionId,
    pub router: Id,
    pub subnets: Vec<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Far<Half, Outside> {
    /// The other half, in another region (site-to-site mode).
    Half(Half),
    Peer(Outside),
}

/// What was asked for; nothing of it is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanDraft {
    pub name: VpnName,
    pub a: HalfDraft,
    pub far: Far<HalfDraft, Peer>,
    pub profile: Profile,
    /// The policy of both halves.
    pub policy: Policy,
    /// The key of both halves.
    pub psk: Psk,
}

/// Which family of addresses the tunnel itself runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outer {
    V4,
    V6,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServicePlan {
    Create,
    /// The router's own is used; a router can hold only one that works.
    Reuse(VpnService),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfPlan {
    pub half: Half,
    pub region: RegionId,
    pub label: String,
    pub router: Router,
    pub service: ServicePlan,
    /// The address the other end will see; on OVN it is known only once the service exists.
    pub address: Option<IpAddr>,
    /// The subnets it tunnels; one or more, of one IP version.
    pub local: Vec<Subnet>,
    pub remote: Vec<IpNet>,
    /// The connections its router had when the plan was checked: one that is not among them was made since.
    pub present: Vec<Id>,
}

impl HalfPlan {
    /// The service it is to use, which is of the old kind until its VPN is upgraded.
    pub(crate) fn legacy_service(&self) -> Option<&VpnService> {
        match &self.service {
            ServicePlan::Reuse(service) => Some(service).filter(|service| service.legacy_subnet.is_some()),
            ServicePlan::Create => None,
        }
    }

    pub fn local_ranges(&self) -> Vec<IpNet> {
        self.local.iter().map(|subnet| subnet.cidr).collect()
    }
}

/// A checked plan: exactly what will be made, and where. It can only be had from [`Plan::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    id: VpnId,
    name: VpnName,
    a: HalfPlan,
    far: Far<HalfPlan, Peer>,
    outer: Outer,
    profile: Profile,
    policy: Policy,
    psk: Psk,
    /// Connections between the same two ends, whose key this VPN has to share.
    sharers: Vec<KeySharer>,
    findings: Vec<Finding>,
}

impl Plan {
    pub const fn id(&self) -> &VpnId {
        &self.id
    }

    pub const fn name(&self) -> &VpnName {
        &self.name
    }

    pub const fn a(&self) -> &HalfPlan {
        &self.a
    }

    pub const fn far(&self) -> &Far<HalfPlan, Peer> {
        &self.far
    }

    /// One half; `B` is none in single mode.
    pub const fn half(&self, half: Half) -> Option<&HalfPlan> {
        match (half, &self.far) {
            (Half::A, _) => Some(&self.a),
            (Half::B, Far::Half(b)) => Some(b),
            (Half::B, Far::Peer(_)) => None,
        }
    }

    pub fn halves(&self) -> impl Iterator<Item = &HalfPlan> {
        [Half::A, Half::B].into_iter().filter_map(|half| self.half(half))
    }

    pub const fn peer(&self) -> Option<&Peer> {
        match &self.far {
            Far::Peer(peer) => Some(peer),
            Far::Half(_) => None,
        }
    }

    /// Which addresses the tunnel runs between.
    pub const fn outer(&self) -> Outer {
        self.outer
    }

    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The policy of both halves.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same plan with the policy of the profile `modern`, which every region takes.
    #[must_use]
    pub(crate) fn with_modern(mut self, profiles: &Profiles) -> Self {
        self.profile = Profile::Modern;
        self.policy = profiles.modern.clone();
        self.findings.retain(|finding| !matches!(finding.place, Place::Policy(_)));
        self
    }

    /// The same plan with more warnings.
    #[must_use]
    pub(crate) fn with_doubts(mut self, doubts: Vec<Finding>) -> Self {
        self.findings.splice(..0, doubts);
        self
    }

    /// The key of both halves.
    pub const fn psk(&self) -> &Psk {
        &self.psk
    }

    /// Warnings and notices; a plan has no refusals.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The security-group rules this VPN still needs: by default instances block traffic from the other side.
    pub fn security_rules(&self) -> Vec<SecurityRule> {
        self.halves()
            .flat_map(|half| {
                half.remote.iter().map(|range| SecurityRule { region: half.region.clone(), remote: *range })
            })
            .collect()
    }
}

/// Said where it is not known which rules exist; commands follow.
pub(crate) const RULES_NEEDED: &str =
    "Left to do: instances block traffic from the other side by default. Add a rule to one of their security groups:";

/// An ingress rule that the instances of a region need in one of their security groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityRule {
    pub region: RegionId,
    /// The range whose traffic it allows.
    pub remote: IpNet,
}

impl SecurityRule {
    /// The command that makes it, but for the security group, which only the user knows.
    pub fn command(&self) -> ShellCommand {
        rule_command(&self.region, RuleDirection::Ingress, &self.remote).words("SECURITY_GROUP")
    }
}

/// The command that adds a rule, but for the security group.
pub(crate) fn rule_command(region: &RegionId, direction: RuleDirection, remote: &IpNet) -> ShellCommand {
    shell::openstack(region, "security group rule create")
        .words(match direction {
            RuleDirection::Ingress => "--ingress --ethertype",
            RuleDirection::Egress => "--egress --ethertype",
        })
        .words(ethertype(remote))
        .words("--protocol any --remote-ip")
        .value(remote)
}
