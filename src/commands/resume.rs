//! `osvpn resume`: an interrupted creation is finished by its journal, or by the markers in the cloud alone if the journal is
//! lost; an interrupted change by its journal.

mod change;
mod choose;

use clap::Args;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::creation::Creation;
use super::lines::ProgressLines;
use super::options::{self, AnswerArgs, CreationArgs, KeyArgs};
use super::wait::wait_for;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::cloud::Cloud;
use crate::engine::discover::{Found, find, settle};
use crate::engine::interruption::{Interruption, interruptions};
use crate::engine::journal::{Keeper, Record};
use crate::engine::prepare::PrepareError;
use crate::engine::resume::{KeyError, KeySource, Resumable, marks_of};
use crate::engine::{Ledger, Work};
use crate::plan::psk::KeyOrigin;
use crate::plan::shell::osvpn;
use crate::plan::{Plan, Profile, Psk, ShellCommand};
use crate::sign_in::SignedIn;
use crate::system::signals::Signals;
use crate::system::state;

pub(super) use change::meant;
pub(super) use choose::{local, refuse_made, take_up};

/// Finish a VPN whose creation or change was interrupted; wait for one that exists.
///
/// osvpn keeps a journal of what exists. After a lost connection, a crash or Ctrl-C this command continues from it: existing
/// objects are kept, missing ones created, and the wait for ACTIVE goes on. Without the journal, osvpn finds the VPN by the
/// marker in the descriptions of its objects, and reads its key back from the cloud. If all objects of the VPN exist,
/// nothing is changed: the wait for ACTIVE goes on, and the exit code is that of status.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The name of the VPN, or its id (the word after osvpn: in the descriptions) [default: the only unfinished one].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    /// Continue with the policies of this profile: those created with others are recreated, with their connections.
    #[arg(long, value_parser = options::profile())]
    profile: Option<Profile>,
    #[command(flatten)]
    creation: CreationArgs,
}

impl Answering for ResumeArgs {
    fn options(&self) -> &AnswerArgs {
        &self.creation.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        if let Some(change) = meant(self.vpn.as_deref())? {
            return change.resume(self, sign_in, signals).await;
        }
        let again = |error: CommandError| error.go_on_with(again("resume", self.vpn.as_deref()));
        let prepared = until_signal(signals, self.prepare(sign_in)).await.map_err(again)?;
        let cloud = &prepared.signed_in.cloud;
        match prepared.next {
            Next::Make(Ready { plan, ledger, keeper, key }) => {
                let creation =
                    Creation { plan: &plan, cloud, keeper: &keeper, key, wait: self.creation.wait.duration() };
                Ok(creation.make(ledger, signals).await.into())
            }
            Next::Wait(found, outstanding) => {
                let health = wait_for(&found, cloud, self.creation.wait.duration(), signals).await.map_err(again)?;
                Ok(health.with_interruption(outstanding.as_ref()).into())
            }
        }
    }
}

pub(super) fn again(command: &'static str, vpn: Option<&str>) -> ShellCommand {
    match vpn {
        Some(vpn) => osvpn(command).operand(vpn),
        None => osvpn(command),
    }
}

struct ReadyToResume {
    next: Next,
    signed_in: SignedIn,
}

enum Next {
    Make(Ready),
    /// Everything exists. What a lost request may still create, if there is such a request.
    Wait(Box<Found>, Option<Interruption>),
}

struct Ready {
    plan: Box<Plan>,
    ledger: Ledger,
    key: KeyOrigin,
    keeper: Keeper,
}

impl ResumeArgs {
    async fn prepare(&self, sign_in: &mut SignInContext) -> Result<ReadyToResume, CommandError> {
        let chosen = local(self.vpn.as_deref())?;
        let signed_in = sign_in.cloud(&self.creation.answer.cloud).await?;
        let cloud = &signed_in.cloud;
        self.creation.clear_text.apply(cloud).await;
        let interrupted = take_up(chosen, cloud).await?;
        if self.profile.is_none() && interrupted.is_made() {
            let (found, outstanding) = made(interrupted, cloud).await?;
            return Ok(ReadyToResume { next: Next::Wait(Box::new(found), outstanding), signed_in });
        }
        let (plan, ledger) = remaining(&interrupted, &self.creation.key, self.profile, cloud).await?;
        let key = interrupted.key_origin();
        let keeper = match interrupted {
            Resumable::Journal(journal) => Keeper::of(*journal),
            Resumable::Found(_, claim) => {
                let keeper = Keeper::begun(claim?, Record::new(cloud, &plan, key))?;
                keeper.keep(&ledger)?;
                keeper
            }
        };
        Ok(ReadyToResume { next: Next::Make(Ready { plan, ledger, key, keeper }), signed_in })
    }
}

/// A VPN whose objects all exist, after a look for second ones that lost requests have made.
async fn made(interrupted: Resumable, cloud: &Cloud) -> Result<(Found, Option<Interruption>), CommandError> {
    let mut ledger = interrupted.ledger(cloud.limits());
    let journal = match interrupted {
        Resumable::Found(found, _) => return Ok((*found, None)),
        Resumable::Journal(journal) => journal,
    };
    let (marks, vpn) = (marks_of(journal.record()), journal.record().vpn.clone());
    let keeper = Keeper::of(*journal);
    let (events, mut received) = unbounded_channel();
    let work = Work { cloud, keeper: &keeper, events: &events, stop: &CancellationToken::new() };
    settle(&marks, &mut ledger, &work)
        .await
        .map_err(|error| CommandError::failed("looking for what exists", &error))?;
    let mut lines = ProgressLines::of_regions(&marks.regions);
    while let Ok(event) = received.try_recv() {
        lines.tell(event);
    }
    drop(keeper);
    let all = find(cloud).await.map_err(|error| CommandError::failed("looking for what exists", &error))?;
    let found = all
        .into_iter()
        .find(|found| found.marks.vpn == vpn)
        .ok_or_else(|| CommandError::unusable(format!("{} was created, and does not exist any more", marks.name)))?;
    let interruptions = state::directory().map(|directory| interruptions(&directory, cloud)).unwrap_or_default();
    Ok((found, interruptions.into_iter().find(|one| one.is_of(Some(&vpn), []))))
}

/// The plan of what is left to do, with the key of its connection or the one that is given now.
async fn remaining(
    interrupted: &Resumable,
    key: &KeyArgs,
    profile: Option<Profile>,
    cloud: &Cloud,
) -> Result<(Box<Plan>, Ledger), CommandError> {
    let drafted = interrupted.draft(profile, cloud).await?;
    let psk = match drafted.key(cloud).await? {
        KeySource::Connection(psk) => psk,
        KeySource::Generated if !key.names_file() => Psk::generate(),
        KeySource::Generated | KeySource::User => key.given().await?.ok_or(PrepareError::Key(KeyError::GiveAgain))?,
    };
    Ok(drafted.plan(Some(psk), cloud).await?)
}
