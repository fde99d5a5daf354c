//! Fortinet's system: `config`, `edit`, `set`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::notes::ReceivedNotes;
use super::secrets::{key, unquoted};
use super::{MOST_SETTINGS, Received, ReceivedEnd, ReceivedEnds, Transforms};
use crate::plan::policy::{IkeVersion, Phase1Mode};

/// Settings that change nothing a VPN here is made of.
const SAYS_NOTHING: &[&str] = &[
    "interface",
    "localid-type",
    "peertype",
    "nattraversal",
    "net-device",
    "comments",
    "type",
    "phase1name",
    "pfs",
    "keepalive",
    "add-route",
    "src-addr-type",
    "dst-addr-type",
    "replay",
    "keylife-type",
    "auto-discovery-sender",
    "wizard-type",
    "passive-mode",
    "idle-timeout",
    "fragmentation",
];

/// `set NAME VALUES` within `edit` within `config`.
struct SetLine<'t> {
    line: usize,
    section: &'t str,
    entry: &'t str,
    name: &'t str,
    value: &'t str,
}

pub(super) fn read(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let settings = settings(text, notes);
    let mut vpns = Vec::new();
    for (name, of_it) in entries(&settings, '1') {
        let mut vpn = Received::named(name);
        let mut tries = None;
        for setting in &of_it {
            of_phase_1(setting, &mut vpn, &mut tries, notes);
        }
        if vpn.policy.ike_version.is_none() {
            vpn.policy.ike_version = Some(IkeVersion::V1);
            vpn.is_ike_version_a_default = true;
            notes.of_all("ike-version is not in the text: FortiOS leaves out what is its default, which is IKEv1");
        }
        vpn.policy.ike = transforms(&of_it);
        vpn.policy.dpd_timeout =
            vpn.policy.dpd_interval.zip(tries).and_then(|(interval, tries): (u32, u32)| interval.checked_mul(tries));
        vpns.push(vpn);
    }
    for (entry, of_it) in entries(&settings, '2') {
        let line = of_it.first().map_or(0, |one| one.line);
        let phase_1 = of_it.iter().find(|one| one.name == "phase1name").map(|one| unquoted(one.value));
        let Some(vpn) = vpns.iter_mut().find(|vpn| Some(vpn.name.as_str()) == phase_1) else {
            notes.of_line(line, format!("{entry} is of no phase 1 in the text"));
            continue;
        };
        let mut ends = ReceivedEnds::default();
        for setting in &of_it {
            of_phase_2(setting, &mut ends, vpn, notes);
        }
        vpn.carry(&ends);
        let taken = transforms(&of_it);
        if !vpn.policy.ipsec.is_empty() && vpn.policy.ipsec != taken {
            notes.contradict(format!("line {line}: {entry} has other algorithms than the phase 2 before it"));
        }
        vpn.policy.ipsec = taken;
    }
    vpns
}

/// The entries of a phase, each with its settings.
fn entries<'s, 't>(settings: &'s [SetLine<'t>], phase: char) -> Vec<(&'t str, Vec<&'s SetLine<'t>>)> {
    let mut entries: Vec<(&str, Vec<&SetLine<'_>>)> = Vec::new();
    for setting in settings.iter().filter(|one| is_phase(one.section, phase)) {
        match entries.iter_mut().find(|(entry, _)| *entry == setting.entry) {
            Some((_, of_it)) => of_it.push(setting),
            None => entries.push((setting.entry, vec![setting])),
        }
    }
    entries
}

fn is_phase(section: &str, number: char) -> bool {
    section.strip_prefix("vpn ipsec phase").is_some_and(|rest| rest.starts_with(number))
}

fn of_phase_1(setting: &SetLine<'_>, vpn: &mut Received, tries: &mut Option<u32>, notes: &mut ReceivedNotes) {
    let SetLine { line, name, value, .. } = *setting;
    let policy = &mut vpn.policy;
    match name {
        "ike-version" => policy.ike_version = Some(if value == "1" { IkeVersion::V1 } else { IkeVersion::V2 }),
        "mode" => policy.mode = value.parse::<Phase1Mode>().ok(),
        "remote-gw" | "remotegw-ddns" => notes.put(line, name, &mut vpn.far.address, unquoted(value).to_owned()),
        "local-gw" => notes.put(line, name, &mut vpn.own.address, unquoted(value).to_owned()),
        "localid" => notes.put(line, name, &mut vpn.own.id, unquoted(value).to_owned()),
        "peerid" => notes.put(line, name, &mut vpn.far.id, unquoted(value).to_owned()),
        "psksecret" if value.starts_with("ENC ") => {
            notes.of_line(line, "the key is encrypted; only the device's owner can tell it");
        }
        "psksecret" => vpn.key = key(line, value, notes),
        "keylife" => number(setting, &mut policy.ike_lifetime, notes),
        "dpd-retryinterval" => number(setting, &mut policy.dpd_interval, notes),
        "dpd-retrycount" => number(setting, tries, notes),
        "dpd" if value == "disable" => notes.of_line(line, "it does not look whether this end is alive"),
        "authmethod" => notes.authentication(line, name, value),
        "dpd" | "proposal" | "dhgrp" => {}
        _ if SAYS_NOTHING.contains(&name) => {}
        _ => notes.unread(line, &format!("set {name} {value}")),
    }
}

fn of_phase_2(setting: &SetLine<'_>, ends: &mut ReceivedEnds, vpn: &mut Received, notes: &mut ReceivedNotes) {
    let SetLine { line, name, value, .. } = *setting;
    let policy = &mut vpn.policy;
    match name {
        "proposal" | "dhgrp" => {}
        "keylifeseconds" => number(setting, &mut policy.ipsec_lifetime, notes),
        "auto-negotiate" => policy.own_begins = Some(value == "enable"),
        "src-subnet" => network(&mut ends.own, setting, notes),
        "dst-subnet" => network(&mut ends.far, setting, notes),
        "pfs" if value == "disable" => notes.of_line(line, "PFS is off; the cloud always has it"),
        _ if SAYS_NOTHING.contains(&name) => {}
        _ => notes.unread(line, &format!("set {name} {value}")),
    }
}

/// The proposals of an entry, each with the groups that stand in a setting of their own.
fn transforms(of_it: &[&SetLine<'_>]) -> Vec<Transforms> {
    let value = |name: &str| of_it.iter().find(|one| one.name == name).map_or("", |one| one.value);
    let mut groups = Transforms::default();
    value("dhgrp").split_whitespace().for_each(|word| groups.take(word, Transforms::take_group));
    let each = value("proposal").split_whitespace().map(|one| {
        let mut one = Transforms::of(one.split('-'));
        one.groups.extend(&groups.groups);
        one.unknown.extend(groups.unknown.iter().cloned());
        one
    });
    each.collect()
}

fn number(setting: &SetLine<'_>, place: &mut Option<u32>, notes: &mut ReceivedNotes) {
    match setting.value.parse() {
        Ok(number) => notes.put(setting.line, setting.name, place, number),
        Err(_) => notes.unread(setting.line, &format!("set {} {}", setting.name, setting.value)),
    }
}

/// An address and its netmask, or a range.
fn network(end: &mut ReceivedEnd, setting: &SetLine<'_>, notes: &mut ReceivedNotes) {
    let Some((address, mask)) = setting.value.split_once(' ') else {
        return end.take_network(setting.line, setting.value, notes);
    };
    let network = address.parse::<IpAddr>().ok().zip(mask.trim().parse::<IpAddr>().ok());
    match network.and_then(|(address, mask)| IpNet::with_netmask(address, mask).ok()) {
        Some(network) => end.networks.push(network),
        None => notes.unread(setting.line, &format!("set {} {}", setting.name, setting.value)),
    }
}

/// The settings of the two phases. What else a device has is not looked at, and not told line by line.
fn settings<'t>(text: &'t str, notes: &mut ReceivedNotes) -> Vec<SetLine<'t>> {
    let mut found = Vec::new();
    let mut sections: Vec<&str> = Vec::new();
    let mut entry = "";
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let section = sections.last().copied().unwrap_or_default();
        let is_ours = section.starts_with("vpn ipsec phase");
        match word {
            "config" => sections.push(rest),
            "edit" if is_ours => entry = unquoted(rest),
            "end" => drop(sections.pop()),
            "set" if is_ours && found.len() < MOST_SETTINGS => {
                let (name, value) = rest.split_once(' ').map_or((rest, ""), |(name, value)| (name, value.trim()));
                found.push(SetLine { line: at, section, entry, name, value });
            }
            "next" | "edit" | "unset" | "" => {}
            _ if is_ours && !line.starts_with('#') => notes.unread(at, line),
            _ => {}
        }
    }
    found
}
