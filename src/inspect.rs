//! What VPNs there are: every IPsec site connection of the project, matched into pairs of halves, and what speaks for or
//! against each pair. It reads and never writes, and the pure parts of it know no cloud.
//!
//! * [`inspect`] reads all regions and matches (`pairs`);
//! * [`proof`] holds the two halves of a VPN against each other, field by field;
//! * [`exposure`] tells whether instances admit what comes across;
//! * [`diagnosis`] orders what was found by what most likely keeps the tunnel down, and says what cannot be seen.

mod agreement;
pub mod diagnosis;
mod evidence;
mod examine;
pub mod exposure;
pub mod keys;
mod look;
mod pairs;
pub mod proof;
mod same;
mod select;
mod strays;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use ipnet::IpNet;
use itertools::Itertools;
use tokio::time::sleep;

use crate::cloud::{
    Cloud, Error, Id, Kind, Region, RegionId, Router, SiteConnection, Status, StoredPolicy, Survey, VpnService,
};
use crate::plan::policy::IkeVersion;
use crate::plan::{Half, VpnId, VpnName};

pub use agreement::Agreement;
pub use diagnosis::Diagnosis;
pub use examine::{Examined, examine};
pub use keys::{EqualKeys, Keys, Weakness};
pub use look::{Look, look};
pub use pairs::in_order;
pub use proof::{Advice, Check, Compared, Fault, Fix, Subject, Verdict, Weight};
pub use select::Unselected;
pub use strays::Stray;

/// What the project has, as far as its regions could be read.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// The VPNs, by name.
    pub vpns: Vec<Vpn>,
    /// Objects no connection uses.
    pub strays: Vec<Stray>,
    /// Regions that could not be read, and why. A half whose partner is there looks alone.
    pub unread: Vec<(RegionId, Error)>,
    /// Regions that are still being read, while not everything is. What was said of the unread is true of them, too.
    pub awaited: Vec<RegionId>,
    /// Everything that was read.
    pub surveys: BTreeMap<RegionId, Survey>,
    /// Which keys are equal, where connections could not be told apart without.
    pub keys: EqualKeys,
}

/// One VPN: a connection, and what it is connected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpn {
    /// What its objects' names start with, or the name of its first connection.
    pub name: String,
    /// The id in its marks, if this program made it.
    pub id: Option<VpnId>,
    /// The first half, or the only one.
    pub a: Side,
    /// What is across.
    pub across: Across,
    /// Other connections that carry the marker of one of its halves, with that half.
    pub doubles: Vec<(Half, ConnectionName)>,
}

/// How a person tells a connection from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionName {
    /// Where it is.
    pub region: RegionId,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Id,
}

impl ConnectionName {
    fn of(side: &Side) -> Self {
        let SiteConnection { id, name, .. } = &side.connection;
        Self { region: side.region.clone(), name: name.clone(), id: id.clone() }
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) in {}", self.name, self.id, self.region)
    }
}

/// What a connection is connected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Across {
    /// The other half, in this project.
    Half(Box<Side>),
    /// The other half should be in this project and is not there.
    Missing {
        /// Which region's it would be, if that can be told.
        region: Option<RegionId>,
        /// What tells that it should be there.
        because: String,
    },
    /// The other half is one of these, and nothing tells which.
    Ambiguous(Vec<ConnectionName>),
    /// A peer outside.
    Outside,
}

/// One region's side of a VPN, as the cloud has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Where it is.
    pub region: RegionId,
    /// The connection itself.
    pub connection: SiteConnection,
    /// Its VPN service.
    pub service: Option<VpnService>,
    /// The router of that service.
    pub router: Option<Router>,
    /// Its IKE policy.
    pub ike: Option<StoredPolicy>,
    /// Its IPsec policy.
    pub ipsec: Option<StoredPolicy>,
    /// The ids of the subnets it tunnels.
    pub subnets: Vec<Id>,
    /// Their ranges; none if not all of them can be seen.
    pub local: Option<Vec<IpNet>>,
    /// The ranges it expects across.
    pub remote: Vec<IpNet>,
    /// The VPN and half its mark tells of.
    pub mark: Option<(VpnId, Half)>,
    /// The other connections of its service to the same peer, under the same two identities. strongSwan finds a key by these
    /// alone, so it takes any of their keys for any of them.
    pub rivals: Vec<Id>,
}

/// How a VPN stands, in one word; the better ones first, as far as a monitor of several goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// ACTIVE, and the halves match as far as that can be seen.
    Proven,
    /// Something that counts could not be read, or has a status that says nothing.
    Unclear,
    /// ACTIVE, but the halves do not match or something around them is wrong: some of the traffic fails, or will.
    Mismatched,
    /// Not ACTIVE on every side that can be seen.
    NotActive,
}

impl Condition {
    /// The exit code of `osvpn status`, for monitoring.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Proven => 0,
            Self::Unclear => 1,
            Self::NotActive => 3,
            Self::Mismatched => 5,
        }
    }

    /// Its word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Mismatched => "mismatched",
            Self::NotActive => "not-active",
            Self::Unclear => "unclear",
        }
    }
}

/// Reads every region at once and matches what is there. One that fails is left out and named.
pub async fn inspect(cloud: &Cloud) -> Inspection {
    inspect_in_parts(cloud, Duration::MAX, |_| {}).await
}

/// Reads those regions alone: where everything was read before, and one VPN is looked at again.
pub async fn inspect_only(cloud: &Cloud, wanted: &BTreeSet<RegionId>) -> Inspection {
    let regions = cloud.regions().into_iter().filter(|region| wanted.contains(region.id())).collect();
    read_in_parts(cloud, regions, Duration::MAX, |_| {}).await
}

/// As [`inspect`], but a region that hangs does not hide the others: what is known after that time is told, and again with
/// each region that comes late.
pub async fn inspect_in_parts(cloud: &Cloud, patience: Duration, so_far: impl FnMut(Inspection)) -> Inspection {
    read_in_parts(cloud, cloud.regions(), patience, so_far).await
}

async fn read_in_parts(
    cloud: &Cloud,
    regions: Vec<Region>,
    patience: Duration,
    mut so_far: impl FnMut(Inspection),
) -> Inspection {
    let mut awaited: Vec<RegionId> = regions.iter().map(|region| region.id().clone()).collect();
    let mut reads: FuturesUnordered<_> =
        regions.into_iter().map(|region| async move { (region.id().clone(), region.survey().await) }).collect();
    let (mut surveys, mut unread) = (BTreeMap::new(), Vec::new());
    let patience = sleep(patience);
    tokio::pin!(patience);
    while !awaited.is_empty() {
        tokio::select! {
            biased;
            Some((region, survey)) = reads.next() => {
                awaited.retain(|awaited| *awaited != region);
                match survey {
                    Ok(survey) => {
                        surveys.insert(region, survey);
                    }
                    Err(error) => unread.push((region, error)),
                }
            }
            () = &mut patience, if !patience.is_elapsed() => {}
        }
        if patience.is_elapsed() && !awaited.is_empty() && !surveys.is_empty() {
            so_far(Inspection { awaited: awaited.clone(), ..Inspection::of(surveys.clone(), unread.clone()) });
        }
    }
    unread.sort_by(|(one, _), (other, _)| one.cmp(other));
    let contested = pairs::contested(&surveys);
    Inspection::knowing(EqualKeys::read(cloud, &contested).await, surveys, unread)
}

impl Inspection {
    /// Matches what was read.
    #[must_use]
    pub fn of(surveys: BTreeMap<RegionId, Survey>, unread: Vec<(RegionId, Error)>) -> Self {
        Self::knowing(EqualKeys::default(), surveys, unread)
    }

    /// Matches what was read, where it is known which keys are equal.
    #[must_use]
    pub fn knowing(keys: EqualKeys, surveys: BTreeMap<RegionId, Survey>, unread: Vec<(RegionId, Error)>) -> Self {
        let vpns = pairs::match_up(&surveys, &keys);
        let mut strays = strays::find(&surveys);
        // A connection that could not be read may use what no other does.
        let is_whole = |survey: &Survey| survey.inventory.unfit_of(Kind::SiteConnection).next().is_none();
        strays.retain(|stray| surveys.get(&stray.region).is_some_and(is_whole));
        Self { vpns, strays, unread, awaited: Vec::new(), surveys, keys }
    }

    /// The same, with what was known before of regions that are still awaited.
    #[must_use]
    pub fn beside(self, before: &Self) -> Self {
        let Self { mut surveys, unread, mut awaited, keys, .. } = self;
        awaited.retain(|region| match before.surveys.get(region) {
            Some(survey) => {
                surveys.insert(region.clone(), survey.clone());
                false
            }
            None => true,
        });
        Self { awaited, ..Self::knowing(keys.or(&before.keys), surveys, unread) }
    }

    /// What could not be read of what is there, a sentence each.
    pub fn left_out(&self) -> impl Iterator<Item = String> {
        let of = |(region, survey)| unfit(region, survey);
        self.surveys.iter().flat_map(of)
    }

    /// The regions nothing is known of.
    #[must_use]
    pub fn unknown(&self) -> Vec<RegionId> {
        self.unread.iter().map(|(region, _)| region).chain(&self.awaited).cloned().collect()
    }

    /// The regions that tell all of a VPN; none if its other half may be anywhere.
    #[must_use]
    pub fn regions_of(&self, vpn: &Vpn) -> Option<BTreeSet<RegionId>> {
        let is_whole = vpn.b().is_some() || (!vpn.is_missing_a_half() && self.unknown().is_empty());
        is_whole.then(|| vpn.sides().map(|(_, side)| side.region.clone()).collect())
    }

    /// Whether its other half may be in a region nothing is known of.
    #[must_use]
    pub fn may_lack_a_half(&self, vpn: &Vpn) -> bool {
        let is_settled = matches!(vpn.across, Across::Half(_) | Across::Missing { region: Some(_), .. });
        !is_settled && !self.unknown().is_empty()
    }

    /// Whether a VPN can be changed: both its halves must be known.
    ///
    /// # Errors
    /// Why not.
    pub fn changeable(&self, vpn: &Vpn) -> Result<(), String> {
        self.deletable(vpn)?;
        vpn.is_clear()
    }

    /// Whether what is known of a VPN can be deleted: not the half that is seen as if its peer were outside, while that may
    /// be the other half.
    ///
    /// # Errors
    /// Why not.
    pub fn deletable(&self, vpn: &Vpn) -> Result<(), String> {
        if !self.may_lack_a_half(vpn) {
            return Ok(());
        }
        let unknown = self.unknown().iter().join(", ");
        Err(format!(
            "the other half of {} may be in {unknown}, which could not be read; try again when it answers",
            vpn.name
        ))
    }

    /// The connections of other VPNs that use an object of this one, which therefore stays when this one is deleted.
    #[must_use]
    pub fn shared_with(&self, vpn: &Vpn, region: &RegionId, id: &Id) -> Vec<&SiteConnection> {
        let own: Vec<&Id> = vpn.sides().map(|(_, side)| &side.connection.id).collect();
        let connections = self.surveys.get(region).map_or(&[][..], |survey| &survey.inventory.connections);
        connections.iter().filter(|other| !own.contains(&&other.id) && other.uses(id)).collect()
    }
}

impl Vpn {
    /// One half or two.
    pub fn sides(&self) -> impl Iterator<Item = (Half, &Side)> {
        let b = match &self.across {
            Across::Half(side) => Some((Half::B, &**side)),
            Across::Missing { .. } | Across::Ambiguous(_) | Across::Outside => None,
        };
        std::iter::once((Half::A, &self.a)).chain(b)
    }

    /// One half.
    #[must_use]
    pub fn side(&self, half: Half) -> Option<&Side> {
        self.sides().find(|(candidate, _)| *candidate == half).map(|(_, side)| side)
    }

    /// The other half, if it is there.
    #[must_use]
    pub const fn b(&self) -> Option<&Side> {
        match &self.across {
            Across::Half(side) => Some(side),
            Across::Missing { .. } | Across::Ambiguous(_) | Across::Outside => None,
        }
    }

    /// Whether every connection of it is ACTIVE.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.sides().all(|(_, side)| side.connection.status == Status::Active)
    }

    /// ACTIVE if every side is, else the first other status.
    #[must_use]
    pub fn status(&self) -> &Status {
        let mut statuses = self.sides().map(|(_, side)| &side.connection.status);
        statuses.find(|status| **status != Status::Active).unwrap_or(&Status::Active)
    }

    /// Whether its other half should be in this project and is not there.
    #[must_use]
    pub const fn is_missing_a_half(&self) -> bool {
        matches!(self.across, Across::Missing { .. })
    }

    /// What a half is called in a sentence: its region, or the half too where both are in one region.
    #[must_use]
    pub fn place(&self, half: Half) -> String {
        let regions: Vec<&RegionId> = self.sides().map(|(_, side)| &side.region).collect();
        match (self.side(half), regions.as_slice()) {
            (Some(side), [a, b]) if a == b => format!("{} (half {half})", side.region),
            (Some(side), _) => side.region.to_string(),
            (None, _) => format!("half {half}"),
        }
    }

    /// Whether it can be told which connection its other half is, if it has one.
    ///
    /// # Errors
    /// Which ones it can be.
    pub fn is_clear(&self) -> Result<(), String> {
        let Across::Ambiguous(candidates) = &self.across else { return Ok(()) };
        let own = ConnectionName::of(&self.a);
        Err(format!(
            "the other half of {own} can be {}: nothing tells which. Give the two connections of each VPN a name of their own",
            candidates.iter().join(", or ")
        ))
    }

    /// What is wrong if one of its halves is there twice: by the id in the marker it cannot be told which is meant.
    #[must_use]
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
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let service = self.service.as_ref()?;
        let (v4, v6) = (service.external_v4.map(IpAddr::V4), service.external_v6.map(IpAddr::V6));
        match self.connection.peer_address.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => v6,
            Ok(IpAddr::V4(_)) => v4,
            Err(_) => v4.or(v6),
        }
    }

    /// Every address it is or was reached at: its service's and its router's.
    fn addresses(&self) -> Vec<IpAddr> {
        let service = self.service.iter().flat_map(|service| {
            service.external_v4.map(IpAddr::V4).into_iter().chain(service.external_v6.map(IpAddr::V6))
        });
        service.chain(self.router.iter().flat_map(outside)).collect()
    }

    /// How it names itself to its peer: its `local_id`, or its address.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        if self.connection.local_id.is_empty() {
            self.address().map(|address| address.to_string())
        } else {
            Some(self.connection.local_id.clone())
        }
    }

    /// Which IKE it speaks, if that can be seen.
    #[must_use]
    pub fn ike_version(&self) -> Option<IkeVersion> {
        self.ike.as_ref()?.word("ike_version").parse().ok()
    }

    /// Whether it is a connection of the old kind, without endpoint groups.
    #[must_use]
    pub const fn is_legacy(&self) -> bool {
        self.connection.local_group.is_none()
    }
}

/// The outside addresses of a router.
pub fn outside(router: &Router) -> impl Iterator<Item = IpAddr> {
    let v4 = router.external_v4.iter().copied().map(IpAddr::V4);
    v4.chain(router.external_v6.iter().copied().map(IpAddr::V6))
}

fn unfit(region: &RegionId, survey: &Survey) -> impl Iterator<Item = String> {
    survey.inventory.unfit.iter().map(move |unfit| format!("{region}: left out, because it cannot be read: {unfit}"))
}

/// The name of a VPN one of whose connections is called that.
fn name_of(connection: &str) -> String {
    VpnName::from_object(connection, "vpn_site_connection").map_or_else(
        || if connection.trim().is_empty() { "unnamed".to_owned() } else { connection.to_owned() },
        |name| name.to_string(),
    )
}
