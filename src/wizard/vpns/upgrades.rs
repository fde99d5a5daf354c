//! VPNs that are behind today's standard: what the list and the page of one say of it, and their upgrades, one or all.

use itertools::Itertools;

use super::super::choices::about;
use super::super::dialog::{Act, Dialog, DialogSubject};
use super::super::picker::{About, Choice, Line};
use super::super::upgrade_first;
use super::{Surroundings, YourVpns};
use crate::change::{
    Lag, LeftVpn, NewSubnets, Proposal, Refused, Target, Together, Upgrades, can_set_subnets, curable_lags, due_lags,
    lags, set_subnets, upgrade, urgency,
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
    fn all_behind(&self) -> impl Iterator<Item = (&Vpn, Vec<Lag>)> {
        let seen = self.seen().filter(|seen| seen.inspection.awaited.is_empty());
        let vpns = seen.into_iter().flat_map(|seen| &seen.inspection.vpns);
        vpns.map(|vpn| (vpn, self.due(vpn))).filter(|(_, due)| !due.is_empty())
    }

    fn due(&self, vpn: &Vpn) -> Vec<Lag> {
        self.seen().map_or_else(Vec::new, |seen| due_lags(&seen.inspection, vpn, self.keys_of(vpn)))
    }

    /// Only if there are several: one has its own button.
    pub(super) fn upgrades_line(&self) -> Option<Line> {
        let behind: Vec<(&Vpn, Vec<Lag>)> = self.all_behind().collect();
        let detail = behind.iter().map(|(vpn, due)| about(&vpn.name, due.iter().map(Lag::in_short).join(", ")));
        let about = About { detail: detail.collect(), ..About::default() };
        let aside = format!("{} VPNs are behind", behind.len());
        (behind.len() > 1).then(|| Line::new(Choice::Upgrades, "upgrade all", aside, about))
    }

    /// Asks whether to upgrade all that are behind, one after the other. One that an upgrade before it changes too is left
    /// for afterwards.
    pub(super) fn propose_upgrades(&self, wizard: &mut Surroundings<'_>) {
        let Some(seen) = self.seen() else { return };
        let upgrades = self.upgrades(&seen.inspection.vpns, wizard.profiles).at_once();
        let (text, proposals) = (upgrades.to_string().lines().map(str::to_owned).collect(), upgrades.proposals());
        if proposals.is_empty() {
            return wizard.nothing_to_do(text);
        }
        let together = Together(&proposals);
        let (yes, no) = together.answers();
        let dialog = Dialog::new(together.question(), text, vec![(no, Act::Close), (yes, Act::Confirm)]).wide();
        wizard.shell.dialog = Some(dialog.about(DialogSubject::Proposals(proposals)));
    }

    /// Asks whether to upgrade what a new VPN needs.
    pub(super) fn propose_upgrades_first(&self, wizard: &mut Surroundings<'_>) {
        let Some(seen) = self.seen() else { return };
        let is_on = |vpn: &Vpn, (region, service): &(RegionId, Id)| {
            vpn.sides().any(|(_, side)| side.region == *region && side.connection.service == *service)
        };
        let vpns = &seen.inspection.vpns;
        let most_urgent = |service: &(RegionId, Id)| {
            vpns.iter().filter(|vpn| is_on(vpn, service)).min_by_key(|vpn| urgency(vpn, self.keys_of(vpn)))
        };
        let first = self.upgraded_first.iter().filter_map(most_urgent);
        let upgrades = self.upgrades(first.unique_by(|vpn| vpn.handle()), wizard.profiles);
        // With one of the services as it is the VPN cannot be created, and the others would be interrupted for nothing.
        if upgrades.turns.is_empty() || !upgrades.left.is_empty() {
            let why = upgrades.left.into_iter().map(|LeftVpn { name, why }| format!("{name}: {why}"));
            return wizard.refuse(Refused(why.collect()));
        }
        wizard.shell.dialog = Some(upgrade_first::question(&upgrades.at_once()));
    }

    fn upgrades<'v>(&self, vpns: impl IntoIterator<Item = &'v Vpn>, profiles: &Profiles) -> Upgrades {
        let Some(seen) = self.seen() else { return Upgrades::default() };
        let keys_of = |vpn: &Vpn| self.keys_of(vpn).clone();
        Upgrades::of(&seen.inspection, vpns, profiles, keys_of, |vpn| seen.unfinished.is_of(vpn))
    }
}
