//! The key that `create-vpn.sh` gave to every VPN: who still has it, and a new one for all of them.

use super::{Proposal, Refused, Sas, rotate_key};
use crate::inspect::{Keys, Vpn};
use crate::plan::psk::KeyOrigin;

/// What is to be done about the public key.
#[derive(Debug)]
pub struct Rescue<'a> {
    /// A new key for each VPN whose both halves are here.
    pub proposals: Vec<Proposal>,
    /// The others that have it. One whose peer is outside would be cut off from it: that one is rotated by name, by somebody
    /// who tells the peer.
    pub others: Vec<&'a Vpn>,
}

/// A new key for every VPN that has the word everybody knows, by what came of comparing their keys.
///
/// # Errors
/// If a key could not be read, none of them is public, or all that are have their peer outside.
pub fn rotate_public_keys<'a>(
    vpns: impl IntoIterator<Item = (&'a Vpn, &'a Keys)>,
    sas: Sas,
) -> Result<Rescue<'a>, Refused> {
    let (mut proposals, mut others) = (Vec::new(), Vec::new());
    for (vpn, keys) in vpns {
        match keys {
            Keys::Read { is_public: true, .. } if vpn.b().is_some() => {
                proposals.push(rotate_key(vpn, KeyOrigin::Generated, sas)?);
            }
            Keys::Read { is_public: true, .. } => others.push(vpn),
            Keys::Read { .. } => {}
            Keys::Unread => return Err(Refused::because(format!("the key of {} was not read", vpn.name))),
            Keys::Unreadable(error) => {
                return Err(Refused::because(format!("the key of {} could not be read: {error}", vpn.name)));
            }
        }
    }
    if proposals.is_empty() {
        let text = if others.is_empty() {
            "no VPN of this project has the key that create-vpn.sh gave to everybody"
        } else {
            "the VPNs with the public key have no second half here; each is given a new one by its name"
        };
        let why = std::iter::once(text.to_owned());
        return Err(Refused(why.chain(others.iter().map(|vpn| left_alone(vpn))).collect()));
    }
    Ok(Rescue { proposals, others })
}

impl Rescue<'_> {
    /// What is to be known about those that are left alone, a sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|vpn| left_alone(vpn))
    }
}

fn left_alone(vpn: &Vpn) -> String {
    if vpn.is_missing_a_half() {
        return format!("{} has the public key too, and only one half: osvpn doctor {}", vpn.name, vpn.handle());
    }
    format!(
        "{} has the public key too, but no second half here: osvpn rotate-psk {} once its peer is told",
        vpn.name,
        vpn.handle()
    )
}
