//! A plan whose VPN is there already: exactly so, applying it again has nothing to do; otherwise what changes it is said.

use std::collections::BTreeSet;
use std::path::Path;

use itertools::Itertools;
use secrecy::ExposeSecret;

use super::CommandError;
use crate::cloud::{Cloud, Kind, RegionId};
use crate::engine::prepare::RegionRead;
use crate::inspect::{Aspects, Difference, Focus, Inquiry, Vpn, inspect};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Far, Half, PlanDraft, Profile, ShellCommand};
use crate::report::{ExistingReport, ExitStatus, Health};

/// The plan of a VPN, and the file it is in.
pub(super) struct RefusedPlan<'a> {
    pub draft: &'a PlanDraft,
    pub key: KeyOrigin,
    pub file: &'a Path,
    pub regions: &'a [RegionRead],
}

impl RefusedPlan<'_> {
    /// What is said instead of the checks' refusal, if it is the plan's own VPN that is in the way.
    pub(super) async fn existing(&self, cloud: &Cloud) -> Option<Result<ExistingReport, CommandError>> {
        let draft = self.draft;
        let far = match &draft.far {
            Far::Half(side) => Some(&side.region),
            Far::Peer(_) => None,
        };
        let regions: BTreeSet<RegionId> = std::iter::once(&draft.a.region).chain(far).cloned().collect();
        let words = [draft.name.as_str()];
        let inquiry = Inquiry {
            regions: Some(&regions),
            focus: Focus::Words(&words),
            aspects: Aspects::KEYS,
            ..Inquiry::default()
        };
        let (inspection, mut background) = inspect(cloud, inquiry).await;
        let (vpn, differences) = inspection.existing(draft)?;
        let has_other_key = self.key == KeyOrigin::Given && !has_key(vpn, draft, cloud).await?;
        if has_other_key || !differences.is_empty() {
            return Some(Err(self.differs(vpn, &differences, has_other_key)));
        }
        background.complete(cloud, [vpn], Aspects::KEYS).await;
        Some(Ok(ExistingReport::new(Health::new(vpn, &inspection.diagnosis(vpn, &background)))))
    }

    fn differs(&self, vpn: &Vpn, differences: &[Difference], has_other_key: bool) -> CommandError {
        let mut said = vec![format!("VPN {} exists and differs from the plan:", vpn.name)];
        said.extend(differences.iter().map(|difference| format!("  {}", self.in_words(vpn, difference))));
        said.extend(has_other_key.then(|| "  key: another than the one given".to_owned()));
        let mut commands: Vec<ShellCommand> = self.set_subnets(vpn, differences).into_iter().collect();
        if differences.iter().any(is_upgradable) {
            let upgrade = vpn.command("upgrade");
            commands.push(match self.draft.profile {
                Profile::Custom => upgrade.words("--policy").value(self.file.display()),
                profile => upgrade.words("--profile").value(profile.as_str()),
            });
        }
        commands.extend(has_other_key.then(|| vpn.command("rotate-psk").words("--psk-file PATH")));
        commands.extend(differences.contains(&Difference::Halves).then(|| vpn.command("doctor")));
        let error = CommandError::new(ExitStatus::Refused, said);
        commands.into_iter().fold(error, |error, command| error.hint(format!("To make it as planned:  {command}")))
    }

    fn in_words(&self, vpn: &Vpn, difference: &Difference) -> String {
        match difference {
            Difference::Subnets(half, _) => {
                let there = vpn.side(*half).and_then(|side| side.local.as_ref()).map(|ranges| ranges.iter().join(", "));
                let there = there.unwrap_or_else(|| "unknown".to_owned());
                format!("subnets of {}: {there}; the plan has {}", vpn.place(*half), self.ranges(vpn, difference))
            }
            Difference::PeerRanges => {
                let there = vpn.a.remote.iter().join(", ");
                format!("ranges of the peer: {there}; the plan has {}", self.ranges(vpn, difference))
            }
            Difference::PeerId => {
                let planned = if let Far::Peer(peer) = &self.draft.far { peer.id.as_str() } else { "" };
                format!("id of the peer: {}; the plan has {planned}", vpn.a.connection.peer_id)
            }
            Difference::Policy(fields) => {
                let names = fields.iter().map(|field| {
                    let (group, name) = field.label();
                    format!("{group} {name}")
                });
                let (mut names, profile) = (names, self.draft.profile.as_str());
                format!("policies: {}; the plan has the profile {profile}", names.join(", "))
            }
            Difference::Halves => "its halves do not match each other".to_owned(),
        }
    }

    /// What the plan has, as `osvpn set-subnets` reads it.
    fn ranges(&self, vpn: &Vpn, difference: &Difference) -> String {
        match (difference, &self.draft.far) {
            (Difference::Subnets(half, ids), _) => {
                let region = vpn.side(*half).map(|side| &side.region);
                let read = self.regions.iter().find(|(id, ..)| Some(id) == region);
                let range = |id| match read.and_then(|(_, inventory, _)| inventory.subnet(id)) {
                    Some(subnet) => subnet.cidr.to_string(),
                    None => id.to_string(),
                };
                ids.iter().map(range).join(",")
            }
            (Difference::PeerRanges, Far::Peer(peer)) => peer.cidrs.iter().join(","),
            _ => String::new(),
        }
    }

    fn set_subnets(&self, vpn: &Vpn, differences: &[Difference]) -> Option<ShellCommand> {
        let regions: Vec<&RegionId> = vpn.sides().map(|(_, side)| &side.region).collect();
        let place = |half: Half| match (regions.as_slice(), vpn.side(half)) {
            ([a, b], _) if a == b => half.to_string(),
            (_, side) => side.map_or_else(String::new, |side| side.region.to_string()),
        };
        let words = differences.iter().filter_map(|difference| {
            let place = match difference {
                Difference::Subnets(half, _) => place(*half),
                Difference::PeerRanges => "peer".to_owned(),
                Difference::PeerId | Difference::Policy(_) | Difference::Halves => return None,
            };
            Some(format!("{place}={}", self.ranges(vpn, difference)))
        });
        let mut words = words.peekable();
        words.peek()?;
        Some(words.fold(vpn.command("set-subnets"), ShellCommand::value))
    }
}

/// Only what is in its policies; MTU, dead peer detection and the initiator stay as they are.
fn is_upgradable(difference: &Difference) -> bool {
    let Difference::Policy(fields) = difference else { return false };
    fields.iter().any(|field| field.kind() != Kind::SiteConnection)
}

/// None if it cannot be read.
async fn has_key(vpn: &Vpn, draft: &PlanDraft, cloud: &Cloud) -> Option<bool> {
    for (_, side) in vpn.sides() {
        let key = cloud.region(&side.region).ok()?.connection_psk(&side.connection.id).await.ok()?;
        if key.expose_secret() != draft.psk.secret().expose_secret() {
            return Some(false);
        }
    }
    Some(true)
}
