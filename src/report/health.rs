//! The health of one VPN: its checks, what is wrong with it and what to do.

use std::fmt::{self, Display, Formatter};

use itertools::Itertools;
use serde::{Serialize, Serializer};

use super::listing::{ListedSide, ListedVpn};
use super::wrap::hanging;
use super::{Conclude, ExitStatus, ListedInterruption};
use crate::engine::interruption::Interruption;
use crate::inspect::{
    Advice, Check, CheckResult, Condition, Diagnosis, Fault, PeerValue, Verdict, Vpn, Weight, checks,
};
use crate::plan::{Half, ShellCommand};

/// The answer of `osvpn status` and `osvpn doctor` about a VPN.
#[derive(Clone, Debug)]
pub struct Health {
    vpn: Vpn,
    listed: ListedVpn,
    diagnosis: Diagnosis,
    is_unchanged: bool,
    interrupted: Option<ListedInterruption>,
    style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Status,
    Diagnosis,
    /// Only failed checks: after a change.
    Brief,
    /// As a part of the report of its run.
    Run,
    /// Nothing: it was printed before a question.
    Printed,
}

impl Health {
    #[must_use]
    pub fn new(vpn: &Vpn, diagnosis: &Diagnosis) -> Self {
        Self {
            vpn: vpn.clone(),
            listed: ListedVpn::new(vpn),
            diagnosis: diagnosis.clone(),
            is_unchanged: false,
            interrupted: None,
            style: Style::Status,
        }
    }

    /// With what was interrupted, which has to be finished before any other fix.
    #[must_use]
    pub fn with_interruption(mut self, interruption: Option<&Interruption>) -> Self {
        self.interrupted = interruption.map(ListedInterruption::new);
        self
    }

    /// The VPN to resume is complete, or the VPN to fix has nothing to fix.
    #[must_use]
    pub fn unchanged(mut self) -> Self {
        self.is_unchanged = true;
        self
    }

    /// Without the check of security groups: about the two halves alone.
    #[must_use]
    pub fn of_the_halves(mut self) -> Self {
        let Diagnosis { checks, findings, once_up, .. } = &mut self.diagnosis;
        for results in [checks, findings, once_up] {
            results.retain(|result| result.check != checks::SECURITY_GROUPS);
        }
        self
    }

    /// Printed as a diagnosis: what is wrong, and what to do.
    #[must_use]
    pub fn diagnosed(self) -> Self {
        Self { style: Style::Diagnosis, ..self }
    }

    /// Printed without the checks that passed.
    #[must_use]
    pub fn brief(self) -> Self {
        Self { style: Style::Brief, ..self }
    }

    /// Printed at the end of the run that made it, without what the report has said already.
    #[must_use]
    pub fn of_run(self) -> Self {
        Self { style: Style::Run, ..self }
    }

    #[must_use]
    pub fn printed(self) -> Self {
        Self { style: Style::Printed, ..self }
    }

    /// The VPN's name, and the word that names it alone.
    pub fn named(&self) -> (&str, &str) {
        (&self.listed.name, &self.listed.id)
    }

    /// Its word in JSON, if nothing was changed that should have been.
    pub fn outcome(&self) -> Option<&'static str> {
        self.is_unchanged.then_some("unchanged")
    }

    /// Whether it is ACTIVE, and the halves do not match.
    pub fn is_mismatched(&self) -> bool {
        self.diagnosis.condition == Condition::Mismatched
    }

    pub(super) const fn condition(&self) -> Condition {
        self.diagnosis.condition
    }

    pub(crate) const fn vpn(&self) -> &Vpn {
        &self.vpn
    }

    /// What has to be finished before anything else.
    pub(super) fn interrupted_first(&self) -> Option<&ListedInterruption> {
        self.interrupted.as_ref().filter(|interrupted| interrupted.first().is_some())
    }

    /// Whether it is not ACTIVE, and seems to wait for traffic only.
    pub(super) fn is_idle(&self) -> bool {
        !self.diagnosis.idle.is_empty()
    }

    pub(super) fn is_half_idle(&self, half: Half) -> bool {
        self.diagnosis.idle.contains(&half)
    }

    pub(super) fn result(&self, check: Check) -> Option<&CheckResult> {
        self.diagnosis.checks.iter().find(|result| result.check == check)
    }

    pub(crate) fn faults(&self) -> impl Iterator<Item = (Check, &Fault)> {
        self.diagnosis.faults()
    }

    pub(super) fn weights(&self) -> impl Iterator<Item = Weight> {
        self.faults().map(|(_, fault)| fault.weight)
    }

    /// Its statuses and what is wrong, in one line.
    pub(crate) fn in_short(&self) -> String {
        let sides = statuses(&self.listed.sides);
        let cause =
            self.diagnosis.faults().find(|(_, fault)| fault.weight != Weight::Warns).map(|(_, fault)| &fault.seen);
        let what = match (self.interrupted_first(), cause) {
            (Some(interrupted), _) => interrupted.head(),
            (None, Some(seen)) => seen.clone(),
            (None, None) if self.is_idle() => "it seems to wait for traffic".to_owned(),
            (None, None) => return format!("{sides}. {}", self.conclusion()),
        };
        format!("{sides}: {what}")
    }

    pub(super) fn conclusion(&self) -> String {
        self.diagnosis.conclusion(&self.vpn)
    }

    /// What is wrong with the halves, the likeliest cause first; what instances allow apart.
    pub(super) fn faults_of_halves(&self) -> impl Iterator<Item = &Fault> {
        let faults = self.diagnosis.findings.iter().filter(|result| result.check != checks::SECURITY_GROUPS);
        faults.filter_map(CheckResult::fault)
    }

    pub(super) fn missing_rules(&self) -> usize {
        self.diagnosis.rules().len()
    }

    /// The word that names it alone is long; what is wrong with it is told by the doctor.
    pub(super) fn doctor(&self) -> ShellCommand {
        self.vpn.command("doctor")
    }

    pub fn knows_security_groups(&self) -> bool {
        self.security_groups().is_some_and(|result| !matches!(result.verdict, Verdict::Open(_)))
    }

    /// The check of what instances admit, if it was made at all.
    fn security_groups(&self) -> Option<&CheckResult> {
        self.result(checks::SECURITY_GROUPS)
    }

    fn head(&self) -> String {
        let ListedVpn { name, id, ours, sides, .. } = &self.listed;
        let mark = if *ours { format!(" (osvpn:{id})") } else { format!(" ({id})") };
        format!("VPN {name}{mark}: {}", statuses(sides))
    }

    /// What to do about a fault in words, and the commands for it.
    fn remedy(&self, fault: &Fault) -> (String, Vec<Advice>) {
        if let Some(first) = self.interrupted.as_ref().and_then(ListedInterruption::first) {
            return (format!("finish what was interrupted first: {first}"), Vec::new());
        }
        let by_hand = fault.fix.steps(&self.diagnosis.rules());
        let own = fault.fix.command(&self.vpn);
        let own = own.map(|own| if by_hand.is_empty() { own } else { own.remark("or by hand:") });
        (fault.fix.text(&self.vpn), own.map(Advice::from).into_iter().chain(by_hand).collect())
    }

    fn status(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_brief = self.style == Style::Brief;
        for CheckResult { check, verdict } in &self.diagnosis.checks {
            // What a check asks for is not said beside what is against it.
            let (word, text) = match verdict {
                Verdict::Good(_) | Verdict::Open(_) if is_brief => continue,
                Verdict::Good(seen) if seen.is_empty() => ("ok     ", check.label.to_owned()),
                Verdict::Good(seen) => ("ok     ", format!("{}: {seen}", check.label)),
                Verdict::Bad(Fault { weight: Weight::Exposes, seen, .. }) => ("EXPOSED", seen.clone()),
                Verdict::Bad(Fault { weight: Weight::Warns, seen, .. }) => ("warning", seen.clone()),
                Verdict::Bad(Fault { seen, .. }) => ("WRONG  ", seen.clone()),
                Verdict::Open(seen) => ("you    ", format!("{}: {seen}", check.label)),
            };
            f.write_str(&hanging(&format!("  {word}  "), &text))?;
        }
        let Diagnosis { condition, findings, .. } = &self.diagnosis;
        let conclusion = self.diagnosis.conclusion(&self.vpn);
        if is_brief {
            f.write_str(&hanging("", &format!("{conclusion} {}", self.diagnosis.passed())))?;
        } else {
            write!(f, "\n{}", hanging("", &conclusion))?;
            if let (Condition::NotActive, Some(fault)) = (condition, findings.first().and_then(CheckResult::fault)) {
                f.write_str(&hanging("Likeliest cause: ", &fault.seen))?;
            }
        }
        if !findings.is_empty() || *condition != Condition::Proven {
            writeln!(f, "What it means and what to do: {}", self.vpn.command("doctor"))?;
        } else if self.style == Style::Status && self.security_groups().is_none() {
            writeln!(f, "Security groups are not looked at here; this looks at them: {}", self.vpn.command("doctor"))?;
        }
        if self.is_unchanged && *condition == Condition::NotActive {
            let (look, wait) = (self.vpn.command("status"), self.vpn.command("resume"));
            writeln!(f, "To check again: {look}\nTo wait again: {wait}")?;
        }
        Ok(())
    }

    fn diagnosis(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Diagnosis { condition, findings, unseen, ping, .. } = &self.diagnosis;
        f.write_str(&hanging("", &self.diagnosis.conclusion(&self.vpn)))?;
        self.diagnosis.exposed().try_for_each(|result| self.found("EXPOSED: ", result, f))?;
        for (number, result) in findings.iter().enumerate() {
            self.found(&format!("{}. ", number + 1), result, f)?;
        }
        write!(f, "\n{}", self.diagnosis.passed())?;
        writeln!(
            f,
            "{}",
            if findings.is_empty() { String::new() } else { format!(" To list all: {}", self.vpn.command("status")) }
        )?;
        if self.diagnosis.later().next().is_some() {
            writeln!(f, "\nOnce it is up (nothing of this keeps it down):")?;
        }
        self.diagnosis.later().try_for_each(|result| self.found("- ", result, f))?;
        let open: Vec<(Check, &str)> = self.diagnosis.open().collect();
        // A run that has just become ACTIVE leaves no doubt that was not there before.
        let unseen =
            if self.style == Style::Run && *condition != Condition::NotActive { &[] } else { unseen.as_slice() };
        if !open.is_empty() || !unseen.is_empty() {
            writeln!(f, "\nCannot be checked from here:")?;
        }
        open.iter().try_for_each(|(check, what)| f.write_str(&hanging("  - ", &format!("{}: {what}", check.label))))?;
        unseen.iter().try_for_each(|what| f.write_str(&hanging("  - ", what)))?;
        writeln!(f, "\nTo try it, and to wake a tunnel that waits for traffic:\n  {ping}")
    }

    /// What is wrong, what it means and what to do.
    fn found(&self, lead: &str, result: &CheckResult, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(fault) = result.fault() else { return Ok(()) };
        let (mut fix, commands) = self.remedy(fault);
        let mut compared = fault.fix.compared();
        if self.style == Style::Run && !compared.is_empty() {
            (fix, compared) = ("compare the values below with the owner of the peer".to_owned(), &[]);
        }
        write!(f, "\n{}", hanging(lead, &fault.seen))?;
        f.write_str(&hanging("   means  ", &fault.means))?;
        f.write_str(&hanging("   fix    ", &fix))?;
        for PeerValue { what, peer_has } in compared {
            f.write_str(&hanging(&format!("          {what:<14}"), peer_has))?;
        }
        commands.iter().try_for_each(|advice| match advice {
            Advice::Run(command) => writeln!(f, "          {command}"),
            Advice::Do(what) => f.write_str(&hanging("          ", what)),
        })
    }
}

impl Display for Health {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.style {
            Style::Printed => return Ok(()),
            Style::Run => return self.diagnosis(f),
            Style::Diagnosis if self.is_unchanged => {
                let is_whole = self.diagnosis.findings.is_empty();
                let what = if is_whole { "Nothing to fix." } else { "osvpn can fix nothing of this." };
                writeln!(f, "{what}\n")?;
            }
            _ if self.is_unchanged => {
                let name = &self.listed.name;
                writeln!(f, "Creating {name} was not interrupted: all its objects exist. Nothing was changed.\n")?;
            }
            Style::Status | Style::Brief | Style::Diagnosis => {}
        }
        writeln!(f, "{}", self.head())?;
        for side in &self.listed.sides {
            let router = side.router.as_deref().unwrap_or("unknown router");
            let address = side.address.map_or_else(|| "no address".to_owned(), |address| address.to_string());
            let ranges = side.ranges(", ").unwrap_or_else(|| "subnets that cannot all be seen".to_owned());
            writeln!(f, "  {:<12} {ranges} on {router}, {address}", side.region)?;
        }
        self.interrupted.iter().try_for_each(|interrupted| write!(f, "{interrupted}"))?;
        if self.style == Style::Diagnosis { self.diagnosis(f) } else { self.status(f) }
    }
}

fn statuses(sides: &[ListedSide]) -> String {
    sides.iter().map(|side| format!("{} in {}", side.status, side.region)).join(", ")
}

#[derive(Serialize)]
struct CheckJson<'a> {
    subject: &'static str,
    question: &'static str,
    verdict: &'static str,
    seen: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<Weight>,
    #[serde(skip_serializing_if = "Option::is_none")]
    means: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<Advice>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    compare: &'a [PeerValue],
}

/// A security group in use in the tunnelled subnets of a half, in JSON.
#[derive(Serialize)]
struct GroupJson<'a> {
    region: String,
    id: &'a str,
    name: &'a str,
    ports: usize,
    admits: &'static str,
}

impl Health {
    fn check_json<'a>(&self, CheckResult { check, verdict }: &'a CheckResult) -> CheckJson<'a> {
        let (word, seen, fault) = match verdict {
            Verdict::Good(seen) => ("good", seen, None),
            Verdict::Bad(fault) => ("bad", &fault.seen, Some(fault)),
            Verdict::Open(seen) => ("open", seen, None),
        };
        let (fix, commands) = fault.map(|fault| self.remedy(fault)).unzip();
        CheckJson {
            subject: check.id,
            question: check.label,
            verdict: word,
            seen,
            weight: fault.map(|fault| fault.weight),
            means: fault.map(|fault| fault.means.as_str()),
            fix,
            commands: commands.unwrap_or_default(),
            compare: fault.map_or(&[], |fault| fault.fix.compared()),
        }
    }

    fn checks_json<'a>(&self, results: &'a [CheckResult]) -> Vec<CheckJson<'a>> {
        results.iter().map(|result| self.check_json(result)).collect()
    }

    fn groups_json(&self) -> Vec<GroupJson<'_>> {
        let gates = self.diagnosis.gates.iter();
        let groups = gates.flat_map(|(half, gate)| gate.groups.iter().map(|group| (self.vpn.place(*half), group)));
        groups
            .map(|(region, group)| GroupJson {
                region,
                id: group.id.as_str(),
                name: &group.name,
                ports: group.ports,
                admits: group.admits.as_str(),
            })
            .collect()
    }
}

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Json<'a> {
            #[serde(flatten)]
            vpn: &'a ListedVpn,
            condition: Condition,
            exit_code: ExitStatus,
            checks: Vec<CheckJson<'a>>,
            findings: Vec<CheckJson<'a>>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            once_up: Vec<CheckJson<'a>>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            security_groups: Vec<GroupJson<'a>>,
            unseen: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            outcome: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            interrupted: Option<&'a ListedInterruption>,
            try_it: &'a str,
        }
        let Diagnosis { condition, checks, findings, once_up, unseen, ping, .. } = &self.diagnosis;
        Json {
            vpn: &self.listed,
            condition: *condition,
            exit_code: self.exit_status(),
            checks: self.checks_json(checks),
            findings: self.checks_json(findings),
            once_up: self.checks_json(once_up),
            security_groups: self.groups_json(),
            unseen,
            outcome: self.outcome(),
            interrupted: self.interrupted.as_ref(),
            try_it: ping,
        }
        .serialize(serializer)
    }
}

/// That of the condition. A VPN that lacks objects is not all well.
impl Conclude for Health {
    fn exit_status(&self) -> ExitStatus {
        match self.diagnosis.condition.into() {
            ExitStatus::Done => self.interrupted.as_ref().map_or(ExitStatus::Done, Conclude::exit_status),
            status => status,
        }
    }
}

/// The answer of `osvpn doctor`: one VPN or all, and those whose creation was interrupted before they had a connection.
#[derive(Debug, Serialize)]
pub struct Diagnoses {
    vpns: Vec<Health>,
    interrupted: Vec<ListedInterruption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

impl Diagnoses {
    #[must_use]
    pub fn new(vpns: Vec<Health>, interrupted: Vec<ListedInterruption>) -> Self {
        let outcome = if let [only] = vpns.as_slice() { only.outcome() } else { None };
        Self { vpns, interrupted, outcome }
    }
}

impl Conclude for Diagnoses {
    fn exit_status(&self) -> ExitStatus {
        let vpns = self.vpns.iter().map(Conclude::exit_status);
        ExitStatus::worst(vpns.chain(self.interrupted.iter().map(Conclude::exit_status)))
    }
}

impl Display for Diagnoses {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let vpns = self.vpns.iter().map(ToString::to_string);
        let all: Vec<String> = vpns.chain(self.interrupted.iter().map(ToString::to_string)).collect();
        f.write_str(&all.join("\n"))
    }
}
