//! What lets traffic of a tunnel into the instances of a region: their ports, security groups and rules.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use futures::future::join_all;
use ipnet::IpNet;
use itertools::Itertools;
use serde::Serialize;

use super::error::Error;
use super::inventory::Id;
use super::keystone::Region;
use super::neutron::batches;
use super::neutron::wire::{Wire as _, WireFixedIp, owned, wire};
use super::printable::Text;

/// What stands between a tunnel and the instances of some subnets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    pub subnets: BTreeSet<Id>,
    pub ports: Vec<InstancePort>,
    pub groups: Vec<SecurityGroup>,
    pub rules: Vec<SecurityGroupRule>,
}

/// A port of an instance, or of whatever else stands in a subnet and answers for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancePort {
    pub id: Id,
    pub name: String,
    pub addresses: Vec<(Id, IpAddr)>,
    /// The security groups that decide what it allows; any of them is enough.
    pub groups: Vec<Id>,
    pub is_secured: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    pub id: Id,
    pub name: String,
}

/// The traffic a security-group rule is about, as seen from the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleDirection {
    Ingress,
    Egress,
}

impl RuleDirection {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// A rule of a security group. What it does not restrict it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroupRule {
    pub id: Id,
    pub group: Id,
    pub group_name: Option<String>,
    pub description: String,
    pub direction: RuleDirection,
    pub is_v4: bool,
    /// `tcp`, `icmp`, …; none for all.
    pub protocol: Option<String>,
    /// The ports, or types of ICMP message, if it allows only some.
    pub ports: Option<Ports>,
    /// The range at the other end; none for all.
    pub remote: Option<IpNet>,
    /// Whether it allows only members of a group or address group: never the other end of a tunnel.
    pub is_of_members: bool,
}

/// What a rule is restricted to within its protocol: from the first to the last port; of ICMP a type and a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// `port_range_min`.
    pub first: Option<i64>,
    /// `port_range_max`.
    pub last: Option<i64>,
}

impl Ports {
    fn text(self, is_icmp: bool) -> String {
        match (self.first, self.last) {
            (Some(kind), None) if is_icmp => format!("type {kind}"),
            (Some(kind), Some(code)) if is_icmp => format!("type {kind} code {code}"),
            (Some(first), Some(last)) if first == last => format!("port {first}"),
            (Some(first), Some(last)) => format!("ports {first}-{last}"),
            (Some(first), None) => format!("ports from {first}"),
            (None, Some(last)) => format!("ports up to {last}"),
            (None, None) => "any port".to_owned(),
        }
    }
}

impl SecurityGroupRule {
    /// Its group by name and id: "office (3f2a...)".
    pub(crate) fn group_label(&self) -> String {
        match self.group_name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => format!("{name} ({})", self.group),
            None => self.group.to_string(),
        }
    }

    /// Whether it has the form of [`SecurityGroupRuleBody`].
    pub(crate) fn has_our_form(&self) -> bool {
        let is_whole = self.protocol.is_none() && self.ports.is_none() && !self.is_of_members;
        is_whole && self.direction == RuleDirection::Ingress && self.remote.is_some()
    }
}

/// The only form of rule this program adds: everything in, from one range.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SecurityGroupRuleBody<'a> {
    #[serde(rename = "security_group_id")]
    group: &'a Id,
    direction: &'static str,
    ethertype: &'static str,
    #[serde(rename = "remote_ip_prefix")]
    remote: &'a IpNet,
    description: &'a str,
}

impl<'a> SecurityGroupRuleBody<'a> {
    pub(crate) const fn new(group: &'a Id, remote: &'a IpNet, description: &'a str) -> Self {
        Self { group, direction: RuleDirection::Ingress.as_str(), ethertype: ethertype(remote), remote, description }
    }
}

pub(crate) const fn ethertype(remote: &IpNet) -> &'static str {
    match remote {
        IpNet::V4(_) => "IPv4",
        IpNet::V6(_) => "IPv6",
    }
}

impl fmt::Display for SecurityGroupRule {
    /// "ingress tcp, port 22, from 10.20.30.0/24"
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = self.protocol.as_deref().unwrap_or("any protocol");
        let is_icmp = protocol.to_ascii_lowercase().contains("icmp") || matches!(protocol, "1" | "58");
        let ports = self.ports.map_or_else(|| "any port".to_owned(), |ports| ports.text(is_icmp));
        write!(f, "{} {protocol}, {ports}, ", self.direction.as_str())?;
        match (&self.remote, self.is_of_members) {
            (_, true) => f.write_str("members of a group"),
            (Some(remote), false) if self.direction == RuleDirection::Egress => write!(f, "to {remote}"),
            (Some(remote), false) => write!(f, "from {remote}"),
            (None, false) => f.write_str("any address"),
        }
    }
}

wire! {
    WireInstancePort {
        id: Id, name: Option<Text>, device_owner: Option<Text>, fixed_ips: Option<Vec<WireFixedIp>>,
        security_groups: Option<Vec<Id>>, port_security_enabled: Option<bool>, project_id: Option<String>,
        tenant_id: Option<String>,
    }
    WireSecurityGroup { id: Id, name: Option<Text> }
    WireRule {
        id: Id, security_group_id: Id, description: Option<Text>, direction: Option<Text>, ethertype: Option<Text>,
        protocol: Option<Text>, port_range_min: Option<i64>, port_range_max: Option<i64>, remote_ip_prefix: Option<Text>,
        remote_group_id: Option<Text>, remote_address_group_id: Option<Text>,
    }
}
owned!(WireInstancePort);

impl Exposure {
    /// Of two readings of one region, about the subnets of both. Of groups and rules the later knows as much.
    pub(crate) fn and(mut self, later: Self) -> Self {
        let known: BTreeSet<Id> = self.ports.iter().map(|port| port.id.clone()).collect();
        self.ports.extend(later.ports.into_iter().filter(|port| !known.contains(&port.id)));
        self.subnets.extend(later.subnets);
        Self { groups: later.groups, rules: later.rules, ..self }
    }
}

impl WireInstancePort {
    /// Neutron's own ports (routers, DHCP, gateways) answer to no security group.
    fn is_of_instance(&self) -> bool {
        !self.device_owner.as_ref().is_some_and(|owner| owner.0.starts_with("network:"))
    }

    fn into_port(self) -> InstancePort {
        let address = |ip: WireFixedIp| ip.address().zip(ip.subnet_id).map(|(address, subnet)| (subnet, address));
        InstancePort {
            id: self.id,
            name: self.name.unwrap_or_default().0,
            addresses: self.fixed_ips.unwrap_or_default().into_iter().filter_map(address).collect(),
            groups: self.security_groups.unwrap_or_default(),
            is_secured: self.port_security_enabled.unwrap_or(true),
        }
    }
}

impl WireRule {
    fn into_rule(self, groups: &[SecurityGroup]) -> SecurityGroupRule {
        let group = self.security_group_id;
        let is = |text: &Option<Text>, word: &str| text.as_ref().is_some_and(|text| text.0 == word);
        let restricted = self.port_range_min.is_some() || self.port_range_max.is_some();
        let is_narrowed = self.remote_group_id.is_some() || self.remote_address_group_id.is_some();
        let prefix = self.remote_ip_prefix.map(|text| text.0.parse::<IpNet>().map(|range| range.trunc()));
        SecurityGroupRule {
            id: self.id,
            group_name: groups.iter().find(|one| one.id == group).map(|one| one.name.clone()),
            group,
            direction: if is(&self.direction, "egress") { RuleDirection::Egress } else { RuleDirection::Ingress },
            is_v4: !is(&self.ethertype, "IPv6"),
            description: self.description.unwrap_or_default().0,
            protocol: self.protocol.map(|text| text.0),
            ports: restricted.then_some(Ports { first: self.port_range_min, last: self.port_range_max }),
            // A prefix that cannot be read is taken to allow no range.
            is_of_members: is_narrowed || matches!(prefix, Some(Err(_))),
            remote: prefix.and_then(Result::ok),
        }
    }
}

impl Region {
    /// What lets traffic into the instances of those subnets, in three requests at once, or a few more where there are
    /// many subnets.
    pub async fn exposure(&self, subnets: BTreeSet<Id>) -> Result<Exposure, Error> {
        let filters: Vec<String> = subnets.iter().map(|id| format!("subnet_id={id}")).collect();
        let mut rest = subnets.into_iter();
        let ports = join_all(batches("fixed_ips", filters.iter().map(String::as_str)).map(|some| {
            let subnets: Vec<Id> = rest.by_ref().take(some.len()).collect();
            async move {
                let ports = self.list::<WireInstancePort>(&["ports"], "ports", WireInstancePort::FIELDS, &some).await?;
                Ok::<_, Error>((subnets, ports))
            }
        }));
        let (ports, groups, rules) = tokio::try_join!(
            async { Ok(ports.await) },
            self.list::<WireSecurityGroup>(&["security-groups"], "security_groups", WireSecurityGroup::FIELDS, &[]),
            self.list::<WireRule>(&["security-group-rules"], "security_group_rules", WireRule::FIELDS, &[]),
        )?;
        // The subnets of a request that failed are those about which nothing is known.
        let (ports, failed): (Vec<_>, Vec<_>) = ports.into_iter().partition_result();
        if let (true, Some(error)) = (ports.is_empty(), failed.into_iter().next()) {
            return Err(error);
        }
        let (subnets, ports): (Vec<_>, Vec<_>) = ports.into_iter().unzip();
        let (subnets, ports) =
            (subnets.into_iter().flatten().collect(), ports.into_iter().flatten().collect::<Vec<_>>());
        let mut seen = BTreeSet::new();
        // A port in two of the subnets may be in two of the answers.
        let is_wanted = |port: &WireInstancePort| port.is_of_instance() && seen.insert(port.id.clone());
        let ports = self.own(ports).into_iter().filter(is_wanted).map(WireInstancePort::into_port).collect();
        let group = |one: WireSecurityGroup| SecurityGroup { id: one.id, name: one.name.unwrap_or_default().0 };
        let groups: Vec<SecurityGroup> = groups.into_iter().map(group).collect();
        let rules = rules.into_iter().map(|rule| rule.into_rule(&groups)).collect();
        Ok(Exposure { subnets, ports, groups, rules })
    }
}
