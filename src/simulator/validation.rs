//! The checks of the VPN plugin (neutron-vpnaas `vpn_validator.py`, `vpn_db.py`), in its order.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde_json::Value;

use super::access::is_visible;
use super::answer::{Answer, internal_error, neutron, python_dict};
use super::attributes::SentObject;
use super::identity::Caller;
use super::object::{Collection, StoredObject, text, texts};
use super::release::Release;
use super::values::{is_address, is_cidr, is_uuid};
use super::world::RegionWorld;

fn refuse(class: &str, message: &str) -> Result<(), Answer> {
    Err(neutron(400, class, message))
}

/// A VPN service needs a router with a gateway, and a legacy one a subnet on that router.
pub(super) fn service(region: &RegionWorld, caller: &Caller, object: &StoredObject) -> Result<(), Answer> {
    let id = text(object, "router_id");
    let router = region.get(Collection::Router, id).filter(|router| is_visible(router, caller));
    let router = router.ok_or_else(|| Collection::Router.not_found(id))?;
    if router.get("external_gateway_info").is_none_or(Value::is_null) {
        return refuse("RouterIsNotExternal", &format!("Router {id} has no external network gateway set"));
    }
    match text(object, "subnet_id") {
        "" => Ok(()),
        subnet => on_router(region, id, subnet),
    }
}

/// An endpoint group needs endpoints, each once and of the group's type.
pub(super) fn endpoint_group(
    region: &RegionWorld,
    caller: &Caller,
    object: &StoredObject,
    sent: &SentObject,
    release: Release,
) -> Result<(), Answer> {
    let endpoints: Vec<String> = object
        .get("endpoints")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(super::answer::python_str)
        .collect();
    if endpoints.is_empty() {
        let group = python_dict(as_python_sees_it(object, sent));
        let message = format!("No endpoints specified for endpoint group '{group}'");
        return refuse("MissingEndpointForEndpointGroup", &message);
    }
    let kind = text(object, "type");
    let invalid = |endpoint: &str, why: &str| {
        let message = format!("Endpoint '{endpoint}' is invalid for group type '{kind}': {why}");
        refuse("InvalidEndpointInEndpointGroup", &message)
    };
    if let Some(twice) = endpoints.iter().enumerate().find(|(index, endpoint)| endpoints[..*index].contains(endpoint)) {
        if !release.checks_duplicate_endpoints() {
            return Err(internal_error());
        }
        return invalid(twice.1, "Endpoints have to be unique");
    }
    for endpoint in &endpoints {
        if kind == "cidr" && !is_cidr(endpoint) {
            return invalid(endpoint, "Invalid CIDR");
        }
        if kind == "subnet" && !is_uuid(endpoint) {
            return invalid(endpoint, "Invalid UUID");
        }
        if kind == "subnet"
            && !region.get(Collection::Subnet, endpoint).is_some_and(|subnet| is_visible(subnet, caller))
        {
            let message = format!("Subnet {endpoint} in endpoint group does not exist");
            return refuse("NonExistingSubnetInEndpointGroup", &message);
        }
    }
    Ok(())
}

/// The dictionary the message about missing endpoints shows: what was sent, then the project, then the defaults.
fn as_python_sees_it<'a>(
    object: &'a StoredObject,
    sent: &'a SentObject,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let project = ["project_id", "tenant_id"].into_iter();
    let defaults = ["name", "description", "endpoints"].into_iter().filter(|key| !sent.object.contains_key(*key));
    let keys = sent.order.iter().map(String::as_str).chain(project).chain(defaults);
    keys.filter_map(|key| object.get_key_value(key))
}

/// What the checks of a connection found out on the way.
pub(super) struct Checked {
    /// The peer's address; a name was looked up.
    pub peer_address: String,
}

/// A site connection, when it is made and, with what it will become, when it is changed.
pub(super) fn connection(
    region: &RegionWorld,
    caller: &Caller,
    object: &StoredObject,
    new_address: bool,
    ovn: bool,
) -> Result<Checked, Answer> {
    let visible = |kind: Collection, id: &str| {
        region.get(kind, id).filter(|object| is_visible(object, caller)).cloned().ok_or_else(|| kind.not_found(id))
    };
    // The plugin looks for the service's driver before it looks for the service, and stumbles.
    let service = visible(Collection::VpnService, text(object, "vpnservice_id")).map_err(|_| internal_error())?;
    let policy = visible(Collection::IpsecPolicy, text(object, "ipsecpolicy_id"))?;
    if text(&policy, "transform_protocol") == "ah-esp" && !ovn {
        let message = "IPSec does not support IPsec Policy attribute transform_protocol with value 'ah-esp'";
        refuse("IpsecValidationFailure", message)?;
    }
    visible(Collection::IkePolicy, text(object, "ikepolicy_id"))?;
    let legacy_subnet = text(&service, "subnet_id");
    mode(object, !legacy_subnet.is_empty())?;
    let (local_is_v4, peer_is_v4) = if legacy_subnet.is_empty() {
        let local = visible(Collection::EndpointGroup, text(object, "local_ep_group_id"))?;
        let peer = visible(Collection::EndpointGroup, text(object, "peer_ep_group_id"))?;
        of_type(&local, "subnet")?;
        for subnet in texts(&local, "endpoints") {
            on_router(region, text(&service, "router_id"), subnet)?;
        }
        let subnets = texts(&local, "endpoints").into_iter().filter_map(|id| region.get(Collection::Subnet, id));
        let local_is_v4 = one_family(&local, subnets.map(|subnet| text(subnet, "cidr")))?;
        of_type(&peer, "cidr")?;
        (local_is_v4, one_family(&peer, texts(&peer, "endpoints").into_iter())?)
    } else {
        let subnet = region.get(Collection::Subnet, legacy_subnet);
        let families: Vec<_> = texts(object, "peer_cidrs").into_iter().map(is_v4).collect();
        if families.windows(2).any(|pair| pair[0] != pair[1]) {
            let message = "Peer CIDRs do not have the same IP version, as required for IPSec site-to-site connection";
            refuse("MixedIPVersionsForPeerCidrs", message)?;
        }
        (subnet.is_none_or(|subnet| is_v4(text(subnet, "cidr"))), families.first().copied().unwrap_or(true))
    };
    if local_is_v4 != peer_is_v4 {
        let message = "IP versions are not compatible between peer and local endpoints";
        refuse("MixedIPVersionsForIPSecConnection", message)?;
    }
    numbers(object, local_is_v4)?;
    let address = text(object, "peer_address");
    let peer_address =
        if new_address { resolve(region, address, text(&service, "router_id"))? } else { address.to_owned() };
    Ok(Checked { peer_address })
}

/// A legacy service takes `peer_cidrs`, any other one two endpoint groups, and neither takes both.
fn mode(object: &StoredObject, legacy: bool) -> Result<(), Answer> {
    let cidrs = !texts(object, "peer_cidrs").is_empty();
    let groups = |given: bool| {
        let side = |key: &str, name| Some(name).filter(|_| text(object, key).is_empty() != given);
        let sides = [side("local_ep_group_id", "local"), side("peer_ep_group_id", "peer")];
        let sides: Vec<_> = sides.into_iter().flatten().collect();
        (if sides.len() > 1 { "s" } else { "" }, sides.join(" and "))
    };
    match (legacy, cidrs) {
        (true, false) => refuse("MissingPeerCidrs", "Missing peer CIDRs for IPsec site-to-site connection"),
        (true, true) => match groups(true) {
            (_, sides) if sides.is_empty() => Ok(()),
            (s, sides) => {
                let why = "cannot be specified, when VPN Service has subnet specified";
                refuse("InvalidEndpointGroup", &format!("Endpoint group{s} {sides} {why}"))
            }
        },
        (false, true) => refuse("PeerCidrsInvalid", "Peer CIDRs cannot be specified, when using endpoint groups"),
        (false, false) => match groups(false) {
            (_, sides) if sides.is_empty() => Ok(()),
            (s, sides) => {
                let message = format!("Missing endpoint group{s} {sides} for IPSec site-to-site connection");
                refuse("MissingRequiredEndpointGroup", &message)
            }
        },
    }
}

fn of_type(group: &StoredObject, expected: &str) -> Result<(), Answer> {
    let (id, found) = (text(group, "id"), text(group, "type"));
    if found == expected {
        return Ok(());
    }
    refuse("WrongEndpointGroupType", &format!("Endpoint group {id} type is '{found}' and should be '{expected}'"))
}

fn one_family<'a>(group: &StoredObject, cidrs: impl Iterator<Item = &'a str>) -> Result<bool, Answer> {
    let families: Vec<_> = cidrs.map(is_v4).collect();
    if families.windows(2).any(|pair| pair[0] != pair[1]) {
        let why = "do not have the same IP version, as required for IPSec site-to-site connection";
        refuse("MixedIPVersionsForIPSecEndpoints", &format!("Endpoints in group {} {why}", text(group, "id")))?;
    }
    Ok(families.first().copied().unwrap_or(true))
}

fn numbers(object: &StoredObject, v4: bool) -> Result<(), Answer> {
    let dpd = |key| object.get("dpd").map_or(&Value::Null, |dpd| &dpd[key]);
    let (timeout, interval) = (dpd("timeout"), dpd("interval"));
    // The plugin compares what was sent: texts by their letters, and a text with a number not at all.
    let too_short = match (timeout.as_str(), interval.as_str()) {
        (Some(timeout), Some(interval)) => timeout <= interval,
        (None, None) => timeout.as_i64() <= interval.as_i64(),
        _ => return Err(internal_error()),
    };
    if too_short {
        let message = "ipsec_site_connection dpd_timeout is equal to or less than dpd_interval";
        refuse("IPsecSiteConnectionDpdIntervalValueError", message)?;
    }
    let mtu = object.get("mtu").and_then(Value::as_i64).unwrap_or_default();
    let (version, least) = if v4 { (4, 68) } else { (6, 1280) };
    if mtu != 0 && mtu < least {
        let message = format!("ipsec_site_connection MTU {mtu} is too small for ipv{version}");
        refuse("IPsecSiteConnectionMtuError", &message)?;
    }
    Ok(())
}

/// A peer given by name is looked up once and kept as an address, of which the gateway needs to have the family. Nobody
/// is really asked: a name in `.invalid` or of digits alone has no address, any other always the same one out of
/// 192.0.2.100 to 199.
fn resolve(region: &RegionWorld, address: &str, router: &str) -> Result<String, Answer> {
    let resolved = if is_address(address) {
        address.to_owned()
    } else if let Some(short) = abbreviated(address) {
        short.to_string()
    } else if address.ends_with(".invalid") || address.chars().all(|c| c.is_ascii_digit() || c == '.') {
        let message = format!("Peer address {address} cannot be resolved");
        return Err(neutron(400, "VPNPeerAddressNotResolved", &message));
    } else {
        format!("192.0.2.{}", 100 + address.bytes().map(u32::from).sum::<u32>() % 100)
    };
    let family = |address: &str| address.parse::<IpAddr>().map(|address| address.is_ipv4()).ok();
    let gateway = region.get(Collection::Router, router).and_then(|router| router.get("external_gateway_info"));
    let addresses = gateway.and_then(|info| info["external_fixed_ips"].as_array()).into_iter().flatten();
    let mut families = addresses.filter_map(|ip| family(ip["ip_address"].as_str()?));
    if families.any(|v4| Some(v4) == family(&resolved)) {
        return Ok(resolved);
    }
    let version = if family(&resolved) == Some(true) { "IPv4" } else { "IPv6" };
    let message = format!("Router's {router} external network has no {version} subnet");
    Err(neutron(400, "ExternalNetworkHasNoSubnet", &message))
}

/// What a resolver makes of an IPv4 address with fewer than four parts, of which the last fills what is missing, or with
/// octal parts, which begin with a nought.
fn abbreviated(address: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| match part.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => part.parse().ok(),
    };
    let parts: Vec<u32> = address.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let free = 32 - 8 * u32::try_from(first.len()).ok()?;
    let fits = first.iter().all(|part| *part < 256) && u64::from(*last) < 1 << free;
    let front = first.iter().zip([24, 16, 8]).fold(0, |bits, (part, shift)| bits | part << shift);
    fits.then(|| Ipv4Addr::from(front | last))
}

fn on_router(region: &RegionWorld, router: &str, subnet: &str) -> Result<(), Answer> {
    let stands_on = |port: &StoredObject| {
        let ips = port.get("fixed_ips").and_then(Value::as_array);
        ips.is_some_and(|ips| ips.iter().any(|ip| ip["subnet_id"] == subnet))
    };
    if region.referring(Collection::Port, "device_id", router).any(stands_on) {
        return Ok(());
    }
    let message = format!("Subnet {subnet} is not connected to Router {router}");
    refuse("SubnetIsNotConnectedToRouter", &message)
}

fn is_v4(cidr: &str) -> bool {
    cidr.parse::<IpNet>().is_ok_and(|net| net.network().is_ipv4())
}
