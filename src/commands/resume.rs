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
use crate::change::Subject;
use crate::cloud::Cloud;
use crate::engine::discover::{Found, find};
use crate::engine::interruption::{Interruption, interruptions};
use crate::engine::prepare::PrepareError;
use crate::engine::resume::{KeyError, KeySource, Planned, Resumable};
use crate::engine::{Changing, Work};
use crate::plan::psk::KeyOrigin;
use crate::plan::shell::osvpn;
use crate::plan::{Plan, Profile, Psk, ShellCommand};
use crate::sign_in::SignedIn;
use crate::system::signals::Signals;
use crate::system::state;

use choose::ChosenCreation;
pub(super) use choose::{Chosen, choose, refuse_made, take_up};

const EXAMPLES: &str = "\
Examples:
  osvpn resume                        the only VPN that was interrupted
  osvpn resume hlz-por --wait 600     that one, and wait longer for ACTIVE
  osvpn resume --profile modern       with another policy, where a region refuses the first";

/// Finish a VPN whose creation or change was interrupted; wait for one that exists.
///
/// osvpn keeps a journal of what exists. After a lost connection, a crash or Ctrl-C this command continues from it: existing
/// objects are kept, missing ones created, and the wait for ACTIVE goes on. Without the journal, osvpn finds the VPN by the
/// marker in the descriptions of its objects, and reads its key back from the cloud. If all objects of the VPN exist,
/// nothing is changed: the wait for ACTIVE goes on, and the exit code is that of status.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
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
        let chosen = match choose(self.vpn.as_deref())? {
            Chosen::Change(change) => return change.resume(self, sign_in, signals).await,
            Chosen::Creation(chosen) => chosen,
        };
        let again = |error: CommandError| error.go_on_with(again("resume", self.vpn.as_deref()));
        let prepared = until_signal(signals, self.prepare(chosen, sign_in)).await.map_err(again)?;
        let cloud = &prepared.signed_in.cloud;
        match prepared.next {
            Next::Make(plan, changing, key) => {
                let creation =
                    Creation { plan: &plan, cloud, changing: *changing, key, wait: self.creation.wait.duration() };
                Ok(creation.make(signals).await.into())
            }
            Next::Wait(made) => {
                let (found, outstanding) = *made;
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
    /// What is missing is created.
    Make(Box<Plan>, Box<Changing>, KeyOrigin),
    /// Everything exists. What a lost request may still create, if there is such a request.
    Wait(Box<(Found, Option<Interruption>)>),
}

impl ResumeArgs {
    async fn prepare(
        &self,
        chosen: ChosenCreation,
        sign_in: &mut SignInContext,
    ) -> Result<ReadyToResume, CommandError> {
        let signed_in = sign_in.cloud(&self.creation.answer.cloud).await?;
        let cloud = &signed_in.cloud;
        self.creation.clear_text.apply(cloud).await;
        let interrupted = take_up(chosen, cloud).await?;
        if self.profile.is_none() && interrupted.is_made() {
            let made = made(interrupted, cloud).await?;
            return Ok(ReadyToResume { next: Next::Wait(Box::new(made)), signed_in });
        }
        let planned = remaining(&interrupted, &self.creation.key, self.profile, cloud).await?;
        let key = interrupted.key_origin();
        let (plan, changing) = interrupted.into_creation(planned, cloud)?;
        Ok(ReadyToResume { next: Next::Make(plan, Box::new(changing), key), signed_in })
    }
}

/// A VPN whose objects all exist, after a look for second ones that lost requests have made.
async fn made(interrupted: Resumable, cloud: &Cloud) -> Result<(Found, Option<Interruption>), CommandError> {
    let mut changing = match interrupted {
        Resumable::Found(found, _) => return Ok((*found, None)),
        Resumable::Journal(changing, _) => *changing,
    };
    let (events, mut received) = unbounded_channel();
    let stop = CancellationToken::new();
    let work = Work::new(cloud, &events, &stop);
    let settled = changing.settle_made(&work).await;
    settled.map_err(|error| CommandError::failed("looking for what exists", &error))?;
    let change = changing.change().clone();
    let mut lines = ProgressLines::new(&change);
    while let Ok(event) = received.try_recv() {
        lines.tell(event);
    }
    drop(changing);
    let all = find(cloud).await.map_err(|error| CommandError::failed("looking for what exists", &error))?;
    let found = all
        .into_iter()
        .find(|found| change.subject == Subject::Marked(found.vpn.clone()))
        .ok_or_else(|| CommandError::unusable(format!("{} was created, and does not exist any more", change.label)))?;
    let interruptions = state::directory().map(|directory| interruptions(&directory, cloud)).unwrap_or_default();
    Ok((found, interruptions.into_iter().find(|one| *one.vpn() == change.subject)))
}

/// The plan of what is left to do, with the key of its connection or the one that is given now.
async fn remaining(
    interrupted: &Resumable,
    key: &KeyArgs,
    profile: Option<Profile>,
    cloud: &Cloud,
) -> Result<Planned, CommandError> {
    let drafted = interrupted.draft(profile, cloud).await?;
    let psk = match drafted.key(cloud).await? {
        KeySource::Connection(psk) => psk,
        KeySource::Generated if !key.names_file() => Psk::generate(),
        KeySource::Generated | KeySource::User => key.given().await?.ok_or(PrepareError::Key(KeyError::GiveAgain))?,
    };
    Ok(drafted.plan(Some(psk), cloud).await?)
}
