//! VPNs that are behind today's standard: what the list and the page of one say of it, and their upgrades, one or all.

use itertools::Itertools;

use super::super::choices::about;
use super::super::picker::{About, Choice, Line};
use super::super::upgrade_first;
use super::proposals::upgrade_interrupts;
use super::{Intent, Surroundings, YourVpns};
use crate::change::{
    Lag, NewSubnets, Proposal, Refused, Step, Target, can_set_subnets, curable_lags, lags, set_subnets, upgrade,
};
use crate::cloud::{Id, RegionId};
use crate::inspect::{Inspection, Keys, Vpn};
use crate::plan::Profiles;

/// In what a VPN is behind, in few words; none if it is not.
pub fn behind(vpn: &Vpn, keys: &Keys) -> Option<String> {
    let lags = lags(vpn, keys);
    (!lags.is_empty()).then(|| format!("behind: {}", lags.iter().map(Lag::in_short).join(", ")))
}

/// Whether an upgrade does something for a VPN.
pub(super) fn is_behind(vpn: &Vpn, keys: &Keys) -> bool {
    !curable_lags(vpn, keys).is_empty()
}

/// The change of subnets, together with an upgrade where the VPN cannot have them as it is.
pub(super) fn subnets(
    seen: &Inspection,
    vpn: &Vpn,
    wanted: &NewSubnets,
    keys: &Keys,
    profiles: &Profiles,
) -> Result<Proposal, Refused> {
    let alone = set_subnets(seen, vpn, wanted);
    if alone.is_ok() || vpn.b().is_none() && curable_lags(vpn, keys).is_empty() {
        return alone;
    }
    let target = Target { subnets: Some(wanted.clone()), ..Target::modern(profiles, vpn, keys) };
    match upgrade(seen, vpn, &target) {
        Ok(together) if !together.is_empty() => Ok(together),
        // The old kind is no reason any more; what else speaks against the subnets is.
        Err(refused) if can_set_subnets(vpn).is_err() => Err(refused),
        _ => alone,
    }
}

impl YourVpns {
    fn all_behind(&self) -> impl Iterator<Item = &Vpn> {
        let seen = self.seen().filter(|seen| seen.inspection.awaited.is_empty());
        let vpns = seen.into_iter().flat_map(|seen| &seen.inspection.vpns);
        vpns.filter(|vpn| is_behind(vpn, self.keys_of(vpn)))
    }

    /// Only if there are several: one has its own button.
    pub(super) fn upgrades_line(&self) -> Option<Line> {
        let behind: Vec<&Vpn> = self.all_behind().collect();
        let detail = behind.iter().map(|vpn| {
            let lags = curable_lags(vpn, self.keys_of(vpn));
            about(&vpn.name, lags.iter().map(Lag::in_short).join(", "))
        });
        let about = About { detail: detail.collect(), ..About::default() };
        let aside = format!("{} VPNs are behind", behind.len());
        (behind.len() > 1).then(|| Line::new(Choice::Upgrades, "upgrade all", aside, about))
    }

    /// Asks whether to upgrade all that are behind, one after the other. One that an upgrade before it changes too is left
    /// for afterwards.
    pub(super) fn propose_upgrades(&self, wizard: &mut Surroundings<'_>) {
        let (proposals, notes) = self.upgrades(self.all_behind(), wizard.profiles);
        if proposals.is_empty() {
            return wizard.nothing_to_do(notes);
        }
        self.ask_whether(proposals, notes, Intent::UpgradeAll, wizard);
    }

    /// Asks whether to upgrade what a new VPN needs.
    pub(super) fn propose_upgrades_first(&self, wizard: &mut Surroundings<'_>) {
        let Some(seen) = self.seen() else { return };
        let is_on = |vpn: &Vpn, (region, service): &(RegionId, Id)| {
            vpn.sides().any(|(_, side)| side.region == *region && side.connection.service == *service)
        };
        let vpns = &seen.inspection.vpns;
        let first = self.upgraded_first.iter().filter_map(|service| vpns.iter().find(|vpn| is_on(vpn, service)));
        let (proposals, notes) = self.upgrades(first.unique_by(|vpn| vpn.handle()), wizard.profiles);
        if proposals.is_empty() {
            return wizard.refuse(Refused(notes));
        }
        wizard.shell.dialog = Some(upgrade_first::question(proposals, notes, upgrade_interrupts()));
    }

    /// The upgrades of those VPNs, and what there is to say of the others.
    fn upgrades<'v>(&self, vpns: impl Iterator<Item = &'v Vpn>, profiles: &Profiles) -> (Vec<Proposal>, Vec<String>) {
        let (mut proposals, mut notes) = (Vec::<Proposal>::new(), Vec::new());
        let Some(seen) = self.seen() else { return (proposals, notes) };
        for vpn in vpns {
            let before = proposals.iter().find(|proposal| replaces(proposal, vpn));
            if let Some(before) = before {
                notes.push(format!("{} changes with {}; upgrade it afterwards", vpn.name, before.change.label));
                continue;
            }
            let target = Target::modern(profiles, vpn, self.keys_of(vpn));
            let may = seen.inspection.changeable(vpn).map_err(|why| Refused(vec![why.to_string()]));
            let is_interrupted = seen.unfinished.is_of(vpn);
            match may.and_then(|()| upgrade(&seen.inspection, vpn, &target)) {
                _ if is_interrupted => {
                    notes.push(format!("{}: a change of it was interrupted and comes first", vpn.name));
                }
                Ok(proposal) if proposal.is_empty() => {}
                Ok(proposal) => proposals.push(proposal),
                Err(why) => notes.push(format!("{} is left as it is: {why}", vpn.name)),
            }
        }
        (proposals, notes)
    }
}

/// Whether a change deletes a connection of a VPN.
fn replaces(proposal: &Proposal, vpn: &Vpn) -> bool {
    let ids: Vec<_> = vpn.sides().map(|(_, side)| &side.connection.id).collect();
    proposal.change.steps().iter().any(|step| matches!(step, Step::Delete(_, object) if ids.contains(&&object.id)))
}
