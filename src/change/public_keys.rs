//! The key that `create-vpn.sh` gave to every VPN: who still has it, and a new one for all of them.

use super::delete::Unfinished;
use super::proposal::{Proposal, Refused};
use super::rotate_psk::{Sas, rotate_key};
use super::sharers::{is_same, sharers};
use crate::inspect::{Inspection, Keys, Vpn};
use crate::plan::psk::KeyOrigin;

/// What to do about the public key.
#[derive(Debug)]
pub struct Rescue<'a> {
    /// A new key for each VPN whose both halves are here; one for all between the same two ends.
    pub proposals: Vec<Proposal>,
    /// The others that have it, and what has to be done about them first. One whose peer is external would lose it:
    /// that one is rotated by name, together with the peer.
    pub others: Vec<(&'a Vpn, First)>,
}

/// What comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// Its external peer has to be informed.
    TellPeer,
    /// It has only one half.
    OtherHalf,
    /// It is being made or changed, and that is not done.
    Unfinished,
    /// It has its key together with others, and these cannot be given another now: why not.
    Sharers(String),
}

/// A new key for every VPN that has the word everybody knows, by what came of comparing their keys; nothing to do if none
/// has.
/// Errors: if a key could not be read, or none of those that are public can be replaced now.
pub fn rotate_public_keys<'a>(
    seen: &'a Inspection,
    vpns: impl IntoIterator<Item = (&'a Vpn, &'a Keys)>,
    unfinished: &Unfinished,
    sas: Sas,
) -> Result<Rescue<'a>, Refused> {
    let (mut proposals, mut others) = (Vec::new(), Vec::new());
    let mut covered: Vec<&Vpn> = Vec::new();
    for (vpn, keys) in vpns {
        match keys {
            keys if keys.is_public() => match first(seen, vpn, unfinished) {
                _ if covered.iter().any(|known| is_same(known, vpn)) => {}
                Some(first) => others.push((vpn, first)),
                None => match rotate_key(seen, vpn, KeyOrigin::Generated, sas) {
                    Ok(proposal) => {
                        covered.extend(sharers(seen, vpn));
                        proposals.push(proposal);
                    }
                    Err(why) => others.push((vpn, First::Sharers(why.to_string()))),
                },
            },
            Keys::Read { .. } => {}
            Keys::Unread => return Err(Refused::because(format!("the key of {} was not read", vpn.name))),
            Keys::Unreadable(error) => {
                return Err(Refused::because(format!("the key of {} could not be read: {error}", vpn.name)));
            }
        }
    }
    if proposals.is_empty() && !others.is_empty() {
        let why =
            std::iter::once("there are VPNs with the public key, and none that can be given a new one now".to_owned());
        return Err(Refused(why.chain(others.iter().map(|(vpn, first)| left_alone(vpn, first))).collect()));
    }
    Ok(Rescue { proposals, others })
}

impl Rescue<'_> {
    /// Notes about those that are left alone, a sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|(vpn, first)| left_alone(vpn, first))
    }
}

fn first(seen: &Inspection, vpn: &Vpn, unfinished: &Unfinished) -> Option<First> {
    let sharers = sharers(seen, vpn);
    let sharer = sharers.iter().find(|sharer| unfinished.is_of(sharer));
    match vpn.b() {
        _ if unfinished.is_of(vpn) => Some(First::Unfinished),
        None if vpn.is_missing_a_half() => Some(First::OtherHalf),
        None => Some(First::TellPeer),
        Some(_) => sharer.map(|sharer| {
            let resume = sharer.command("resume");
            First::Sharers(format!("{} has the same key, and something of it was interrupted: {resume}", sharer.name))
        }),
    }
}

fn left_alone(vpn: &Vpn, first: &First) -> String {
    let name = &vpn.name;
    match first {
        First::TellPeer => format!(
            "{name} has the public key too, but no second half here: {} once its peer knows",
            vpn.command("rotate-psk")
        ),
        First::OtherHalf => {
            format!("{name} has the public key too, and only one half: {}", vpn.command("doctor"))
        }
        First::Unfinished => format!(
            "{name} has the public key too, and a change of it was interrupted and comes first: {}",
            vpn.command("resume")
        ),
        First::Sharers(why) => format!("{name} has the public key too, and cannot be given another one alone: {why}"),
    }
}
