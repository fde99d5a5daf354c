//! The attribute maps of `VPNaaS` (neutron-lib `api/definitions/vpn.py`, `vpn_endpoint_groups.py`) and what Neutron's
//! API layer does with them: the checks every request body passes before a plugin sees it.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::answer::{Answer, bad_request, neutron};
use super::object::{Collection, StoredObject};
use super::release::Release;
use super::values::{Rule, check, convert};

/// One row of an attribute map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub name: &'static str,
    rule: Rule,
    /// As JSON; none where a POST must give it.
    default: Option<&'static str>,
    updatable: bool,
    pub filter: bool,
}

const fn row(name: &'static str, rule: Rule, default: Option<&'static str>, updatable: bool) -> Attribute {
    let filter = !matches!(rule, Rule::Lifetime | Rule::Dpd | Rule::Cidrs | Rule::List);
    Attribute { name, rule, default, updatable, filter }
}

const ID: Attribute = row("id", Rule::ReadOnly, None, false);
const TENANT: Attribute = row("tenant_id", Rule::Text(255), None, false);
const PROJECT: Attribute = row("project_id", Rule::Text(255), None, false);
const NAME: Attribute = row("name", Rule::Name, Some("\"\""), true);
const DESCRIPTION: Attribute = row("description", Rule::Text(255), Some("\"\""), true);
const ADMIN: Attribute = row("admin_state_up", Rule::Boolean, Some("true"), true);
const STATUS: Attribute = row("status", Rule::ReadOnly, None, false);
const HASH: Attribute = row("auth_algorithm", Rule::Hash, Some("\"sha1\""), true);
const CIPHER: Attribute = row("encryption_algorithm", Rule::Cipher, Some("\"aes-128\""), true);
const LIFETIME: Attribute = row("lifetime", Rule::Lifetime, Some("{}"), true);
const GROUP: Attribute = row("pfs", Rule::Group, Some("\"group5\""), true);
const UNBOUNDED: Rule = Rule::Text(usize::MAX);

const SERVICE: &[Attribute] = &[
    ID,
    TENANT,
    PROJECT,
    NAME,
    DESCRIPTION,
    row("subnet_id", Rule::UuidOrNull, Some("null"), false),
    row("router_id", Rule::Uuid, None, false),
    ADMIN,
    row("external_v4_ip", Rule::ReadOnly, None, false),
    row("external_v6_ip", Rule::ReadOnly, None, false),
    STATUS,
    row("flavor_id", Rule::UuidOrNull, Some("null"), false),
];
const CONNECTION: &[Attribute] = &[
    ID,
    TENANT,
    PROJECT,
    NAME,
    DESCRIPTION,
    row("local_id", UNBOUNDED, Some("\"\""), true),
    row("peer_address", UNBOUNDED, None, true),
    row("peer_id", UNBOUNDED, None, true),
    row("peer_cidrs", Rule::Cidrs, Some("null"), true),
    row("local_ep_group_id", Rule::UuidOrNull, Some("null"), true),
    row("peer_ep_group_id", Rule::UuidOrNull, Some("null"), true),
    row("route_mode", Rule::ReadOnly, None, false),
    row("mtu", Rule::NonNegative, Some("1500"), true),
    row("initiator", Rule::OneOf(&["bi-directional", "response-only"]), Some("\"bi-directional\""), true),
    row("auth_mode", Rule::ReadOnly, None, false),
    row("psk", UNBOUNDED, None, true),
    row("dpd", Rule::Dpd, Some("{}"), true),
    ADMIN,
    STATUS,
    row("vpnservice_id", Rule::Uuid, None, false),
    row("ikepolicy_id", Rule::Uuid, None, false),
    row("ipsecpolicy_id", Rule::Uuid, None, false),
];
const IPSEC: &[Attribute] = &[
    ID,
    TENANT,
    PROJECT,
    NAME,
    DESCRIPTION,
    row("transform_protocol", Rule::OneOf(&["ah", "ah-esp", "esp"]), Some("\"esp\""), true),
    HASH,
    CIPHER,
    row("encapsulation_mode", Rule::OneOf(&["transport", "tunnel"]), Some("\"tunnel\""), true),
    LIFETIME,
    GROUP,
];
const IKE: &[Attribute] = &[
    ID,
    TENANT,
    PROJECT,
    NAME,
    DESCRIPTION,
    HASH,
    CIPHER,
    row("phase1_negotiation_mode", Rule::OneOf(&["main", "aggressive"]), Some("\"main\""), true),
    LIFETIME,
    row("ike_version", Rule::OneOf(&["v1", "v2"]), Some("\"v1\""), true),
    GROUP,
];
const ENDPOINTS: &[Attribute] = &[
    ID,
    TENANT,
    PROJECT,
    NAME,
    DESCRIPTION,
    row("type", Rule::OneOf(&["cidr", "network", "router", "subnet", "vlan"]), None, false),
    row("endpoints", Rule::List, Some("[]"), false),
];

const SECURITY_GROUP_RULE: &[Attribute] = &[
    ID,
    row("security_group_id", Rule::Text(36), None, false),
    row("remote_group_id", Rule::Anything, Some("null"), false),
    row("direction", Rule::OneOf(&["ingress", "egress"]), None, false),
    row("protocol", Rule::Protocol, Some("null"), false),
    row("port_range_min", Rule::Port, Some("null"), false),
    row("port_range_max", Rule::Port, Some("null"), false),
    row("ethertype", Rule::Ethertype, Some("\"IPv4\""), false),
    row("remote_ip_prefix", Rule::Prefix, Some("null"), false),
    TENANT,
    PROJECT,
    row("remote_address_group_id", Rule::Anything, Some("null"), false),
    row("normalized_cidr", Rule::ReadOnly, None, false),
    row("belongs_to_default_sg", Rule::ReadOnly, None, false),
    DESCRIPTION,
    row("created_at", Rule::ReadOnly, None, false),
    row("updated_at", Rule::ReadOnly, None, false),
    row("revision_number", Rule::ReadOnly, None, false),
];

/// The attributes of a kind that can be made here, in the map's order.
pub(super) fn of(kind: Collection) -> &'static [Attribute] {
    match kind {
        Collection::VpnService => SERVICE,
        Collection::SiteConnection => CONNECTION,
        Collection::IpsecPolicy => IPSEC,
        Collection::IkePolicy => IKE,
        Collection::EndpointGroup => ENDPOINTS,
        Collection::SecurityGroupRule => SECURITY_GROUP_RULE,
        Collection::Network
        | Collection::Subnet
        | Collection::Port
        | Collection::Router
        | Collection::SecurityGroup => &[],
    }
}

/// The attributes a list of core objects can be filtered by.
pub(super) fn core_filters(kind: Collection) -> &'static [&'static str] {
    match kind {
        Collection::Router => &["id", "name", "admin_state_up", "tenant_id", "project_id", "description", "flavor_id"],
        Collection::Subnet => &[
            "id",
            "name",
            "ip_version",
            "network_id",
            "subnetpool_id",
            "cidr",
            "gateway_ip",
            "tenant_id",
            "project_id",
            "enable_dhcp",
            "ipv6_ra_mode",
            "ipv6_address_mode",
            "shared",
            "description",
        ],
        Collection::Network => &[
            "id",
            "name",
            "admin_state_up",
            "status",
            "tenant_id",
            "project_id",
            "shared",
            "router:external",
            "description",
        ],
        Collection::SecurityGroup => &["id", "name", "tenant_id", "project_id", "shared", "stateful", "description"],
        Collection::SecurityGroupRule => &[
            "id",
            "security_group_id",
            "remote_group_id",
            "remote_address_group_id",
            "direction",
            "protocol",
            "port_range_min",
            "port_range_max",
            "ethertype",
            "remote_ip_prefix",
            "normalized_cidr",
            "belongs_to_default_sg",
            "tenant_id",
            "project_id",
            "description",
        ],
        _ => &[
            "id",
            "name",
            "network_id",
            "admin_state_up",
            "mac_address",
            "fixed_ips",
            "device_id",
            "device_owner",
            "tenant_id",
            "project_id",
            "status",
            "security_groups",
            "description",
        ],
    }
}

/// A request body's object, and its keys in the order they were sent.
pub(super) struct SentObject {
    pub object: StoredObject,
    pub order: Vec<String>,
}

/// Reads a request body: `{"vpnservice": {…}}`.
pub(super) fn read(kind: Collection, body: &[u8]) -> Result<SentObject, Answer> {
    if body.is_empty() {
        return Err(bad_request("Resource body required"));
    }
    let malformed = |_| neutron(400, "MalformedRequestBody", "Malformed request body: Cannot understand JSON.");
    let parsed: Value = serde_json::from_slice(body).map_err(malformed)?;
    match parsed.get(kind.singular()) {
        Some(Value::Object(object)) => {
            let keys = serde_json::from_slice::<BTreeMap<String, KeyOrder>>(body).ok();
            let order = keys.and_then(|mut keys| keys.remove(kind.singular())).unwrap_or_default().0;
            Ok(SentObject { object: object.clone(), order })
        }
        Some(value) if !value.is_null() => {
            Err(bad_request(&format!("Object '{}' contains invalid data", kind.singular())))
        }
        None if parsed.get(kind.plural()).is_some() => Err(bad_request("Bulk operation not supported")),
        _ if parsed.as_object().is_none_or(serde_json::Map::is_empty) => Err(bad_request("Resource body required")),
        _ => Err(bad_request(&format!("Unable to find '{}' in request body", kind.singular()))),
    }
}

/// The checks of a POST: unknown attributes, then missing and forbidden ones, then each value, in the map's order.
/// Fills in the defaults.
pub(super) fn complete(
    kind: Collection,
    sent: &StoredObject,
    release: Release,
    ovn: bool,
    project: &str,
) -> Result<StoredObject, Answer> {
    check_project(sent, project)?;
    let known = check_known(kind, sent, ovn)?;
    let mut object = sent.clone();
    for attribute in &known {
        if matches!(attribute.name, "tenant_id" | "project_id") {
            object.insert(attribute.name.to_owned(), Value::from(project));
        } else if matches!(attribute.rule, Rule::ReadOnly) {
            if sent.contains_key(attribute.name) {
                return Err(bad_request(&format!("Attribute '{}' not allowed in POST", attribute.name)));
            }
        } else if !sent.contains_key(attribute.name) {
            let Some(default) = attribute.default else {
                let message = format!("Failed to parse request. Required attribute '{}' not specified", attribute.name);
                return Err(bad_request(&message));
            };
            object.insert(attribute.name.to_owned(), serde_json::from_str(default).unwrap_or_default());
        }
    }
    check_values(&known, &mut object, release)?;
    Ok(object)
}

pub(super) fn change(
    kind: Collection,
    sent: &StoredObject,
    release: Release,
    ovn: bool,
) -> Result<StoredObject, Answer> {
    let known = check_known(kind, sent, ovn)?;
    if let Some(fixed) = known.iter().find(|attribute| !attribute.updatable && sent.contains_key(attribute.name)) {
        return Err(bad_request(&format!("Cannot update read-only attribute {}", fixed.name)));
    }
    let mut object = sent.clone();
    check_values(&known, &mut object, release)?;
    Ok(object)
}

fn check_project(sent: &StoredObject, project: &str) -> Result<(), Answer> {
    let foreign = |key: &&str| sent.get(*key).is_some_and(|value| value != project);
    let message =
        "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user.";
    if ["project_id", "tenant_id"].iter().any(foreign) { Err(bad_request(message)) } else { Ok(()) }
}

fn check_known(kind: Collection, sent: &StoredObject, ovn: bool) -> Result<Vec<&'static Attribute>, Answer> {
    // The OVN plugin has no flavors.
    let known: Vec<_> = of(kind).iter().filter(|attribute| !(ovn && attribute.name == "flavor_id")).collect();
    let unknown = |key: &&String| !known.iter().any(|attribute| attribute.name == *key);
    let unknown: Vec<_> = sent.keys().filter(unknown).map(String::as_str).collect();
    if unknown.is_empty() {
        Ok(known)
    } else {
        Err(bad_request(&format!("Unrecognized attribute(s) '{}'", unknown.join(", "))))
    }
}

fn check_values(known: &[&Attribute], object: &mut StoredObject, release: Release) -> Result<(), Answer> {
    for attribute in known {
        if let Some(value) = object.get_mut(attribute.name) {
            convert(attribute.rule, value)?;
            if let Err(reason) = check(attribute.rule, value, release) {
                return Err(bad_request(&format!("Invalid input for {}. Reason: {reason}.", attribute.name)));
            }
        }
    }
    Ok(())
}

/// The keys of a JSON object in the order they stand there, which `serde_json` does not keep.
#[derive(Default)]
struct KeyOrder(Vec<String>);

impl<'de> Deserialize<'de> for KeyOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = KeyOrder;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeyOrder, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(KeyOrder(keys))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
