//! Whether instances allow traffic from the other side, and which rules would. The routers need none: what they send to
//! each other passes no security group.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Side;
use crate::cloud::exposure::{Exposure, InstancePort, RuleDirection, SecurityGroupRule};
use crate::cloud::{Id, RegionId};
use crate::plan::{ShellCommand, cidr, rule_command};

/// How much a port allows from a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admission {
    Nothing,
    /// Some protocols or ports, or part of the range.
    Some,
    Everything,
}

impl Admission {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Some => "some",
            Self::Everything => "everything",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInUse {
    pub id: Id,
    pub name: String,
    pub ports: usize,
    /// How much it allows from the other side.
    pub admits: Admission,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingRule {
    pub region: RegionId,
    pub group: Id,
    pub name: String,
    /// The range behind the peer.
    pub remote: IpNet,
    pub direction: RuleDirection,
}

impl MissingRule {
    pub fn command(&self) -> ShellCommand {
        rule_command(&self.region, self.direction, &self.remote).operand(&self.group)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceGate {
    /// The groups in use, the most used first.
    pub groups: Vec<GroupInUse>,
    /// How many instance ports there are in its subnets.
    pub ports: usize,
    /// How many of them block some range of the other side.
    pub closed: usize,
    /// The rules that would open those, one for each group and range.
    pub missing: Vec<MissingRule>,
    /// The rules without which instances can answer, and not begin.
    pub outgoing: Vec<MissingRule>,
    /// An address of an instance, to be pinged from the other side.
    pub instance: Option<IpAddr>,
}

/// Compares a half's ports with the ranges of the other side; none if not all its subnets were looked at.
pub fn gate(side: &Side, seen: &Exposure) -> Option<InstanceGate> {
    if !side.subnets.iter().all(|subnet| seen.subnets.contains(subnet)) {
        return None;
    }
    let stands_there = |port: &&InstancePort| port.addresses.iter().any(|(subnet, _)| side.subnets.contains(subnet));
    let ports: Vec<&InstancePort> = seen.ports.iter().filter(stands_there).collect();
    let (mut missing, mut outgoing) = (BTreeSet::new(), BTreeSet::new());
    let mut closed = 0;
    for port in ports.iter().filter(|port| port.is_secured) {
        let admits = |remote: &IpNet, direction| {
            let admitted = port.groups.iter().map(|group| admission(seen, group, *remote, direction));
            admitted.max().unwrap_or(Admission::Nothing) != Admission::Nothing
        };
        let rule = |remote: &IpNet, direction| {
            port.groups.first().map(|group| MissingRule {
                region: side.region.clone(),
                group: group.clone(),
                name: name_of(seen, group),
                remote: *remote,
                direction,
            })
        };
        // What of everything should be let in is not for a program to say.
        let named = || side.remote.iter().filter(|remote| !cidr::is_everything(remote));
        let shut: Vec<&IpNet> = named().filter(|remote| !admits(remote, RuleDirection::Ingress)).collect();
        closed += usize::from(!shut.is_empty());
        missing.extend(shut.into_iter().filter_map(|remote| rule(remote, RuleDirection::Ingress)));
        // What was let in may be answered; only to begin by itself an instance needs a way out.
        outgoing.extend(
            named()
                .filter(|remote| !admits(remote, RuleDirection::Egress))
                .filter_map(|remote| rule(remote, RuleDirection::Egress)),
        );
    }
    Some(InstanceGate {
        groups: groups_in_use(side, seen, &ports),
        ports: ports.len(),
        closed,
        missing: missing.into_iter().collect(),
        outgoing: outgoing.into_iter().collect(),
        instance: instance(side, &ports),
    })
}

fn groups_in_use(side: &Side, seen: &Exposure, ports: &[&InstancePort]) -> Vec<GroupInUse> {
    let used: BTreeSet<&Id> = ports.iter().filter(|port| port.is_secured).flat_map(|port| &port.groups).collect();
    let state = |id: &Id| GroupInUse {
        id: id.clone(),
        name: name_of(seen, id),
        ports: ports.iter().filter(|port| port.groups.contains(id)).count(),
        admits: side
            .remote
            .iter()
            .map(|remote| admission(seen, id, *remote, RuleDirection::Ingress))
            .min()
            .unwrap_or(Admission::Nothing),
    };
    let mut groups: Vec<GroupInUse> = used.into_iter().map(state).collect();
    groups.sort_by(|a, b| b.ports.cmp(&a.ports).then_with(|| (&a.name, &a.id).cmp(&(&b.name, &b.id))));
    groups
}

fn name_of(seen: &Exposure, group: &Id) -> String {
    let known = seen.groups.iter().find(|known| known.id == *group).map(|known| known.name.clone());
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| group.short().to_owned())
}

fn admission(seen: &Exposure, group: &Id, remote: IpNet, direction: RuleDirection) -> Admission {
    let rules = seen.rules.iter().filter(|rule| rule.group == *group && rule.direction == direction);
    rules.map(|rule| of_rule(rule, remote)).max().unwrap_or(Admission::Nothing)
}

/// What a rule says of a range. One for members of a group never allows it from the other side, whose addresses it does
/// not know.
fn of_rule(rule: &SecurityGroupRule, remote: IpNet) -> Admission {
    if rule.is_of_members || rule.is_v4 != matches!(remote, IpNet::V4(_)) {
        return Admission::Nothing;
    }
    match rule.remote {
        Some(prefix) if !prefix.contains(&remote) && !remote.contains(&prefix) => Admission::Nothing,
        Some(prefix) if !prefix.contains(&remote) => Admission::Some,
        _ if rule.protocol.is_none() && rule.ports.is_none() => Admission::Everything,
        _ => Admission::Some,
    }
}

/// An instance's address in the half's own subnets.
fn instance(side: &Side, ports: &[&InstancePort]) -> Option<IpAddr> {
    let mut addresses = ports.iter().flat_map(|port| &port.addresses);
    addresses.find(|(subnet, _)| side.subnets.contains(subnet)).map(|(_, address)| *address)
}
