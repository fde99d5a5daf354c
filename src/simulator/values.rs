//! The values of `VPNaaS` attributes: how Neutron converts and checks each, with its words for what is wrong.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::answer::{Answer, neutron, python_str};
use super::object::{StoredObject, text as text_of};
use super::release::Release;

#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Never accepted from a client.
    ReadOnly,
    Name,
    Text(usize),
    Uuid,
    UuidOrNull,
    Boolean,
    NonNegative,
    OneOf(&'static [&'static str]),
    Hash,
    Cipher,
    Group,
    Lifetime,
    Dpd,
    Cidrs,
    List,
    /// An IP protocol: its name or its number; none, null or `any` for every one.
    Protocol,
    Port,
    Ethertype,
    /// A range as a security group rule takes it: a mask may be missing, host bits stay.
    Prefix,
    Anything,
}

pub(super) fn convert(rule: Rule, value: &mut Value) -> Result<(), Answer> {
    let refuse = |value: &Value, what: &str| {
        let message = format!("Invalid input for operation: '{}' {what}.", python_str(value));
        Err(neutron(400, "InvalidInput", &message))
    };
    let converted = match (rule, &*value) {
        (Rule::Boolean, _) => match python_str(value).to_lowercase().as_str() {
            "true" | "1" => json!(true),
            "false" | "0" => json!(false),
            _ => return refuse(value, "cannot be converted to boolean"),
        },
        (Rule::NonNegative, _) => match python_str(value).parse::<i64>() {
            Ok(number) => json!(number),
            Err(_) => return refuse(value, "is not an integer"),
        },
        (Rule::Lifetime | Rule::Dpd, Value::Null) => json!({}),
        (Rule::Cidrs | Rule::List, Value::Null) => json!([]),
        (Rule::Cidrs | Rule::List, Value::Array(_)) | (Rule::Port | Rule::Prefix, Value::Null) => return Ok(()),
        (Rule::Cidrs | Rule::List, single) => json!([single]),
        (Rule::Protocol, _) => protocol(value)?,
        (Rule::Port, _) => port(value)?,
        (Rule::Ethertype, _) => ethertype(value)?,
        (Rule::Prefix, Value::String(text)) if text.is_empty() => Value::Null,
        (Rule::Prefix, _) => prefix(value)?,
        _ => return Ok(()),
    };
    *value = converted;
    Ok(())
}

/// The names of IP protocols a security group rule knows, and their numbers.
pub(super) const PROTOCOLS: [(&str, u8); 25] = [
    ("ah", 51),
    ("dccp", 33),
    ("egp", 8),
    ("esp", 50),
    ("gre", 47),
    ("hopopt", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ip", 0),
    ("ipip", 4),
    ("ipv6-encap", 41),
    ("ipv6-frag", 44),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("ipv6-route", 43),
    ("ospf", 89),
    ("pgm", 113),
    ("rsvp", 46),
    ("sctp", 132),
    ("tcp", 6),
    ("udp", 17),
    ("udplite", 136),
    ("vrrp", 112),
];

fn port(value: &Value) -> Result<Value, Answer> {
    let text = python_str(value);
    let refusal = || neutron(400, "SecurityGroupInvalidPortValue", &format!("Invalid value for port {text}"));
    text.parse::<u16>().map(Value::from).map_err(|_| refusal())
}

fn ethertype(value: &Value) -> Result<Value, Answer> {
    let text = python_str(value);
    let known = ["IPv4", "IPv6"].into_iter().find(|known| known.eq_ignore_ascii_case(&text));
    let message =
        format!("Security group rule for ethertype '{text}' not supported. Allowed values are ['IPv4', 'IPv6'].");
    known.map(Value::from).ok_or_else(|| neutron(400, "SecurityGroupRuleInvalidEtherType", &message))
}

fn protocol(value: &Value) -> Result<Value, Answer> {
    let text = python_str(value).to_lowercase();
    if value.is_null() || text == "any" {
        return Ok(Value::Null);
    }
    if text.parse::<u8>().is_ok() || PROTOCOLS.iter().any(|(name, _)| *name == text) {
        return Ok(json!(text));
    }
    let names: Vec<_> = PROTOCOLS.iter().map(|(name, _)| format!("'{name}'")).collect();
    let message = format!(
        "Security group rule protocol {} not supported. Only protocol values (None, 'any', {}) and integer representations \
         [0 to 255] are supported.",
        python_str(value),
        names.join(", ")
    );
    Err(neutron(400, "SecurityGroupRuleInvalidProtocol", &message))
}

/// Without a mask it is one address; a mask may be written as an address.
fn prefix(value: &Value) -> Result<Value, Answer> {
    let text = python_str(value);
    let (address, mask) = text.split_once('/').map_or((text.as_str(), None), |(address, mask)| (address, Some(mask)));
    let net = address.parse::<IpAddr>().ok().and_then(|address| {
        let Some(mask) = mask else { return Some(IpNet::from(address)) };
        let length = mask.parse::<u8>().ok();
        let netmask = || ipnet::ip_mask_to_prefix(mask.parse().ok()?).ok();
        IpNet::new(address, length.or_else(netmask)?).ok()
    });
    let message = format!("Invalid CIDR {text} given as IP prefix.");
    net.map(|net| json!(net.to_string())).ok_or_else(|| neutron(400, "InvalidCIDR", &message))
}

pub(super) fn check(rule: Rule, value: &Value, release: Release) -> Result<(), String> {
    let text = python_str(value);
    let one_of = |words: &[&str]| {
        if words.contains(&text.as_str()) { Ok(()) } else { Err(format!("{text} is not in valid_values")) }
    };
    match rule {
        Rule::Name => string(value, 255, release.checks_names()),
        Rule::Text(longest) => string(value, longest, false),
        Rule::UuidOrNull if value.is_null() => Ok(()),
        Rule::Uuid | Rule::UuidOrNull if is_uuid(&text) => Ok(()),
        Rule::Uuid | Rule::UuidOrNull => Err(format!("'{text}' is not a valid UUID")),
        Rule::NonNegative if text.starts_with('-') => Err(format!("'{text}' should be non-negative")),
        Rule::OneOf(words) => one_of(words),
        Rule::Hash => one_of(if release.accepts_new_algorithms() { HASHES } else { &HASHES[..4] }),
        Rule::Cipher if !is_cipher(&text, release) => one_of(&[]),
        Rule::Group if !is_group(&text, release) => one_of(&[]),
        Rule::Lifetime => dictionary(value, &["units", "value"], |key, value| match key {
            "units" if value == "seconds" => Ok(()),
            "units" => Err(format!("{} is not in valid_values", python_str(value))),
            _ => number(value).and_then(|number| {
                if number < 60 { Err(format!("'{number}' is too small - must be at least '60'")) } else { Ok(()) }
            }),
        }),
        Rule::Dpd => dictionary(value, &["action", "interval", "timeout"], |key, value| match key {
            "action" if DPD_ACTIONS.contains(&python_str(value).as_str()) => Ok(()),
            "action" => Err(format!("{} is not in valid_values", python_str(value))),
            _ => number(value)
                .and_then(|number| if number < 0 { Err(format!("'{number}' should be non-negative")) } else { Ok(()) }),
        }),
        Rule::Cidrs => cidrs(value),
        Rule::ReadOnly
        | Rule::Boolean
        | Rule::NonNegative
        | Rule::List
        | Rule::Cipher
        | Rule::Group
        | Rule::Protocol
        | Rule::Port
        | Rule::Ethertype
        | Rule::Prefix
        | Rule::Anything => Ok(()),
    }
}

const DPD_ACTIONS: &[&str] = &["clear", "disabled", "hold", "restart", "restart-by-peer"];
const HASHES: &[&str] = &["sha1", "sha256", "sha384", "sha512", "aes-xcbc", "aes-cmac"];
const OLD_CIPHERS: &[&str] = &["3des", "aes-128", "aes-192", "aes-256"];
const OLD_GROUPS: &[&str] = &["group2", "group5", "group14"];

fn is_cipher(text: &str, release: Release) -> bool {
    let new = || {
        let (bits, mode) = text.strip_prefix("aes-").and_then(|rest| rest.split_once('-'))?;
        let sized = |mode: &str| matches!(mode, "8" | "12" | "16");
        let known = (mode == "ctr" && release.stores_new_algorithms())
            || mode.strip_prefix("gcm-").or_else(|| mode.strip_prefix("ccm-")).is_some_and(sized);
        Some(matches!(bits, "128" | "192" | "256") && known)
    };
    OLD_CIPHERS.contains(&text) || (release.accepts_new_algorithms() && new().unwrap_or(false))
}

fn is_group(text: &str, release: Release) -> bool {
    let number = text.strip_prefix("group").and_then(|number| number.parse::<u8>().ok());
    OLD_GROUPS.contains(&text) || (release.accepts_new_algorithms() && number.is_some_and(|n| (15..=31).contains(&n)))
}

/// Whether the database of a release has room for a policy's algorithms; where it has not, the answer is a 500.
pub(super) fn is_storable(policy: &StoredObject, release: Release) -> bool {
    let of = |key| text_of(policy, key);
    let (hash, cipher, group) = (of("auth_algorithm"), of("encryption_algorithm"), of("pfs"));
    let old = HASHES[..4].contains(&hash) && OLD_CIPHERS.contains(&cipher) && OLD_GROUPS.contains(&group);
    let weak = hash == "sha1" || cipher == "3des";
    (old || release.stores_new_algorithms()) && (!weak || release.stores_weak_algorithms())
}

/// Whether the columns of the connections' table, of 255 characters each, take what the API takes at any length; where they
/// do not, the answer is a 500.
pub(super) fn fits_table(connection: &StoredObject) -> bool {
    ["psk", "peer_id", "local_id", "peer_address"].iter().all(|key| text_of(connection, key).chars().count() <= 255)
}

fn string(value: &Value, longest: usize, strict: bool) -> Result<(), String> {
    let shown = python_str(value);
    let Value::String(text) = value else {
        return Err(format!("'{shown}' is not a valid string"));
    };
    if strict && (text.trim() != text || text.chars().any(char::is_control)) {
        return Err(format!("'{shown}' is not a valid string"));
    }
    if text.chars().count() > longest { Err(format!("'{shown}' exceeds maximum length of {longest}")) } else { Ok(()) }
}

fn number(value: &Value) -> Result<i64, String> {
    python_str(value).parse().map_err(|_| format!("'{}' is not an integer", python_str(value)))
}

fn dictionary(value: &Value, keys: &[&str], check: impl Fn(&str, &Value) -> Result<(), String>) -> Result<(), String> {
    let Value::Object(map) = value else {
        return Err(format!("'{}' is not a dictionary", python_str(value)));
    };
    let unexpected: Vec<_> = map.keys().filter(|key| !keys.contains(&key.as_str())).map(String::as_str).collect();
    if !unexpected.is_empty() {
        return Err(format!("Unexpected keys supplied: {}", unexpected.join(", ")));
    }
    map.iter().try_for_each(|(key, value)| check(key, value))
}

fn cidrs(value: &Value) -> Result<(), String> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    for (index, item) in items.iter().enumerate() {
        let text = python_str(item);
        if items[..index].contains(item) {
            return Err(format!("Duplicate items in the list: '{text}'"));
        }
        if !is_cidr(&text) {
            return Err(format!("'{text}' is not a valid IP subnet"));
        }
    }
    Ok(())
}

/// Neutron's idea of a CIDR: with a slash, host bits allowed, no noughts in front.
pub(super) fn is_cidr(text: &str) -> bool {
    let padded = text.split(['.', '/']).any(|part| part.len() > 1 && part.starts_with('0') && !part.contains(':'));
    text.parse::<IpNet>().is_ok() && !padded
}

/// Whether a text is an address; anything else given as a peer address is looked up.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

pub(super) fn is_uuid(text: &str) -> bool {
    let hex = text.replace('-', "");
    hex.len() == 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
}
