//! Security groups: a project's `default`, and rules made and deleted as Neutron's `securitygroups_db.py` does.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::access::{check_quota, is_visible};
use super::answer::{Answer, neutron};
use super::attributes;
use super::identity::Caller;
use super::object::{Collection, StoredObject, text};
use super::topology::object;
use super::values::PROTOCOLS;
use super::world::World;

/// Gives a project its group `default`, if it has none yet.
pub(super) fn ensure_default(world: &mut World, at: usize, project: &str) {
    let groups = world.regions[at].all(Collection::SecurityGroup);
    let is_its = |group: &StoredObject| text(group, "name") == "default" && text(group, "project_id") == project;
    if project.is_empty() || groups.iter().any(is_its) {
        return;
    }
    let id = group(world, at, project, "default", "Default security group");
    for ethertype in ["IPv4", "IPv6"] {
        let own = json!({"direction": "ingress", "ethertype": ethertype, "remote_group_id": id, "description": null});
        rule(world, at, project, &id, &own);
    }
}

/// Adds a group which lets everything out, as every group does at first, and returns its id.
pub(super) fn group(world: &mut World, at: usize, project: &str, name: &str, description: &str) -> String {
    let attributes = json!({"name": name, "description": description, "stateful": true, "shared": false});
    let id = object(world, at, Collection::SecurityGroup, project, &attributes);
    for ethertype in ["IPv4", "IPv6"] {
        rule(world, at, project, &id, &json!({"direction": "egress", "ethertype": ethertype, "description": null}));
    }
    id
}

fn rule(world: &mut World, at: usize, project: &str, group: &str, own: &Value) -> String {
    let in_default =
        world.regions[at].get(Collection::SecurityGroup, group).is_some_and(|group| text(group, "name") == "default");
    let range: Option<IpNet> = own["remote_ip_prefix"].as_str().and_then(|prefix| prefix.parse().ok());
    let mut attributes = json!({
        "security_group_id": group, "protocol": null, "port_range_min": null, "port_range_max": null,
        "remote_ip_prefix": null, "remote_group_id": null, "remote_address_group_id": null,
        "normalized_cidr": range.map(|range| range.trunc().to_string()), "belongs_to_default_sg": in_default,
    });
    if let (Some(attributes), Some(own)) = (attributes.as_object_mut(), own.as_object()) {
        attributes.extend(own.clone());
    }
    let id = object(world, at, Collection::SecurityGroupRule, project, &attributes);
    if let Some(rule) = world.regions[at].get_mut(Collection::SecurityGroupRule, &id) {
        rule.remove("tags");
    }
    id
}

pub(super) fn create_rule(world: &mut World, at: usize, caller: &Caller, body: &[u8]) -> Result<Answer, Answer> {
    let kind = Collection::SecurityGroupRule;
    let sent = attributes::read(kind, body)?;
    let mut object = attributes::complete(kind, &sent.object, world.settings.release, false, &caller.project)?;
    let group = text(&object, "security_group_id").to_owned();
    let known = |world: &World, id: &str| {
        let found = world.regions[at].get(Collection::SecurityGroup, id).filter(|group| is_visible(group, caller));
        if found.is_some() { Ok(()) } else { Err(Collection::SecurityGroup.not_found(id)) }
    };
    // Whose group it is decides who may.
    known(world, &group)?;
    if caller.reader {
        return Err(neutron(403, "PolicyNotAuthorized", "rule:create_security_group_rule is disallowed by policy"));
    }
    check_quota(world, at, caller, kind)?;
    let v6 = text(&object, "ethertype") == "IPv6";
    // What was IPv4's name or number for ICMP is made IPv6's.
    let renamed = [("icmp", "ipv6-icmp"), ("icmpv6", "ipv6-icmp"), ("1", "58")];
    if let (true, Some((_, new))) = (v6, renamed.iter().find(|(old, _)| *old == text(&object, "protocol"))) {
        object.insert("protocol".to_owned(), json!(new));
    }
    // All ports are none in particular.
    if (number(&object, "port_range_min"), number(&object, "port_range_max")) == (Some(1), Some(65535)) {
        object.insert("port_range_min".to_owned(), Value::Null);
        object.insert("port_range_max".to_owned(), Value::Null);
    }
    check_ports(&object)?;
    check_remote(&object, v6)?;
    let remote = text(&object, "remote_group_id");
    if !remote.is_empty() {
        known(world, remote)?;
    }
    if let Some(same) =
        world.regions[at].referring(kind, "security_group_id", &group).find(|rule| key(rule) == key(&object))
    {
        let message = format!("Security group rule already exists. Rule id is {}.", text(same, "id"));
        return Err(neutron(409, "SecurityGroupRuleExists", &message));
    }
    let id = rule(world, at, &caller.project, &group, &Value::Object(object));
    let made = world.regions[at].get(kind, &id);
    Ok(Answer::json(201, &json!({ kind.singular(): made })))
}

/// `PUT /v2.0/security-group-rules/{id}`: nothing of a rule can be changed.
pub(super) fn update_rule(world: &World, at: usize, caller: &Caller, id: &str, body: &[u8]) -> Result<Answer, Answer> {
    let kind = Collection::SecurityGroupRule;
    let sent = attributes::read(kind, body)?;
    attributes::change(kind, &sent.object, world.settings.release, false)?;
    let found = world.regions[at].get(kind, id).filter(|rule| is_visible(rule, caller));
    found.ok_or_else(|| kind.not_found(id))?;
    Err(super::answer::internal_error())
}

pub(super) fn delete_rule(world: &mut World, at: usize, caller: &Caller, id: &str) -> Result<Answer, Answer> {
    let kind = Collection::SecurityGroupRule;
    let found = world.regions[at].get(kind, id).filter(|rule| is_visible(rule, caller));
    found.ok_or_else(|| kind.not_found(id))?;
    if caller.reader {
        return Err(neutron(403, "PolicyNotAuthorized", "rule:delete_security_group_rule is disallowed by policy"));
    }
    world.regions[at].remove(kind, id);
    Ok(Answer::empty(204))
}

fn number(object: &StoredObject, key: &str) -> Option<i64> {
    object.get(key).and_then(Value::as_i64)
}

fn protocol(object: &StoredObject) -> Option<u8> {
    let text = text(object, "protocol");
    let named = PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    named.or_else(|| text.parse().ok())
}

fn refuse(class: &str, message: &str) -> Result<(), Answer> {
    Err(neutron(400, class, message))
}

fn check_ports(object: &StoredObject) -> Result<(), Answer> {
    let (min, max) = (number(object, "port_range_min"), number(object, "port_range_max"));
    if min.is_none() && max.is_none() {
        return Ok(());
    }
    match protocol(object) {
        None => {
            let message = "Must also specify protocol if port range is given.";
            refuse("SecurityGroupProtocolRequiredWithPorts", message)
        }
        Some(6 | 17 | 33 | 132 | 136) if min == Some(0) || max == Some(0) => {
            refuse("SecurityGroupInvalidPortValue", "Invalid value for port 0")
        }
        Some(6 | 17 | 33 | 132 | 136) if min.is_some() && max.is_some() && min <= max => Ok(()),
        Some(6 | 17 | 33 | 132 | 136) => {
            let message = "For TCP/UDP protocols, port_range_min must be <= port_range_max";
            refuse("SecurityGroupInvalidPortRange", message)
        }
        Some(1 | 58) => {
            for (key, field, value) in [("port_range_min", "type", min), ("port_range_max", "code", max)] {
                if let Some(value) = value.filter(|value| *value > 255) {
                    let message = format!("Invalid value for ICMP {field} ({key}) {value}. It must be 0 to 255.");
                    return refuse("SecurityGroupInvalidIcmpValue", &message);
                }
            }
            if let (None, Some(code)) = (min, max) {
                let message =
                    format!("ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is missing.");
                return refuse("SecurityGroupMissingIcmpType", &message);
            }
            Ok(())
        }
        Some(other) => {
            let message = format!(
                "Ports cannot be specified for protocol {other}. Ports are only supported for DCCP, SCTP, TCP, UDP, UDPLITE."
            );
            refuse("SecurityGroupInvalidProtocolForPort", &message)
        }
    }
}

/// Whom a rule allows: a range of its family, or a group.
fn check_remote(object: &StoredObject, v6: bool) -> Result<(), Answer> {
    let (ethertype, prefix) = (text(object, "ethertype"), text(object, "remote_ip_prefix"));
    if !prefix.is_empty() && prefix.contains(':') != v6 {
        let message = format!("Conflicting value ethertype {ethertype} for CIDR {prefix}");
        return refuse("SecurityGroupRuleParameterConflict", &message);
    }
    let name = text(object, "protocol");
    let of_v6 =
        name.starts_with("ipv6-") || name == "icmpv6" || matches!(name, "41" | "43" | "44" | "58" | "59" | "60");
    if of_v6 && !v6 {
        let message = format!("Invalid ethertype {ethertype} for protocol {name}.");
        return refuse("SecurityGroupEthertypeConflictWithProtocol", &message);
    }
    if !prefix.is_empty() && !text(object, "remote_group_id").is_empty() {
        let message = "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.";
        return refuse("SecurityGroupMultipleRemoteEntites", message);
    }
    Ok(())
}

/// What makes two rules of a group the same: not the description, and from anywhere is from anywhere.
fn key(rule: &StoredObject) -> Vec<String> {
    let part = |key: &str| match (key, rule.get(key)) {
        ("remote_ip_prefix", Some(Value::String(prefix))) if prefix == "0.0.0.0/0" || prefix == "::/0" => String::new(),
        ("protocol", Some(Value::String(name))) => {
            protocol(rule).map_or_else(|| name.clone(), |number| number.to_string())
        }
        (_, None | Some(Value::Null)) => String::new(),
        (_, Some(value)) => value.to_string(),
    };
    let keys = ["direction", "ethertype", "port_range_min", "port_range_max", "protocol", "remote_group_id"];
    keys.iter().chain(&["remote_address_group_id", "remote_ip_prefix"]).map(|key| part(key)).collect()
}
