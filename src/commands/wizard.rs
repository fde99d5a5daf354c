//! `osvpn` without a command: the wizard's start, and what is said when it ends.

use std::io::{self, BufWriter, IsTerminal, Write, stdin, stdout};
use std::mem::ManuallyDrop;

use clap::Args;

use super::options::{CloudArgs, WaitArgs};
use super::{complain, options, runtime};
use crate::engine::{ChangeError, Changed};
use crate::engine::{Ledger, Undone};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Labels, Profile, Profiles, Psk, VpnId};
use crate::report::{
    ChangeReport, ChangeReports, Conclude, CreationEnd, CreationReport, DEMO, ExitStatus, FailureReport, Health,
    RollbackReport,
};
use crate::sign_in::{self, Login, Problem};
use crate::system::signals;
use crate::tui::terminal::{self, Console, Guard};
use crate::tui::{self, Ended, Why, input};
use crate::view::Theme;
use crate::wizard::work::{self, ChangeJob, CreationJob, RowState, What, Work, WorkList};
use crate::wizard::{Beginning, Start};

#[derive(Clone, Debug, Args)]
pub(crate) struct WizardArgs {
    #[command(flatten)]
    cloud: CloudArgs,
    /// The policy profile to preselect [default: the one that fits the regions].
    #[arg(long, value_parser = options::profile())]
    profile: Option<Profile>,
    #[command(flatten)]
    wait: WaitArgs,
}

impl WizardArgs {
    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        if let Some(why) = self.no_screen() {
            complain(&why);
            return Ok(ExitStatus::Usage);
        }
        let beginning = Beginning {
            login: self.cloud.login(),
            size: terminal::size(),
            profiles: Profiles::built_in().map_err(io::Error::other)?,
            labels: Labels::built_in().map_err(io::Error::other)?,
            vpn: VpnId::random(),
            psk: Psk::generate(),
            profile: self.profile,
            wait: self.wait.duration(),
        };
        let theme = Theme::new(terminal::wants_color(), terminal::is_utf8());
        terminal::on_panic();
        let ended = with_terminal(beginning, &theme)?;
        Ok(farewell(&ended))
    }

    /// Why a full-screen program cannot run here, and what to do.
    fn no_screen(&self) -> Option<String> {
        let missing = match (stdin().is_terminal(), stdout().is_terminal(), terminal::is_dumb()) {
            (false, _, _) => "standard input is not a terminal",
            (_, false, _) => "standard output is not a terminal",
            (_, _, true) => "TERM=dumb says that this one cannot show it",
            _ => return None,
        };
        let mut text = format!("the wizard is a full-screen program and needs a terminal, but {missing}.\n");
        if !terminal::is_dumb() {
            text.push_str(&by_the_terminal());
        }
        text.push_str(
            "Without one, write the answers into a plan file and use: osvpn apply PLAN.toml (see osvpn apply --help)",
        );
        match self.cloud.login() {
            Login::Demo => {
                text.push_str("\nThe demo needs a terminal, too; osvpn demo-cloud serves the same cloud without one.");
            }
            login => {
                let name = if let Login::Named(name) = &login { Some(name.as_str()) } else { None };
                if let Err(problem) = sign_in::find(name) {
                    text.push_str("\n\n");
                    text.push_str(&explained(&problem));
                }
            }
        }
        Some(text)
    }
}

/// How a person gives the wizard the terminal that the program was not given.
fn by_the_terminal() -> String {
    let mut text = String::new();
    if !stdin().is_terminal() {
        text.push_str("At a terminal, give it that as its input: osvpn </dev/tty\n");
    }
    if !stdout().is_terminal() {
        text.push_str("At a terminal, give it that as its output: osvpn >/dev/tty\n");
    }
    text.push_str("Over ssh, ask for a terminal: ssh -t HOST osvpn\n");
    text
}

/// What a person can do about it, and where credentials were looked for.
fn explained(problem: &Problem) -> String {
    let mut text = problem.text.join("\n");
    if let Some(error) = &problem.error {
        text.push('\n');
        text.push_str(&FailureReport::new("signing in", error).to_string());
    }
    for (place, found) in &problem.looked_for {
        text.push_str(if *found { "\n  there    " } else { "\n  missing  " });
        text.push_str(place);
    }
    text
}

/// The terminal is given back before anything is said.
fn with_terminal(beginning: Beginning, theme: &Theme) -> io::Result<Ended> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let signals = signals::listen_at_terminal()?;
        let input = input::listen()?;
        let _guard = Guard::take()?;
        // When it is dropped it shows the cursor, and panics if neither that nor complaining about it works, as after a
        // hang-up. The guard shows the cursor.
        let mut terminal = ManuallyDrop::new(terminal::canvas(BufWriter::new(stdout()))?);
        Ok(tui::run(&mut terminal, input, &mut Console, signals, beginning, theme).await)
    });
    runtime.shutdown_background();
    ended
}

/// Says how it ended, on the normal screen. The terminal may be gone.
fn farewell(ended: &Ended) -> ExitStatus {
    let Ended { model, why } = ended;
    let mut out = stdout();
    // What went wrong with the program comes first: the last line says how to continue.
    match why {
        Why::Finished | Why::Signal(_) => {}
        Why::Terminal(error) => complain(&format!("the terminal is gone: {error}")),
        Why::Panic(words) => complain(&format!("internal error: {words}")),
    }
    let mut status = ExitStatus::Stopped;
    let is_demo = model.shell.session().is_some_and(|session| session.is_demo);
    let changes = changes_of(&model.work, is_demo);
    if let Some(worst) = ChangeReports::exit_status_of(&changes) {
        status = worst;
        let text: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let _ = write!(out, "{}", text.join("\n"));
    }
    if let Some(run) = model.work.creation() {
        if !changes.is_empty() {
            let _ = writeln!(out);
        }
        let report = report_of(run, model.new_vpn.answers.key.key_origin());
        let report = report.map(|report| (report.exit_status(), report.in_demo(is_demo).to_string()));
        let rollback = || rollback_of(run).map(|rollback| (rollback.exit_status(), rollback.to_string()));
        let text;
        (status, text) = report.or_else(rollback).unwrap_or((status, String::new()));
        let _ = write!(out, "{text}");
    } else if !changes.is_empty() {
        if is_demo {
            let _ = writeln!(out, "\n{DEMO}");
        }
    } else if model.screen.is_of_existing() {
        // Looking is complete in itself: nothing was stopped.
        status = ExitStatus::Done;
        let _ = writeln!(out, "Nothing was changed.");
    } else {
        if let Start::Problem(problem) = &model.shell.start {
            // Without a request that failed there was nothing to sign in with, as for `osvpn apply`.
            status = if problem.error.is_some() { ExitStatus::Failed } else { ExitStatus::Usage };
            let _ = writeln!(out, "{}: {}", problem.title, explained(problem));
        }
        let _ = writeln!(out, "Nothing was created.");
    }
    match why {
        Why::Finished => status,
        // A hang-up, whether or not its signal has come yet.
        Why::Signal(_) | Why::Terminal(_) => ExitStatus::Stopped,
        Why::Panic(_) => ExitStatus::Panicked,
    }
}

/// The report of a creation. None of one without a plan, which is a rollback.
pub fn report_of(work: &Work, key: KeyOrigin) -> Option<CreationReport> {
    let job = work.creation()?;
    let plan = job.plan.as_ref()?;
    let end = match work.end() {
        Some(work::End::Active) => CreationEnd::Active,
        Some(work::End::NotYet(standing)) => CreationEnd::NotActive(standing),
        Some(work::End::Failed(row, error)) => CreationEnd::Failed(work.task(*row)?, error),
        Some(work::End::Lost(error)) => CreationEnd::Lost(&job.standing, error),
        Some(work::End::Done) => CreationEnd::Undone,
        Some(work::End::Unsettled(_, error)) => CreationEnd::Unsettled(error.as_deref()),
        Some(work::End::Left(left)) => CreationEnd::Left(left),
        _ => CreationEnd::Stopped(&job.standing),
    };
    let report = CreationReport::new(plan, &known(work, job), end, key);
    let examined = job.examined.as_ref().and_then(|examined| examined.as_deref().ok());
    Some(report.with_health(examined).with_pauses(plan, &job.pauses))
}

/// The ledger, and as doubtful what was in progress when the run was given up.
fn known(work: &Work, job: &CreationJob) -> Ledger {
    let mut ledger = job.ledger.clone();
    for row in work.rows.iter().filter(|_| work.is_working()) {
        if let (What::Object(task), RowState::Running(_) | RowState::RollingBack(_)) = (&row.what, &row.state) {
            ledger.doubt(*task);
        }
    }
    ledger
}

fn rollback_of(work: &Work) -> Option<RollbackReport> {
    let job = work.creation()?;
    let undone = match work.end() {
        Some(work::End::Done) => Undone::Clean,
        Some(work::End::Unsettled(_, error)) => Undone::Unsettled(error.clone()),
        Some(work::End::Left(left)) => Undone::Left(left.clone()),
        _ => Undone::Stopped,
    };
    let deleted = work.rows.iter().filter(|row| row.state == RowState::RolledBack).count();
    Some(RollbackReport::new(&job.marks, &job.ledger, deleted, &undone))
}

/// None of one that could not even begin, unless others waited for it. One that was given up while it worked was stopped,
/// and has a journal unless its cloud ends with the program.
fn change_of(work: &Work, job: &ChangeJob, is_demo: bool) -> Option<ChangeReport> {
    let ended = match work.end() {
        // Alone it leaves nothing to tell; of several, it is why the rest was not begun either.
        Some(work::End::NotBegun(why)) => {
            return job.turn.map(|_| ChangeReport::not_begun(job.change().clone(), &why.join("; ")));
        }
        Some(work::End::Done) => Ok(Changed::Done),
        Some(work::End::Unsettled(Some(until), error)) => Ok(Changed::Unsettled(*until, error.clone())),
        Some(work::End::Failed(row, error)) => Err(ChangeError::Failed(*row, error.clone())),
        Some(work::End::KeyNeeded(row)) => Err(ChangeError::KeyNeeded(*row)),
        Some(work::End::TooLate) => Err(ChangeError::TooLate),
        _ => Err(ChangeError::Stopped),
    };
    let mut report = ChangeReport::new(&job.course, ended, work.direction);
    if work.is_working() && work.is_unfinished() && !is_demo {
        report.go_on = Some(job.course.go_on(work.direction));
    }
    report.notes.clone_from(&job.notes);
    let health = |(vpn, diagnosis): &(_, _)| Health::new(vpn, diagnosis).of_the_halves().brief();
    report.after = job.after.as_deref().map(health);
    Some(report)
}

/// The reports of all changes of a session. What could not begin is not told of if it was done later.
pub fn changes_of(list: &WorkList, is_demo: bool) -> Vec<ChangeReport> {
    let all: Vec<_> = list.changes().collect();
    let mut reports = Vec::new();
    for (at, (work, job)) in all.iter().enumerate() {
        let subject = &job.change().subject;
        let is_superseded = || all[at + 1..].iter().any(|(_, later)| later.change().subject == *subject);
        if !matches!(work.end(), Some(work::End::NotBegun(_))) || !is_superseded() {
            reports.extend(change_of(work, job, is_demo));
        }
    }
    let left = list.left.iter().map(|(change, is_stopped)| (change, *is_stopped));
    let waiting = list.queue.iter().map(|proposal| (&proposal.change, list.is_stopped));
    reports.extend(left.chain(waiting).map(|(change, is_stopped)| ChangeReport::left(change.clone(), is_stopped)));
    reports
}
