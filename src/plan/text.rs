//! A plan in words: what the dry run prints and the review shows.

use std::fmt;

use itertools::Itertools;

use super::policy::Policy;
use super::{Far, HalfPlan, Plan, ServicePlan};
use crate::cloud::Kind;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedObject {
    pub kind: Kind,
    pub name: String,
    pub about: String,
    pub is_reused: bool,
}

impl HalfPlan {
    /// The address the other end will see, or why it is not known yet.
    pub fn address_text(&self) -> String {
        self.address.map_or_else(|| "given by the cloud".to_owned(), |address| address.to_string())
    }
}

impl Plan {
    pub fn objects(&self, half: &HalfPlan) -> [PlannedObject; 6] {
        let new = |kind, name, about| PlannedObject { kind, name: self.name().of(name), about, is_reused: false };
        let service = match &half.service {
            ServicePlan::Create => new(Kind::VpnService, "vpn_service", format!("on {}", half.router.name)),
            ServicePlan::Reuse(service) => PlannedObject {
                kind: Kind::VpnService,
                name: service.name.clone(),
                about: format!("reused, {}", service.id.short()),
                is_reused: true,
            },
        };
        let local = half.local.iter().map(|subnet| format!("{} {}", subnet.name, subnet.cidr)).join(", ");
        let remote = half.remote.iter().join(", ");
        let (peer, id) = self.peer_of(half);
        let peer = if peer == id { format!("peer {peer}") } else { format!("peer {peer}, id {id}") };
        let connection = format!("{peer}; {}", self.policy().connection_text());
        [
            service,
            new(Kind::IkePolicy, "ike_policy", self.policy().ike_text()),
            new(Kind::IpsecPolicy, "ipsec_policy", self.policy().ipsec_text()),
            new(Kind::EndpointGroup, "local_endpoint_group", local),
            new(Kind::EndpointGroup, "peer_endpoint_group", remote),
            new(Kind::SiteConnection, "vpn_site_connection", connection),
        ]
    }

    pub fn peer_of(&self, half: &HalfPlan) -> (String, String) {
        match (self.far(), self.half(half.half.other())) {
            (Far::Peer(peer), _) => (peer.address.to_string(), peer.id.clone()),
            (Far::Half(_), Some(other)) => (other.address_text(), other.address_text()),
            (Far::Half(_), None) => (String::new(), String::new()),
        }
    }
}

impl Policy {
    pub(crate) fn ike_text(&self) -> String {
        let ike = &self.ike;
        let mode = match ike.ike_version {
            super::policy::IkeVersion::V1 => format!(" {}", ike.phase1_negotiation_mode),
            super::policy::IkeVersion::V2 => String::new(),
        };
        format!(
            "IKE{}{mode}, {}, {}, {}, {} s",
            ike.ike_version, ike.auth_algorithm, ike.encryption_algorithm, ike.pfs, ike.lifetime
        )
    }

    pub(crate) fn ipsec_text(&self) -> String {
        let ipsec = &self.ipsec;
        format!(
            "{} {}, {}, {}, {}, {} s",
            ipsec.transform_protocol,
            ipsec.encapsulation_mode,
            ipsec.auth_algorithm,
            ipsec.encryption_algorithm,
            ipsec.pfs,
            ipsec.lifetime
        )
    }

    pub(crate) fn connection_text(&self) -> String {
        format!(
            "DPD {} {}/{} s, MTU {}, {}",
            self.dpd.action, self.dpd.interval, self.dpd.timeout, self.mtu, self.initiator
        )
    }
}

/// Without the id in its marker, which is another in each run.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "VPN {}", self.name())?;
        for half in self.halves() {
            writeln!(f)?;
            let label = if half.label == half.region.as_str() { String::new() } else { format!(" {}", half.label) };
            writeln!(f, "half {}:{label} {}", half.half, half.region)?;
            let id = half.router.id.as_str();
            writeln!(f, "  router            {} ({id}), {}", half.router.name, half.address_text())?;
            for PlannedObject { kind, name, about, is_reused } in self.objects(half) {
                let verb = if is_reused { "use   " } else { "create" };
                writeln!(f, "  {verb} {:<21} {name}: {about}", kind.label())?;
            }
        }
        if let Some(peer) = self.peer() {
            let ranges = peer.cidrs.iter().join(", ");
            writeln!(f, "\nexternal peer: {} (id {}), {ranges}", peer.address, peer.id)?;
        }
        if !self.findings().is_empty() {
            writeln!(f)?;
            for finding in self.findings() {
                let word = match finding.severity {
                    super::Severity::Warning => "warning",
                    _ => "note",
                };
                writeln!(f, "{word}: {finding}")?;
            }
        }
        Ok(())
    }
}
