//! What AWS has for the owner of a customer gateway, and the sheet of osvpn for its console.

use super::notes::ReceivedNotes;
use super::secrets::seconds;
use super::values::{labelled, take_key};
use super::{Received, Transforms};
use crate::plan::policy::{IkeVersion, Phase1Mode};

/// What stands above the values of a sheet.
pub(super) const HEADINGS: &[&str] = &["Customer gateway", "VPN connection", "Tunnel 1 options"];

/// The labels of the download that say nothing a VPN here is made of.
const SAYS_NOTHING: &[&str] = &[
    "Your VPN Connection ID",
    "Your Virtual Private Gateway ID",
    "Your Customer Gateway ID",
    "Authentication Method",
    "Clear Don't Fragment Bit",
    "Fragmentation",
    "TCP MSS Adjustment",
    "Next hop",
    "Tunnel interface MTU",
];

/// Reads the download for a "Generic" gateway. Its first tunnel is taken: a VPN here has one peer.
pub(super) fn read_download(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut vpn = Received::named("tunnel 1");
    let (mut ike, mut ipsec) = (Transforms::default(), Transforms::default());
    let (mut is_phase_2, mut is_inside) = (false, false);
    let mut retries = None;
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if at > 1 && is_second_tunnel(line) {
            notes.of_line(at, "the second tunnel is not taken: a VPN here has one peer");
            break;
        }
        is_phase_2 |= line.contains("IPSec Configuration");
        is_inside = (is_inside || line.starts_with("Inside IP")) && !line.starts_with("Outside IP");
        // What has no label is a sentence.
        let Some((label, value)) = line.split_once(':').map(|(label, value)| (label.trim(), value.trim())) else {
            continue;
        };
        let Some(label) = label.strip_prefix("- ").map(str::trim) else { continue };
        let (phase, policy) = (if is_phase_2 { &mut ipsec } else { &mut ike }, &mut vpn.policy);
        match label {
            "IKE version" if value.ends_with("v1") => policy.ike_version = Some(IkeVersion::V1),
            "IKE version" if value.ends_with("v2") => policy.ike_version = Some(IkeVersion::V2),
            "Pre-Shared Key" => take_key(&mut vpn.key, at, value, notes),
            "Authentication Algorithm" => phase.take(value, Transforms::take_integrity),
            "Encryption Algorithm" => phase.take(value, Transforms::take_cipher),
            "Diffie-Hellman" | "Perfect Forward Secrecy" => {
                phase.take(value.trim_start_matches("Diffie-Hellman "), Transforms::take_group);
            }
            "Lifetime" => match (seconds(value), is_phase_2) {
                (Some(seconds), true) => notes.put(at, "the lifetime of IPsec", &mut policy.ipsec_lifetime, seconds),
                (Some(seconds), false) => notes.put(at, "the lifetime of IKE", &mut policy.ike_lifetime, seconds),
                (None, _) => notes.unread(at, line),
            },
            "Phase 1 Negotiation Mode" => policy.mode = value.parse::<Phase1Mode>().ok(),
            "DPD Interval" => policy.dpd_interval = seconds(value),
            "DPD Retries" => retries = value.parse().ok(),
            "Protocol" if value.eq_ignore_ascii_case("esp") => {}
            "Mode" if value.eq_ignore_ascii_case("tunnel") => {}
            "Customer Gateway" | "Virtual Private Gateway" if is_inside => {}
            "Customer Gateway" => notes.put(at, label, &mut vpn.own.address, value.to_owned()),
            "Virtual Private Gateway" => notes.put(at, label, &mut vpn.far.address, value.to_owned()),
            _ if SAYS_NOTHING.contains(&label) => {}
            _ => notes.unread(at, line),
        }
    }
    let policy = &mut vpn.policy;
    policy.dpd_timeout =
        policy.dpd_interval.zip(retries).and_then(|(interval, tries): (u32, u32)| interval.checked_mul(tries));
    policy.ike.extend(Some(ike).filter(|phase| !phase.is_empty()));
    policy.ipsec.extend(Some(ipsec).filter(|phase| !phase.is_empty()));
    // AWS names itself by its outside address.
    vpn.far.id.clone_from(&vpn.far.address);
    vpn.own.id.clone_from(&vpn.own.address);
    vec![vpn]
}

fn is_second_tunnel(line: &str) -> bool {
    line.replace(' ', "").eq_ignore_ascii_case("IPSecTunnel#2")
}

/// Reads the values that osvpn has for the console of AWS.
pub(super) fn read_values(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut vpn = Received::default();
    let (mut ike, mut ipsec) = (Transforms::default(), Transforms::default());
    for (line, label, value) in labelled(text, notes) {
        let whole = value.split_once("  ").map_or(value, |(value, _)| value);
        let policy = &mut vpn.policy;
        match label {
            "IP address" => notes.put(line, label, &mut vpn.far.address, whole.to_owned()),
            "Local IPv4 network CIDR" => vpn.far.take_network(line, whole, notes),
            "Remote IPv4 network CIDR" => vpn.own.take_network(line, whole, notes),
            "Pre-shared key" => take_key(&mut vpn.key, line, value, notes),
            "Phase 1 encryption" => ike.take(value, Transforms::take_cipher),
            "Phase 1 integrity" => ike.take(value, Transforms::take_integrity),
            "Phase 1 DH group" => ike.take(value, Transforms::take_group),
            "Phase 1 lifetime" => policy.ike_lifetime = seconds(value),
            "Phase 2 encryption" => ipsec.take(value, Transforms::take_cipher),
            "Phase 2 integrity" => ipsec.take(value, Transforms::take_integrity),
            "Phase 2 DH group" => ipsec.take(value, Transforms::take_group),
            "Phase 2 lifetime" => policy.ipsec_lifetime = seconds(value),
            "IKE version" => {
                policy.ike_version = Some(if value == "ikev1" { IkeVersion::V1 } else { IkeVersion::V2 });
            }
            "Startup action" => policy.own_begins = Some(value == "start"),
            "Routing" | "Static route" | "DPD timeout" | "DPD timeout action" => {}
            _ => notes.unread(line, &format!("{label} {value}")),
        }
    }
    vpn.policy.ike.extend(Some(ike).filter(|phase| !phase.is_empty()));
    vpn.policy.ipsec.extend(Some(ipsec).filter(|phase| !phase.is_empty()));
    vpn.far.id.clone_from(&vpn.far.address);
    vec![vpn]
}
