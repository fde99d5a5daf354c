//! ipsec.conf of strongSwan and libreswan, and the lines of an ipsec.secrets behind it.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::notes::ReceivedNotes;
use super::secrets::{identity, key, seconds, unquoted};
use super::swanctl::{proposals, without_comment};
use super::{Received, ReceivedEnds};
use crate::plan::policy::{DpdAction, IkeVersion, Phase1Mode};

/// What changes nothing that a VPN here is made of.
const SAYS_NOTHING: &[&str] = &[
    "auto",
    "authby",
    "mobike",
    "keyingtries",
    "rekey",
    "reauth",
    "rekeymargin",
    "rekeyfuzz",
    "margintime",
    "type",
    "fragmentation",
    "leftauth",
    "rightauth",
    "leftfirewall",
    "rightfirewall",
    "lefthostaccess",
    "forceencaps",
    "encapsulation",
    "installpolicy",
    "pfs",
    "compress",
    "leftnexthop",
    "rightnexthop",
    "leftsourceip",
    "narrowing",
    "leftupdown",
    "closeaction",
    "phase2",
    "dpdaction",
    "ikev1-policy",
];

/// More than any text about one VPN has.
const MOST_SECTIONS: usize = 500;

/// The settings of a section, each with its line.
type ConnSettings<'t> = BTreeMap<String, (usize, &'t str)>;

struct SecretLine {
    ids: Vec<String>,
    key: Option<SecretString>,
}

pub(super) fn read(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut sections: Vec<(&str, ConnSettings<'_>)> = Vec::new();
    let mut secrets = Vec::new();
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, without_comment(line))) {
        let line = line.trim();
        let words = line.split_once([' ', '\t']).map(|(word, rest)| (word, rest.trim()));
        match (words, line.split_once('=')) {
            _ if line.is_empty() => {}
            _ if sections.len() > MOST_SECTIONS => {}
            (Some(("conn", name)), _) => sections.push((name, ConnSettings::new())),
            (Some(("config" | "ca", _)), _) => sections.push(("", ConnSettings::new())),
            (Some(("version" | "include", _)), _) => {}
            _ if line.contains(": PSK ") || line.starts_with("PSK ") => secrets.push(secret(at, line, notes)),
            (_, Some((name, value))) if !sections.is_empty() => {
                let name = name.trim().to_ascii_lowercase();
                let place = sections.last_mut().map(|(_, settings)| settings);
                let value = (at, unquoted(value.trim()));
                if let Some((_, before)) = place.and_then(|settings| settings.insert(name.clone(), value))
                    && before != value.1
                {
                    notes.contradict(format!("line {at}: {name} is said twice"));
                }
            }
            _ => notes.unread(at, line),
        }
    }
    let inherited = |name: &str| sections.iter().find(|(of, _)| *of == name).map(|(_, settings)| settings.clone());
    let defaults = inherited("%default").unwrap_or_default();
    let mut vpns = Vec::new();
    for (name, settings) in sections.iter().filter(|(name, _)| !name.is_empty() && *name != "%default") {
        let also = settings.get("also").and_then(|(_, of)| inherited(of)).unwrap_or_default();
        let mut all = defaults.clone();
        all.extend(also);
        all.extend(settings.iter().map(|(name, value)| (name.clone(), *value)));
        if all.contains_key("left") || all.contains_key("right") {
            vpns.push(connection(name, &all, &secrets, notes));
        }
    }
    vpns
}

/// `IDS : PSK "KEY"`.
fn secret(line: usize, text: &str, notes: &mut ReceivedNotes) -> SecretLine {
    let (ids, rest) = text.split_once(": PSK ").unwrap_or(("", text.trim_start_matches("PSK ")));
    SecretLine { ids: ids.split_whitespace().map(identity).collect(), key: key(line, rest, notes) }
}

fn connection(name: &str, settings: &ConnSettings<'_>, secrets: &[SecretLine], notes: &mut ReceivedNotes) -> Received {
    let mut vpn = Received::named(name);
    // Left is the own side, unless right is what only an own side can be.
    let is_turned = settings.get("right").is_some_and(|(_, value)| matches!(*value, "%defaultroute" | "%any"));
    let (own, far) = if is_turned { ("right", "left") } else { ("left", "right") };
    let mut ends = ReceivedEnds::default();
    for (name, (line, value)) in settings {
        let end = if name.starts_with(own) { &mut vpn.own } else { &mut vpn.far };
        let networks = if name.starts_with(own) { &mut ends.own } else { &mut ends.far };
        match name.strip_prefix(own).or_else(|| name.strip_prefix(far)) {
            Some("") => end.address = Some((*value).to_owned()),
            Some("id") => end.id = Some(identity(value)),
            Some("subnet" | "subnets") => {
                let each = value.trim_matches(['{', '}']).split([',', ' ']).filter(|word| !word.is_empty());
                each.for_each(|word| networks.take_network(*line, word, notes));
            }
            _ => of_policy(name, *line, value, &mut vpn, notes),
        }
    }
    vpn.carry(&ends);
    let ids: Vec<&String> =
        [&vpn.own, &vpn.far].iter().filter_map(|end| end.id.as_ref().or(end.address.as_ref())).collect();
    let fits: Vec<_> = secrets.iter().filter(|secret| secret.ids.iter().all(|id| ids.contains(&id))).collect();
    vpn.key = match (secrets, fits.as_slice()) {
        ([only], _) => only.key.clone(),
        (_, [only]) => only.key.clone(),
        _ => None,
    };
    vpn
}

fn of_policy(name: &str, line: usize, value: &str, vpn: &mut Received, notes: &mut ReceivedNotes) {
    let policy = &mut vpn.policy;
    let mut number = |place: &mut Option<u32>| match seconds(value) {
        Some(number) => *place = Some(number),
        None => notes.unread(line, &format!("{name}={value}")),
    };
    match name {
        "keyexchange" | "ikev2" => {
            let is_v1 = matches!(value, "ikev1" | "no" | "never");
            policy.ike_version = Some(if is_v1 { IkeVersion::V1 } else { IkeVersion::V2 });
        }
        "aggressive" => policy.mode = Some(if value == "yes" { Phase1Mode::Aggressive } else { Phase1Mode::Main }),
        "ike" => policy.ike = proposals(value),
        "esp" | "phase2alg" => policy.ipsec = proposals(value),
        "ikelifetime" => number(&mut policy.ike_lifetime),
        "lifetime" | "keylife" | "ipsec-lifetime" | "salifetime" => number(&mut policy.ipsec_lifetime),
        "dpddelay" => number(&mut policy.dpd_interval),
        "dpdtimeout" | "ikev1-dpdtimeout" => number(&mut policy.dpd_timeout),
        "mtu" => number(&mut policy.mtu),
        "also" => {}
        _ if SAYS_NOTHING.contains(&name) => {}
        _ => notes.unread(line, &format!("{name}={value}")),
    }
    match (name, value) {
        ("auto", _) => policy.own_begins = Some(matches!(value, "start" | "route" | "ondemand")),
        ("authby", _) if !matches!(value, "psk" | "secret") => {
            notes.of_line(line, format!("authby is {value}, and this cloud takes a pre-shared key"));
        }
        ("type", "transport") => notes.of_line(line, "transport mode is not taken: the cloud tunnels"),
        ("dpdaction", _) => policy.dpd_action = value.parse::<DpdAction>().ok(),
        _ => {}
    }
}
