//! The sheet for any system: labels and values.

use secrecy::SecretString;

use super::notes::ReceivedNotes;
use super::secrets::{key, seconds};
use super::{Received, ReceivedEnd, Transforms};
use crate::plan::policy::{DpdAction, IkeVersion, Phase1Mode};

/// What stands in such a sheet without being a value of the VPN.
const SAYS_NOTHING: &[&str] = &["SAs", "NAT", "TCP MSS", "Firewall"];
const SENTENCES: &[&str] = &["To test it", "To undo it", "Whether it is up", "The outside address"];

/// The lines of a sheet that have a value: their numbers, labels and values. What is no such line is told.
pub(super) fn labelled<'t>(text: &'t str, notes: &mut ReceivedNotes) -> Vec<(usize, &'t str, &'t str)> {
    let mut found = Vec::new();
    let mut is_head = true;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        is_head &= !line.is_empty();
        let is_sentence = SENTENCES.iter().any(|begin| line.starts_with(begin));
        match line.split_once("  ") {
            Some((label, value)) if !(is_head && line.contains(": ")) => found.push((at + 1, label, value.trim())),
            _ if is_head || line.is_empty() || is_sentence => {}
            _ => found.push((at + 1, line, "")),
        }
    }
    let is_heading = |(line, label, value): &(usize, &str, &str)| {
        let is_known = super::aws::HEADINGS.iter().any(|heading| label.starts_with(heading));
        if value.is_empty() && !is_known {
            notes.unread(*line, label);
        }
        !value.is_empty()
    };
    found.retain(is_heading);
    found
}

pub(super) fn read(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut vpn = Received::default();
    let (mut ike, mut ipsec) = (Transforms::default(), Transforms::default());
    let mut is_phase_2 = false;
    for (line, label, value) in labelled(text, notes) {
        let phase = if is_phase_2 { &mut ipsec } else { &mut ike };
        let policy = &mut vpn.policy;
        match label {
            "Connect to" => notes.put(line, label, &mut vpn.far.address, value.to_owned()),
            "Its identity" => notes.put(line, label, &mut vpn.far.id, of_kind(value).to_owned()),
            "Its networks" => networks(&mut vpn.far, line, value, notes),
            "Your address" => notes.put(line, label, &mut vpn.own.address, value.to_owned()),
            "Your identity" => notes.put(line, label, &mut vpn.own.id, of_kind(value).to_owned()),
            "Your networks" => networks(&mut vpn.own, line, value, notes),
            "Pre-shared key" => take_key(&mut vpn.key, line, value, notes),
            "Phase 1 (IKE)" => {
                let version = if value.contains("IKEv1") { IkeVersion::V1 } else { IkeVersion::V2 };
                notes.put(line, label, &mut policy.ike_version, version);
                policy.mode = value.contains("main").then_some(Phase1Mode::Main);
            }
            "Phase 2 (IPsec)" => {
                is_phase_2 = true;
                if value.contains("AH") {
                    notes.of_line(line, "AH is not taken: it does not encrypt");
                }
            }
            "encryption" => phase.take(value, Transforms::take_cipher),
            "integrity" => phase.take(value, Transforms::take_integrity),
            "PRF" if phase.auth.is_empty() => phase.take(value, Transforms::take_integrity),
            "PRF" => {}
            "DH group" | "PFS group" => phase.take(value, Transforms::take_group),
            "lifetime" => {
                let place = if is_phase_2 { &mut policy.ipsec_lifetime } else { &mut policy.ike_lifetime };
                match seconds(value) {
                    Some(seconds) => notes.put(line, label, place, seconds),
                    None => notes.unread(line, value),
                }
            }
            "Dead peer detection" => {
                let mut words = value.split_whitespace();
                let mut after = |word: &str| words.by_ref().skip_while(|one| *one != word).nth(1);
                policy.dpd_interval = after("every").and_then(|word| word.parse().ok());
                policy.dpd_timeout = after("after").and_then(|word| word.parse().ok());
                policy.dpd_action = after("then").and_then(|word| word.parse::<DpdAction>().ok());
            }
            "Who begins" => policy.own_begins = Some(value.starts_with("your side")),
            _ if SAYS_NOTHING.contains(&label) => {}
            _ => notes.unread(line, &format!("{label} {value}")),
        }
    }
    vpn.policy.ike.extend(Some(ike).filter(|phase| !phase.is_empty()));
    vpn.policy.ipsec.extend(Some(ipsec).filter(|phase| !phase.is_empty()));
    vec![vpn]
}

/// An identity without its kind in brackets.
fn of_kind(value: &str) -> &str {
    value.rsplit_once(" (").map_or(value, |(id, _)| id)
}

fn networks(end: &mut ReceivedEnd, line: usize, value: &str, notes: &mut ReceivedNotes) {
    value.split(',').for_each(|word| end.take_network(line, word, notes));
}

/// Takes a key; another one contradicts it.
pub(super) fn take_key(place: &mut Option<SecretString>, line: usize, text: &str, notes: &mut ReceivedNotes) {
    use secrecy::ExposeSecret;
    let found = key(line, text, notes);
    let is_other = |there: &SecretString, found: &SecretString| there.expose_secret() != found.expose_secret();
    match (&place, found) {
        (Some(there), Some(found)) if is_other(there, &found) => {
            notes.contradict(format!("line {line}: the key is another than before that"));
        }
        (None, found) => *place = found,
        _ => {}
    }
}
