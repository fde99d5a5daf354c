//! strongSwan's swanctl.conf: sections in braces, and settings in them.

use super::notes::ReceivedNotes;
use super::secrets::{SecretFor, identity, key, key_for, seconds, unquoted};
use super::{MOST_SETTINGS, Received, ReceivedEnds, Transforms};
use crate::plan::policy::{IkeVersion, Phase1Mode};

/// Settings that change nothing a VPN here is made of.
const SAYS_NOTHING: &[&str] = &[
    "mobike",
    "keyingtries",
    "fragmentation",
    "unique",
    "over_time",
    "rand_time",
    "encap",
    "childless",
    "updown",
    "priority",
    "hw_offload",
    "policies",
    "close_action",
    "dpd_action",
    "local_port",
    "remote_port",
    "send_certreq",
    "send_cert",
    "inactivity",
    "hostaccess",
    "replay_window",
    "rekey_bytes",
    "life_bytes",
    "rekey_packets",
    "life_packets",
    "revocation",
    "pull",
];

/// Sections within each other; there are four at most.
const DEEPEST: usize = 8;

/// A setting: its line, the sections it is in, its name and its value.
struct SwanctlLine<'t> {
    line: usize,
    path: Vec<&'t str>,
    name: &'t str,
    value: &'t str,
}

pub(super) fn read(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut vpns: Vec<Received> = Vec::new();
    let mut children: Vec<(String, String, ReceivedEnds)> = Vec::new();
    let mut secrets: Vec<(&str, SecretFor)> = Vec::new();
    for setting in settings(text, notes).into_iter().take(MOST_SETTINGS) {
        match setting.path.as_slice() {
            ["connections", name, rest @ ..] => {
                let at = vpns.iter().position(|vpn| vpn.name == *name).unwrap_or_else(|| {
                    vpns.push(Received::named(name));
                    vpns.len() - 1
                });
                let vpn = &mut vpns[at];
                match rest {
                    ["children", child] => {
                        let is_it =
                            |(of, name, _): &&mut (String, String, ReceivedEnds)| of == &vpn.name && name == child;
                        if let Some((.., ends)) = children.iter_mut().find(is_it) {
                            of_child(&setting, ends, vpn, notes);
                        } else {
                            let mut ends = ReceivedEnds::default();
                            of_child(&setting, &mut ends, vpn, notes);
                            children.push((vpn.name.clone(), (*child).to_owned(), ends));
                        }
                    }
                    [] => of_connection(&setting, vpn, notes),
                    [side] if setting.name == "id" => {
                        let end = if side.starts_with("local") { &mut vpn.own } else { &mut vpn.far };
                        notes.put(setting.line, "the identity", &mut end.id, identity(setting.value));
                    }
                    [_] if setting.name == "auth" => notes.authentication(setting.line, "auth", setting.value),
                    _ => unless_known(&setting, notes),
                }
            }
            ["secrets", section] if section.starts_with("ike") => of_secret(&setting, section, &mut secrets, notes),
            [] => notes.unread(setting.line, &format!("{} = {}", setting.name, setting.value)),
            [section, ..] => notes.unread(setting.line, section),
        }
    }
    for (vpn, _, ends) in &children {
        vpns.iter_mut().filter(|one| one.name == *vpn).for_each(|one| one.carry(ends));
    }
    let secrets: Vec<SecretFor> = secrets.into_iter().map(|(_, secret)| secret).collect();
    for vpn in &mut vpns {
        vpn.key = key_for(vpn, &secrets, notes);
    }
    vpns
}

fn unless_known(setting: &SwanctlLine<'_>, notes: &mut ReceivedNotes) {
    if !SAYS_NOTHING.contains(&setting.name) {
        notes.unread(setting.line, &format!("{} = {}", setting.name, setting.value));
    }
}

fn of_connection(setting: &SwanctlLine<'_>, vpn: &mut Received, notes: &mut ReceivedNotes) {
    let SwanctlLine { line, name, value, .. } = *setting;
    let policy = &mut vpn.policy;
    let address = |place: &mut Option<String>, notes: &mut ReceivedNotes| match value.split_once(',') {
        None => notes.put(line, name, place, value.to_owned()),
        Some(_) => notes.of_line(line, format!("{name} has several addresses; a VPN here has one")),
    };
    match name {
        "version" => match value {
            "1" => policy.ike_version = Some(IkeVersion::V1),
            // 0 is both.
            _ => policy.ike_version = Some(IkeVersion::V2),
        },
        "aggressive" => policy.mode = Some(if value == "yes" { Phase1Mode::Aggressive } else { Phase1Mode::Main }),
        "remote_addrs" => address(&mut vpn.far.address, notes),
        "local_addrs" => address(&mut vpn.own.address, notes),
        "proposals" => policy.ike = proposals(value),
        "rekey_time" | "reauth_time" => {
            // Zero is never, and of two the first that comes counts.
            let mut said = None;
            number(setting, &mut said, seconds, notes);
            policy.ike_lifetime = policy.ike_lifetime.into_iter().chain(said.filter(|said| *said > 0)).min();
        }
        "dpd_delay" => number(setting, &mut policy.dpd_interval, seconds, notes),
        "dpd_timeout" => number(setting, &mut policy.dpd_timeout, seconds, notes),
        _ => unless_known(setting, notes),
    }
}

fn of_child(setting: &SwanctlLine<'_>, ends: &mut ReceivedEnds, vpn: &mut Received, notes: &mut ReceivedNotes) {
    let policy = &mut vpn.policy;
    match setting.name {
        "local_ts" => setting.value.split(',').for_each(|word| ends.own.take_network(setting.line, word, notes)),
        "remote_ts" => setting.value.split(',').for_each(|word| ends.far.take_network(setting.line, word, notes)),
        "esp_proposals" => policy.ipsec = proposals(setting.value),
        "life_time" => {
            // The hard limit counts, where both are said.
            policy.ipsec_lifetime = None;
            number(setting, &mut policy.ipsec_lifetime, seconds, notes);
        }
        "rekey_time" if policy.ipsec_lifetime.is_some() => {}
        "rekey_time" => number(setting, &mut policy.ipsec_lifetime, seconds, notes),
        "mode" if setting.value == "tunnel" => {}
        "start_action" => policy.own_begins = Some(setting.value.contains("start")),
        _ => unless_known(setting, notes),
    }
}

fn of_secret<'t>(
    setting: &SwanctlLine<'t>,
    section: &'t str,
    secrets: &mut Vec<(&'t str, SecretFor)>,
    notes: &mut ReceivedNotes,
) {
    if !secrets.iter().any(|(name, _)| *name == section) {
        secrets.push((section, SecretFor::default()));
    }
    let Some((_, secret)) = secrets.iter_mut().find(|(name, _)| *name == section) else { return };
    match setting.name {
        "secret" => secret.key = key(setting.line, setting.value, notes),
        name if name.starts_with("id") => secret.ids.extend(Some(identity(setting.value)).filter(|id| id != "%any")),
        _ => notes.unread(setting.line, setting.name),
    }
}

pub(super) fn proposals(value: &str) -> Vec<Transforms> {
    let each = unquoted(value).trim_end_matches('!').split(',').map(str::trim).filter(|one| *one != "default");
    each.map(|one| Transforms::of(one.split(['-', ';', '+']))).filter(|one| !one.is_empty()).collect()
}

fn number(
    setting: &SwanctlLine<'_>,
    place: &mut Option<u32>,
    read: fn(&str) -> Option<u32>,
    notes: &mut ReceivedNotes,
) {
    match read(setting.value) {
        Some(number) => *place = Some(number),
        None => notes.unread(setting.line, &format!("{} = {}", setting.name, setting.value)),
    }
}

/// Every setting, in order. Several may stand on a line.
fn settings<'t>(text: &'t str, notes: &mut ReceivedNotes) -> Vec<SwanctlLine<'t>> {
    let mut found = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut too_deep = 0_usize;
    for (at, line) in text.lines().enumerate() {
        let line_number = at + 1;
        let mut rest = without_comment(line).trim();
        while !rest.is_empty() {
            let end = end_of_piece(rest);
            let (piece, sign) = (rest[..end].trim(), rest[end..].chars().next());
            rest = rest.get(end + sign.map_or(0, char::len_utf8)..).unwrap_or_default().trim();
            match (sign, piece.split_once('=')) {
                // `name : inherited {` too.
                (Some('{'), _) if path.len() >= DEEPEST => too_deep += 1,
                (Some('{'), _) => path.push(piece.split(':').next().unwrap_or(piece).trim()),
                (_, Some((name, value))) => {
                    let setting = SwanctlLine {
                        line: line_number,
                        path: path.clone(),
                        name: name.trim(),
                        value: unquoted(value.trim()),
                    };
                    found.push(setting);
                }
                (_, None) if piece.is_empty() => {}
                (_, None) if path.first() == Some(&"secrets") => notes.unread(line_number, "secrets"),
                (_, None) => notes.unread(line_number, piece),
            }
            if sign == Some('}') && too_deep > 0 {
                too_deep -= 1;
            } else if sign == Some('}') {
                path.pop();
            }
        }
    }
    found
}

/// Where a brace stands that is in no quotes; else the end.
fn end_of_piece(text: &str) -> usize {
    let mut is_quoted = false;
    let brace = text.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        !is_quoted && matches!(c, '{' | '}')
    });
    brace.map_or(text.len(), |(at, _)| at)
}

pub(super) fn without_comment(line: &str) -> &str {
    let mut is_quoted = false;
    let sign = line.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        !is_quoted && *c == '#'
    });
    sign.map_or(line, |(at, _)| &line[..at])
}
