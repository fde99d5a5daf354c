//! How one VPN stands: its two-sided proof, and what is wrong with it.

use std::fmt::{self, Display, Formatter};

use itertools::Itertools;
use serde::{Serialize, Serializer};

use super::ListedInterruption;
use super::listing::{ListedVpn, Shape};
use super::wrap::hanging;
use crate::engine::interruption::Interruption;
use crate::inspect::{Advice, Check, CheckResult, Compared, Condition, Diagnosis, Fix, Verdict, Vpn, Weight, checks};
use crate::plan::shell::osvpn;

/// What `osvpn status` and `osvpn doctor` say of a VPN.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// The VPN.
    #[serde(flatten)]
    pub vpn: ListedVpn,
    /// How it stands.
    #[serde(serialize_with = "condition_word")]
    pub condition: Condition,
    /// 0, 5, 3 or 1.
    pub exit_code: u8,
    /// Every question with its answer.
    pub checks: Vec<Row>,
    /// What is wrong, the likeliest cause first: of a VPN that is not ACTIVE only what may keep it so.
    pub findings: Vec<Row>,
    /// What else is wrong of a VPN that is not ACTIVE, and counts only once it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub once_up: Vec<Row>,
    /// What each half lets in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<GroupRow>,
    /// What cannot be seen from here and may be the cause.
    pub unseen: Vec<String>,
    /// `unchanged` if it was to be resumed and nothing was interrupted, or to be fixed and there is nothing to fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// The creation or the change of it that was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<ListedInterruption>,
    /// How to try it.
    pub try_it: String,
    /// Why it cannot be told how it stands, if that is so.
    #[serde(skip)]
    unclear: String,
    /// How it is printed.
    #[serde(skip)]
    style: Style,
}

/// How a VPN's health is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Style {
    /// Every question with its answer.
    #[default]
    Status,
    /// What is wrong, and what to do.
    Diagnosis,
    /// Only what is not as it should be: after a change.
    Brief,
    /// As a part of the report of its run.
    Run,
    /// Not at all: it was printed before a question.
    Printed,
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Cannot be seen from here.
    Open,
}

/// One question.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What is asked about.
    #[serde(serialize_with = "subject_word")]
    pub subject: Check,
    /// What is asked.
    pub question: &'static str,
    /// How it was answered.
    pub verdict: Answer,
    /// What was seen; of an open question, what to do about it.
    pub seen: String,
    /// How much it matters.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "weight_word")]
    pub weight: Option<Weight>,
    /// What it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<String>,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Commands for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Advice>,
    /// What a peer outside must have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compare: Vec<CompareRow>,
}

/// A value that the owner of a peer compares.
#[derive(Clone, Debug, Serialize)]
pub struct CompareRow {
    /// What it is.
    pub what: &'static str,
    /// What the peer must have.
    pub peer_has: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn condition_word<S: Serializer>(condition: &Condition, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(condition.as_str())
}

fn subject_word<S: Serializer>(check: &Check, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(check.id)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn weight_word<S: Serializer>(weight: &Option<Weight>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_some(&weight.map(Weight::as_str))
}

/// A security group in use in the tunnelled subnets of a half.
#[derive(Clone, Debug, Serialize)]
pub struct GroupRow {
    /// Where.
    pub region: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many ports have it.
    pub ports: usize,
    /// `everything`, `some` or `nothing` of what comes from across.
    pub admits: &'static str,
}

impl Health {
    /// Of a VPN that was diagnosed.
    #[must_use]
    pub fn new(vpn: &Vpn, diagnosis: &Diagnosis) -> Self {
        let row = |check: &CheckResult| Row::new(vpn, diagnosis, check);
        let groups = diagnosis.gates.iter().flat_map(|(half, gate)| {
            gate.groups.iter().map(|group| GroupRow {
                region: vpn.place(*half),
                id: group.id.to_string(),
                name: group.name.clone(),
                ports: group.ports,
                admits: group.admits.as_str(),
            })
        });
        Self {
            vpn: ListedVpn::new(vpn),
            condition: diagnosis.condition,
            exit_code: diagnosis.condition.exit_code(),
            checks: diagnosis.checks.iter().map(row).collect(),
            findings: diagnosis.findings.iter().map(row).collect(),
            once_up: diagnosis.once_up.iter().map(row).collect(),
            security_groups: groups.collect(),
            unseen: diagnosis.unseen.clone(),
            outcome: None,
            interrupted: None,
            try_it: diagnosis.ping.clone(),
            unclear: vpn.unclear(),
            style: Style::Status,
        }
    }

    /// The same, of a VPN whose creation or change was interrupted. One that lacks objects is not all well.
    #[must_use]
    pub fn with_interruption(mut self, interruption: Option<&Interruption>) -> Self {
        self.interrupted = interruption.map(ListedInterruption::new);
        if let Some(first) = self.interrupted.as_ref().and_then(ListedInterruption::first) {
            let rows = self.checks.iter_mut().chain(&mut self.findings).chain(&mut self.once_up);
            for row in rows.filter(|row| row.fix.is_some()) {
                row.commands.clear();
                row.fix = Some(format!("finish what was interrupted first: {first}"));
            }
        }
        if self.exit_code == 0 {
            self.exit_code = self.interrupted.as_ref().map_or(0, ListedInterruption::exit_code);
        }
        self
    }

    /// The same, of a VPN that was to be resumed and is made, or to be fixed and has nothing to fix.
    #[must_use]
    pub fn unchanged(mut self) -> Self {
        self.outcome = Some("unchanged");
        self
    }

    /// The same, to be printed as a diagnosis: what is wrong first, and what to do.
    #[must_use]
    pub fn as_diagnosis(mut self) -> Self {
        self.style = Style::Diagnosis;
        self
    }

    /// The same, for whoever has just changed it.
    #[must_use]
    pub fn brief(mut self) -> Self {
        self.style = Style::Brief;
        self
    }

    /// The same, at the end of the run that made it: the report has said already what it is.
    #[must_use]
    pub fn of_run(mut self) -> Self {
        self.style = Style::Run;
        self
    }

    /// The same, known to the user already.
    #[must_use]
    pub fn printed(mut self) -> Self {
        self.style = Style::Printed;
        self
    }

    /// Only what the two halves themselves say: what instances admit was not read.
    #[must_use]
    pub fn without_surroundings(mut self) -> Self {
        let is_around = |row: &Row| row.subject == checks::SECURITY_GROUPS;
        for rows in [&mut self.checks, &mut self.findings, &mut self.once_up] {
            rows.retain(|row| !is_around(row));
        }
        self
    }

    /// Whether it is known which security-group rules are missing.
    #[must_use]
    pub fn knows_security_groups(&self) -> bool {
        let about = |row: &&Row| row.subject == checks::SECURITY_GROUPS;
        self.checks.iter().find(about).is_some_and(|row| row.verdict != Answer::Open)
    }

    fn head(&self) -> String {
        let ListedVpn { name, id, ours, sides, .. } = &self.vpn;
        let mark = if *ours { format!(" (osvpn:{id})") } else { format!(" ({id})") };
        let sides: Vec<String> = sides.iter().map(|side| format!("{} in {}", side.status, side.region)).collect();
        format!("VPN {name}{mark}: {}", sides.join(", "))
    }

    fn conclusion(&self) -> &str {
        match self.condition {
            Condition::Proven if self.vpn.shape == Shape::Outside => {
                "ACTIVE, and nothing is wrong on this side; the peer's side cannot be checked from here."
            }
            Condition::Proven => "ACTIVE, and both halves match.",
            Condition::Mismatched => "ACTIVE, but something is wrong: some traffic fails, or will.",
            Condition::NotActive => "Not ACTIVE.",
            Condition::Unclear => &self.unclear,
        }
    }

    /// How many questions were answered well.
    fn good(&self) -> usize {
        self.checks.iter().filter(|row| row.verdict == Answer::Good).count()
    }

    fn status(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_told = |row: &&Row| self.style != Style::Brief || row.verdict == Answer::Bad;
        for row in self.checks.iter().filter(is_told) {
            let word = match (row.verdict, row.weight) {
                (Answer::Good, _) => "ok     ",
                (Answer::Bad, Some(Weight::Exposes)) => "EXPOSED",
                (Answer::Bad, Some(Weight::Warns)) => "warning",
                (Answer::Bad, _) => "WRONG  ",
                (Answer::Open, _) => "you    ",
            };
            let seen = if row.seen.is_empty() { String::new() } else { format!(": {}", row.seen) };
            f.write_str(&hanging(&format!("  {word}  "), &format!("{}{seen}", row.question)))?;
        }
        if self.style == Style::Brief {
            writeln!(f, "{} {} questions about it are answered well.", self.conclusion(), self.good())?;
        } else {
            writeln!(f, "\n{}", self.conclusion())?;
            self.first(f)?;
        }
        if !self.findings.is_empty() || self.condition != Condition::Proven {
            writeln!(f, "What it means and what to do: {}", osvpn("doctor").operand(&self.vpn.id))?;
        }
        if self.outcome == Some("unchanged") && self.condition == Condition::NotActive {
            let (look, wait) = (osvpn("status").operand(&self.vpn.id), osvpn("resume").operand(&self.vpn.id));
            writeln!(f, "To look again: {look}\nTo wait again: {wait}")?;
        }
        Ok(())
    }

    /// The likeliest cause of what keeps it down, in a line.
    fn first(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.findings.first() {
            Some(row) if self.condition == Condition::NotActive => {
                f.write_str(&hanging("Likeliest cause: ", &row.seen))
            }
            _ => Ok(()),
        }
    }

    fn diagnosis(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.conclusion())?;
        for (number, row) in self.findings.iter().enumerate() {
            row.found(&format!("{}. ", number + 1), f)?;
        }
        let good = self.good();
        match (self.findings.is_empty(), self.condition) {
            (true, Condition::Proven | Condition::Mismatched) => {
                writeln!(f, "\nNothing is wrong in what can be checked from here ({good} questions).")?;
            }
            (true, Condition::NotActive) => {
                writeln!(
                    f,
                    "\nNothing that can be checked from here keeps it down ({good} questions are answered well)."
                )?;
            }
            (true, Condition::Unclear) => writeln!(f, "\n{good} questions are answered well.")?,
            (false, _) => {
                let status = osvpn("status").operand(&self.vpn.id);
                writeln!(f, "\n{good} other questions are answered well ({status} lists them).")?;
            }
        }
        if !self.once_up.is_empty() {
            writeln!(f, "\nOnce it is up (nothing of this keeps it down):")?;
        }
        self.once_up.iter().try_for_each(|row| row.found("- ", f))?;
        let is_asked = |row: &&Row| row.verdict == Answer::Open && !self.is_compared(&row.subject);
        let open: Vec<&Row> = self.checks.iter().filter(is_asked).collect();
        // Of a run that has just become ACTIVE nothing is in doubt that was not before.
        let is_told = self.style != Style::Run || self.condition == Condition::NotActive;
        if !open.is_empty() || (is_told && !self.unseen.is_empty()) {
            writeln!(f, "\nCannot be checked from here:")?;
        }
        open.iter().try_for_each(|row| f.write_str(&hanging("  - ", &format!("{}: {}", row.question, row.seen))))?;
        self.unseen.iter().filter(|_| is_told).try_for_each(|what| f.write_str(&hanging("  - ", what)))?;
        writeln!(f, "\nTo try it, and to wake a tunnel that waits for traffic:\n  {}", self.try_it)
    }

    /// Whether a finding lists already what a peer must have of that.
    fn is_compared(&self, subject: &Check) -> bool {
        subject.is_shared_with_peer() && self.findings.iter().any(|row| !row.compare.is_empty())
    }
}

impl Row {
    /// What is wrong, what it means and what to do.
    fn found(&self, lead: &str, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", hanging(lead, &self.seen))?;
        if let Some(means) = &self.means {
            f.write_str(&hanging("   means  ", means))?;
        }
        if let Some(fix) = &self.fix {
            f.write_str(&hanging("   fix    ", fix))?;
        }
        for CompareRow { what, peer_has } in &self.compare {
            f.write_str(&hanging(&format!("          {what:<14}"), peer_has))?;
        }
        self.commands.iter().try_for_each(|command| writeln!(f, "          {command}"))
    }
}

impl Display for Health {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.style == Style::Printed {
            return Ok(());
        }
        if self.style == Style::Run {
            return self.diagnosis(f);
        }
        let is_unchanged = self.outcome == Some("unchanged");
        if is_unchanged && self.style == Style::Diagnosis {
            let what = if self.findings.is_empty() { "Nothing to fix." } else { "Nothing that osvpn can fix." };
            writeln!(f, "{what}\n")?;
        } else if is_unchanged {
            writeln!(
                f,
                "Creating {} was not interrupted: all its objects exist. Nothing was changed.\n",
                self.vpn.name
            )?;
        }
        writeln!(f, "{}", self.head())?;
        for side in &self.vpn.sides {
            let router = side.router.as_deref().unwrap_or("unknown router");
            let address = side.address.map_or_else(|| "no address".to_owned(), |address| address.to_string());
            writeln!(f, "  {:<12} {side_text} on {router}, {address}", side.region, side_text = ranges(side))?;
        }
        self.interrupted.iter().try_for_each(|interrupted| write!(f, "{interrupted}"))?;
        if self.style == Style::Diagnosis { self.diagnosis(f) } else { self.status(f) }
    }
}

fn ranges(side: &super::listing::ListedSide) -> String {
    side.local_cidrs
        .as_ref()
        .map_or_else(|| "subnets that cannot all be seen".to_owned(), |ranges| ranges.iter().join(", "))
}

impl Row {
    fn new(vpn: &Vpn, diagnosis: &Diagnosis, check: &CheckResult) -> Self {
        let base = |verdict, seen: &str| Self {
            subject: check.check,
            question: check.check.label,
            verdict,
            seen: seen.to_owned(),
            weight: None,
            means: None,
            fix: None,
            commands: Vec::new(),
            compare: Vec::new(),
        };
        match &check.verdict {
            Verdict::Good(seen) => base(Answer::Good, seen),
            Verdict::Open(seen) => base(Answer::Open, seen),
            Verdict::Bad(fault) => {
                let (fix, commands) = fix_text(vpn, diagnosis, &fault.fix);
                let compare = if let Fix::Compare(values) = &fault.fix { values.as_slice() } else { &[] };
                let row = |value: &Compared| CompareRow { what: value.what, peer_has: value.peer_has.clone() };
                Self {
                    weight: Some(fault.weight),
                    means: Some(fault.means.clone()),
                    fix: Some(fix),
                    commands,
                    compare: compare.iter().map(row).collect(),
                    ..base(Answer::Bad, &fault.seen)
                }
            }
        }
    }
}

/// What mends a fault in words, and the commands for it.
fn fix_text(vpn: &Vpn, diagnosis: &Diagnosis, fix: &Fix) -> (String, Vec<Advice>) {
    let by_hand = fix.steps(&diagnosis.rules());
    let own = fix.command(vpn).map(|own| if by_hand.is_empty() { own } else { own.remark("or by hand:") });
    (fix.text(vpn), own.map(Advice::from).into_iter().chain(by_hand).collect())
}

/// The worst of several, for the exit code of a diagnosis of all VPNs.
#[must_use]
pub fn worst(all: &[Health], interrupted: &[ListedInterruption]) -> u8 {
    let order = [Condition::Proven, Condition::Unclear, Condition::Mismatched, Condition::NotActive];
    let rank = |code: &u8| order.iter().position(|condition| condition.exit_code() == *code);
    let codes = all.iter().map(|health| health.exit_code).chain(interrupted.iter().map(ListedInterruption::exit_code));
    codes.max_by_key(rank).unwrap_or(0)
}
