//! What osvpn doctor must report first for each broken VPN of `broken_vpns.rs`, and what fixes it.

/// The first finding, and what comes of following it.
pub struct Remedy {
    pub subject: &'static str,
    pub weight: &'static str,
    pub cure: Cure,
    /// Whether strongSwan had no connection of the router that it can use. VPNaaS' driver takes a daemon that lists none
    /// for one that does not run: it neither reloads nor stops it, until the router is switched off and on.
    pub loses_hold: bool,
}

/// What fixes it.
pub enum Cure {
    /// `osvpn doctor --fix` makes this change.
    Fix(&'static str),
    /// These commands, in this order.
    ByHand(&'static str),
}

/// The remedy for a breakage.
pub fn remedy(name: &str) -> Remedy {
    use Cure::{ByHand, Fix};
    let (weight, subject, cure) = match name {
        "wrong key" => ("stops", "key", Fix("rotate-psk")),
        "public key on both" | "legacy service" => ("exposes", "key-secrecy", Fix("rotate-psk")),
        "swapped peer address" => ("stops", "peer-address", Fix("set-peer")),
        "wrong peer id" => ("stops", "peer-id", Fix("set-peer")),
        "missing half" => ("stops", "halves", Fix("repair")),
        "both response-only" => ("warns", "initiator", Fix("set-initiator")),
        "DPD action disabled" | "stuck in PENDING_CREATE" => ("stops", "dpd", Fix("set-dpd")),
        "other IKE version" => ("stops", "ike-policy", Fix("equalise-policies")),
        "other encryption" | "drifted policy" => ("hides", "ike-policy", Fix("equalise-policies")),
        "other PFS group" => ("hides", "ipsec-policy", Fix("equalise-policies")),
        "narrowed CIDR" => ("hides", "ranges", Fix("set-subnets")),
        "CIDR with nothing in common" => ("stops", "ranges", Fix("set-subnets")),
        "second subnet of an IKEv1 VPN" => ("hides", "pairs", Fix("upgrade")),
        "missing security group rule" => ("warns", "security-groups", Fix("admit-traffic")),
        "connection admin down" | "service admin down" => ("stops", "admin-state", Fix("switch-on")),
        "doubled service" => ("stops", "one-service", ByHand("osvpn doctor")),
        "stale gateway address" => ("stops", "service-address", Fix("rebuild-service")),
        "service in ERROR" => ("stops", "services", Fix("rebuild-service")),
        unknown => panic!("no remedy for {unknown}"),
    };
    let loses_hold = matches!(name, "swapped peer address" | "stuck in PENDING_CREATE");
    Remedy { subject, weight, cure, loses_hold }
}
