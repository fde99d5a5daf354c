//! `osvpn upgrade`

use std::path::PathBuf;

use clap::Args;

use super::confirm::fitting;
use super::look::{ProjectVpns, look_to_change};
use super::options::{self, AnswerArgs, ChangeArgs, ClearTextArgs, KeyArgs, WaitArgs};
use super::run_change::{RunOptions, Turned, in_turn};
use super::{Answering, CommandError, Conclusion, SignInContext, input, until_signal};
use crate::change::{Proposal, Target, TargetPolicies, Together, UpgradeTurn, Upgrades, moved_with, upgrade};
use crate::inspect::{Aspects, Background, Focus, Inquiry, Side, Vpn};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Profile, Profiles, Psk};
use crate::report::{ChangeReport, ChangeReports, Conclude, ExitStatus};
use crate::sign_in::aside::say;
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn upgrade hlz-por --dry-run                  what it would do
  osvpn upgrade hlz-por                            endpoint groups, at least the profile modern, a key of its own
  osvpn upgrade hlz-por --policy custom.toml       with the policies of its [policy] table
  osvpn upgrade office --profile modern            an external peer has to change at the same time
  osvpn upgrade --all                              every VPN that is behind, one after the other";

const NONE_BEHIND: &str = "No VPN of this project is behind, as far as osvpn can change it.";

/// Bring a VPN to today's standard: endpoint groups, sound policies, and a new key if its key is no secret.
///
/// Works for VPNs that osvpn did not create, too. What is new is created beside what is old, on both halves; then the old
/// connections go, and the tunnel is renegotiated. Subnets, MTU, dead peer detection and security-group rules stay; objects get
/// the names that osvpn gives, unless they have those of the guide. What is in no field weaker than the profile modern stays as it is. Other VPNs on a VPN service of the old kind move with it, with
/// their policies and keys. The policies and the key of a VPN with an external peer stay unless you give others.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct UpgradeArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections.
    #[arg(value_name = "VPN", required_unless_present = "all")]
    vpn: Option<String>,
    #[command(flatten)]
    every: EveryArgs,
    /// Set exactly the policies of this profile [default: modern, and stronger values stay].
    #[arg(long, value_parser = options::profile(), conflicts_with = "policy")]
    profile: Option<Profile>,
    /// Set exactly the policies in the [policy] table of this file, which may be a plan file, and its MTU, initiator and dead peer
    /// detection.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Set a new key even if the present one is sound; generated unless you give one.
    #[arg(long)]
    new_key: bool,
    #[command(flatten)]
    key: KeyArgs,
    /// Print what would be done, how long the tunnel would be down, and what else is interrupted; do nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    clear_text: ClearTextArgs,
}

#[derive(Clone, Copy, Debug, Args)]
struct EveryArgs {
    /// Upgrade every VPN of the project that is behind, or that `osvpn forecast` says goes down, one after the other; stops at one that
    /// was ACTIVE and does not become ACTIVE again.
    #[arg(long, conflicts_with_all = ["vpn", "profile", "policy", "new_key", "psk_file"])]
    all: bool,
    /// With --all: print the steps of each upgrade, too.
    #[arg(long, requires = "all")]
    verbose: bool,
}

/// What the arguments ask for, read before anything is sent.
struct Wishes {
    profiles: Profiles,
    policies: Option<TargetPolicies>,
    key: Option<Psk>,
    new_key: bool,
}

impl Wishes {
    fn target(&self, vpn: &Vpn, background: &Background) -> Target {
        let target = Target::modern(&self.profiles, vpn, &background.keys_of(vpn));
        let asked = if self.key.is_some() { KeyOrigin::Given } else { KeyOrigin::Generated };
        let key = if self.new_key { Some(asked) } else { target.key };
        Target { policies: self.policies.clone().unwrap_or(target.policies), key, ..target }
    }

    async fn propose(
        &self,
        seen: &ProjectVpns,
        vpn: &Vpn,
        background: &mut Background,
    ) -> Result<Proposal, CommandError> {
        background.complete(seen.cloud(), [vpn], Aspects::KEYS).await;
        let proposal = upgrade(&seen.inspection, vpn, &self.target(vpn, background))?;
        // The journal of an interrupted change holds the ids of connections that would be gone.
        moved_with(&seen.inspection, vpn, &proposal.change).try_for_each(|other| seen.free(other))?;
        Ok(proposal)
    }
}

impl UpgradeArgs {
    async fn wishes(&self) -> Result<Wishes, CommandError> {
        let profiles = Profiles::built_in()?;
        let policies = match (&self.policy, self.profile) {
            (Some(path), _) => Some(TargetPolicies::Whole(input::policy_file(path).await?)),
            (None, Some(profile)) => profiles.get(profile).cloned().map(TargetPolicies::Exactly),
            (None, None) => None,
        };
        let new_key = self.new_key || self.key.names_file();
        let key = if new_key { self.key.given().await? } else { None };
        Ok(Wishes { profiles, policies, key, new_key })
    }

    async fn one(
        &self,
        wanted: &str,
        sign_in: &mut SignInContext,
        signals: &mut Signals,
    ) -> Result<Conclusion, CommandError> {
        let words = [wanted];
        let inquiry = Inquiry { focus: Focus::Words(&words), aspects: Aspects::KEYS, ..Inquiry::default() };
        let wishes = until_signal(signals, self.wishes()).await?;
        let propose = async |seen: &ProjectVpns, mut background: Background| {
            self.clear_text.apply(seen.cloud()).await;
            wishes.propose(seen, seen.whole(wanted)?, &mut background).await
        };
        self.options(&wishes).propose_and_run(sign_in, signals, inquiry, propose).await
    }

    fn options(&self, wishes: &Wishes) -> RunOptions<'_> {
        let options = RunOptions::new(&self.change, self.wait.duration());
        RunOptions { key: wishes.key.clone(), is_dry_run: self.dry_run, ..options }
    }

    /// Every VPN that is behind. Each is read again before its turn: the one before may have moved connections of it.
    async fn all(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let wishes = until_signal(signals, self.wishes()).await?;
        let (mut seen, upgrades) = until_signal(signals, self.behind(&wishes, sign_in)).await?;
        let proposals = upgrades.proposals();
        let shown =
            if self.every.verbose { format!("{upgrades}{:.8}", Together(&proposals)) } else { upgrades.to_string() };
        let left = upgrades.left;
        if self.dry_run || proposals.is_empty() {
            let reports = proposals.into_iter().map(ChangeReport::proposed).collect();
            return Ok(ChangeReports::new(reports, NONE_BEHIND).shown_as(fitting(&shown), left).into());
        }
        let options = self.options(&wishes);
        options.of(&seen).confirm_shown(&shown, &proposals, signals).await?;
        let turns = upgrades.turns.into_iter().map(|turn| (turn.proposal.change.clone(), turn)).collect();
        let carry_out = async |turn: UpgradeTurn, is_first: bool, signals: &mut Signals| {
            let proposal = if is_first {
                turn.proposal
            } else {
                until_signal(signals, again(&mut seen, &turn.vpn, &wishes)).await?
            };
            if proposal.is_empty() {
                return Ok(Turned { report: ChangeReport::proposed(proposal), goes_on: true });
            }
            let run = options.of(&seen);
            let mut report = run.one(proposal, signals).await?;
            // What was down before may have a reason that no upgrade ends, and is no reason to leave the rest as it is.
            let goes_on = if turn.vpn.is_active() {
                run.verify(std::slice::from_mut(&mut report), signals).await;
                report.exit_status() == ExitStatus::Done
            } else {
                say(&format!("not waiting for ACTIVE, because {} was not ACTIVE before", turn.vpn.name));
                run.look_once(std::slice::from_mut(&mut report), signals).await;
                report.is_done()
            };
            Ok(Turned { report, goes_on })
        };
        let reports = in_turn(turns, carry_out, signals).await?;
        Ok(ChangeReports::new(reports, NONE_BEHIND).with_left(left).into())
    }

    async fn behind(
        &self,
        wishes: &Wishes,
        sign_in: &mut SignInContext,
    ) -> Result<(ProjectVpns, Upgrades), CommandError> {
        let inquiry = Inquiry { focus: Focus::All, aspects: Aspects::KEYS, ..Inquiry::default() };
        let propose = async |seen: &ProjectVpns, mut background: Background| {
            self.clear_text.apply(seen.cloud()).await;
            if let Some((region, why)) = seen.inspection.unread.first() {
                return Err(CommandError::failed(format!("reading {region}"), why));
            }
            let vpns = &seen.inspection.vpns;
            background.complete(seen.cloud(), vpns, Aspects::KEYS).await;
            let keys_of = |vpn: &Vpn| background.keys_of(vpn);
            let is_interrupted = |vpn: &Vpn| seen.free(vpn).is_err();
            Ok(Upgrades::of(&seen.inspection, vpns, &wishes.profiles, keys_of, is_interrupted))
        };
        look_to_change(&self.change.answer.cloud, sign_in, inquiry, propose).await
    }
}

/// The same VPN as it is now, with its change.
async fn again(seen: &mut ProjectVpns, before: &Vpn, wishes: &Wishes) -> Result<Proposal, CommandError> {
    let mut background = seen.refresh(Focus::All, Aspects::KEYS).await;
    let vpn = successor(seen, before).ok_or_else(|| {
        let text = format!("{} was changed meanwhile; look at it, and call osvpn upgrade --all again", before.name);
        CommandError::refused(text)
    })?;
    wishes.propose(seen, vpn, &mut background).await
}

impl Answering for UpgradeArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        match &self.vpn {
            Some(wanted) => self.one(wanted, sign_in, signals).await,
            None => self.all(sign_in, signals).await,
        }
    }
}

/// What has become of a VPN: it has one of its connections still, or its name and place.
fn successor<'a>(seen: &'a ProjectVpns, before: &Vpn) -> Option<&'a Vpn> {
    let vpns = &seen.inspection.vpns;
    let ids: Vec<_> = before.sides().map(|(_, side)| &side.connection.id).collect();
    let has_one = |vpn: &&Vpn| vpn.sides().any(|(_, side)| ids.contains(&&side.connection.id));
    let place = |vpn: &Vpn| vpn.sides().map(|(_, side): (_, &Side)| side.region.clone()).collect::<Vec<_>>();
    let is_called = |vpn: &&Vpn| vpn.id == before.id && vpn.name == before.name && place(vpn) == place(before);
    let mut called = vpns.iter().filter(is_called);
    vpns.iter().find(has_one).or_else(|| called.next().filter(|_| called.next().is_none()))
}
