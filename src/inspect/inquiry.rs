//! Reads the VPNs of a project: of each region the VPN lists, then what these name, and of the VPNs that are meant their keys
//! and what their instances admit along with it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use ipnet::IpNet;
use tokio::time::sleep;

use super::background::{Aspects, Background, BackgroundIds};
use super::vpn::name_of;
use super::{Inspection, OtherHalf, pairs};
use crate::cloud::{Cloud, Error, Id, OtherSubnets, Region, RegionId, Router, SiteConnection, Survey, VpnLists};
use crate::plan::VpnId;

/// Which VPNs are looked at closely. The words are a guess, before halves are paired: what they miss is read later.
#[derive(Clone, Copy, Debug)]
pub enum Focus<'a> {
    Nothing,
    All,
    /// Those that one of the words may name.
    Words(&'a [&'a str]),
}

impl Focus<'_> {
    /// Those that are named, or all.
    pub const fn on<'a>(words: &'a [&'a str]) -> Focus<'a> {
        if words.is_empty() { Focus::All } else { Focus::Words(words) }
    }

    fn is_on(&self, connection: &SiteConnection) -> bool {
        let words = match self {
            Self::Nothing => return false,
            Self::All => return true,
            Self::Words(words) => words,
        };
        let mark = VpnId::of_description(&connection.description);
        words.iter().any(|word| {
            connection.id.as_str() == *word
                || connection.name == *word
                || name_of(&connection.name) == *word
                || (word.len() >= 8 && connection.id.as_str().starts_with(word))
                || mark.as_ref().is_some_and(|(id, _)| VpnId::of_word(word).as_ref() == Some(id))
        })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Inquiry<'a> {
    /// Those that tell all of the VPN that is meant; none for every region.
    pub regions: Option<&'a BTreeSet<RegionId>>,
    pub focus: Focus<'a>,
    /// What is read of the VPNs in focus.
    pub aspects: Aspects,
    pub subnets: OtherSubnets,
}

impl Default for Inquiry<'_> {
    fn default() -> Self {
        Self { regions: None, focus: Focus::Nothing, aspects: Aspects::default(), subnets: OtherSubnets::Leave }
    }
}

pub async fn inspect(cloud: &Cloud, inquiry: Inquiry<'_>) -> (Inspection, Background) {
    inspect_in_parts(cloud, inquiry, Duration::MAX, |_| {}).await
}

/// As [`inspect`], but a region that hangs does not hide the others: partial results come after that time, and again with
/// each late region.
pub async fn inspect_in_parts(
    cloud: &Cloud,
    inquiry: Inquiry<'_>,
    patience: Duration,
    mut so_far: impl FnMut(Inspection),
) -> (Inspection, Background) {
    let regions = cloud.regions().into_iter();
    let regions: Vec<Region> =
        regions.filter(|region| inquiry.regions.is_none_or(|wanted| wanted.contains(region.id()))).collect();
    let mut awaited: Vec<RegionId> = regions.iter().map(|region| region.id().clone()).collect();
    let mut reads: FuturesUnordered<_> =
        regions.iter().map(|region| async { (region.id().clone(), read(region, inquiry).await) }).collect();
    let (mut surveys, mut unread, mut background) = (BTreeMap::new(), Vec::new(), Background::default());
    let patience = sleep(patience);
    tokio::pin!(patience);
    while !awaited.is_empty() {
        tokio::select! {
            biased;
            Some((region, read)) = reads.next() => {
                awaited.retain(|awaited| *awaited != region);
                match read {
                    Ok((survey, more)) => {
                        surveys.insert(region, survey);
                        background.add(more);
                    }
                    Err(error) => unread.push((region, error)),
                }
            }
            () = &mut patience, if !patience.is_elapsed() => {}
        }
        if patience.is_elapsed() && !awaited.is_empty() && !surveys.is_empty() {
            let part = Inspection::of(surveys.clone(), unread.clone());
            so_far(Inspection { awaited: awaited.clone(), is_reader: cloud.is_reader(), ..part });
        }
    }
    drop(reads);
    let inspection = match_up(cloud, surveys, unread, &mut background).await;
    (Inspection { is_reader: cloud.is_reader(), ..inspection }, background)
}

/// One region: the lists, and what is around them.
async fn read(region: &Region, inquiry: Inquiry<'_>) -> Result<(Survey, Background), Error> {
    let lists = region.vpn_lists().await?;
    let wanted = wanted(&lists, inquiry);
    let (survey, background) = tokio::join!(region.survey(lists, inquiry.subnets), Background::of(region, wanted));
    Ok((survey?, background))
}

fn wanted(lists: &VpnLists, Inquiry { focus, aspects, .. }: Inquiry<'_>) -> BackgroundIds {
    let meant = || lists.connections().iter().filter(|connection| focus.is_on(connection));
    let mut wanted = BackgroundIds::default();
    if aspects.keys {
        wanted.connections.extend(meant().map(|connection| connection.id.clone()));
    }
    if aspects.exposures {
        wanted.subnets.extend(meant().flat_map(|connection| lists.tunnelled(connection)));
    }
    wanted
}

/// Matches what was read. What halves say of each other settles most; the rest takes a round trip more.
async fn match_up(
    cloud: &Cloud,
    mut surveys: BTreeMap<RegionId, Survey>,
    mut unread: Vec<(RegionId, Error)>,
    background: &mut Background,
) -> Inspection {
    unread.sort_by(|(one, _), (other, _)| one.cmp(other));
    let contested = pairs::contested(&surveys);
    if !contested.is_empty() {
        let keys = background.equal_keys(cloud, &contested).await;
        let inspection = with_routers(cloud, Inspection::knowing(keys, surveys, unread)).await;
        return with_ends(cloud, inspection).await;
    }
    let inspection = Inspection::of(std::mem::take(&mut surveys), unread);
    with_ends(cloud, with_routers(cloud, inspection).await).await
}

/// Of a VPN that lacks a half, the routers on which that can be made. It is not known what they are where this fails.
async fn with_ends(cloud: &Cloud, mut inspection: Inspection) -> Inspection {
    let mut wanted: BTreeMap<RegionId, Vec<IpNet>> = BTreeMap::new();
    for vpn in &inspection.vpns {
        let OtherHalf::Missing { region, .. } = &vpn.other_half else { continue };
        for id in inspection.surveys.keys().filter(|id| region.as_ref().is_none_or(|region| region == *id)) {
            wanted.entry(id.clone()).or_default().extend(&vpn.a.remote);
        }
    }
    let reads = wanted.into_iter().filter_map(|(id, ranges)| Some((cloud.region(&id).ok()?, ranges)));
    let reads = reads.map(|(region, ranges)| async move { (region.id().clone(), region.routers_on(&ranges).await) });
    for (id, read) in join_all(reads).await {
        let (Ok((extensions, routers, subnets)), Some(survey)) = (read, inspection.surveys.get_mut(&id)) else {
            continue;
        };
        let inventory = &mut survey.inventory;
        inventory.extensions = extensions;
        inventory.routers.retain(|known| routers.iter().all(|router| router.id != known.id));
        add_routers(&mut inventory.routers, routers);
        inventory.subnets.retain(|known| subnets.iter().all(|subnet| subnet.id != known.id));
        inventory.subnets.extend(subnets);
        inventory.subnets.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    }
    inspection
}

/// A peer that seems to be outside may be a router of this project that has no VPN service.
async fn with_routers(cloud: &Cloud, inspection: Inspection) -> Inspection {
    let outside = inspection.vpns.iter().filter(|vpn| vpn.other_half == OtherHalf::Outside);
    let peers: Vec<IpAddr> = outside.filter_map(|vpn| vpn.a.connection.peer_address.parse().ok()).collect();
    if peers.is_empty() {
        return inspection;
    }
    let peers = peers.as_slice();
    let Inspection { mut surveys, mut unread, keys, .. } = inspection;
    let regions = surveys.keys().filter_map(|id| cloud.region(id).ok());
    let reads = regions.map(|region| async move { (region.id().clone(), region.routers_at(peers).await) });
    for (id, routers) in join_all(reads).await {
        match routers {
            Ok(routers) => {
                if let Some(survey) = surveys.get_mut(&id) {
                    add_routers(&mut survey.inventory.routers, routers);
                }
            }
            Err(error) => {
                surveys.remove(&id);
                unread.push((id, error));
            }
        }
    }
    unread.sort_by(|(one, _), (other, _)| one.cmp(other));
    Inspection::knowing(keys, surveys, unread)
}

fn add_routers(known: &mut Vec<Router>, all: Vec<Router>) {
    let ids: BTreeSet<Id> = known.iter().map(|router| router.id.clone()).collect();
    known.extend(all.into_iter().filter(|router| !ids.contains(&router.id)));
    known.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
}
