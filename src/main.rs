//! The program: what the command line asks for, and the exit code that says how it went.

use std::io::{self, BufWriter, IsTerminal, Write, stderr, stdin, stdout};
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::time::Duration;

use clap::CommandFactory;
use osvpn::apply::{Answer, apply};
use osvpn::bug_report::bug_report;
use osvpn::cli::{Cli, Command, WizardArgs};
use osvpn::plan::{Labels, Profiles, Psk, VpnId};
use osvpn::report::{ChangeReport, Failure, Report, Rollback};
use osvpn::resume::{resume, rollback};
use osvpn::sign_in::{Login, Problem};
use osvpn::signals::Signal;
use osvpn::simulator::{self, Simulator};
use osvpn::tui::terminal::{self, Console, Guard};
use osvpn::tui::{self, Ended, Why, input};
use osvpn::view::Theme;
use osvpn::wizard::{Beginning, Start};
use osvpn::{hardening, log, operate, sign_in, signals};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;

fn main() -> ExitCode {
    hardening::harden();
    let cli = Cli::of_process();
    if let Err(error) = log::start() {
        complain(&format!("{error}; going on without a log"));
    }
    let code = match cli.command {
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "osvpn", &mut text);
            print_whole(&text)
        }
        Some(Command::Man) => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut text).and_then(|()| print_whole(&text))
        }
        Some(Command::Apply(args)) => answered(args.json, async |signals| apply(&args, signals).await),
        Some(Command::Resume(args)) => answered(args.json, async |signals| resume(&args, signals).await),
        Some(Command::Rollback(args)) => answered(args.json, async |signals| rollback(&args, signals).await),
        Some(Command::List(args)) => answered(args.json, async |signals| operate::list(&args, signals).await),
        Some(Command::Status(args)) => answered(args.json, async |signals| operate::status(&args, signals).await),
        Some(Command::Doctor(args)) => answered(args.json, async |signals| operate::doctor(&args, signals).await),
        Some(Command::Delete(args)) => {
            answered(args.change.json, async |signals| operate::delete(&args, signals).await)
        }
        Some(Command::RotatePsk(args)) => {
            answered(args.change.json, async |signals| operate::rotate_psk(&args, signals).await)
        }
        Some(Command::SetSubnets(args)) => {
            answered(args.change.json, async |signals| operate::set_subnets(&args, signals).await)
        }
        Some(Command::Admit(args)) => answered(args.change.json, async |signals| operate::admit(&args, signals).await),
        Some(Command::BugReport(args)) => with_runtime(async {
            let written = bug_report(&args, &mut stdout(), &mut stderr()).await;
            written
                .map(|()| 0)
                .or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(0) } else { Err(error) })
        }),
        Some(Command::DemoCloud { listen, token_life }) => with_runtime(demo_cloud(listen, token_life)),
        None => wizard(&cli.wizard),
    };
    code.map_or_else(
        |error| {
            complain(&error.to_string());
            ExitCode::from(1)
        },
        ExitCode::from,
    )
}

/// Prints a text. A reader that has seen enough of it is no failure.
fn print_whole(text: &[u8]) -> io::Result<u8> {
    match stdout().write_all(text).and_then(|()| stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(0),
    }
}

fn complain(what: &str) {
    let _ = writeln!(stderr(), "osvpn: {what}");
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn with_runtime(work: impl Future<Output = io::Result<u8>>) -> io::Result<u8> {
    let runtime = runtime()?;
    let code = runtime.block_on(work);
    // A name being looked up cannot be called off, and is not worth waiting for.
    runtime.shutdown_background();
    code
}

/// Runs a command that ends with an answer, prints that, and takes its exit code.
fn answered(json: bool, work: impl AsyncFnOnce(UnboundedReceiver<Signal>) -> Answer) -> io::Result<u8> {
    with_runtime(async {
        let answer = work(signals::listen()?).await;
        let printed = answer.print(json, &mut stdout(), &mut stderr()).and_then(|()| stdout().flush());
        let code = answer.exit_code();
        match printed {
            // A reader that has gone away changes nothing about what was done; one that got less than all was told less.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                complain(&format!("the answer could not be written: {error}"));
                Ok(code.max(1))
            }
            _ => Ok(code),
        }
    })
}

async fn demo_cloud(listen: std::net::SocketAddr, token_life: Option<u64>) -> io::Result<u8> {
    let mut signals = signals::listen()?;
    let mut settings = simulator::Settings { listen, ..simulator::Settings::demo() };
    if let Some(seconds) = token_life {
        settings.token_lifetime = Duration::from_secs(seconds);
    }
    let simulator = Simulator::start(settings).await?;
    let mut out = stdout();
    writeln!(out, "unset OS_CLOUD")?;
    for (name, value) in simulator.environment() {
        writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    out.flush()?;
    complain("the demo cloud is running; give these lines to another shell. Ctrl-C ends it.");
    signals.recv().await;
    Ok(0)
}

/// What stands in the way of a full-screen program here.
fn no_screen(args: &WizardArgs) -> Option<String> {
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
    match args.cloud.login() {
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
        text.push_str(&Failure::new("signing in", error).to_string());
    }
    for (place, found) in &problem.looked_for {
        text.push_str(if *found { "\n  there    " } else { "\n  missing  " });
        text.push_str(place);
    }
    text
}

fn wizard(args: &WizardArgs) -> io::Result<u8> {
    if let Some(why) = no_screen(args) {
        complain(&why);
        return Ok(2);
    }
    let beginning = Beginning {
        login: args.cloud.login(),
        size: terminal::size(),
        profiles: Profiles::built_in().map_err(io::Error::other)?,
        labels: Labels::built_in().map_err(io::Error::other)?,
        vpn: VpnId::random(),
        psk: Psk::generate(),
        profile: args.profile.map(Into::into),
        wait: args.wait.duration(),
    };
    let theme = Theme::new(terminal::wants_color(), terminal::is_utf8());
    terminal::on_panic();
    let ended = with_terminal(beginning, &theme)?;
    Ok(farewell(&ended))
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
fn farewell(ended: &Ended) -> u8 {
    let Ended { model, why } = ended;
    let mut out = stdout();
    // What went wrong with the program comes first: the last line is the one that says how to go on.
    match why {
        Why::Finished | Why::Signal(_) => {}
        Why::Terminal(error) => complain(&format!("the terminal is gone: {error}")),
        Why::Panic(words) => complain(&format!("internal error: {words}")),
    }
    let mut code = 130;
    let is_demo = model.shell.session().is_some_and(|session| session.is_demo);
    let changes = ChangeReport::of_session(&model.vpns, is_demo);
    if let Some(worst) = ChangeReport::exit_code_of(&changes) {
        code = worst;
        let text: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let _ = write!(out, "{}", text.join("\n"));
    }
    if let Some(run) = &model.run {
        if !changes.is_empty() {
            let _ = writeln!(out);
        }
        if let Some(report) = Report::of_run(run, model.new_vpn.answers.key.key_origin()) {
            code = report.exit_code();
            let _ = write!(out, "{}", report.in_demo(is_demo));
        } else {
            let rollback = Rollback::of_run(run);
            code = rollback.exit_code();
            let _ = write!(out, "{rollback}");
        }
    } else if !changes.is_empty() {
        if is_demo {
            let _ = writeln!(
                out,
                "\nThis was the demo cloud: it ends with osvpn, and nothing of this exists anywhere else."
            );
        }
    } else if model.screen.is_of_existing() {
        // Whoever only looked has not stopped anything.
        code = 0;
        let _ = writeln!(out, "Nothing was changed.");
    } else {
        if let Start::Problem(problem) = &model.shell.start {
            // Without a request that failed there was nothing to sign in with, as for `osvpn apply`.
            code = if problem.error.is_some() { 1 } else { 2 };
            let _ = writeln!(out, "{}: {}", problem.title, explained(problem));
        }
        let _ = writeln!(out, "Nothing was made.");
    }
    match why {
        Why::Finished => code,
        // A hang-up, whether or not its signal has come by now.
        Why::Signal(_) | Why::Terminal(_) => signals::STOPPED,
        Why::Panic(_) => 101,
    }
}
