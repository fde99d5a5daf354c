//! `osvpn status --watch`: a line for each change, or the metrics at each poll.

use std::collections::BTreeMap;
use std::io::{self, Write, stdout};
use std::time::Duration;

use itertools::Itertools;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::monitor::Monitor;
use super::{StatusArgs, Until};
use crate::cloud::{RegionId, printable};
use crate::commands::{CommandError, Conclusion, SCHEMA, SignInContext, document, until_signal};
use crate::engine::pace::WATCH_ALL;
use crate::report::{Conclude, ExitStatus, Health, Monitored};
use crate::system::signals::Signals;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WatchSubject {
    /// By the word that names it alone.
    Vpn(String),
    Region(RegionId),
}

#[derive(Clone, Debug, Default)]
struct WatchLine {
    name: String,
    /// What makes it worth telling if it changes.
    state: String,
    text: String,
    json: Value,
}

/// What was told last.
type Told = BTreeMap<WatchSubject, WatchLine>;

/// Watches until what is waited for has come, the time is up, a signal comes or nobody listens any more.
pub(super) async fn run(
    args: &StatusArgs,
    sign_in: &mut SignInContext,
    signals: &mut Signals,
) -> Result<Conclusion, CommandError> {
    let ended = watch(args, sign_in, signals).await;
    match ended {
        // Each line is an object of its own, the last one too.
        Err(error) if args.answer.json => {
            let status = error.status;
            let line = WatchLine { json: document(error.json(), &sign_in.warnings, status), ..WatchLine::default() };
            let _ = say(args, Timestamp::now(), &line);
            Ok(Conclusion::said(status))
        }
        ended => ended,
    }
}

async fn watch(
    args: &StatusArgs,
    sign_in: &mut SignInContext,
    signals: &mut Signals,
) -> Result<Conclusion, CommandError> {
    let deadline = args.timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds.min(365 * 24 * 3600)));
    let words = Vec::from_iter(args.vpn.as_deref());
    let read = Monitor::read(&args.answer.cloud, sign_in, &words, true);
    let mut monitor = until_signal(signals, read).await?;
    let (mut told, mut whole_at) = (Told::new(), Instant::now());
    loop {
        let seen = monitor.monitored()?;
        if told.is_empty() && seen.is_empty() && args.textfile.is_none() {
            return Err(monitor.nothing());
        }
        let status = status(&seen);
        match publish(args, &seen, &mut told) {
            Ok(()) => {}
            Err(Unheard::Gone) => return Ok(Conclusion::said(status)),
            Err(Unheard::Failed(error)) => return Err(error),
        }
        if is_over(args.until, &seen) {
            return Ok(Conclusion::said(status));
        }
        let next = async {
            sleep(args.interval()).await;
            let is_changed = monitor.poll().await;
            let patience = if monitor.lacks_regions() { WATCH_ALL / 5 } else { WATCH_ALL };
            if is_changed || whole_at.elapsed() >= patience {
                monitor.read_again().await;
                whole_at = Instant::now();
            }
            Ok(())
        };
        let polled = match deadline {
            Some(deadline) => timeout_at(deadline, until_signal(signals, next)).await,
            None => Ok(until_signal(signals, next).await),
        };
        match polled {
            Ok(polled) => polled?,
            Err(_) => return Ok(Conclusion::said(status)),
        }
    }
}

/// As `osvpn status` ends, and `osvpn doctor` where there are several.
fn status(seen: &Monitored) -> ExitStatus {
    let unread = seen.unread().next().map(|_| ExitStatus::Failed);
    let vpns = seen.vpns.iter().map(Conclude::exit_status).chain(seen.unmade.iter().map(Conclude::exit_status));
    ExitStatus::worst(vpns.chain(unread))
}

fn is_over(until: Option<Until>, seen: &Monitored) -> bool {
    let current = || seen.vpns.iter().filter(|health| seen.is_current(health.vpn()));
    match until {
        None => false,
        Some(Until::Active) => {
            let are_all = seen.unmade.is_empty() && seen.unread().next().is_none();
            are_all && !seen.vpns.is_empty() && current().all(|health| health.vpn().is_active())
        }
        Some(Until::Down) => current().any(|health| !health.vpn().is_active()),
    }
}

enum Unheard {
    /// The reader has seen enough.
    Gone,
    Failed(CommandError),
}

fn publish(args: &StatusArgs, seen: &Monitored, told: &mut Told) -> Result<(), Unheard> {
    if args.textfile.is_some() {
        return args.publish(args.metrics(seen)).map(drop).map_err(Unheard::Failed);
    }
    let now = lines_of(seen, told);
    let ended =
        told.iter().filter(|(subject, _)| !now.contains_key(subject)).map(|(subject, line)| line.ended(subject));
    let is_new =
        |(subject, line): &(&WatchSubject, &WatchLine)| told.get(subject).is_none_or(|told| told.state != line.state);
    let news: Vec<WatchLine> = ended.chain(now.iter().filter(is_new).map(|(_, line)| line.clone())).collect();
    *told = now;
    news.iter().try_for_each(|line| say(args, Timestamp::now(), line)).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Unheard::Gone,
        _ => Unheard::Failed(CommandError::internal(error)),
    })
}

/// How everything stands. Of a VPN in a region that could not be read, what was told last holds.
fn lines_of(seen: &Monitored, told: &Told) -> Told {
    let vpns = seen.vpns.iter().filter_map(|health| {
        let subject = WatchSubject::Vpn(health.named().1.to_owned());
        let line = if seen.is_current(health.vpn()) { WatchLine::of(health) } else { told.get(&subject)?.clone() };
        Some((subject, line))
    });
    let regions = seen.regions.iter().filter_map(|(region, why)| {
        let why = why.as_ref()?;
        let text = format!("could not be read: {why}");
        let json = json!({ "region": region, "outcome": "unread", "problems": [why] });
        Some((
            WatchSubject::Region(region.clone()),
            WatchLine { name: region.to_string(), text, json, ..WatchLine::default() },
        ))
    });
    vpns.chain(regions).collect()
}

impl WatchLine {
    fn of(health: &Health) -> Self {
        let text = health.in_short();
        let findings = health.faults().map(|(check, _)| check.id).join(" ");
        let json = serde_json::to_value(health).unwrap_or_default();
        Self { name: health.named().0.to_owned(), state: format!("{text} {findings}"), text, json }
    }

    /// What is told of it when it is there no more.
    fn ended(&self, subject: &WatchSubject) -> Self {
        let (text, json) = match subject {
            WatchSubject::Vpn(id) => ("is gone", json!({ "name": self.name, "id": id, "outcome": "gone" })),
            WatchSubject::Region(region) => ("can be read again", json!({ "region": region, "outcome": "read" })),
        };
        Self { text: text.to_owned(), json, ..self.clone() }
    }
}

fn say(args: &StatusArgs, at: Timestamp, WatchLine { name, text, json, .. }: &WatchLine) -> io::Result<()> {
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut out = stdout();
    if args.answer.json {
        let mut json = json.clone();
        json["schema"] = json!(SCHEMA);
        json["at"] = json!(at);
        writeln!(out, "{json}")?;
    } else {
        writeln!(out, "{at}  {}", printable(&format!("{name}: {text}")))?;
    }
    out.flush()
}
