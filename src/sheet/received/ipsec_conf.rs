//! ipsec.conf of strongSwan and libreswan, and the lines of an ipsec.secrets behind it.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::ReceivedNotes;
use super::secrets::{SecretFor, identity, key, key_for, seconds, unquoted};
use super::swanctl::{proposals, without_comment};
use super::{MOST_SETTINGS, Received, ReceivedEnds};
use crate::plan::policy::{DpdAction, IkeVersion, Phase1Mode};

/// What changes nothing that a VPN here is made of.
const SAYS_NOTHING: &[&str] = &[
    "auto",
    "mobike",
    "keyingtries",
    "rekey",
    "reauth",
    "rekeymargin",
    "rekeyfuzz",
    "margintime",
    "type",
    "fragmentation",
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

#[derive(Default)]
struct ConnSection<'t> {
    name: &'t str,
    /// The sections whose settings it has, too.
    also: Vec<&'t str>,
    settings: ConnSettings<'t>,
}

pub(super) fn read(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut sections: Vec<ConnSection<'_>> = Vec::new();
    let mut secrets = Vec::new();
    let mut count = 0;
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, without_comment(line))) {
        let line = line.trim();
        let words = line.split_once([' ', '\t']).map(|(word, rest)| (word, rest.trim()));
        match (words, line.split_once('=')) {
            _ if line.is_empty() => {}
            _ if sections.len() > MOST_SECTIONS || count > MOST_SETTINGS => {}
            (Some(("conn", name)), _) => sections.push(ConnSection { name, ..ConnSection::default() }),
            (Some(("config" | "ca", _)), _) => sections.push(ConnSection::default()),
            (Some(("version" | "include", _)), _) => {}
            _ if let Some((ids, rest)) = secret_line(line) => secrets.push(SecretFor {
                ids: ids.split_whitespace().map(identity).filter(|id| id != "%any").collect(),
                key: key(at, rest, notes),
            }),
            (_, Some((name, value))) if let Some(section) = sections.last_mut() => {
                count += 1;
                section.take(at, name, unquoted(value.trim()), notes);
            }
            _ => notes.unread(at, line),
        }
    }
    let included: BTreeSet<&str> = sections.iter().flat_map(|section| section.also.iter().copied()).collect();
    let mut vpns = Vec::new();
    for section in sections.iter().filter(|section| !["", "%default"].contains(&section.name)) {
        let is_for_others = included.contains(section.name) && !section.has_both_ranges();
        let mut all = ConnSettings::new();
        let mut seen = BTreeSet::new();
        inherit("%default", &sections, &mut seen, &mut all);
        inherit(section.name, &sections, &mut seen, &mut all);
        if !is_for_others && (all.contains_key("left") || all.contains_key("right")) {
            vpns.push(connection(section.name, &all, &secrets, notes));
        }
    }
    vpns
}

impl<'t> ConnSection<'t> {
    fn take(&mut self, line: usize, name: &str, value: &'t str, notes: &mut ReceivedNotes) {
        let name = name.trim().to_ascii_lowercase();
        if name == "also" {
            return self.also.push(value);
        }
        if let Some((_, before)) = self.settings.insert(name.clone(), (line, value))
            && before != value
        {
            notes.contradict(format!("line {line}: {name} is said twice"));
        }
    }

    fn has_both_ranges(&self) -> bool {
        ["left", "right"].iter().all(|end| {
            [format!("{end}subnet"), format!("{end}subnets")].iter().any(|name| self.settings.contains_key(name))
        })
    }
}

/// Puts the settings of a section over those that are there, after those of the sections that it names.
fn inherit<'t>(name: &'t str, sections: &[ConnSection<'t>], seen: &mut BTreeSet<&'t str>, all: &mut ConnSettings<'t>) {
    if !seen.insert(name) {
        return;
    }
    for section in sections.iter().filter(|section| section.name == name) {
        section.also.iter().for_each(|name| inherit(name, sections, seen, all));
        all.extend(section.settings.iter().map(|(name, value)| (name.clone(), *value)));
    }
}

/// What stands before and behind the colon and the word of `IDS : PSK "KEY"`.
fn secret_line(line: &str) -> Option<(&str, &str)> {
    let key = |rest: &'_ str| -> Option<usize> {
        let word = rest.trim_start();
        let is_it = word.get(..3)?.eq_ignore_ascii_case("psk")
            && word.get(3..)?.starts_with(|c: char| c.is_whitespace() || "\"'".contains(c));
        is_it.then(|| rest.len() - word.len() + 3)
    };
    if let Some(at) = key(line) {
        return Some(("", &line[at..]));
    }
    line.match_indices(':').find_map(|(colon, _)| {
        let at = key(&line[colon + 1..])?;
        Some((&line[..colon], &line[colon + 1 + at..]))
    })
}

fn connection(name: &str, settings: &ConnSettings<'_>, secrets: &[SecretFor], notes: &mut ReceivedNotes) -> Received {
    let mut vpn = Received::named(name);
    // Left is the own side, unless right alone is what only an own side can be.
    let is_own = |end: &str| settings.get(end).is_some_and(|(_, value)| *value == "%defaultroute");
    let is_turned = is_own("right") && !is_own("left");
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
    vpn.key = key_for(&vpn, secrets, notes);
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
            let version = if matches!(value, "ikev1" | "no" | "never") { IkeVersion::V1 } else { IkeVersion::V2 };
            // "ike" is the default, which gives way to what ikev2 says.
            policy.ike_version = if value == "ike" { policy.ike_version.or(Some(version)) } else { Some(version) };
        }
        "aggressive" => policy.mode = Some(if value == "yes" { Phase1Mode::Aggressive } else { Phase1Mode::Main }),
        "ike" => policy.ike = proposals(value),
        "esp" | "phase2alg" => policy.ipsec = proposals(value),
        "ikelifetime" => number(&mut policy.ike_lifetime),
        "lifetime" | "keylife" | "ipsec-lifetime" | "salifetime" => number(&mut policy.ipsec_lifetime),
        "dpddelay" => number(&mut policy.dpd_interval),
        "dpdtimeout" | "ikev1-dpdtimeout" => number(&mut policy.dpd_timeout),
        "mtu" => number(&mut policy.mtu),
        "authby" | "leftauth" | "rightauth" => notes.authentication(line, name, value),
        _ if SAYS_NOTHING.contains(&name) => {}
        _ => notes.unread(line, &format!("{name}={value}")),
    }
    match (name, value) {
        ("auto", _) => policy.own_begins = Some(matches!(value, "start" | "route" | "ondemand")),
        ("type", "transport") => notes.of_line(line, "transport mode is not taken: the cloud tunnels"),
        ("dpdaction", _) => policy.dpd_action = value.parse::<DpdAction>().ok(),
        _ => {}
    }
}
