//! Changes of VPNs that exist, which were interrupted: finished or rolled back from their journals.

use std::path::PathBuf;

use super::super::confirm::{Assent, confirm};
use super::super::options::CloudArgs;
use super::super::rollback::RollbackArgs;
use super::super::run_change::run_change;
use super::super::verify::Verification;
use super::super::{CommandError, Conclusion, SignInContext, until_signal};
use super::{ResumeArgs, choose};
use crate::engine::journal::Record;
use crate::engine::{Changing, Direction};
use crate::plan::shell::osvpn;
use crate::sign_in::SignedIn;
use crate::system::signals::Signals;

/// A creation or a change that was interrupted.
pub(in super::super) struct ChangeToResume {
    pub(super) journal: PathBuf,
    pub(super) record: Record,
}

impl ChangeToResume {
    pub(in super::super) async fn resume(
        &self,
        args: &ResumeArgs,
        sign_in: &mut SignInContext,
        signals: &mut Signals,
    ) -> Result<Conclusion, CommandError> {
        let Self { record, .. } = self;
        if record.direction() == Direction::Back && record.is_reversible() {
            let problem = format!(
                "{} was being rolled back when it was interrupted; {} continues. To carry the change out after all, roll it \
                 back first, and then begin it again",
                record.change,
                osvpn("rollback").operand(&record.change.subject)
            );
            return Err(CommandError::refused(problem));
        }
        let key = if record.needs_key() { until_signal(signals, args.creation.key.given()).await? } else { None };
        let (changing, signed_in) = until_signal(signals, self.open(&args.creation.answer.cloud, sign_in)).await?;
        let cloud = &signed_in.cloud;
        args.creation.clear_text.apply(cloud).await;
        let mut report = run_change(changing, key.as_ref(), cloud, signals, Direction::Forward).await;
        let verification = Verification { cloud, regions: None, wait: args.creation.wait.duration() };
        verification.verify(std::slice::from_mut(&mut report), signals).await;
        Ok(report.into())
    }

    /// Undoes what it has done, if that is still possible.
    pub(in super::super) async fn roll_back(
        &self,
        args: &RollbackArgs,
        sign_in: &mut SignInContext,
        signals: &mut Signals,
    ) -> Result<Conclusion, CommandError> {
        let (changing, signed_in) = until_signal(signals, self.open(&args.change.answer.cloud, sign_in)).await?;
        let change = changing.change();
        if let Some(why) = changing.course().why_final() {
            let problem = format!(
                "{change} cannot be rolled back any more: {why}; {} finishes it",
                osvpn("resume").operand(&change.subject)
            );
            return Err(CommandError::refused(problem));
        }
        if !args.change.yes {
            let shown = format!("This rolls back {change}, as far as it was done.\n");
            if !confirm(&shown, "Roll back?", Assent::Yes, signals).await? {
                return Err(CommandError::stopped());
            }
        }
        args.clear_text.apply(&signed_in.cloud).await;
        Ok(run_change(changing, None, &signed_in.cloud, signals, Direction::Back).await.into())
    }

    async fn open(&self, cloud: &CloudArgs, sign_in: &mut SignInContext) -> Result<(Changing, SignedIn), CommandError> {
        let signed_in = sign_in.cloud(cloud).await?;
        let changing = Changing::open(&self.journal)?;
        if !changing.is_of(&signed_in.cloud) {
            return Err(CommandError::unusable(choose::elsewhere(&self.record, &signed_in.cloud)));
        }
        Ok((changing, signed_in))
    }
}
