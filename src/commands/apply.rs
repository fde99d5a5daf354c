//! `osvpn apply`

use std::path::PathBuf;

use clap::Args;
use tokio::time::{Instant, timeout};

use super::creation::Creation;
use super::existing::RefusedPlan;
use super::options::{AnswerArgs, CreationArgs};
use super::{Answering, CommandError, Conclusion, SignInContext, input, names, until_signal};
use crate::engine::Changing;
use crate::engine::interruption::begun;
use crate::engine::pace::DESCRIPTIONS;
use crate::engine::prepare::{PrepareError, RegionRead, check, resolve, with_shared_key};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Labels, Plan, Profiles, Psk, VpnId};
use crate::report::{DryRun, ExistingReport};
use crate::sheet::fitting;
use crate::sign_in::SignedIn;
use crate::system::signals::Signals;
use crate::system::state;

const EXAMPLES: &str = "\
Examples:
  osvpn apply hlz-por.toml --dry-run             check it against the cloud, and print what would be created
  osvpn apply hlz-por.toml                       create it, and wait for ACTIVE
  osvpn apply office.toml --psk-file key.txt     with the key that an external peer has
  osvpn apply hlz-por.toml --json | jq .outcome  for a program

osvpn help plan explains the plan file.";

/// Create the VPN of a plan file, without questions.
///
/// The wizard saves a plan file on its review. It holds no key: in site-to-site mode one is generated unless you
/// give one; in single mode, give the key of the peer with --psk-file or in OSVPN_PSK.
///
/// The same checks as in the wizard come first, and nothing is created if one of them refuses. Progress goes to standard
/// error, the summary to standard output. Ctrl-C stops after the request in progress and lists what exists.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ApplyArgs {
    /// The plan file (TOML).
    #[arg(value_name = "PLAN.toml")]
    plan: PathBuf,
    /// Check everything against the cloud, print what would be created, and create nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    creation: CreationArgs,
}

enum Prepared {
    Plan(Box<Plan>, KeyOrigin, Box<SignedIn>, Instant, Vec<RegionRead>),
    Existing(Box<ExistingReport>),
}

impl Answering for ApplyArgs {
    fn options(&self) -> &AnswerArgs {
        &self.creation.answer
    }

    fn untouched(&self) -> &'static str {
        "Nothing was created."
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        match until_signal(signals, self.prepare(sign_in)).await? {
            Prepared::Existing(existing) => Ok((*existing).into()),
            Prepared::Plan(plan, ..) if self.dry_run => Ok(DryRun::new(&plan).into()),
            Prepared::Plan(plan, key, signed_in, since, regions) => {
                let cloud = &signed_in.cloud;
                let changing = match &signed_in.simulator {
                    Some(_) => Changing::unkept_creation(&plan),
                    None => Changing::begin_creation((*plan).clone(), key, cloud, state::directory()),
                };
                let changing = changing.just_read(since, regions);
                let creation = Creation { plan: &plan, cloud, changing, key, wait: self.creation.wait.duration() };
                let report = creation.make(signals).await;
                names::add(&self.creation.answer.cloud.login(), &report);
                Ok(report.in_demo(signed_in.simulator.is_some()).into())
            }
        }
    }
}

impl ApplyArgs {
    async fn prepare(&self, sign_in: &mut SignInContext) -> Result<Prepared, CommandError> {
        let file = input::plan_file(&self.plan).await?;
        let given = self.creation.key.given().await?;
        let key = if given.is_some() { KeyOrigin::Given } else { KeyOrigin::Generated };
        // A further connection to the same peer has the key of the first, which is read once the regions are.
        let needs_sharer = given.is_none() && !file.may_generate_key();
        let psk = given.unwrap_or_else(Psk::generate);
        let (profiles, mut labels) = (Profiles::built_in()?, Labels::built_in()?);
        let signed_in = sign_in.cloud(&self.creation.answer.cloud).await?;
        let cloud = &signed_in.cloud;
        let directory = state::directory().filter(|_| signed_in.simulator.is_none());
        if let Some(begun) = directory.and_then(|directory| begun(&directory, cloud, &file)) {
            return Err((&begun).into());
        }
        self.creation.clear_text.apply(cloud).await;
        let since = Instant::now();
        // Names are a courtesy, and not worth waiting for.
        let described = timeout(DESCRIPTIONS, cloud.region_descriptions());
        let (resolved, described) = tokio::join!(resolve(cloud, &file, &profiles, &psk), described);
        labels.describe(described.unwrap_or_default());
        let (draft, regions) = resolved?;
        let plan = match check(draft.clone(), &regions, &labels, VpnId::random()) {
            Ok(plan) if needs_sharer && plan.key_sharers().is_empty() => return Err(input::no_key()),
            Ok(plan) => {
                let plan = with_shared_key(plan, cloud, key).await?;
                Box::new(fitting(*plan).map_err(PrepareError::Refused)?)
            }
            Err(refusal) => {
                let refused = RefusedPlan { draft: &draft, key, file: &self.plan, regions: &regions };
                let existing = refused.existing(cloud).await.unwrap_or_else(|| Err(refusal.into()));
                return existing.map(|report| Prepared::Existing(Box::new(report)));
            }
        };
        Ok(Prepared::Plan(plan, key, Box::new(signed_in), since, regions))
    }
}
