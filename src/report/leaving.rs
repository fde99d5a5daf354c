//! What is said when the wizard is left: the result, the next command, and in single mode what the owner of the peer has to be
//! told. `osvpn --verbose` prints the reports in full, and `osvpn status` has the rest.

use std::fmt::{self, Display, Formatter};

use ipnet::IpNet;
use itertools::Itertools;
use serde::Serialize;

use super::change::StepOutcome;
use super::rollback::RollbackOutcome;
use super::wrap::{command_in, hanging_in, wrapped};
use super::{
    ChangeReport, Conclude, CreationOutcome, CreationReport, DEMO, DoubtReport, ExitStatus, FailureReport, HalfReport,
    Health, RollbackReport,
};
use crate::engine::handover::{HANDOVER_TITLE, Handover};
use crate::inspect::Condition;
use crate::inspect::diagnosis::agents_report;
use crate::plan::ShellCommand;
use crate::plan::shell::osvpn;

/// No more lines than leave something of the shell in sight.
const MOST_LINES: usize = 20;
/// How wide the labels of the sheet are.
const SHEET_LABEL: usize = 15;
const MOST_LINES_OF_RANGES: usize = 4;
/// What failed and, mostly, why.
const LINES_OF_A_CAUSE: usize = 3;

/// What has become of a creation.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum CreationEnd {
    Forward(Box<CreationReport>),
    Back(RollbackReport),
}

impl CreationEnd {
    pub(crate) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Forward(report) => report.exit_status(),
            Self::Back(report) => report.exit_status(),
        }
    }

    pub(crate) fn in_full(&self) -> String {
        match self {
            Self::Forward(report) => report.to_string(),
            Self::Back(report) => report.to_string(),
        }
    }
}

/// What a session has done.
#[derive(Clone, Copy)]
enum Deed<'a> {
    Creation(&'a CreationEnd),
    Change(&'a ChangeReport),
}

impl Deed<'_> {
    fn is_done(&self) -> bool {
        match self {
            Self::Creation(creation) => creation.exit_status() == ExitStatus::Done,
            Self::Change(change) => change.is_done(),
        }
    }
}

/// The text so far, for a terminal of that many columns.
#[derive(Debug)]
pub struct Leaving {
    columns: usize,
    text: String,
}

/// A command, and what it is for.
type Way = (&'static str, ShellCommand);

impl Leaving {
    #[must_use]
    pub fn new(columns: u16) -> Self {
        // The last column is left free: some terminals wrap when it is written to.
        Self { columns: usize::from(columns.clamp(40, 120)) - 1, text: String::new() }
    }

    pub fn say(&mut self, text: &str) {
        self.text.push_str(&wrapped(self.columns, text));
    }

    fn hang(&mut self, first: &str, text: &str) {
        self.text.push_str(&hanging_in(self.columns, first, text));
    }

    pub fn failure(&mut self, failure: &FailureReport) {
        for (label, value) in failure.rows() {
            self.hang(&format!("{label:<12}"), &value);
        }
    }

    fn ways(&mut self, ways: &[Way]) {
        let widest = ways.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
        for (what, command) in ways {
            self.command(&format!("{what:<widest$}  "), command);
        }
    }

    fn command(&mut self, first: &str, command: &ShellCommand) {
        self.text.push_str(&command_in(self.columns, first, &command.to_string()));
    }

    const fn blank(&self) -> Self {
        Self { columns: self.columns, text: String::new() }
    }

    /// Writes it if that many lines are left after it. Whether they are.
    fn fitting(&mut self, reserve: usize, write: impl FnOnce(&mut Self)) -> bool {
        let mut one = self.blank();
        write(&mut one);
        let is_fitting = self.lines() + one.lines() + reserve <= MOST_LINES;
        if is_fitting {
            self.text.push_str(&one.text);
        }
        is_fitting
    }

    /// All that was done, as far as there is room: what is not done first, then the latest creation.
    pub(crate) fn session(&mut self, creations: &[CreationEnd], changes: &[ChangeReport], is_demo: bool) {
        let mut demo = self.blank();
        if is_demo {
            demo.say(DEMO);
        }
        let deeds = creations.iter().rev().map(Deed::Creation).chain(changes.iter().map(Deed::Change));
        let deeds: Vec<Deed<'_>> = deeds.sorted_by_key(Deed::is_done).collect();
        let mut left = 0;
        for (at, deed) in deeds.iter().enumerate() {
            let reserve = demo.lines() + usize::from(at + 1 < deeds.len());
            if at == 0 {
                let mut next = self.blank();
                deeds.get(1).into_iter().for_each(|deed| next.brief(*deed));
                self.in_full(*deed, reserve + next.lines());
            } else if left > 0
                || !self.fitting(reserve, |text| text.in_full(*deed, 0))
                    && !self.fitting(reserve, |text| text.brief(*deed))
            {
                left += 1;
            }
        }
        let kind = if creations.is_empty() { "change" } else { "result" };
        match left {
            0 => {}
            1 => self.say(&format!("One more {kind} is not shown: osvpn list says how every VPN stands.")),
            left => self.say(&format!("{left} more {kind}s are not shown: osvpn list says how every VPN stands.")),
        }
        self.text.push_str(&demo.text);
    }

    /// Why and what else only where that many lines are left.
    fn in_full(&mut self, deed: Deed<'_>, reserve: usize) {
        match deed {
            Deed::Creation(CreationEnd::Forward(report)) => self.creation(report, reserve),
            Deed::Creation(CreationEnd::Back(report)) => self.rollback(report, reserve),
            Deed::Change(report) => self.change(report),
        }
    }

    /// The result and the command that goes on.
    fn brief(&mut self, deed: Deed<'_>) {
        let (headline, way) = match deed {
            Deed::Creation(CreationEnd::Forward(report)) => (report.brief_headline(), report.ways().pop()),
            Deed::Creation(CreationEnd::Back(report)) => (report.brief_headline(), report.way()),
            Deed::Change(report) => (report.headline(), report.ways().pop()),
        };
        self.say(&headline);
        self.ways(&Vec::from_iter(way));
    }

    fn creation(&mut self, report: &CreationReport, reserve: usize) {
        let (mut head, mut ways) = (self.blank(), self.blank());
        head.say(&report.brief_headline());
        ways.ways(&report.ways());
        let reserve = reserve + ways.lines();
        let causes = if report.failures.is_empty() { 0 } else { LINES_OF_A_CAUSE };
        let room = MOST_LINES.saturating_sub(self.lines() + head.lines() + reserve + causes);
        let objects = self.objects(report, room);
        self.text.push_str(&head.text);
        self.failures(&report.failures, reserve + objects.lines());
        self.text.push_str(&objects.text);
        self.fitting(reserve, |text| report.health.iter().for_each(|health| text.health(report, health)));
        for doubt in report.doubtful.iter().take(2) {
            self.fitting(reserve, |text| text.doubt(doubt));
        }
        if report.outcome == CreationOutcome::Active && !report.leftovers.is_empty() {
            let what = "Some objects are left over, and not used by the VPN: osvpn list shows them.";
            self.fitting(reserve, |text| text.say(what));
        }
        self.text.push_str(&ways.text);
    }

    /// The halves or, for somebody else's, the sheet with as many ranges as there is room for.
    fn objects(&self, report: &CreationReport, room: usize) -> Self {
        let mut objects = self.blank();
        if let (Some(handover), false) = (&report.handover, report.is_empty()) {
            for lines in (1..=MOST_LINES_OF_RANGES).rev() {
                objects.text.clear();
                objects.handover(report, handover, lines);
                if objects.lines() <= room {
                    break;
                }
            }
        } else if !report.removal.is_empty() {
            report.halves.iter().for_each(|half| objects.hang(&format!("  {} ", half.half), &brief_half(half)));
        }
        objects
    }

    /// Each whole, where there is room; of the first at least what failed and why.
    fn failures(&mut self, failures: &[FailureReport], reserve: usize) {
        for (at, failure) in failures.iter().enumerate() {
            let is_last = at + 1 == failures.len();
            if self.fitting(reserve + usize::from(!is_last), |text| text.failure(failure)) {
                continue;
            }
            if at > 0 {
                return self.say(&format!("{} more could not be deleted.", failures.len() - at));
            }
            failure.rows().iter().take(2).for_each(|(label, value)| self.hang(&format!("{label:<12}"), value));
        }
    }

    /// The values of the sheet, an end in a line.
    fn handover(&mut self, report: &CreationReport, handover: &Handover, lines: usize) {
        let end = |address: Option<String>, id: &str, kind: &str| match address {
            Some(address) => format!("{address} (identity {id}, {kind})"),
            None => "not given by the cloud yet".to_owned(),
        };
        let ours = handover.our_address.map(|address| address.to_string());
        let ours = end(ours, handover.our_id.as_deref().unwrap_or_default(), handover.our_id_type);
        let theirs = end(Some(handover.peer_address.clone()), &handover.peer_id, handover.peer_id_type);
        let [ike, ipsec] = handover.phases();
        let for_system = format!(" (for their system: {})", osvpn("peer").operand(report.word()));
        self.say(&format!("{HANDOVER_TITLE}{}", if report.is_demo { "" } else { &for_system }));
        for (label, value) in [
            ("connect to", ours),
            ("your address", theirs),
            ("your remote", self.ranges(&handover.our_cidrs, lines)),
            ("your local", self.ranges(&handover.peer_cidrs, lines)),
            ("IKE (phase 1)", ike),
            ("IPsec (phase 2)", ipsec),
            ("DPD", handover.dead_peer_detection()),
            ("firewall", format!("let in {}", handover.firewall.join(", "))),
            ("pre-shared key", handover.key()),
        ] {
            self.hang(&format!("  {label:<SHEET_LABEL$}  "), &value);
        }
        handover.key_command.iter().for_each(|command| self.command("    ", command));
    }

    /// As many as that many lines hold.
    fn ranges(&self, ranges: &[IpNet], lines: usize) -> String {
        let text = |count: usize| {
            let more = match ranges.len() - count {
                0 => String::new(),
                more => format!(", and {more} more (osvpn status --json)"),
            };
            format!("{}{more}", ranges.iter().take(count).join(", "))
        };
        let columns = self.columns.saturating_sub(SHEET_LABEL + 4);
        let is_fitting = |text: &String| hanging_in(columns, "", text).lines().count() <= lines;
        (1..=ranges.len()).rev().map(text).find(is_fitting).unwrap_or_else(|| text(1))
    }

    fn health(&mut self, report: &CreationReport, health: &Health) {
        let mut faults = health.faults_of_halves();
        let Some(first) = faults.next() else { return };
        let more = match faults.count() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        match health.condition() {
            // The peer is not set up yet, as a rule, and all it has to be told is above.
            Condition::NotActive if report.handover.is_some() => {}
            Condition::NotActive => self.hang("Likeliest cause: ", &format!("{}{more}", first.seen)),
            _ => self.hang("Wrong: ", &format!("{}{more}", first.seen)),
        }
    }

    fn doubt(&mut self, doubt: &DoubtReport) {
        let DoubtReport { kind, region, name, may_appear_until, .. } = doubt;
        let kind = kind.label();
        self.say(&match may_appear_until {
            Some(until) => {
                format!("One answer was lost: the {kind} {name} may still appear in {region} until {until}.")
            }
            None => format!("It is not known whether the {kind} {name} exists in {region}."),
        });
    }

    fn rollback(&mut self, report: &RollbackReport, reserve: usize) {
        let mut way = self.blank();
        way.ways(&Vec::from_iter(report.way()));
        let reserve = reserve + way.lines();
        self.say(&report.brief_headline());
        self.failures(&report.failures, reserve);
        if !report.spared.is_empty() {
            let what = format!("Kept, because osvpn did not send them as they are: {}", report.spared.join(", "));
            self.fitting(reserve, |text| text.say(&what));
        }
        for doubt in report.doubtful.iter().take(2) {
            self.fitting(reserve, |text| text.doubt(doubt));
        }
        self.text.push_str(&way.text);
    }

    fn change(&mut self, report: &ChangeReport) {
        let after = report.after.as_ref().map(|after| format!(" {}", after.conclusion())).unwrap_or_default();
        self.say(&format!("{}{after}", report.headline()));
        report.failure.iter().for_each(|failure| self.failure(failure));
        for caveat in report.caveats.iter().take(3) {
            self.hang("warning: ", &caveat.text);
            caveat.command.iter().for_each(|command| self.command("  ", command));
        }
        let kept = report.steps.iter().filter(|step| step.outcome == StepOutcome::Kept).count();
        if kept > 0 {
            self.say(&format!("{kept} of its objects are kept, because something else uses them."));
        }
        if !report.is_done() {
            self.say(&report.steps_done());
        }
        self.ways(&report.ways());
    }

    /// How many lines it takes on that terminal.
    fn lines(&self) -> usize {
        self.text.lines().map(|line| line.chars().count().div_ceil(self.columns + 1).max(1)).sum()
    }
}

impl Display for Leaving {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn brief_half(half: &HalfReport) -> String {
    let place = if half.label == half.region.as_str() {
        half.label.clone()
    } else {
        format!("{} ({})", half.label, half.region)
    };
    let address = half.external_address.map(|address| format!(", {address}")).unwrap_or_default();
    let status = half.connection_status.as_ref().map(|status| format!(": {status}")).unwrap_or_default();
    format!("{place}{status}; {}{address}; {}", half.router, half.local_cidrs.iter().join(", "))
}

impl RollbackReport {
    fn way(&self) -> Option<Way> {
        let is_left = self.outcome != RollbackOutcome::Undone;
        is_left.then(|| ("To continue the rollback:", osvpn("rollback").operand(&self.name)))
    }
}

impl CreationReport {
    /// Its name, unless that may be another VPN's too.
    fn word(&self) -> String {
        if self.is_named_alone { self.name.to_string() } else { self.id.to_string() }
    }

    fn brief_headline(&self) -> String {
        let name = &self.name;
        let exists = match self.removal.len() {
            0 if self.doubtful.is_empty() => "nothing of it exists".to_owned(),
            0 => "one object may exist".to_owned(),
            1 => "1 object exists".to_owned(),
            count => format!("{count} objects exist"),
        };
        match self.outcome {
            CreationOutcome::Active if self.missing_rules() > 0 => {
                let rules = if self.missing_rules() == 1 { "rule is" } else { "rules are" };
                format!("VPN {name} is ACTIVE, but {} security-group {rules} missing.", self.missing_rules())
            }
            CreationOutcome::Active => format!("VPN {name} is ACTIVE."),
            CreationOutcome::NotActive if self.handover.is_some() => {
                format!("VPN {name} exists, but is not ACTIVE yet.")
            }
            CreationOutcome::NotActive => {
                format!(concat!("VPN {} exists, but is not ACTIVE yet; ", agents_report!(), "."), name)
            }
            CreationOutcome::Stopped | CreationOutcome::Failed if self.is_made => {
                format!("VPN {name} exists. Whether it becomes ACTIVE was not waited for.")
            }
            CreationOutcome::Stopped => format!("Creating {name} was stopped: {exists}."),
            CreationOutcome::Failed => format!("Creating {name} failed: {exists}."),
            CreationOutcome::Overtaken => format!("VPN {name} was not created. Nothing of it is left."),
            CreationOutcome::Undone => {
                let what = if self.doubtful.is_empty() { "it created" } else { "found" };
                format!("VPN {name} was rolled back: everything {what} is deleted.")
            }
        }
    }

    /// As far as is known.
    fn missing_rules(&self) -> usize {
        match &self.health {
            Some(health) if health.knows_security_groups() => health.missing_rules(),
            _ => 0,
        }
    }

    /// The next commands; the last one continues. The demo's cloud ends with the program.
    fn ways(&self) -> Vec<Way> {
        if self.is_demo {
            return Vec::new();
        }
        let of = |command: &'static str| osvpn(command).operand(self.word());
        let knows_rules = self.health.as_ref().is_some_and(Health::knows_security_groups);
        let mut ways = Vec::new();
        match self.outcome {
            CreationOutcome::Active => {
                if self.missing_rules() > 0 || !knows_rules && !self.security_rules.is_empty() {
                    ways.push(("To let the traffic in:", of("admit")));
                }
                ways.extend(self.go_on.is_some().then(|| ("To look for it, and delete it:", of("resume"))));
                ways.push(("How it stands, and all ids:", of("status --json")));
            }
            CreationOutcome::Undone | CreationOutcome::Overtaken => {
                ways.extend(self.go_on.is_some().then(|| ("To look for it, and delete it:", of("rollback"))));
            }
            // The values for the owner of the peer leave no room for more.
            _ if self.is_made && self.handover.is_some() => {
                ways.extend([("How it stands:", of("status")), ("To wait for ACTIVE:", of("resume"))]);
            }
            _ if self.is_made => ways.extend([
                ("To delete it:", of("delete")),
                ("How it stands:", of("status")),
                ("What keeps it down, and what to do:", of("doctor")),
                ("To wait for ACTIVE:", of("resume")),
            ]),
            _ => {
                let called = |command: &ShellCommand| command.clone().called(self.word());
                let undo = self.undo.as_ref().filter(|undo| Some(*undo) != self.go_on.as_ref());
                ways.extend(undo.map(|undo| ("To delete what was created:", called(undo))));
                ways.extend(self.go_on.as_ref().map(|go_on| ("To continue:", called(go_on))));
            }
        }
        ways
    }
}
