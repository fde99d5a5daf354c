//! Making, changing and deleting VPN objects, as the VPN service plugin does.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::access::{check_quota, is_visible, shows};
use super::answer::{Answer, internal_error, neutron, no_such_path};
use super::attributes::{self, SentObject};
use super::identity::Caller;
use super::object::{Collection, StoredObject, text};
use super::validation;
use super::values::{fits_table, is_storable};
use super::world::{RegionWorld, Track, World};

/// What decides whether there will be a tunnel.
const TUNNEL: [&str; 7] =
    ["psk", "peer_address", "peer_id", "local_id", "peer_cidrs", "local_ep_group_id", "peer_ep_group_id"];

pub(super) fn create(
    world: &mut World,
    at: usize,
    caller: &Caller,
    kind: Collection,
    body: &[u8],
) -> Result<Answer, Answer> {
    let (release, ovn) = (world.settings.release, world.settings.ovn);
    let sent = attributes::read(kind, body)?;
    let mut object = attributes::complete(kind, &sent.object, release, ovn, &caller.project)?;
    if caller.reader && release.keeps_readers_out() {
        let message = format!("rule:create_{} is disallowed by policy", kind.singular());
        return Err(neutron(403, "PolicyNotAuthorized", &message));
    }
    check_quota(world, at, caller, kind)?;
    let id = world.uuid();
    object.insert("id".to_owned(), Value::from(id.as_str()));
    match kind {
        Collection::VpnService => {
            // There are no flavors here.
            let flavor = text(&object, "flavor_id");
            if !flavor.is_empty() {
                let message = format!("Flavor {flavor} could not be found.");
                return Err(neutron(404, "FlavorNotFound", &message));
            }
            validation::service(&world.regions[at], caller, &object)?;
            let addresses = external_addresses(world, at, text(&object, "router_id"), caller);
            for (key, v4) in [("external_v4_ip", true), ("external_v6_ip", false)] {
                let address = addresses.iter().find(|address| address.is_ipv4() == v4);
                object.insert(key.to_owned(), address.map_or(Value::Null, |address| Value::from(address.to_string())));
            }
            object.insert("status".to_owned(), Value::from("PENDING_CREATE"));
        }
        Collection::IkePolicy | Collection::IpsecPolicy => {
            if !is_storable(&object, release) {
                return Err(internal_error());
            }
            merge(&mut object, "lifetime", &json!({"units": "seconds", "value": 3600}));
        }
        Collection::EndpointGroup => validation::endpoint_group(&world.regions[at], caller, &object, &sent, release)?,
        _ => {
            merge(&mut object, "dpd", &json!({"action": "hold", "interval": 30, "timeout": 120}));
            let checked = validation::connection(&world.regions[at], caller, &object, true, ovn)?;
            if !fits_table(&object) {
                return Err(internal_error());
            }
            let fixed = [("route_mode", "static"), ("auth_mode", "psk"), ("status", "PENDING_CREATE")];
            for (key, value) in fixed.into_iter().chain([("peer_address", checked.peer_address.as_str())]) {
                object.insert(key.to_owned(), Value::from(value));
            }
            let track = Track {
                changed: world.now(),
                joined_running_service: world.regions[at]
                    .referring(Collection::SiteConnection, "vpnservice_id", text(&object, "vpnservice_id"))
                    .next()
                    .is_some(),
            };
            world.regions[at].tracks.insert(id, track);
        }
    }
    let mut stored = object.clone();
    store_numbers(&mut stored);
    world.regions[at].insert(kind, stored);
    // The answer repeats what was sent, here and in a PUT; only the database makes numbers of texts.
    Ok(Answer::json(201, &json!({ kind.singular(): object })))
}

/// Leaves a service as the OVN plugin leaves one whose gateway it could not build.
pub(super) fn fail_service(region: &mut RegionWorld, id: &str) {
    let Some(service) = region.get_mut(Collection::VpnService, id) else { return };
    service.insert("status".to_owned(), Value::from("ERROR"));
    for key in ["external_v4_ip", "external_v6_ip"] {
        service.insert(key.to_owned(), Value::Null);
    }
    let router = text(service, "router_id").to_owned();
    if region.referring(Collection::VpnService, "router_id", &router).all(|other| text(other, "status") == "ERROR") {
        super::ovn::release(region, &router);
    }
}

pub(super) fn update(
    world: &mut World,
    at: usize,
    caller: &Caller,
    (kind, id): (Collection, &str),
    body: &[u8],
) -> Result<Answer, Answer> {
    let (release, ovn) = (world.settings.release, world.settings.ovn);
    let SentObject { object: sent, .. } = attributes::read(kind, body)?;
    let mut changes = attributes::change(kind, &sent, release, ovn)?;
    let region = &world.regions[at];
    let old = region.get(kind, id).filter(|object| is_visible(object, caller));
    let old = old.cloned().ok_or_else(|| kind.not_found(id))?;
    if !shows(kind, caller, release) {
        return Err(no_such_path());
    }
    for key in ["lifetime", "dpd"] {
        if let (true, Some(previous)) = (changes.contains_key(key), old.get(key)) {
            merge(&mut changes, key, previous);
        }
    }
    let mut new = old.clone();
    new.extend(changes);
    match kind {
        Collection::IkePolicy | Collection::IpsecPolicy => {
            check_unused(world, at, kind, id)?;
            if !is_storable(&new, release) {
                return Err(internal_error());
            }
        }
        Collection::SiteConnection => {
            let checked = validation::connection(region, caller, &new, sent.contains_key("peer_address"), ovn)?;
            new.insert("peer_address".to_owned(), Value::from(checked.peer_address));
            check_settled(&old)?;
            if !fits_table(&new) {
                return Err(internal_error());
            }
        }
        Collection::VpnService => check_settled(&old)?,
        _ => {}
    }
    let answer = Answer::json(200, &json!({ kind.singular(): new }));
    store_numbers(&mut new);
    if let Some(object) = world.regions[at].get_mut(kind, id) {
        object.clone_from(&new);
    }
    note_changes(world, at, kind, &old, &new);
    Ok(answer)
}

pub(super) fn delete(
    world: &mut World,
    at: usize,
    caller: &Caller,
    kind: Collection,
    id: &str,
) -> Result<Answer, Answer> {
    let object = world.regions[at].get(kind, id).filter(|object| is_visible(object, caller));
    let object = object.cloned().ok_or_else(|| kind.not_found(id))?;
    if !shows(kind, caller, world.settings.release) {
        return Err(no_such_path());
    }
    check_unused(world, at, kind, id)?;
    world.restart_tunnels(id, false);
    let region = &mut world.regions[at];
    region.remove(kind, id);
    region.tracks.remove(id);
    let router = text(&object, "router_id");
    if kind == Collection::VpnService && region.referring(Collection::VpnService, "router_id", router).next().is_none()
    {
        super::ovn::release(region, router);
    }
    Ok(Answer::empty(204))
}

/// An object that is being made cannot be changed.
fn check_settled(object: &StoredObject) -> Result<(), Answer> {
    let (id, status) = (text(object, "id"), text(object, "status"));
    if !status.starts_with("PENDING_") {
        return Ok(());
    }
    let message = format!("Invalid state {status} of vpnaas resource {id} for updating");
    Err(neutron(400, "VPNStateInvalidToUpdate", &message))
}

/// What a connection uses can be neither deleted nor, if it is a policy, changed.
fn check_unused(world: &World, at: usize, kind: Collection, id: &str) -> Result<(), Answer> {
    let used = |key| world.regions[at].referring(Collection::SiteConnection, key, id).next().is_some();
    let policy = "is in use by existing IPsecSiteConnection and can't be updated or deleted";
    match kind {
        Collection::VpnService if used("vpnservice_id") => {
            Err(neutron(409, "VPNServiceInUse", &format!("VPNService {id} is still in use")))
        }
        Collection::IkePolicy if used("ikepolicy_id") => {
            Err(neutron(409, "IKEPolicyInUse", &format!("IKEPolicy {id} {policy}")))
        }
        Collection::IpsecPolicy if used("ipsecpolicy_id") => {
            Err(neutron(409, "IPsecPolicyInUse", &format!("IPsecPolicy {id} {policy}")))
        }
        Collection::EndpointGroup if used("local_ep_group_id") || used("peer_ep_group_id") => {
            let message = format!("Endpoint group {id} is in use and cannot be deleted");
            Err(neutron(400, "EndpointGroupInUse", &message))
        }
        _ => Ok(()),
    }
}

/// Tells the agents what changed, as far as it matters to a tunnel.
fn note_changes(world: &mut World, at: usize, kind: Collection, old: &StoredObject, new: &StoredObject) {
    let differs = |key: &str| old.get(key) != new.get(key);
    let restarted: Vec<String> = match kind {
        Collection::SiteConnection if TUNNEL.iter().any(|key| differs(key)) || differs("admin_state_up") => {
            vec![text(new, "id").to_owned()]
        }
        Collection::VpnService if differs("admin_state_up") => world.regions[at]
            .referring(Collection::SiteConnection, "vpnservice_id", text(new, "id"))
            .map(|connection| text(connection, "id").to_owned())
            .collect(),
        _ => Vec::new(),
    };
    let only_told = !differs("admin_state_up");
    let now = world.now();
    for id in restarted {
        world.restart_tunnels(&id, only_told);
        world.regions[at].tracks.entry(id).or_default().changed = now;
    }
}

/// The addresses of a new service: the gateway's own, or with OVN those of the router's separate VPN gateway.
fn external_addresses(world: &mut World, at: usize, router: &str, caller: &Caller) -> Vec<IpAddr> {
    if world.settings.ovn {
        return super::ovn::allocate(world, at, router, caller);
    }
    let gateway =
        world.regions[at].get(Collection::Router, router).and_then(|router| router.get("external_gateway_info"));
    let addresses = gateway.and_then(|info| info["external_fixed_ips"].as_array()).into_iter().flatten();
    addresses.filter_map(|ip| ip["ip_address"].as_str()?.parse().ok()).collect()
}

/// Fills the keys missing from a nested object with those of another.
fn merge(object: &mut StoredObject, key: &str, defaults: &Value) {
    let mut merged = defaults.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(given)) = object.get(key) {
        merged.extend(given.clone());
    }
    object.insert(key.to_owned(), Value::Object(merged));
}

/// Makes numbers of the digits the API takes as text too.
fn store_numbers(object: &mut StoredObject) {
    for (key, part) in [("lifetime", "value"), ("dpd", "interval"), ("dpd", "timeout")] {
        let value = object.get_mut(key).and_then(|nested| nested.get_mut(part));
        if let Some(value) = value
            && let Some(Ok(number)) = value.as_str().map(str::parse::<i64>)
        {
            *value = Value::from(number);
        }
    }
}
