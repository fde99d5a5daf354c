//! The plan of a VPN whose journal is lost, rebuilt from the objects that exist.

use serde_json::{Value, json};

use crate::cloud::{Cloud, Detail, Id, Inventory, Kind};
use crate::engine::Step;
use crate::engine::discover::Found;
use crate::engine::prepare::{PrepareError, RegionRead};
use crate::plan::fields::PolicyField;
use crate::plan::{Far, Half, HalfDraft, Peer, PeerAddress, PeerSystem, PlanDraft, Policy, Profiles, Psk};

type RegionReading<'a> = (&'a Inventory, &'a Detail);

pub(super) async fn draft(
    found: &Found,
    cloud: &Cloud,
    regions: &[RegionRead],
    profiles: &Profiles,
    psk: Psk,
) -> Result<PlanDraft, PrepareError> {
    let untold = |what| PrepareError::Untold { name: found.name.clone(), vpn: found.vpn.clone(), what };
    let halves = found.change.halves();
    let read = |half: Half| {
        let id = halves.get(&half)?;
        regions.iter().find(|(region, ..)| region == id).map(|(_, inventory, detail)| (inventory, detail))
    };
    let a = read(Half::A).ok_or_else(|| untold("the region of half A"))?;
    let side = |half: Half, (inventory, detail): RegionReading<'_>| {
        let region = halves.get(&half).cloned()?;
        let router = router(found, half, inventory)?;
        let subnets = endpoints(found, half, Step::LocalGroup, detail)?.iter().map(Id::new).collect();
        Some(HalfDraft { region, router, subnets })
    };
    let far = match read(Half::B) {
        Some(b) => side(Half::B, b).map(Far::Half).ok_or_else(|| untold("the router and subnets of half B"))?,
        None => Far::Peer(peer(found, a).ok_or_else(|| untold("the peer"))?),
    };
    let a = side(Half::A, a).ok_or_else(|| untold("the router and subnets of half A"))?;
    let policy = policy(found, cloud, profiles).await?.ok_or_else(|| untold("its policies"))?;
    let name = found.name.clone();
    Ok(PlanDraft { name, a, far, profile: profiles.profile_of(&policy), policy, psk })
}

fn id(found: &Found, half: Half, step: Step) -> Option<&Id> {
    found.progress.get(half, step).map(|made| &made.id)
}

/// Of the half's own service, or of the one its connection reuses.
fn router(found: &Found, half: Half, inventory: &Inventory) -> Option<Id> {
    let own = id(found, half, Step::Service);
    let reused = || {
        let connection = id(found, half, Step::Connection)?;
        inventory.connections.iter().find(|candidate| candidate.id == *connection).map(|connection| &connection.service)
    };
    let service = own.or_else(reused)?;
    inventory.services.iter().find(|candidate| candidate.id == *service).map(|service| service.router.clone())
}

fn endpoints<'a>(found: &Found, half: Half, step: Step, detail: &'a Detail) -> Option<&'a [String]> {
    let group = id(found, half, step)?;
    detail.groups.iter().find(|candidate| candidate.id == *group).map(|group| group.endpoints.as_slice())
}

fn peer(found: &Found, (inventory, detail): RegionReading<'_>) -> Option<Peer> {
    let connection = id(found, Half::A, Step::Connection)?;
    let connection = inventory.connections.iter().find(|candidate| candidate.id == *connection)?;
    let cidrs = endpoints(found, Half::A, Step::PeerGroup, detail)?;
    Some(Peer {
        address: PeerAddress::parse(&connection.peer_address).ok()?,
        id: connection.peer_id.clone(),
        cidrs: cidrs.iter().map(|range| range.parse().ok()).collect::<Option<_>>()?,
        system: PeerSystem::of_description(&connection.description),
    })
}

/// Of whichever half has it; what no connection tells is as in the profile `modern`, like in `catalyst`.
async fn policy(found: &Found, cloud: &Cloud, profiles: &Profiles) -> Result<Option<Policy>, PrepareError> {
    let show = async |step: Step, fields: &[&str]| {
        let made = [Half::A, Half::B].into_iter().find_map(|half| found.progress.get(half, step));
        let Some((made, region)) = made.and_then(|made| Some((made, cloud.region(&made.region).ok()?))) else {
            return Ok(None);
        };
        let shown = region.show(step.kind(), &made.id, fields).await;
        shown.map(Some).map_err(|error| PrepareError::request(format!("reading the {}", step.label()), error))
    };
    let (ike, ipsec) = (PolicyField::attributes(Kind::IkePolicy), PolicyField::attributes(Kind::IpsecPolicy));
    let (ike, ipsec) = (show(Step::IkePolicy, &ike).await?, show(Step::IpsecPolicy, &ipsec).await?);
    let (Some(ike), Some(ipsec)) = (ike, ipsec) else { return Ok(None) };
    let Policy { initiator, mtu, dpd, .. } = &profiles.modern;
    let usual = || json!({ "initiator": initiator, "mtu": mtu, "dpd": dpd });
    let rest = show(Step::Connection, &["initiator", "mtu", "dpd"]).await?.unwrap_or_else(usual);
    let policy = json!({
        "ike": in_seconds(ike),
        "ipsec": in_seconds(ipsec),
        "initiator": rest["initiator"],
        "mtu": rest["mtu"],
        "dpd": rest["dpd"],
    });
    // Values that this program does not know cannot be checked, let alone repeated.
    Ok(serde_json::from_value(policy).ok())
}

/// The API has a unit beside each lifetime, and knows one unit.
fn in_seconds(mut policy: Value) -> Value {
    policy["lifetime"] = policy["lifetime"]["value"].take();
    policy
}
