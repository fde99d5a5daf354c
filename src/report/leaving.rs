//! What is said when the wizard is left: the result, the next command, and in single mode what the owner of the peer has to be
//! told. `osvpn --verbose` prints the reports in full, and `osvpn status` has the rest.

use std::fmt::{self, Display, Formatter, Write as _};

use itertools::Itertools;

use super::change::StepOutcome;
use super::rollback::RollbackOutcome;
use super::wrap::{hanging_in, wrapped};
use super::{
    ChangeReport, CreationOutcome, CreationReport, DEMO, DoubtReport, FailureReport, HalfReport, Health, RollbackReport,
};
use crate::inspect::Condition;
use crate::inspect::diagnosis::agents_report;
use crate::plan::ShellCommand;
use crate::plan::shell::osvpn;

/// No more lines than leave something of the shell in sight.
const MOST_LINES: usize = 20;

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

    /// Commands are never wrapped.
    fn ways(&mut self, ways: &[Way]) {
        let widest = ways.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
        for (what, command) in ways {
            let _ = writeln!(self.text, "{what:<widest$}  {command}");
        }
    }

    pub fn creation(&mut self, report: &CreationReport) {
        self.say(&report.brief_headline());
        report.failures.iter().for_each(|failure| self.failure(failure));
        if let (Some(handover), false) = (&report.handover, report.is_empty()) {
            self.say(crate::engine::handover::HANDOVER_TITLE);
            for (label, value, command) in handover.rows() {
                self.hang(&format!("  {label:<16} "), &value);
                if let Some(command) = command {
                    let _ = writeln!(self.text, "    {command}");
                }
            }
        } else if !report.removal.is_empty() {
            report.halves.iter().for_each(|half| self.hang(&format!("  {} ", half.half), &brief_half(half)));
        }
        report.health.iter().for_each(|health| self.health(report, health));
        report.doubtful.iter().take(2).for_each(|doubt| self.doubt(doubt));
        if report.outcome == CreationOutcome::Active && !report.leftovers.is_empty() {
            self.say("Some objects are left over, and not used by the VPN: osvpn list shows them.");
        }
        if report.is_demo {
            return self.say(DEMO);
        }
        self.ways(&report.ways());
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

    pub(crate) fn rollback(&mut self, report: &RollbackReport) {
        self.say(&report.brief_headline());
        report.failures.iter().take(1).for_each(|failure| self.failure(failure));
        match report.failures.len() {
            0 | 1 => {}
            count => self.say(&format!("{} more could not be deleted.", count - 1)),
        }
        if !report.spared.is_empty() {
            self.say(&format!("Kept, because osvpn did not send them as they are: {}", report.spared.join(", ")));
        }
        report.doubtful.iter().take(2).for_each(|doubt| self.doubt(doubt));
        if report.outcome != RollbackOutcome::Undone {
            self.ways(&[("To continue the rollback:", osvpn("rollback").operand(&report.name))]);
        }
    }

    /// As many changes as there is room for, those that are not done first.
    pub fn changes(&mut self, reports: &[ChangeReport], is_demo: bool) {
        let order = reports.iter().sorted_by_key(|report| report.is_done());
        let mut left = 0;
        for report in order {
            let mut one = Self { columns: self.columns, text: String::new() };
            one.change(report);
            let is_first = self.text.is_empty();
            if left > 0 || !is_first && self.lines() + one.lines() > MOST_LINES - 4 {
                left += 1;
            } else {
                self.text.push_str(&one.text);
            }
        }
        match left {
            0 => {}
            1 => self.say("One more change is not shown: osvpn list says how every VPN stands."),
            left => self.say(&format!("{left} more changes are not shown: osvpn list says how every VPN stands.")),
        }
        if is_demo {
            self.say(DEMO);
        }
    }

    fn change(&mut self, report: &ChangeReport) {
        let after = report.after.as_ref().map(|after| format!(" {}", after.conclusion())).unwrap_or_default();
        self.say(&format!("{}{after}", report.headline()));
        report.failure.iter().for_each(|failure| self.failure(failure));
        for caveat in report.caveats.iter().take(3) {
            self.hang("warning: ", &caveat.text);
            if let Some(command) = &caveat.command {
                let _ = writeln!(self.text, "  {command}");
            }
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
    #[must_use]
    pub fn lines(&self) -> usize {
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

    /// The next commands; the last one continues.
    fn ways(&self) -> Vec<Way> {
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
