//! The VPNs between the same two ends, which can only have one key: strongSwan finds it by the identities of both ends.

use itertools::Itertools;

use super::proposal::{Refused, one_half};
use crate::cloud::Id;
use crate::inspect::{ConnectionName, Inspection, OtherHalf, Vpn};

/// All VPNs that have one key with that one, itself among them. The first is the same for each of them, so that two people
/// who change the key of two of them at the same time begin with the same connection.
pub(super) fn sharers<'a>(seen: &'a Inspection, vpn: &'a Vpn) -> Vec<&'a Vpn> {
    let mut all = vec![vpn];
    let mut next = 0;
    while let Some(one) = all.get(next).copied() {
        next += 1;
        for other in &seen.vpns {
            if share(one, other) && !all.iter().any(|known| is_same(known, other)) {
                all.push(other);
            }
        }
    }
    all.sort_by(|one, other| one.a.connection.id.cmp(&other.a.connection.id));
    all
}

/// Whether both are one VPN, read twice.
pub(super) fn is_same(one: &Vpn, other: &Vpn) -> bool {
    one.a.connection.id == other.a.connection.id
}

/// Whether a half of each goes between the same two ends.
fn share(one: &Vpn, other: &Vpn) -> bool {
    let is_of_other = |id: &Id| other.sides().any(|(_, side)| side.connection.id == *id);
    one.sides().any(|(_, side)| side.rivals.iter().any(is_of_other))
}

/// The connections of a VPN, each with its name, id and region.
pub(super) fn connections(vpn: &Vpn) -> String {
    vpn.sides().map(|(_, side)| ConnectionName::of(side)).join(" and ")
}

/// Whether all of them can be given the key of that one.
/// Errors: which ones cannot, and why. A new key for the others alone would separate them.
pub(super) fn can_share(seen: &Inspection, vpn: &Vpn, all: &[&Vpn]) -> Result<(), Refused> {
    let reasons: Vec<String> = all
        .iter()
        .filter(|other| !is_same(vpn, other))
        .filter_map(|other| {
            let why = hindrance(seen, vpn, other)?;
            Some(format!(
                "{} of {} goes between the same two ends as {}, so both can only have one key: with two, one of them stays DOWN. \
                 {why}",
                connections(other),
                other.name,
                vpn.name
            ))
        })
        .collect();
    if reasons.is_empty() { Ok(()) } else { Err(Refused(reasons)) }
}

fn hindrance(seen: &Inspection, vpn: &Vpn, other: &Vpn) -> Option<String> {
    match (&vpn.other_half, &other.other_half) {
        _ if seen.changeable(other).is_err() => seen.changeable(other).err().map(|why| why.to_string()),
        (_, OtherHalf::Missing { .. }) => Some(one_half(other)),
        (OtherHalf::Found(_), OtherHalf::Found(_)) | (OtherHalf::Outside, OtherHalf::Outside) => None,
        (OtherHalf::Found(_), _) => Some(outside(other)),
        (_, OtherHalf::Found(_)) => Some(outside(vpn)),
        _ => None,
    }
}

fn outside(vpn: &Vpn) -> String {
    format!(
        "The other half of {} cannot be seen in this project, and would keep the old key; compare the two VPNs ({}), and \
         delete the one that is not needed",
        vpn.name,
        vpn.command("doctor")
    )
}
