//! `osvpn` without a command: the wizard's start, and what is said when it ends.

use std::io::{self, IsTerminal, Write, stderr, stdin, stdout};
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::error::searched_in_words;
use super::input;
use super::options::{CloudArgs, WaitArgs};
use super::{CommandError, complain, document, names, options, runtime};
use crate::change::{Change, Verb};
use crate::cloud::OtherSubnets;
use crate::engine::{Course, WorkEnd};
use crate::plan::{Labels, Profile, Profiles, Psk, VpnId};
use crate::report::{
    ChangeReport, ChangeReports, CreationEnd, CreationReport, DEMO, ExitStatus, FailureReport, Health, Leaving,
    ListedInterruption, RollbackReport,
};
use crate::sign_in::{self, Login, Problem};
use crate::system::signals;
use crate::tui::terminal::{self, Console, Device, Guard, LineConsole};
use crate::tui::{self, Ended, Tty, Why};
use crate::view::Theme;
use crate::wizard::work::{Row, RowState, What, Work, WorkList};
use crate::wizard::{Beginning, Model, Start};

#[derive(Clone, Debug, Args)]
pub(crate) struct WizardArgs {
    #[command(flatten)]
    cloud: CloudArgs,
    /// The policy profile to preselect [default: the one that fits the regions].
    #[arg(long, value_parser = options::profile())]
    profile: Option<Profile>,
    /// Begin with the answers of this plan file, at the review. What the cloud does not have of it stays to be chosen.
    #[arg(long, value_name = "PLAN.toml")]
    plan: Option<PathBuf>,
    /// Begin with what the other side has sent: a swanctl.conf or ipsec.conf, AWS's download for "Generic", a part of the
    /// configuration of FortiOS or Cisco IOS, or a sheet of osvpn peer; - for standard input. It fills in the peer, the
    /// policy and the key, and says what of it was not understood.
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    from: Option<PathBuf>,
    #[command(flatten)]
    wait: WaitArgs,
    /// Ask in lines that are only appended, for terminals without a screen and for screen readers; also with ACCESSIBLE=1 or
    /// TERM=dumb.
    #[arg(long)]
    plain: bool,
    /// When it ends, print every id, every check and every command instead of the result and the next command.
    #[arg(long, conflicts_with = "json")]
    verbose: bool,
    /// When it ends, print one JSON document on standard output; the screen is shown on the terminal all the same.
    #[arg(long)]
    json: bool,
}

/// Whether the variable asks for lines: set to anything but 0.
fn is_accessible() -> bool {
    std::env::var_os("ACCESSIBLE").is_some_and(|value| !value.is_empty() && value != "0")
}

impl WizardArgs {
    fn is_in_lines(&self) -> bool {
        self.plain || is_accessible() || terminal::is_dumb()
    }

    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        let in_lines = self.is_in_lines();
        let device = Device::find().filter(|_| !in_lines || stdin().is_terminal());
        let Some(device) = device else {
            return self.unusable(&CommandError::unusable(self.no_terminal()));
        };
        let runtime = runtime()?;
        let plan = match self.plan.as_deref().map(|path| runtime.block_on(input::plan_file(path))).transpose() {
            Ok(plan) => plan.map(Box::new),
            Err(error) => return self.unusable(&error),
        };
        let received = match self.from.as_deref().map(|path| runtime.block_on(input::received(path))).transpose() {
            Ok(received) => received.map(Box::new),
            Err(error) => return self.unusable(&error),
        };
        let beginning = Beginning {
            login: self.cloud.login(),
            in_lines,
            size: if in_lines { LineConsole.size() } else { terminal::size() },
            profiles: Profiles::built_in().map_err(io::Error::other)?,
            labels: Labels::built_in().map_err(io::Error::other)?,
            vpn: VpnId::random(),
            psk: Psk::generate(),
            profile: self.profile,
            plan,
            received,
            wait: self.wait.duration(),
        };
        terminal::on_panic();
        let ended = if in_lines { in_lines_on(device, beginning)? } else { on_screen(device, beginning)? };
        Ok(self.farewell(&ended))
    }

    /// It cannot even begin.
    fn unusable(&self, error: &CommandError) -> io::Result<ExitStatus> {
        if self.json {
            writeln!(stdout(), "{:#}", document(error.json(), &[], error.status))?;
        } else {
            let text = error.text("");
            let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
            complain(first);
            write!(stderr(), "{rest}")?;
        }
        Ok(error.status)
    }

    /// Why the wizard cannot ask anybody here, and what to do.
    fn no_terminal(&self) -> String {
        let missing =
            if stdin().is_terminal() { "there is none to show it on" } else { "standard input is not a terminal" };
        let mut text = format!(
            "the wizard needs a terminal, but {missing}.\n\
             Over ssh, ask for a terminal: ssh -t HOST osvpn\n\
             Without one, write the answers into a plan file and use: osvpn apply PLAN.toml (see osvpn apply --help)"
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
        text
    }
}

/// What a person can do about it, and where credentials were looked for.
fn explained(problem: &Problem) -> String {
    let mut text = problem.text.join("\n");
    if let Some(error) = &problem.error {
        text.push('\n');
        text.push_str(&FailureReport::new("signing in", error).to_string());
    }
    text.push('\n');
    text.push_str(&searched_in_words(&problem.looked_for));
    text
}

/// The terminal is given back before anything is said.
fn on_screen(device: &'static Device, beginning: Beginning) -> io::Result<Ended> {
    let theme = Theme::new(terminal::wants_color(), terminal::has_signs()).moving(terminal::wants_motion());
    running(async {
        let signals = signals::listen_at_terminal(device.input()?)?;
        let input = tui::input::listen(device.input()?)?;
        let _guard = Guard::take()?;
        // When it is dropped it shows the cursor, and panics if neither that nor complaining about it works, as after a
        // hang-up. The guard shows the cursor.
        let mut terminal = ManuallyDrop::new(terminal::canvas(device.output())?);
        let front = tui::FullScreen::new(&mut terminal, Console, &theme);
        Ok(Box::pin(tui::run(front, input, signals, beginning)).await)
    })
}

fn in_lines_on(device: &'static Device, beginning: Beginning) -> io::Result<Ended> {
    running(async {
        let signals = signals::listen_at_terminal(device.input()?)?;
        let input = tui::input::listen_to_lines(device.input()?)?;
        let _guard = Guard::take_lines()?;
        let front = tui::Lines::new(device.output(), LineConsole, Theme::of_lines(terminal::has_signs()));
        Ok(Box::pin(tui::run(front, input, signals, beginning)).await)
    })
}

fn running(wizard: impl Future<Output = io::Result<Ended>>) -> io::Result<Ended> {
    let runtime = runtime()?;
    let ended = runtime.block_on(wizard);
    runtime.shutdown_background();
    ended
}

impl WizardArgs {
    /// Says how it ended, on the normal screen. The terminal may be gone.
    fn farewell(&self, ended: &Ended) -> ExitStatus {
        let Ended { model, why } = ended;
        // What went wrong with the program comes first: the last line says how to continue.
        match why {
            Why::Finished | Why::Signal(_) => {}
            Why::Terminal(error) => complain(&format!("the terminal is gone: {error}")),
            Why::Panic(words) => complain(&format!("internal error: {words}")),
        }
        remember(model);
        let (status, text) = farewell_of(model, self.verbose, terminal::size().0);
        let status = match why {
            Why::Finished => status,
            // A hang-up, whether or not its signal has come yet.
            Why::Signal(_) | Why::Terminal(_) => ExitStatus::Stopped,
            Why::Panic(_) => ExitStatus::Panicked,
        };
        let text = if self.json { format!("{:#}\n", json_of(model, status)) } else { text };
        let _ = stdout().write_all(text.as_bytes());
        status
    }
}

/// Keeps the names of what was read and created, for the shell to complete.
fn remember(model: &Model) {
    let login = &model.shell.login;
    if let Some(overview) = model.vpns.seen() {
        names::remember(login, &overview.inspection, OtherSubnets::OfRouters);
    }
    for creation in creations_of(&model.work, false) {
        if let CreationEnd::Forward(report) = creation {
            names::add(login, &report);
        }
    }
}

/// What was done, in the words that `apply` and the commands for changes have for it.
fn json_of(model: &Model, status: ExitStatus) -> Value {
    let session = model.shell.session();
    let is_demo = session.is_some_and(|session| session.is_demo);
    let warnings = session.map_or(&[][..], |session| &session.warnings);
    let json = match &model.shell.start {
        Start::Problem(problem) if model.work.current.is_none() => CommandError::from(problem.clone()).json(),
        _ => json!({
            "creations": creations_of(&model.work, is_demo),
            "changes": changes_of(&model.work, is_demo),
        }),
    };
    document(json, warnings, status)
}

/// What is said at the end, for a terminal of that many columns: every report in full, or the result and what comes next.
pub fn farewell_of(model: &Model, is_verbose: bool, columns: u16) -> (ExitStatus, String) {
    let is_demo = model.shell.session().is_some_and(|session| session.is_demo);
    let changes = changes_of(&model.work, is_demo);
    let creations = creations_of(&model.work, is_demo);
    let created = creations.iter().map(CreationEnd::exit_status).max();
    let status = created.max(ChangeReports::exit_status_of(&changes));
    let Some(status) = status else { return without_work(model, is_verbose, columns) };
    if is_verbose {
        let mut parts: Vec<String> = changes.iter().map(ToString::to_string).collect();
        parts.extend(creations.iter().map(CreationEnd::in_full));
        if is_demo && creations.is_empty() {
            parts.push(format!("{DEMO}\n"));
        }
        return (status, parts.join("\n"));
    }
    let mut brief = Leaving::new(columns);
    brief.session(&creations, &changes, is_demo);
    (status, brief.to_string())
}

fn without_work(model: &Model, is_verbose: bool, columns: u16) -> (ExitStatus, String) {
    let left = || {
        let interruptions = model.shell.session().into_iter().flat_map(|session| &session.interruptions);
        interruptions.map(|one| ListedInterruption::new(one).to_string()).collect::<String>()
    };
    if model.screen().is_of_existing() {
        // Looking is complete in itself: nothing was stopped.
        return (ExitStatus::Done, format!("Nothing was changed.\n{}", left()));
    }
    let Start::Problem(problem) = &model.shell.start else {
        return (ExitStatus::Stopped, format!("Nothing was created.\n{}", left()));
    };
    // Without a request that failed there was nothing to sign in with, as for `osvpn apply`.
    let status = if problem.error.is_some() { ExitStatus::Failed } else { ExitStatus::Usage };
    if is_verbose {
        let explained = explained(problem);
        return (status, format!("{}: {explained}\nNothing was created.\n", problem.title));
    }
    let mut brief = Leaving::new(columns);
    // Without a request the text alone says all of it.
    if problem.error.is_some() || problem.text.is_empty() {
        brief.say(&format!("{}.", problem.title));
    }
    problem.text.iter().for_each(|text| brief.say(text));
    problem.error.iter().for_each(|error| brief.failure(&FailureReport::new("signing in", error)));
    searched_in_words(&problem.looked_for).lines().for_each(|line| brief.say(line));
    brief.say("Nothing was created.");
    (status, brief.to_string())
}

/// The reports of all creations of a session whose VPN was not deleted afterwards.
fn creations_of(list: &WorkList, is_demo: bool) -> Vec<CreationEnd> {
    let all: Vec<&Work> = list.earlier.iter().chain(&list.current).collect();
    let mut creations = Vec::new();
    for (at, work) in all.iter().enumerate().filter(|(_, work)| work.is_creation()) {
        let Change { subject, .. } = work.change();
        let later = || all[at + 1..].iter().filter(|later| later.change().subject == *subject);
        let is_over = |later: &&&Work| later.is_creation() || later.is_done() && later.change().verb == Verb::Delete;
        if later().any(|later| is_over(&later)) {
            continue;
        }
        let is_admitted = later().any(|later| later.is_done() && later.change().verb == Verb::AdmitTraffic);
        creations.push(match report_of(work) {
            Some(report) => {
                let report = report.in_demo(is_demo);
                CreationEnd::Forward(Box::new(if is_admitted { report.admitted() } else { report }))
            }
            None => CreationEnd::Back(rollback_of(work)),
        });
    }
    creations
}

/// How far work is, and how it ended. One that was given up while it worked was stopped; what was in progress then is in doubt.
fn stood(work: &Work) -> (Course, WorkEnd) {
    let mut course = work.course.clone();
    let under_way = |row: &&Row| matches!(row.state, RowState::Running(_) | RowState::RollingBack(_));
    for row in work.rows.iter().filter(|_| work.is_working()).filter(under_way) {
        if let What::Object(task) = &row.what {
            course.progress.doubt(*task);
        }
    }
    (course, work.end().cloned().unwrap_or(WorkEnd::Stopped))
}

/// The report of a creation. None of one without a plan, which is a rollback.
pub fn report_of(work: &Work) -> Option<CreationReport> {
    let plan = work.plan.as_ref()?;
    let (course, ended) = stood(work);
    let report = CreationReport::new(plan, &course, work.direction, &ended, &work.watch.standing, work.key);
    let examined = work.watch.examined.as_ref().and_then(|examined| examined.as_deref().ok());
    Some(report.with_health(examined).with_pauses(plan, &course, &work.pauses))
}

fn rollback_of(work: &Work) -> RollbackReport {
    let deleted = work.rows.iter().filter(|row| row.state == RowState::RolledBack).count();
    RollbackReport::new(&work.course, deleted, &stood(work).1)
}

/// None of one that could not even begin, unless others waited for it. One that was given up has a journal unless its cloud
/// ends with the program.
fn change_of(work: &Work, is_demo: bool) -> Option<ChangeReport> {
    let (course, ended) = stood(work);
    // Alone it leaves nothing to tell; of several, it is why the rest was not begun either.
    if let WorkEnd::NotBegun(why) = &ended {
        return work.turn.map(|_| ChangeReport::not_begun(course.change, &why.join("; ")));
    }
    let mut report = ChangeReport::new(&course, &ended, work.direction);
    if work.is_working() && work.is_unfinished() && !is_demo {
        report.go_on = Some(course.go_on(work.direction));
    }
    report.notes.clone_from(&work.notes);
    let health = |(vpn, diagnosis): &(_, _)| Health::new(vpn, diagnosis).of_the_halves().brief();
    report.after = work.after.as_deref().map(health);
    Some(report)
}

/// The reports of all changes of a session. What could not begin is not told of if it was done later.
pub fn changes_of(list: &WorkList, is_demo: bool) -> Vec<ChangeReport> {
    let all: Vec<_> = list.changes().collect();
    let mut reports = Vec::new();
    for (at, work) in all.iter().enumerate() {
        let subject = &work.change().subject;
        let is_superseded = || all[at + 1..].iter().any(|later| later.change().subject == *subject);
        if !matches!(work.end(), Some(WorkEnd::NotBegun(_))) || !is_superseded() {
            reports.extend(change_of(work, is_demo));
        }
    }
    let left = list.left.iter().map(|(change, is_stopped)| (change, *is_stopped));
    let waiting = list.queue.iter().map(|proposal| (&proposal.change, list.is_stopped));
    reports
        .extend(left.chain(waiting).map(|(change, is_stopped)| ChangeReport::left(change.clone(), None, is_stopped)));
    reports
}
