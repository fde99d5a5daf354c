//! A sign-in, the VPNs it shows, and which of them a command means.

use std::collections::BTreeMap;
use std::mem::take;

use super::options::CloudArgs;
use super::{CommandError, SignInContext, lines, names};
use crate::change::Unfinished;
use crate::cloud::{Cloud, Error, RegionId};
use crate::engine::interruption::{self, Interruption, State, interruptions, needed};
use crate::inspect::{Aspects, Background, Focus, Inquiry, Inspection, Unselected, Vpn, inspect};
use crate::report::ExitStatus;
use crate::sign_in::SignedIn;
use crate::system::state;

pub(super) struct ProjectVpns {
    pub(super) signed_in: SignedIn,
    pub(super) inspection: Inspection,
    /// What is not done, as the journals here tell.
    pub(super) interruptions: Vec<Interruption>,
}

/// Signs in, and reads all regions.
/// Errors: If nothing can be read.
pub(super) async fn look(
    args: &CloudArgs,
    sign_in: &mut SignInContext,
    inquiry: Inquiry<'_>,
) -> Result<(ProjectVpns, Background), CommandError> {
    let signed_in = sign_in.cloud(args).await?;
    let others = inquiry.subnets;
    let (inspection, background) = inspect(&signed_in.cloud, inquiry).await;
    names::remember(&args.login(), &inspection, others);
    match inspection.unread.as_slice() {
        [(region, error), ..] if inspection.surveys.is_empty() => {
            Err(CommandError::failed(format!("reading {region}"), error))
        }
        unread => {
            for (region, error) in unread {
                lines::warn(&format!("{region} could not be read, so its objects are missing: {error}"));
            }
            inspection.left_out().for_each(|what| lines::warn(&what));
            Ok((ProjectVpns::of(signed_in, inspection), background))
        }
    }
}

/// As [`look`], with the changes built from what it shows.
pub(super) async fn look_to_change<T>(
    args: &CloudArgs,
    sign_in: &mut SignInContext,
    inquiry: Inquiry<'_>,
    propose: impl AsyncFnOnce(&ProjectVpns, Background) -> Result<T, CommandError>,
) -> Result<(ProjectVpns, T), CommandError> {
    let (seen, background) = look(args, sign_in, inquiry).await?;
    if let Some(hidden) = seen.inspection.hidden() {
        return Err(CommandError::refused(hidden));
    }
    let proposed = propose(&seen, background).await?;
    Ok((seen, proposed))
}

impl ProjectVpns {
    fn of(signed_in: SignedIn, inspection: Inspection) -> Self {
        let mut seen = Self { signed_in, inspection: Inspection::default(), interruptions: Vec::new() };
        seen.show(inspection);
        seen
    }

    /// Takes what was read, with what is not done by now.
    fn show(&mut self, inspection: Inspection) {
        let directory = state::directory().filter(|_| self.signed_in.simulator.is_none());
        self.interruptions =
            directory.map(|directory| interruptions(&directory, &self.signed_in.cloud)).unwrap_or_default();
        self.inspection = interruption::set_aside(inspection, &self.interruptions);
    }

    /// Reads it again.
    pub(super) async fn refresh(&mut self, focus: Focus<'_>, aspects: Aspects) -> Background {
        let inquiry = Inquiry { focus, aspects, ..Inquiry::default() };
        let (inspection, background) = inspect(&self.signed_in.cloud, inquiry).await;
        self.show(inspection);
        background
    }

    /// Reads it again, and goes on with what it has of the regions that fail, which are returned.
    pub(super) async fn refresh_or_hold(
        &mut self,
        focus: Focus<'_>,
        aspects: Aspects,
    ) -> (Background, BTreeMap<RegionId, Error>) {
        let before = take(&mut self.inspection);
        let background = self.refresh(focus, aspects).await;
        let (inspection, failed) = take(&mut self.inspection).holding(&before);
        self.inspection = inspection;
        (background, failed)
    }

    pub(super) fn cloud(&self) -> &Cloud {
        &self.signed_in.cloud
    }

    /// The VPN to change.
    /// Errors: if none or several answer to the word, or half of it may be where nothing could be read.
    pub(super) fn whole(&self, wanted: &str) -> Result<&Vpn, CommandError> {
        let vpn = self.to_change(wanted)?;
        self.inspection.changeable(vpn).map_err(CommandError::refused)?;
        Ok(vpn)
    }

    /// What of unused objects may still be needed.
    pub(super) fn needed(&self) -> Unfinished {
        needed(&self.interruptions)
    }

    pub(super) fn interruption_of(&self, vpn: &Vpn) -> Option<&Interruption> {
        let connections = || vpn.sides().map(|(_, side)| &side.connection.id);
        self.interruptions.iter().find(|interruption| interruption.is_of(vpn.id.as_ref(), connections()))
    }

    /// Refuses a VPN whose creation or change was interrupted, which comes first.
    pub(super) fn free(&self, vpn: &Vpn) -> Result<(), CommandError> {
        match self.interruption_of(vpn) {
            Some(interruption) if interruption.state == State::Interrupted => Err(interruption.into()),
            _ => Ok(()),
        }
    }

    /// The VPNs that were begun and have no connection to be seen, or the one that a word means if it means no other.
    pub(super) fn unmade(&self, wanted: Option<&str>) -> Vec<&Interruption> {
        let is_seen = |one: &&Interruption| {
            self.inspection
                .vpns
                .iter()
                .any(|vpn| one.is_of(vpn.id.as_ref(), vpn.sides().map(|(_, side)| &side.connection.id)))
        };
        if wanted.is_some_and(|wanted| {
            !matches!(self.selected(wanted), Err(Unselected::None { .. } | Unselected::Hidden(_)))
        }) {
            return Vec::new();
        }
        let unmade = self.interruptions.iter().filter(|one| one.is_unmade() && !is_seen(one));
        wanted.map_or_else(|| unmade.clone().collect(), |wanted| Interruption::meant(unmade.clone(), wanted))
    }

    pub(super) fn to_change(&self, wanted: &str) -> Result<&Vpn, CommandError> {
        let vpn = self.inspection.select_to_change(wanted).and_then(|vpn| self.unless_interrupted(wanted, vpn));
        let vpn = vpn.map_err(|error| self.unselected(&error))?;
        self.free(vpn)?;
        Ok(vpn)
    }

    pub(super) fn select(&self, wanted: &str) -> Result<&Vpn, CommandError> {
        self.selected(wanted).map_err(|error| self.unselected(&error))
    }

    fn selected(&self, wanted: &str) -> Result<&Vpn, Unselected> {
        self.unless_interrupted(wanted, self.inspection.select(wanted)?)
    }

    /// A connection can be named like the id of an interrupted creation; the id takes precedence.
    fn unless_interrupted<'a>(&self, wanted: &str, vpn: &'a Vpn) -> Result<&'a Vpn, Unselected> {
        let is_other = |one: &Interruption| {
            let connections = vpn.sides().map(|(_, side)| &side.connection.id);
            one.is_unmade() && one.vpn().is_called(wanted) && !one.is_of(vpn.id.as_ref(), connections)
        };
        if self.interruptions.iter().any(is_other) {
            return Err(Unselected::None { wanted: wanted.to_owned(), names: Vec::new() });
        }
        Ok(vpn)
    }

    fn unselected(&self, error: &Unselected) -> CommandError {
        if let Unselected::None { wanted, .. } = error {
            let changed = self.interruptions.iter().find(|one| one.replaces(wanted));
            if let Some(interrupted) = changed.or_else(|| self.unmade(Some(wanted)).first().copied()) {
                return interrupted.into();
            }
        }
        match (error, self.inspection.unread.first()) {
            // It may be in the region that could not be read.
            (Unselected::None { wanted, .. }, Some((region, why))) => {
                CommandError::failed(format!("looking for {wanted} in {region}"), why)
            }
            (Unselected::Hidden(hidden), _) => CommandError::hidden(*hidden),
            (Unselected::Doubled { .. } | Unselected::HalfMarked { .. }, _) => CommandError::refused(error),
            _ => CommandError::unusable(error),
        }
    }

    /// Why there is no VPN to speak of.
    pub(super) fn nothing(&self) -> CommandError {
        match self.inspection.unread.first() {
            Some((region, why)) => CommandError::failed(format!("reading {region}"), why),
            None => match self.inspection.hidden() {
                Some(hidden) => CommandError::hidden(hidden),
                None => CommandError::unusable("there is no VPN in this project"),
            },
        }
    }

    /// The VPN that is meant: the only one, if none is named.
    pub(super) fn only(&self, wanted: Option<&str>) -> Result<&Vpn, CommandError> {
        match (wanted, self.inspection.vpns.as_slice()) {
            (Some(wanted), _) => self.select(wanted),
            (None, [vpn]) => Ok(vpn),
            (None, []) => Err(self.nothing()),
            (None, several) => {
                let mut problems = vec!["there are several VPNs; name the one you mean:".to_owned()];
                problems.extend(several.iter().map(|vpn| format!("  {}", vpn.distinction())));
                Err(CommandError::new(ExitStatus::Usage, problems))
            }
        }
    }
}
