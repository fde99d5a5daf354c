//! The key that `create-vpn.sh` gave to every VPN: who still has it, and a new one for all of them.

use super::{Proposal, Refused, Sas, Unfinished, rotate_key};
use crate::inspect::{Keys, Vpn};
use crate::plan::psk::KeyOrigin;

/// What is to be done about the public key.
#[derive(Debug)]
pub struct Rescue<'a> {
    /// A new key for each VPN whose both halves are here.
    pub proposals: Vec<Proposal>,
    /// The others that have it, and what has to be done about them first. One whose peer is outside would be cut off from it:
    /// that one is rotated by name, by somebody who tells the peer.
    pub others: Vec<(&'a Vpn, First)>,
}

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Its peer outside is told.
    TellPeer,
    /// It has only one half.
    OtherHalf,
    /// It is being made or changed, and that is not done.
    Unfinished,
}

/// A new key for every VPN that has the word everybody knows, by what came of comparing their keys; nothing to do if none
/// has.
///
/// # Errors
/// If a key could not be read, or none of those that are public can be replaced now.
pub fn rotate_public_keys<'a>(
    vpns: impl IntoIterator<Item = (&'a Vpn, &'a Keys)>,
    unfinished: &Unfinished,
    sas: Sas,
) -> Result<Rescue<'a>, Refused> {
    let (mut proposals, mut others) = (Vec::new(), Vec::new());
    for (vpn, keys) in vpns {
        match keys {
            keys if keys.is_public() => match first(vpn, unfinished) {
                Some(first) => others.push((vpn, first)),
                None => proposals.push(rotate_key(vpn, KeyOrigin::Generated, sas)?),
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
        return Err(Refused(why.chain(others.iter().map(|(vpn, first)| left_alone(vpn, *first))).collect()));
    }
    Ok(Rescue { proposals, others })
}

impl Rescue<'_> {
    /// What is to be known about those that are left alone, a sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|(vpn, first)| left_alone(vpn, *first))
    }
}

fn first(vpn: &Vpn, unfinished: &Unfinished) -> Option<First> {
    match vpn.b() {
        _ if unfinished.is_of(vpn) => Some(First::Unfinished),
        None if vpn.is_missing_a_half() => Some(First::OtherHalf),
        None => Some(First::TellPeer),
        Some(_) => None,
    }
}

fn left_alone(vpn: &Vpn, first: First) -> String {
    let name = &vpn.name;
    match first {
        First::TellPeer => format!(
            "{name} has the public key too, but no second half here: {} once its peer is told",
            vpn.command("rotate-psk")
        ),
        First::OtherHalf => {
            format!("{name} has the public key too, and only one half: {}", vpn.command("doctor"))
        }
        First::Unfinished => format!(
            "{name} has the public key too, and a change of it was interrupted and comes first: {}",
            vpn.command("resume")
        ),
    }
}
