//! One VPN of the project: its halves, as the cloud has them.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use crate::cloud::{Id, Kind, RegionId, Router, SiteConnection, Status, StoredPolicy, VpnService};
use crate::plan::fields::PolicyField;
use crate::plan::policy::IkeVersion;
use crate::plan::{Half, VpnId, VpnName};

/// One VPN: a connection, and what it is connected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpn {
    /// What its objects' names start with, or the name of its first connection.
    pub name: String,
    /// Whether that name is no other VPN's, nor another's connection's, nor like an id.
    pub is_named_alone: bool,
    /// The id in its markers, if this program made it.
    pub id: Option<VpnId>,
    /// The first half, or the only one.
    pub a: Side,
    /// The other half, or why there is none.
    pub other_half: OtherHalf,
    /// Other connections that carry the marker of one of its halves, with that half.
    pub doubles: Vec<(Half, ConnectionName)>,
}

/// How a person tells a connection from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionName {
    pub region: RegionId,
    pub name: String,
    pub id: Id,
}

impl ConnectionName {
    pub(crate) fn of(side: &Side) -> Self {
        let SiteConnection { id, name, .. } = &side.connection;
        Self { region: side.region.clone(), name: name.clone(), id: id.clone() }
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) in {}", self.name, self.id, self.region)
    }
}

/// Connections that can be the other half of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguity {
    own: ConnectionName,
    candidates: Vec<ConnectionName>,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the other half of {} can be {}: nothing tells which. Give the two connections of each VPN a name of their own",
            self.own,
            self.candidates.iter().join(", or ")
        )
    }
}

/// What a connection is connected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherHalf {
    Found(Box<Side>),
    /// The other half should be in this project and is not there.
    Missing {
        /// Which region's it would be, if that can be told.
        region: Option<RegionId>,
        /// What tells that it should be there.
        because: String,
    },
    /// The other half is one of these, and nothing tells which.
    Ambiguous(Vec<ConnectionName>),
    Outside,
}

/// One region's side of a VPN, as the cloud has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    pub region: RegionId,
    pub connection: SiteConnection,
    pub service: Option<VpnService>,
    pub router: Option<Router>,
    pub ike: Option<StoredPolicy>,
    pub ipsec: Option<StoredPolicy>,
    /// The ids of the subnets it tunnels.
    pub subnets: Vec<Id>,
    /// Their ranges; none if not all can be read.
    pub local: Option<Vec<IpNet>>,
    /// The ranges it expects behind its peer.
    pub remote: Vec<IpNet>,
    pub mark: Option<(VpnId, Half)>,
    /// The other connections of its service to the same peer, under the same two identities. strongSwan finds a key by these
    /// alone, so it takes any of their keys for any of them.
    pub rivals: Vec<Id>,
}

impl Vpn {
    pub fn sides(&self) -> impl Iterator<Item = (Half, &Side)> {
        let b = match &self.other_half {
            OtherHalf::Found(side) => Some((Half::B, &**side)),
            OtherHalf::Missing { .. } | OtherHalf::Ambiguous(_) | OtherHalf::Outside => None,
        };
        std::iter::once((Half::A, &self.a)).chain(b)
    }

    pub fn side(&self, half: Half) -> Option<&Side> {
        self.sides().find(|(candidate, _)| *candidate == half).map(|(_, side)| side)
    }

    pub const fn b(&self) -> Option<&Side> {
        match &self.other_half {
            OtherHalf::Found(side) => Some(side),
            OtherHalf::Missing { .. } | OtherHalf::Ambiguous(_) | OtherHalf::Outside => None,
        }
    }

    pub fn is_active(&self) -> bool {
        self.sides().all(|(_, side)| side.connection.status == Status::Active)
    }

    /// ACTIVE if every side is, else the first other status.
    pub fn status(&self) -> &Status {
        let mut statuses = self.sides().map(|(_, side)| &side.connection.status);
        statuses.find(|status| **status != Status::Active).unwrap_or(&Status::Active)
    }

    pub const fn is_missing_a_half(&self) -> bool {
        matches!(self.other_half, OtherHalf::Missing { .. })
    }

    /// What a half is called in a sentence: its region, or the half too where both are in one region.
    pub fn place(&self, half: Half) -> String {
        let regions: Vec<&RegionId> = self.sides().map(|(_, side)| &side.region).collect();
        match (self.side(half), regions.as_slice()) {
            (Some(side), [a, b]) if a == b => format!("{} (half {half})", side.region),
            (Some(side), _) => side.region.to_string(),
            (None, _) => format!("half {half}"),
        }
    }

    /// Which connections its other half can be, if nothing tells.
    pub(crate) fn ambiguity(&self) -> Option<Ambiguity> {
        let OtherHalf::Ambiguous(candidates) = &self.other_half else { return None };
        Some(Ambiguity { own: ConnectionName::of(&self.a), candidates: candidates.clone() })
    }

    /// Why it is uncertain which connections it consists of, in a few words; none if it is certain.
    pub(super) fn uncertainty(&self) -> Option<String> {
        if let Some((half, _)) = self.doubles.first() {
            return Some(format!("half {half} exists more than once; name a connection by its id"));
        }
        self.ambiguity().map(|_| "its other half can be one of several connections".to_owned())
    }

    /// The problem of a VPN whose marker is on one half only: it is not known to be the VPN of that id.
    pub fn half_marked(&self) -> Option<String> {
        let (one, other) = (&self.a, self.b()?);
        let of = |side: &Side| side.mark.as_ref().map(|(id, _)| id.clone());
        let (marked, bare) = if one.mark.is_some() { (one, other) } else { (other, one) };
        let (id, half) = marked.mark.clone().filter(|_| of(one) != of(other))?;
        Some(format!(
            "the marker {} is on {} and not on its other half, {}, so they are not known to be the VPN of that id",
            id.mark(half),
            ConnectionName::of(marked),
            ConnectionName::of(bare)
        ))
    }

    /// The problem of a VPN one of whose halves is there twice: the id in the marker does not tell which is meant.
    pub fn doubled(&self) -> Option<String> {
        let (half, _) = self.doubles.first()?;
        let own =
            self.sides().map(|(_, side)| side).find(|side| side.mark.as_ref().is_some_and(|(_, own)| own == half))?;
        let (id, half) = own.mark.clone()?;
        let others = self.doubles.iter().map(|(_, name)| name).unique().join(", ");
        Some(format!("the marker {} is on several connections: {}, {others}", id.mark(half), ConnectionName::of(own)))
    }
}

impl Side {
    /// The address its peers must use: its service's, of the family its own peer has.
    pub fn address(&self) -> Option<IpAddr> {
        address_of(self.service.as_ref()?, &self.connection)
    }

    /// Every address it is or was reached at: its service's and its router's.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let service = self.service.iter().flat_map(VpnService::addresses);
        service.chain(self.router.iter().flat_map(outside)).collect()
    }

    /// How it names itself to its peer: its `local_id`, or its address.
    pub fn identity(&self) -> Option<String> {
        if self.connection.local_id.is_empty() {
            self.address().map(|address| address.to_string())
        } else {
            Some(self.connection.local_id.clone())
        }
    }

    /// Its value of a field, as the API writes it; none if its policy cannot be read.
    pub(crate) fn stored(&self, field: PolicyField) -> Option<String> {
        let SiteConnection { dpd, mtu, initiator, .. } = &self.connection;
        Some(match field {
            PolicyField::DpdAction => dpd.action.clone(),
            PolicyField::DpdInterval => dpd.interval.to_string(),
            PolicyField::DpdTimeout => dpd.timeout.to_string(),
            PolicyField::Mtu => mtu.to_string(),
            PolicyField::Initiator => initiator.clone(),
            _ => {
                let policy = if field.kind() == Kind::IkePolicy { &self.ike } else { &self.ipsec };
                policy.as_ref()?.word(field.attribute()).to_owned()
            }
        })
    }

    /// Which IKE it speaks, if that can be read.
    pub fn ike_version(&self) -> Option<IkeVersion> {
        self.stored(PolicyField::IkeVersion)?.parse().ok()
    }

    /// Whether it is a connection of the old kind, without endpoint groups.
    pub const fn is_legacy(&self) -> bool {
        self.connection.local_group.is_none()
    }
}

/// The address of a service, of the family that the peer of its connection has.
pub(super) fn address_of(service: &VpnService, connection: &SiteConnection) -> Option<IpAddr> {
    let (v4, v6) = (service.external_v4.map(IpAddr::V4), service.external_v6.map(IpAddr::V6));
    match connection.peer_address.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => v6,
        Ok(IpAddr::V4(_)) => v4,
        Err(_) => v4.or(v6),
    }
}

/// The outside addresses of a router.
pub fn outside(router: &Router) -> impl Iterator<Item = IpAddr> {
    let v4 = router.external_v4.iter().copied().map(IpAddr::V4);
    v4.chain(router.external_v6.iter().copied().map(IpAddr::V6))
}

pub(super) fn name_of(connection: &str) -> String {
    VpnName::from_object(connection, "vpn_site_connection").map_or_else(
        || if connection.trim().is_empty() { "unnamed".to_owned() } else { connection.to_owned() },
        |name| name.to_string(),
    )
}

/// The end of a piece of advice about a connection of another VPN: what it is, and what deleting it does.
pub(super) fn of_another(region: &RegionId, connection: &SiteConnection) -> String {
    format!(
        "another VPN, {}, with the connection {} ({}) in {region}, {}; deleting that deletes both its halves",
        name_of(&connection.name),
        connection.name,
        connection.id,
        connection.status
    )
}
