//! The values of a sheet, as one half of a VPN has them, seen from its far side.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::cloud::{DeadPeerDetection, Kind, RegionId, StoredPolicy};
use crate::inspect::Vpn;
use crate::plan::fields::PolicyField;
use crate::plan::policy::IkeVersion;
use crate::plan::{Half, Plan, Policy, peer};

/// What the far side of a half has to be set to. *Local* is the far side, *remote* is the half in this cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FarSide {
    /// The name of the VPN, without any character that a comment could not hold.
    pub vpn: String,
    /// Of the half in this cloud.
    pub region: RegionId,
    pub local: FarEnd,
    pub remote: FarEnd,
    pub ike_version: IkeVersion,
    /// Of phase 1, with `IKEv1`: `main` or `aggressive`.
    pub mode: String,
    /// Each attribute of both policies by its name in the API, behind `ike.` or `ipsec.`, with its word.
    pub words: Vec<(String, String)>,
    /// In seconds.
    pub ike_lifetime: u32,
    /// In seconds.
    pub ipsec_lifetime: u32,
    pub dpd: DeadPeerDetection,
    /// Of the connection, in bytes.
    pub mtu: u32,
}

/// What stands for the address of a VPN service that has none yet.
const NOT_GIVEN: &str = "not given by the cloud yet";

/// One of the two ends of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FarEnd {
    /// An address, or a host name.
    pub address: String,
    /// How it names itself.
    pub id: String,
    /// Whether that is compared as a name. Where one of the two identities of a connection is none of an address, VPNaaS has
    /// each that was set compared as a name (`make_vpnservice_dict` of neutron-vpnaas).
    pub is_named: bool,
    /// At least one.
    pub networks: Vec<IpNet>,
}

/// Why the values of a half cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetProblem {
    #[error("half {0} is missing")]
    NoHalf(Half),
    #[error("the cloud has not given its VPN service an external address yet; try again in a moment")]
    NoAddress,
    #[error("not all subnets of {0} can be read")]
    NoSubnets(RegionId),
    #[error("the connection in {0} has no ranges behind its peer")]
    NoRanges(RegionId),
    #[error("the {0} policy in {1} cannot be read")]
    NoPolicy(&'static str, RegionId),
    /// What it is of, and what it says.
    #[error("the identity {1} ({0}) holds characters that no sheet can quote safely; set the far side by hand")]
    UnsafeId(&'static str, String),
}

impl FarSide {
    /// Of that half of a VPN.
    ///
    /// # Errors
    /// What of it cannot be told.
    pub fn of(vpn: &Vpn, half: Half) -> Result<Self, SheetProblem> {
        let side = vpn.side(half).ok_or(SheetProblem::NoHalf(half))?;
        let region = || side.region.clone();
        let (Some(address), Some(id)) = (side.address(), side.identity()) else { return Err(SheetProblem::NoAddress) };
        let ike = side.ike.as_ref().ok_or_else(|| SheetProblem::NoPolicy("IKE", region()))?;
        let ipsec = side.ipsec.as_ref().ok_or_else(|| SheetProblem::NoPolicy("IPsec", region()))?;
        let ike_version = ike.word("ike_version").parse();
        let networks = side.local.clone().filter(|networks| !networks.is_empty());
        if side.remote.is_empty() {
            return Err(SheetProblem::NoRanges(region()));
        }
        let connection = &side.connection;
        let is_address = |id: &str| id.parse::<IpAddr>().is_ok();
        let has_name =
            !is_address(&connection.peer_id) || (!connection.local_id.is_empty() && !is_address(&connection.local_id));
        for (whose, id) in [("of this cloud", &id), ("of the far side", &connection.peer_id)] {
            peer::check_id(id).map_err(|_| SheetProblem::UnsafeId(whose, crate::cloud::one_line(id, 60)))?;
        }
        Ok(Self {
            vpn: plain(&vpn.name),
            region: region(),
            local: FarEnd {
                address: plain(&connection.peer_address),
                id: connection.peer_id.clone(),
                is_named: has_name,
                networks: side.remote.clone(),
            },
            remote: FarEnd {
                address: address.to_string(),
                id,
                is_named: has_name && !connection.local_id.is_empty(),
                networks: networks.ok_or_else(|| SheetProblem::NoSubnets(region()))?,
            },
            ike_version: ike_version.map_err(|_| SheetProblem::NoPolicy("IKE", region()))?,
            mode: plain(ike.word("phase1_negotiation_mode")),
            words: [("ike", ike), ("ipsec", ipsec)].into_iter().flat_map(|(of, policy)| words(of, policy)).collect(),
            ike_lifetime: lifetime(ike).ok_or_else(|| SheetProblem::NoPolicy("IKE", region()))?,
            ipsec_lifetime: lifetime(ipsec).ok_or_else(|| SheetProblem::NoPolicy("IPsec", region()))?,
            dpd: DeadPeerDetection { action: plain(&connection.dpd.action), ..connection.dpd.clone() },
            mtu: connection.mtu,
        })
    }

    /// Of a planned VPN with an outside peer, once its service has that address. None where both ends are in the cloud.
    pub fn planned(plan: &Plan, address: Option<IpAddr>) -> Option<Self> {
        let (half, peer) = (plan.a(), plan.peer()?);
        let address = address.map_or_else(|| NOT_GIVEN.to_owned(), |address| address.to_string());
        Some(Self {
            vpn: plain(&plan.name().to_string()),
            region: half.region.clone(),
            local: FarEnd {
                address: peer.address.to_string(),
                id: peer.id.clone(),
                is_named: peer.id.parse::<IpAddr>().is_err(),
                networks: half.remote.clone(),
            },
            remote: FarEnd { id: address.clone(), address, is_named: false, networks: half.local_ranges() },
            ..Self::negotiating(plan.policy(), Vec::new(), Vec::new())
        })
    }

    /// Of a VPN with that policy that is not planned yet, for what a system takes: those ranges in the cloud, and behind the peer.
    pub fn negotiating(policy: &Policy, cloud: Vec<IpNet>, behind: Vec<IpNet>) -> Self {
        let end = |networks| FarEnd { address: String::new(), id: String::new(), is_named: false, networks };
        let word = |field: PolicyField| {
            let of = if field.kind() == Kind::IkePolicy { "ike" } else { "ipsec" };
            (format!("{of}.{}", field.attribute()), field.get(policy))
        };
        Self {
            vpn: String::new(),
            region: RegionId::new(""),
            local: end(behind),
            remote: end(cloud),
            ike_version: policy.ike.ike_version,
            mode: policy.ike.phase1_negotiation_mode.to_string(),
            words: PolicyField::of_policies().map(word).collect(),
            ike_lifetime: policy.ike.lifetime,
            ipsec_lifetime: policy.ipsec.lifetime,
            dpd: DeadPeerDetection {
                action: policy.dpd.action.to_string(),
                interval: policy.dpd.interval,
                timeout: policy.dpd.timeout,
            },
            mtu: policy.mtu,
        }
    }

    /// The same for a VPN of that name.
    #[must_use]
    pub fn named(self, vpn: &str) -> Self {
        Self { vpn: plain(vpn), ..self }
    }

    /// The word of an attribute, such as `ike.pfs`.
    pub(super) fn word(&self, attribute: &str) -> &str {
        self.words.iter().find(|(name, _)| name == attribute).map_or("", |(_, word)| word)
    }

    pub(super) fn is_ikev2(&self) -> bool {
        self.ike_version == IkeVersion::V2
    }

    /// A name for what is made on the far side: letters, digits and hyphens, a letter first.
    pub(super) fn name_within(&self, longest: usize) -> String {
        let letters = self.vpn.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
        let name: String = letters.skip_while(|c| !c.is_ascii_alphabetic()).take(longest).collect();
        let name = name.trim_end_matches('-');
        if name.is_empty() { "openstack".to_owned() } else { name.to_owned() }
    }

    /// What a TCP segment may hold on the far side: 40 bytes of headers (60 with IPv6), and what ESP within UDP adds at most to
    /// a packet, rounded down to tens.
    pub(super) fn mss(&self) -> u32 {
        const ESP_IN_UDP: u32 = 78;
        let headers = if self.local.networks.iter().any(|network| network.addr().is_ipv6()) { 60 } else { 40 };
        let within = self.mtu.clamp(576, 1500).saturating_sub(ESP_IN_UDP + headers);
        within.min(1350) / 10 * 10
    }

    /// Whether the cloud itself is behind address translation: its peer connects to another address than it says.
    pub(super) fn is_behind_nat(&self) -> bool {
        match self.remote.address.parse() {
            Ok(IpAddr::V4(address)) => {
                address.is_private() || (address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64)
            }
            _ => false,
        }
    }
}

impl FarEnd {
    /// In the words of RFC 7296.
    pub(super) fn id_type(&self) -> &'static str {
        match self.id.parse() {
            Ok(IpAddr::V4(_)) if !self.is_named => "IPv4 address",
            Ok(IpAddr::V6(_)) if !self.is_named => "IPv6 address",
            _ => "FQDN",
        }
    }
}

fn words(of: &'static str, policy: &StoredPolicy) -> impl Iterator<Item = (String, String)> {
    policy.attributes.iter().map(move |(name, word)| (format!("{of}.{name}"), plain(word)))
}

fn lifetime(policy: &StoredPolicy) -> Option<u32> {
    policy.word("lifetime").trim_start_matches("seconds").trim().parse().ok()
}

/// A text of the cloud without what could end a comment or a line, or mean something to the system that reads it.
pub(super) fn plain(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || " ._:-".contains(c);
    text.chars().map(|c| if is_safe(c) { c } else { '?' }).take(80).collect::<String>().trim().to_owned()
}

/// A range, in each of the ways in which systems write one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Network {
    cidr: IpNet,
    address: IpAddr,
    prefix: u8,
    netmask: IpAddr,
    /// The netmask with its bits inverted.
    wildcard: IpAddr,
}

impl Network {
    pub(super) fn new(cidr: IpNet) -> Self {
        let network = cidr.trunc();
        Self {
            cidr: network,
            address: network.addr(),
            prefix: network.prefix_len(),
            netmask: network.netmask(),
            wildcard: network.hostmask(),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cidr.fmt(f)
    }
}

/// What one SA carries on the far side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SaRanges {
    /// Counted from 1.
    number: usize,
    local: Vec<Network>,
    remote: Vec<Network>,
}

impl SaRanges {
    /// One SA for all ranges.
    pub(super) fn one(local: &[Network], remote: &[Network]) -> Vec<Self> {
        vec![Self { number: 1, local: local.to_vec(), remote: remote.to_vec() }]
    }

    /// One SA for each local range with each remote one.
    pub(super) fn each(local: &[Network], remote: &[Network]) -> Vec<Self> {
        let pairs = local.iter().flat_map(|one| remote.iter().map(move |other| (*one, *other)));
        let pair = |(at, (one, other))| Self { number: at + 1, local: vec![one], remote: vec![other] };
        pairs.enumerate().map(pair).collect()
    }
}
