//! Every VPN that is behind, one after the other: which are upgraded, and why the others are left as they are.

use std::fmt;

use itertools::Itertools;

use super::impact::{down, may_move, moved_with};
use super::proposal::Proposal;
use super::upgrade::{Lag, Target, due_lags, lags, upgrade};
use crate::inspect::{Inspection, Keys, Vpn, Weakness};
use crate::plan::Profiles;

/// What to do about VPNs that are behind.
#[derive(Clone, Debug, Default)]
pub struct Upgrades {
    pub turns: Vec<UpgradeTurn>,
    pub left: Vec<LeftVpn>,
}

/// The upgrade of one of them.
#[derive(Clone, Debug)]
pub struct UpgradeTurn {
    pub vpn: Vpn,
    pub proposal: Proposal,
    /// In what it is behind, in few words.
    pub behind: String,
    /// The VPN before it whose upgrade replaces connections of this one, which has to be read again before its turn.
    pub moved_by: Option<String>,
    /// Others for which this upgrade does all that can be done: their names, and in what they are behind.
    pub along: Vec<(String, String)>,
}

/// One that is behind and stays so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftVpn {
    pub name: String,
    pub why: String,
}

impl Upgrades {
    /// For those VPNs, those with a public key first, and those last that may move with another. One of which a change was
    /// interrupted is left, and so is one that would move such a one.
    pub fn of<'v>(
        seen: &Inspection,
        vpns: impl IntoIterator<Item = &'v Vpn>,
        profiles: &Profiles,
        keys_of: impl Fn(&Vpn) -> Keys,
        is_interrupted: impl Fn(&Vpn) -> bool,
    ) -> Self {
        let mut upgrades = Self::default();
        let with_keys = vpns.into_iter().map(|vpn| (vpn, keys_of(vpn)));
        for (vpn, keys) in with_keys.sorted_by_key(|(vpn, keys)| urgency(vpn, keys)) {
            let lags = lags(vpn, &keys);
            let due = in_short(&due_lags(seen, vpn, &keys));
            if lags.is_empty() && due.is_empty() {
                continue;
            }
            let proposed = if vpn.is_missing_a_half() {
                Err(format!("it lacks a half; create that first: {}", vpn.command("repair")))
            } else if is_interrupted(vpn) {
                Err(format!("a change of it was interrupted and comes first: {}", vpn.command("resume")))
            } else if let Err(why) = seen.changeable(vpn) {
                Err(why.to_string())
            } else {
                let target = Target::modern(profiles, vpn, &keys);
                let proposed = upgrade(seen, vpn, &target)
                    .and_then(|proposal| may_move(seen, vpn, &proposal.change, &is_interrupted).map(|()| proposal));
                proposed.map_err(|why| why.to_string())
            };
            match proposed {
                Err(why) => upgrades.leave(vpn, why),
                Ok(proposal) if proposal.is_empty() => upgrades.leave(vpn, not_alone(vpn, &lags)),
                Ok(proposal) => upgrades.take(seen, vpn, proposal, due),
            }
        }
        upgrades
    }

    /// Takes one in, with the turn that moves it if nothing is left to do afterwards.
    fn take(&mut self, seen: &Inspection, vpn: &Vpn, proposal: Proposal, behind: String) {
        let moves_it = |turn: &&mut UpgradeTurn| {
            moved_with(seen, &turn.vpn, &turn.proposal.change).any(|moved| moved.handle() == vpn.handle())
        };
        let mover = self.turns.iter_mut().find(moves_it);
        let moved_by = mover.as_ref().map(|turn| turn.vpn.name.clone());
        match mover {
            Some(turn) if vpn.b().is_none() => turn.along.push((vpn.name.clone(), behind)),
            _ => self.turns.push(UpgradeTurn { vpn: vpn.clone(), proposal, behind, moved_by, along: Vec::new() }),
        }
    }

    fn leave(&mut self, vpn: &Vpn, why: String) {
        self.left.push(LeftVpn { name: vpn.name.clone(), why });
    }

    /// Leaves those for another time that would have to be read again before their turn.
    #[must_use]
    pub fn at_once(mut self) -> Self {
        let (turns, later): (Vec<_>, Vec<_>) = self.turns.into_iter().partition(|turn| turn.moved_by.is_none());
        self.left.extend(later.into_iter().map(|UpgradeTurn { vpn, moved_by, .. }| LeftVpn {
            name: vpn.name,
            why: format!("it moves with {}; upgrade it afterwards", moved_by.unwrap_or_default()),
        }));
        Self { turns, left: self.left }
    }

    #[must_use]
    pub fn proposals(&self) -> Vec<Proposal> {
        self.turns.iter().map(|turn| turn.proposal.clone()).collect()
    }
}

fn in_short(lags: &[Lag]) -> String {
    lags.iter().map(Lag::in_short).join(", ")
}

/// The smaller, the earlier its turn. One with an external peer may have nothing left to do once it has moved with another.
pub fn urgency(vpn: &Vpn, keys: &Keys) -> impl Ord + use<> {
    let is_public = matches!(keys, Keys::Read { weakness: Some(Weakness::Public), .. });
    (vpn.b().is_none(), !is_public)
}

/// Why an upgrade that nobody else takes part in has nothing to do.
fn not_alone(vpn: &Vpn, lags: &[Lag]) -> String {
    let behind = in_short(lags);
    if vpn.b().is_some() {
        return format!("{behind}; nothing that osvpn can change");
    }
    let is_key = |lag: &&Lag| matches!(lag, Lag::Key(_));
    let key = lags.iter().find(is_key).map(|_| vpn.command("rotate-psk").words("--psk-file FILE"));
    let policies = lags.iter().find(|lag| !is_key(lag)).map(|_| vpn.command("upgrade").words("--profile modern"));
    let commands = policies.into_iter().chain(key).map(|command| command.to_string()).join(", ");
    let peer = &vpn.a.connection.peer_address;
    format!("{behind}; its external peer ({peer}) has to change at the same time: {commands}")
}

/// Without the steps: a line for each VPN, and once what holds for all.
impl fmt::Display for Upgrades {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.turns.iter().map(|turn| 1 + turn.along.len()).sum() {
            0 => {}
            1 => f.write_str("1 VPN is behind:\n")?,
            count => writeln!(f, "{count} VPNs are behind:")?,
        }
        for UpgradeTurn { vpn, proposal, behind, along, .. } in &self.turns {
            write!(f, "  {}: {behind}", vpn.name)?;
            match proposal.impact.as_ref().map_or(&[][..], |impact| &impact.interrupts) {
                [] => f.write_str("\n")?,
                // On one router each of twenty would name the nineteen others.
                [first, second, third, more @ ..] if more.len() > 1 => {
                    writeln!(f, "; interrupts {first}, {second}, {third} and {} more", more.len())?;
                }
                others => writeln!(f, "; interrupts {}", others.join(", "))?,
            }
            along.iter().try_for_each(|(name, behind)| writeln!(f, "  {name}: {behind}; moves with {}", vpn.name))?;
        }
        if !self.left.is_empty() {
            f.write_str("Left as they are:\n")?;
        }
        self.left.iter().try_for_each(|LeftVpn { name, why }| writeln!(f, "  {name}: {why}"))?;
        if self.turns.is_empty() {
            return Ok(());
        }
        writeln!(f, "note: Each is down while it is upgraded, for {}", down())?;
        let notes = self.turns.iter().flat_map(|turn| &turn.proposal.notes).unique();
        notes.into_iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}
