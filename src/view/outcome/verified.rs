//! What came of comparing both halves: of a new VPN that is ACTIVE, of one that is not, and after a change.

use ratatui::text::{Line, Span};

use super::super::account::Account;
use super::super::text::{hanging, labelled};
use super::handover;
use crate::change::{Proposal, Together};
use crate::inspect::diagnosis::agents_report;
use crate::inspect::{CheckResult, Condition, Diagnosis, Examined, OtherHalf, Weight, checks};
use crate::plan::{Plan, RULES_NEEDED};
use crate::wizard::work::Work;

pub(super) fn active(text: &mut Account<'_>, work: &Work) {
    let both = if work.halves().len() == 1 { "The connection is ACTIVE" } else { "Both connections are ACTIVE" };
    text.good(&format!("{both}: the tunnel is up."));
    if let Some(admission) = work.admission() {
        text.admission(&admission);
        text.gap();
    }
    text.besides(work);
    verified(text, work);
    text.gap();
    rules(text, work);
    handover(text, work);
}

/// ACTIVE does not prove that traffic flows: the halves are compared.
fn verified(text: &mut Account<'_>, work: &Work) {
    let theme = text.scene.theme;
    match &work.watch.examined {
        None => text.lines.push(Line::styled("Checking the VPN", theme.dim())),
        Some(Err(error)) => text.warning(&format!("The VPN could not be checked: {error}")),
        Some(Ok(examined)) => {
            let faults = examined.diagnosis.findings.iter().filter(|check| check.check != checks::SECURITY_GROUPS);
            let conclusion = examined.diagnosis.conclusion(&examined.vpn);
            match examined.diagnosis.condition {
                Condition::Proven => text.good(&format!("{conclusion} {}", examined.diagnosis.passed())),
                Condition::NotActive => text.warning("It was ACTIVE a moment ago, and is not any more."),
                Condition::Mismatched | Condition::Unclear => text.warning(&conclusion),
            }
            let mut said = false;
            for check in faults {
                finding(text, check);
                said = true;
            }
            if examined.diagnosis.condition == Condition::Unclear {
                for (check, what) in examined.diagnosis.open() {
                    text.open(check.label, what);
                }
            }
            if said {
                text.say(&format!("{} says more, and fixes what it can.", examined.vpn.command("doctor")));
            }
        }
    }
}

/// What instances allow, where nothing is to be added, and what they need, where that is not known.
fn rules(text: &mut Account<'_>, work: &Work) {
    if let Some(Ok(examined)) = &work.watch.examined
        && examined.diagnosis.gates.len() == examined.vpn.sides().count()
    {
        if work.admission().is_none() {
            text.say(&admitted(&examined.diagnosis));
        }
        return;
    }
    text.say(RULES_NEEDED);
    for rule in work.plan.iter().flat_map(Plan::security_rules) {
        text.gap();
        let place = text.scene.model.shell.labels.name(&rule.region);
        text.title(format!("{place} allows {}", rule.remote));
        text.say(&format!("  {}", rule.command()));
    }
}

/// What the security groups of all instances allow.
fn admitted(diagnosis: &Diagnosis) -> String {
    match diagnosis.gates.values().map(|gate| gate.ports).sum() {
        0 => {
            "No instance is in these subnets yet. Each needs a security group that allows traffic from the other side."
                .to_owned()
        }
        1 => "The security groups of the instance port allow traffic from the other side.".to_owned(),
        count => format!("The security groups of all {count} instance ports allow traffic from the other side."),
    }
}

/// What came of holding the halves against each other: what is wrong with what it means and what to do, then what cannot
/// be seen from here.
pub(super) fn proof(text: &mut Account<'_>, work: &Work) {
    let theme = text.scene.theme;
    text.gap();
    match &work.watch.examined {
        None => text.lines.push(Line::styled("Checking the VPN", theme.dim())),
        Some(Err(error)) => text.warning(&format!("The VPN could not be checked: {error}")),
        Some(Ok(examined)) => {
            let Examined { vpn, diagnosis } = &**examined;
            for check in &diagnosis.findings {
                finding(text, check);
            }
            text.say(&diagnosis.passed());
            if !diagnosis.once_up.is_empty() {
                text.gap();
                text.title("Once it is up (none of this keeps it down)".to_owned());
            }
            for check in &diagnosis.once_up {
                finding(text, check);
            }
            text.gap();
            for (check, what) in diagnosis.open() {
                text.open(check.label, what);
            }
            for what in &diagnosis.unseen {
                text.open("Cannot be checked from here", what);
            }
            if !(diagnosis.findings.is_empty() && diagnosis.once_up.is_empty()) {
                text.gap();
                text.say(&format!("{} says more, and fixes what it can.", vpn.command("doctor")));
            }
        }
    }
}

fn finding(text: &mut Account<'_>, check: &CheckResult) {
    let Some(fault) = check.fault() else { return };
    let theme = text.scene.theme;
    let look = match fault.weight {
        Weight::Stops | Weight::Exposes => (theme.glyphs.bad, theme.bad()),
        Weight::Hides | Weight::Warns => (theme.glyphs.warning, theme.warning()),
    };
    text.signed(look, &fault.seen, theme.text());
    text.lines.extend(hanging(Span::raw("  "), &fault.means, text.columns, theme.dim()));
    let values = fault.fix.compared();
    let widest = values.iter().map(|value| value.what.len()).max().unwrap_or(0);
    for value in values {
        text.lines.extend(labelled(theme, value.what, &value.peer_has, text.columns, widest));
    }
}

impl Account<'_> {
    /// What only a person can see to.
    fn open(&mut self, question: &str, what: &str) {
        let theme = self.scene.theme;
        self.signed((theme.glyphs.notice, theme.accent()), &format!("{question}: {what}"), theme.text());
    }

    /// The question whether to add the missing rules: the button below answers it.
    fn admission(&mut self, admission: &Proposal) {
        self.warning("It carries no traffic yet to some instances: their security groups block the other side.");
        let together = Together(std::slice::from_ref(admission));
        self.title(together.question());
        for line in format!("{together:.8}").lines() {
            self.say(line);
        }
    }

    /// What came of a change. What was said before it is over, but for what the owner of an external peer has to do.
    pub(in crate::view) fn came_to(&mut self, work: &Work) {
        let vpns = &self.scene.model.vpns;
        let is_waiting = work.has_vpn && vpns.open.as_ref().is_some_and(|open| open.waiting.is_some());
        let dim = self.scene.theme.dim();
        match work.after.as_deref() {
            Some((vpn, diagnosis)) if diagnosis.condition != Condition::NotActive => {
                let conclusion = diagnosis.conclusion(vpn);
                match diagnosis.condition {
                    Condition::Proven => self.good(&format!("Done: {} is {conclusion}", vpn.name)),
                    _ => self.warning(&format!("Done. {}: {conclusion}", vpn.name)),
                }
                diagnosis.findings.iter().for_each(|check| finding(self, check));
            }
            Some((vpn, _)) if is_waiting => {
                self.good("Done.");
                let text = format!("{} is not ACTIVE yet; {}", vpn.name, agents_report!());
                self.lines.push(Line::styled(text, dim));
            }
            Some((vpn, diagnosis)) => {
                self.warning(&format!("Done, but {} is not ACTIVE.", vpn.name));
                diagnosis.findings.iter().for_each(|check| finding(self, check));
            }
            None => {
                self.good("Done.");
                if work.has_vpn && vpns.seen.is_loading() {
                    self.lines.push(Line::styled("Checking the VPN", dim));
                }
            }
        }
        let has_peer = work.has_vpn && vpns.vpn().is_some_and(|vpn| matches!(vpn.other_half, OtherHalf::Outside));
        if has_peer && !work.notes.is_empty() {
            self.gap();
            self.title("As was said before".to_owned());
            work.notes.iter().for_each(|note| self.say(note));
        }
    }

    /// What came of a new VPN once it has the rules it lacked.
    pub(in crate::view) fn completed(&mut self, work: &Work) {
        let vpns = &self.scene.model.vpns;
        let is_reading = vpns.seen.is_loading() || vpns.open.as_ref().is_some_and(|open| open.around.is_loading());
        match work.after.as_deref() {
            None if is_reading => {
                let dim = self.scene.theme.dim();
                self.lines.push(Line::styled("Checking the VPN", dim));
            }
            None => self.warning("The VPN could not be checked; Show VPN tries again."),
            Some((vpn, diagnosis)) => {
                let conclusion = diagnosis.conclusion(vpn);
                match diagnosis.condition {
                    Condition::Proven if diagnosis.rules().is_empty() => {
                        self.good(&format!("{} carries traffic, as far as can be checked from here.", vpn.name));
                        self.say(&format!("{conclusion} {} {}", diagnosis.passed(), admitted(diagnosis)));
                    }
                    _ => self.warning(&conclusion),
                }
                for check in &diagnosis.findings {
                    finding(self, check);
                }
            }
        }
    }
}
