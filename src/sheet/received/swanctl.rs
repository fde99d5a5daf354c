//! strongSwan's swanctl.conf: sections in braces, and settings in them.

use secrecy::SecretString;

use super::notes::ReceivedNotes;
use super::secrets::{identity, key, seconds, unquoted};
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
    "auth",
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

/// The secrets of a text, each with the identities it is for.
#[derive(Default)]
struct SecretOf {
    section: String,
    ids: Vec<String>,
    key: Option<SecretString>,
}

pub(super) fn read(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut vpns: Vec<Received> = Vec::new();
    let mut children: Vec<(String, String, ReceivedEnds)> = Vec::new();
    let mut secrets: Vec<SecretOf> = Vec::new();
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
                    _ => unless_known(&setting, notes),
                }
            }
            ["secrets", section] if section.starts_with("ike") => of_secret(&setting, section, &mut secrets, notes),
            _ => notes.unread(setting.line, setting.path.first().copied().unwrap_or(setting.name)),
        }
    }
    for (vpn, _, ends) in &children {
        vpns.iter_mut().filter(|one| one.name == *vpn).for_each(|one| one.carry(ends));
    }
    for vpn in &mut vpns {
        vpn.key = key_of(vpn, &secrets, notes);
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
        "rekey_time" | "reauth_time" => number(setting, &mut policy.ike_lifetime, seconds, notes),
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

fn of_secret(setting: &SwanctlLine<'_>, section: &str, secrets: &mut Vec<SecretOf>, notes: &mut ReceivedNotes) {
    if !secrets.iter().any(|secret| secret.section == section) {
        secrets.push(SecretOf { section: section.to_owned(), ..SecretOf::default() });
    }
    let Some(secret) = secrets.iter_mut().find(|secret| secret.section == section) else { return };
    match setting.name {
        "secret" => secret.key = key(setting.line, setting.value, notes),
        name if name.starts_with("id") => secret.ids.push(identity(setting.value)),
        _ => notes.unread(setting.line, setting.name),
    }
}

/// The key that is for both identities, or the only one there is.
fn key_of(vpn: &Received, secrets: &[SecretOf], notes: &mut ReceivedNotes) -> Option<SecretString> {
    let of = |end: &super::ReceivedEnd| end.id.clone().or_else(|| end.address.clone());
    let ends = [of(&vpn.own), of(&vpn.far)];
    let known: Vec<&String> = ends.iter().flatten().collect();
    let fits: Vec<_> = secrets.iter().filter(|secret| secret.ids.iter().all(|id| known.contains(&id))).collect();
    match (secrets, fits.as_slice()) {
        ([only], _) => only.key.clone(),
        (_, [only]) => only.key.clone(),
        ([], _) => None,
        _ => {
            notes.of_all("which of the keys is the one of this VPN is not said");
            None
        }
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
