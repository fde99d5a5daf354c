//! `osvpn doctor`

use std::io::{self, Write};

use clap::Args;

use super::confirm::{Assent, can_be_asked, confirm};
use super::look::{ProjectVpns, look};
use super::options::{AnswerArgs, ClearTextArgs, WaitArgs};
use super::run_change::ChangeRun;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::change::{Together, fix};
use crate::inspect::{Aspects, Diagnosis, Fix, Focus, Inquiry, Vpn};
use crate::plan::Profiles;
use crate::report::{Diagnoses, ExitStatus, Health, ListedInterruption};
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn doctor                        every VPN of the project
  osvpn doctor hlz-por                that one
  osvpn doctor hlz-por --fix          fix the likeliest cause, after a question";

/// Find out why a VPN is down or carries less traffic than it should, and offer to fix it.
///
/// Reads both halves, their policies, keys, services and routers, and the security groups of the instances, and compares
/// them. Findings are ordered by how likely they are the cause, each with what it means and how to fix it. What cannot be
/// checked from here is listed too, with a ping that tries the tunnel.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", ExitStatus::help_for_monitors()))]
pub(crate) struct DoctorArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections [default: every one; with --fix or
    /// --modernise the only one].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    /// Fix the likeliest cause that osvpn can fix; asks before.
    #[arg(long, group = "fixing")]
    fix: bool,
    /// Give both halves the policies of the profile modern (IKEv2, SHA-256), whatever is found; stronger values stay. Asks
    /// before.
    #[arg(long, group = "fixing")]
    modernise: bool,
    /// Proceed without confirmation.
    #[arg(long, short, requires = "fixing")]
    yes: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    clear_text: ClearTextArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

struct Examination {
    seen: ProjectVpns,
    vpns: Vec<(Vpn, Diagnosis)>,
    unmade: Vec<ListedInterruption>,
}

impl Answering for DoctorArgs {
    fn options(&self) -> &AnswerArgs {
        &self.answer
    }

    fn untouched(&self) -> &'static str {
        if self.fixes() { "Nothing was changed." } else { "" }
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let Examination { seen, vpns, unmade } = until_signal(signals, self.examine(sign_in)).await?;
        if vpns.is_empty() && self.fixes() {
            return Err(CommandError::new(ExitStatus::Refused, unmade.iter().map(ToString::to_string)));
        }
        if let ([(vpn, diagnosis)], []) = (vpns.as_slice(), unmade.as_slice()) {
            return self.fix(&seen, vpn, diagnosis, signals).await;
        }
        let healths = vpns.iter().map(|(vpn, diagnosis)| health(&seen, vpn, diagnosis));
        Ok(Diagnoses::new(healths.collect(), unmade).into())
    }
}

fn health(seen: &ProjectVpns, vpn: &Vpn, diagnosis: &Diagnosis) -> Health {
    Health::new(vpn, diagnosis).diagnosed().with_interruption(seen.interruption_of(vpn))
}

fn diagnosed(health: Health) -> Conclusion {
    Diagnoses::new(vec![health], Vec::new()).into()
}

fn first_fix(diagnosis: &Diagnosis) -> Option<Fix> {
    let first = diagnosis.findings.get(diagnosis.first_fixable()?)?;
    first.fault().map(|fault| fault.fix.clone())
}

impl DoctorArgs {
    fn fixes(&self) -> bool {
        self.fix || self.modernise
    }

    async fn examine(&self, sign_in: &mut SignInContext) -> Result<Examination, CommandError> {
        let words = Vec::from_iter(self.vpn.as_deref());
        let inquiry = Inquiry { focus: Focus::on(&words), aspects: Aspects::ALL, ..Inquiry::default() };
        let (seen, mut background) = look(&self.answer.cloud, sign_in, inquiry).await?;
        self.clear_text.apply(seen.cloud()).await;
        let unmade: Vec<_> = seen.unmade(self.vpn.as_deref()).into_iter().map(ListedInterruption::new).collect();
        let chosen: Vec<&Vpn> = match &self.vpn {
            Some(_) if !unmade.is_empty() => Vec::new(),
            Some(wanted) => vec![seen.select(wanted)?],
            // One is changed, never one of several by chance.
            None if self.fixes() => vec![seen.only(None)?],
            None => seen.inspection.vpns.iter().collect(),
        };
        if chosen.is_empty() && unmade.is_empty() {
            return Err(seen.nothing());
        }
        background.complete(seen.cloud(), chosen.iter().copied(), Aspects::ALL).await;
        let vpns = chosen.into_iter().map(|vpn| (vpn.clone(), seen.inspection.diagnosis(vpn, &background))).collect();
        Ok(Examination { seen, vpns, unmade })
    }

    /// Tells what was found, and does the first fix there is, if that is wanted.
    async fn fix(
        &self,
        seen: &ProjectVpns,
        vpn: &Vpn,
        diagnosis: &Diagnosis,
        signals: &mut Signals,
    ) -> Result<Conclusion, CommandError> {
        let health = health(seen, vpn, diagnosis);
        if let Err(why) = seen.free(vpn) {
            return if self.fixes() { Err(why) } else { Ok(diagnosed(health)) };
        }
        let wanted = if self.modernise { Some(Fix::Modernise) } else { first_fix(diagnosis) };
        if self.fix && wanted.is_none() {
            return Ok(diagnosed(health.unchanged()));
        }
        let may_ask = !self.answer.json && can_be_asked();
        let (Some(wanted), true) = (wanted, self.fixes() || may_ask) else {
            return Ok(diagnosed(health));
        };
        let may_change = self.vpn.as_deref().map_or(Ok(()), |wanted| seen.whole(wanted).map(drop));
        let profiles = Profiles::built_in()?;
        let proposed = fix(&seen.inspection, vpn, diagnosis, &wanted, &profiles).map_err(CommandError::from);
        let proposal = match may_change.and(proposed) {
            Ok(proposal) => proposal,
            Err(why) if self.fixes() => return Err(why),
            Err(_) => return Ok(diagnosed(health)),
        };
        if !self.answer.json {
            let _ = write!(io::stdout(), "{health}").and_then(|()| io::stdout().flush());
        }
        if !self.fixes() {
            let together = Together(std::slice::from_ref(&proposal));
            let shown = format!("\nThis can be fixed now:\n{together}");
            if !confirm(&shown, &together.question(), Assent::Yes, signals).await? {
                return Ok(diagnosed(health.printed()));
            }
        }
        let is_confirmed = self.yes || !self.fixes();
        let run = ChangeRun { seen, key: None, wait: self.wait.duration(), is_confirmed };
        run.run(proposal, signals).await
    }
}
