//! Builds the change that gives a VPN a new pre-shared key.

use itertools::Itertools;

use super::proposal::{Proposal, Refused, begin, interruption, object, one_half, restart};
use super::sharers::{can_share, connections, is_same, sharers};
use crate::change::{CopyKey, SetKey, Verb};
use crate::inspect::{Inspection, Side, Vpn};
use crate::plan::psk::KeyOrigin;

/// What to do so that running SAs use a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sas {
    /// They keep the old key until they are renegotiated.
    Keep,
    /// They are ended: both services are switched off and on, which interrupts every tunnel of both routers.
    Renew,
}

/// A new key for both halves, as one step: it is put back on the first if the second refuses it. Other VPNs between the same
/// two ends get it too.
/// Errors: if the other half is missing, of the VPN or of another one between the same two ends: a key for one half alone
/// would be no use.
pub fn rotate_key(seen: &Inspection, vpn: &Vpn, key: KeyOrigin, sas: Sas) -> Result<Proposal, Refused> {
    let mut proposal = new_key(seen, vpn, key, sas)?;
    proposal.notes.extend((sas == Sas::Renew).then(interruption));
    Ok(proposal)
}

/// The same, without a word of the interruption.
pub(super) fn new_key(seen: &Inspection, vpn: &Vpn, key: KeyOrigin, sas: Sas) -> Result<Proposal, Refused> {
    if vpn.is_missing_a_half() {
        return Err(Refused::because(one_half(vpn)));
    }
    if vpn.b().is_none() && key == KeyOrigin::Generated {
        let text = format!(
            "the peer of {} is external and has to have the same key: agree upon one with its owner and give it with \
             --psk-file PATH, or in OSVPN_PSK",
            vpn.name
        );
        return Err(Refused::because(text));
    }
    let mut change = begin(Verb::RotatePsk, vpn);
    let connection = |side: &Side| object(side, &side.connection.id, &side.connection.name);
    let all = sharers(seen, vpn);
    can_share(seen, vpn, &all)?;
    let first = connection(&all[0].a);
    change.set_key(SetKey { first: first.clone(), second: all[0].b().map(connection), key });
    for (_, side) in all.iter().skip(1).flat_map(|other| other.sides()) {
        change.copy_key(CopyKey { from: first.clone(), to: connection(side) });
    }
    let mut notes: Vec<String> = (all.iter().filter(|other| !is_same(vpn, other)))
        .map(|other| {
            format!(
                "{} goes between the same two ends, so it can only have the same key and gets it too: {}.",
                other.name,
                connections(other)
            )
        })
        .collect();
    match sas {
        Sas::Keep => notes.push(
            "A tunnel that is up keeps the old key until it is renegotiated, at the latest when its IKE lifetime is over. \
             Renewing the tunnels too does that now, with an interruption of some seconds."
                .to_owned(),
        ),
        Sas::Renew => {
            let sides = all.iter().flat_map(|one| one.sides()).map(|(_, side)| side);
            for side in sides.unique_by(|side| &side.connection.service) {
                restart(&mut change, side);
            }
        }
    }
    if vpn.b().is_none() {
        notes.push(
            "The external peer needs the same key: until it has it, the tunnel fails at its next negotiation."
                .to_owned(),
        );
    }
    Ok(Proposal::new(change, notes))
}
