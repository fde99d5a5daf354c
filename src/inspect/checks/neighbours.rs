use super::{Case, Check, Fix, Verdict, Weight};
use crate::cloud::{SiteConnection, Status};
use crate::inspect::{Keys, Side, of_another};
use crate::plan::checks::Tunnelled;
use crate::plan::shell::openstack;
use crate::plan::{Half, cidr};

pub const NEIGHBOURS: Check =
    Check { id: "neighbours", label: "no other connection is in the way", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let mut verdicts = case.sides().filter_map(|(half, side)| neighbour(case, half, side)).collect::<Vec<_>>();
    // What stops counts more than what hides; of equals the first half's.
    verdicts.sort_by_key(|verdict| match verdict {
        Verdict::Bad(fault) => Some(fault.weight),
        Verdict::Good(_) | Verdict::Open(_) => None,
    });
    if let Some(Verdict::Bad(fault)) = verdicts.first()
        && fault.weight == Weight::Stops
    {
        return Verdict::Bad(fault.clone());
    }
    for (half, side) in case.sides() {
        let local = side.local.as_deref().unwrap_or_default();
        if let Some((ours, theirs)) = cidr::on_both_sides(local, &side.remote) {
            return Verdict::bad(
                Weight::Hides,
                format!("{ours} in {} overlaps {theirs} on the other side", case.place(half)),
                "traffic for the overlap stays on this side",
                Fix::ByHand(vec!["give one of the two networks another range; a tunnel cannot translate".into()]),
            );
        }
    }
    verdicts.into_iter().next().unwrap_or_else(|| Verdict::good(""))
}

/// Another connection of the same service that goes to the same peer with another key, or carries the same.
fn neighbour(case: &Case<'_>, half: Half, side: &Side) -> Option<Verdict> {
    let survey = case.survey(side)?;
    let is_other = |other: &&SiteConnection| other.id != side.connection.id && other.service == side.connection.service;
    let others = || survey.inventory.connections.iter().filter(is_other);
    let with_another_key = |other: &&SiteConnection| matches!(case.keys, Keys::Read { rivals, .. } if side.rivals.contains(&other.id) && rivals.contains(&other.id));
    // Of several, one that is up has the key that works.
    let rival = others().filter(with_another_key).max_by_key(|other| other.status == Status::Active);
    if let Some(rival) = rival {
        return Some(another_key(case, half, side, rival));
    }
    others().find_map(|other| {
        let theirs = Tunnelled::of(other, &survey.inventory, &survey.groups);
        let Some((ours, shared)) = theirs.competes(side.local.as_deref().unwrap_or_default(), &side.remote) else {
            let ike = survey.ike_policies.iter().find(|policy| policy.id == other.ike_policy);
            let is_other_policy = ike.map(|policy| &policy.attributes) != side.ike.as_ref().map(|own| &own.attributes);
            let is_rival = side.rivals.contains(&other.id);
            return (is_rival && is_other_policy).then(|| another_policy(case, half, side, other));
        };
        Some(Verdict::bad(
            Weight::Hides,
            format!(
                "connection {} ({}) in {} carries {shared} for the same subnets, which overlaps {ours}",
                other.name,
                other.status,
                case.place(half)
            ),
            "only one of the two gets that traffic",
            Fix::ByHand(vec![
                format!(
                    "it is of {}. Only if that VPN is not needed, delete it by its id",
                    of_another(&side.region, other)
                )
                .into(),
            ]),
        ))
    })
}

fn another_policy(case: &Case<'_>, half: Half, side: &Side, rival: &SiteConnection) -> Verdict {
    Verdict::bad(
        Weight::Warns,
        format!(
            "connection {} ({}) in {} goes to the same peer {} with another IKE policy",
            rival.name,
            rival.status,
            case.place(half),
            rival.peer_address
        ),
        "both share one IKE SA, so whichever is negotiated first decides for the other",
        Fix::ByHand(vec![
            format!(
                "it is of {}. Only if that VPN is not needed, delete it by its id",
                of_another(&side.region, rival)
            )
            .into(),
        ]),
    )
}

/// Where strongSwan runs, it finds a key by the two identities alone.
fn another_key(case: &Case<'_>, half: Half, side: &Side, rival: &SiteConnection) -> Verdict {
    let place = case.place(half);
    let weight = if case.vpn.is_active() { Weight::Hides } else { Weight::Stops };
    let shown =
        openstack(&side.region, "vpn ipsec site connection show -f value -c 'Pre-shared Key'").operand(&rival.id);
    let taken = case.vpn.command("rotate-psk").words("--renew --yes --psk-file -");
    Verdict::bad(
        weight,
        format!(
            "connection {} ({}) in {place} goes to the same peer {} with another key",
            rival.name, rival.status, rival.peer_address
        ),
        "strongSwan finds a key by the two identities, which are the same for both: it takes one key for both, and the \
         connection with the other key is refused at each negotiation",
        Fix::ByHand(vec![
            format!("give this VPN the key of {}; it is not shown:", rival.name).into(),
            shown.piped_into(taken).into(),
        ]),
    )
}
