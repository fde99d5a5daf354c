//! What a run means at this moment, and what there is to do.

use ratatui::text::{Line, Span};

use super::Scene;
use super::account::{Account, hour};
use super::text::{clock, hanging, labelled, paragraph};
use crate::cloud::{Error, Status};
use crate::engine::handover::{HANDOVER_TITLE, Handover};
use crate::engine::{Doubt, Made, Task};
use crate::inspect::diagnosis::agents_report;
use crate::inspect::{CheckResult, Condition, Examined, Weight, checks};
use crate::plan::{Half, Plan};
use crate::wizard::progress::{Button, Phase, Progress, Then};

/// The text beside the table of objects.
pub(super) fn lines(scene: Scene<'_>, run: &Progress, columns: usize) -> Vec<Line<'static>> {
    let mut text = Account::new(scene, columns);
    match run.then {
        Some(Then::Leave) => text.say("Stopping: what is under way is settled first. What exists is kept."),
        Some(Then::RollBack) => {
            text.say("Stopping: what is under way is settled first. Then what was made is deleted.")
        }
        None => {}
    }
    if let Some((task, pause)) = &run.pause {
        let place = run.label(task.half);
        text.warning(&format!("{} of {place}: {pause}.", task.step.label()));
    }
    match &run.phase {
        Phase::Creating => creating(&mut text, run),
        Phase::Watching => watching(&mut text, run),
        Phase::Failed(task, error) => failed(&mut text, run, *task, error),
        Phase::Active => active(&mut text, run),
        Phase::NotYet(standing) => {
            let waited = clock(run.wait);
            let waited = waited.trim_end_matches(" 00 s");
            text.warning(&format!(
                "Not ACTIVE within {waited}. That is no failure: the objects are there and keep trying."
            ));
            for (half, status) in standing {
                text.half(run, *half, status);
            }
            text.besides(run);
            handover(&mut text, run);
            proof(&mut text, run);
        }
        Phase::Lost(error) => {
            text.warning("The connections can no longer be watched. What was made is still there.");
            text.error(error);
        }
        Phase::Undoing => text.say("Deleting what this run made, connections first; what was there before stays."),
        Phase::Undone if run.plan.is_none() => text.good("Nothing of this run is left in the cloud."),
        Phase::Undone => {
            text.good("Nothing of this run is left in the cloud. The answers are still here: Change answers goes back to them.");
        }
        Phase::Unsettled(error) => unsettled(&mut text, run, error.as_deref()),
        Phase::Left(left) => remaining(&mut text, run, left),
        Phase::Stopped => {
            let ways = if run.plan.is_some() { "Retry does what is still missing." } else { "Undo does the rest." };
            text.warning(&format!("Stopped. {ways}"));
            text.exists(run);
        }
    }
    for made in run.ledger.left_alone() {
        text.warning(&format!(
            "Stays: {} {} {} ({}) carries the marker of this VPN, and is not what osvpn sent.",
            made.region,
            made.task.step.label(),
            made.name,
            made.id
        ));
    }
    text.lines
}

impl Account<'_> {
    /// What only a person can see to.
    fn open(&mut self, question: &str, what: &str) {
        let theme = self.scene.theme;
        self.signed((theme.glyphs.notice, theme.accent()), &format!("{question}: {what}"), theme.text());
    }

    /// What a half's status means now.
    fn half(&mut self, run: &Progress, half: Half, status: &Status) {
        let theme = self.scene.theme;
        let look = theme.status(status);
        let place = run.label(half);
        let text = format!("{place} is {status}{}", meaning(run, half, status));
        self.signed(look, &text, theme.text());
    }

    fn exists(&mut self, run: &Progress) {
        let ours = run.ledger.removable().len();
        let text = match ours {
            0 => "Nothing of this VPN exists.".to_owned(),
            1 => "1 object exists by now.".to_owned(),
            count => format!("{count} objects exist by now."),
        };
        self.say(&text);
        let doubts = run.ledger.doubts();
        match doubts.iter().map(|doubt| doubt.until).max() {
            None => {}
            // None is the least: of no request is it known until when.
            Some(None) => {
                self.say("Of the last request nobody knows whether the cloud acted; both Retry and Undo ask it first.");
            }
            Some(Some(until)) => self.say(&format!(
                "The answer to the last request was lost. The cloud has not acted on it so far, and may until {}; both Retry and Undo look first.",
                hour(until)
            )),
        }
    }

    /// What there is, or may come to be, besides the VPN itself.
    fn besides(&mut self, run: &Progress) {
        for left in run.ledger.leftovers() {
            let text = format!(
                "Left over, and of no use to the VPN: {} {} {}. How to delete it is printed in the end.",
                left.region,
                left.task.step.label(),
                left.id
            );
            self.warning(&text);
        }
        for doubt in run.ledger.doubts() {
            self.doubt(run, doubt);
        }
    }

    /// What may come to be, and until when.
    fn doubt(&mut self, run: &Progress, Doubt { task, until }: Doubt) {
        let place = run.marks.regions.get(&task.half).map_or_else(String::new, |region| format!("{region}: "));
        let name = run.marks.name.of(task.step.object());
        let when = match until {
            Some(until) => format!("may still appear until {}", hour(until)),
            None => "may be there; it could not be looked for".to_owned(),
        };
        let text = format!("{place}{} {name} {when}", task.step.label());
        let theme = self.scene.theme;
        self.signed((theme.glyphs.warning, theme.warning()), &text, theme.text());
    }
}

fn meaning(run: &Progress, half: Half, status: &Status) -> String {
    let other = half.other();
    let alone = run.marks.regions.contains_key(&other) && !run.is_made(other);
    match status {
        Status::Active => ": the tunnel is up as seen from here".to_owned(),
        Status::Down if alone => format!(" until half {other} exists: normal"),
        Status::Down => ": set up, and no tunnel reported yet".to_owned(),
        Status::PendingCreate => ": accepted, and no agent has reported yet".to_owned(),
        Status::Error => ": the cloud gave up on it; its operator can see why".to_owned(),
        Status::PendingUpdate | Status::Build => ": the cloud is at work on it".to_owned(),
        Status::PendingDelete => ": somebody is deleting it".to_owned(),
        Status::Other(_) => String::new(),
    }
}

fn creating(text: &mut Account<'_>, run: &Progress) {
    let connected = run.marks.regions.keys().copied().find(|half| run.is_made(*half));
    let all = run.marks.regions.keys().all(|half| run.is_made(*half));
    match connected {
        Some(half) if !all => {
            let label = run.label(half);
            text.say(&format!("{label} is DOWN until half {} exists: normal.", half.other()));
        }
        _ => text.say("Services first: their addresses are the peer addresses. Then everything else of both halves."),
    }
}

fn watching(text: &mut Account<'_>, run: &Progress) {
    for (half, status) in &run.standing {
        text.half(run, *half, status);
    }
    if !run.standing.is_empty() {
        text.gap();
    }
    let now = text.scene.model.shell.now;
    let since = run.watching_since.unwrap_or(now);
    let left = run.wait.saturating_sub(now.saturating_sub(since));
    text.say(&format!(
        "On a real cloud this usually takes 1 to 2 min: {}. Waiting {} more.",
        agents_report!(),
        clock(left)
    ));
    text.besides(run);
    if let Some((half, error)) = &run.poll_problem {
        text.warning(&format!("The status of half {half} could not be read, and is asked for again: {error}"));
    }
    handover(text, run);
}

fn failed(text: &mut Account<'_>, run: &Progress, task: Task, error: &Error) {
    let place = run.label(task.half);
    let what =
        if run.ledger.get(task.half, task.step).is_some() { "could not be checked" } else { "could not be made" };
    text.say(&format!("The {} of {place} {what}:", task.step.label()));
    text.error(error);
    text.gap();
    if run.buttons().contains(&Button::Modern) {
        let peer = if run.marks.regions.len() == 1 { " The peer must be set up for it, too." } else { "" };
        text.say(&format!(
            "Use modern goes on with the profile modern, which every region takes: policies this run made so far are made anew, everything else is kept.{peer}"
        ));
        text.gap();
    }
    text.exists(run);
}

fn active(text: &mut Account<'_>, run: &Progress) {
    let both = if run.marks.regions.len() == 1 { "The connection is ACTIVE" } else { "Both connections are ACTIVE" };
    text.good(&format!("{both}: the tunnel is up."));
    text.besides(run);
    proven(text, run);
    text.gap();
    to_be_admitted(text, run);
    handover(text, run);
}

/// ACTIVE is no proof: the halves are held against each other.
fn proven(text: &mut Account<'_>, run: &Progress) {
    let theme = text.scene.theme;
    match &run.examined {
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

/// The tunnel is up, and still nobody answers where security groups admit nothing from across.
fn to_be_admitted(text: &mut Account<'_>, run: &Progress) {
    if let Some(Ok(examined)) = &run.examined
        && examined.diagnosis.gates.len() == examined.vpn.sides().count()
    {
        let rules = examined.diagnosis.rules();
        if rules.is_empty() {
            let ports: usize = examined.diagnosis.gates.values().map(|gate| gate.ports).sum();
            let what = match ports {
                0 => "No instance is in these subnets yet. Each needs a security group that admits the other side."
                    .to_owned(),
                count => format!("The security groups of all {count} instance ports admit something from across."),
            };
            text.say(&what);
        } else {
            let missing = match rules.len() {
                1 => "1 security-group rule is missing".to_owned(),
                count => format!("{count} security-group rules are missing"),
            };
            text.say(&format!(
                "Left to do: {missing}, so some instances admit nothing from across. This adds what is missing:"
            ));
            text.say(&format!("  {}", examined.vpn.command("admit")));
            for rule in &rules {
                text.gap();
                text.title(format!("{} in {} admits {}", rule.name, rule.region, rule.remote));
                text.say(&format!("  {}", rule.command()));
            }
        }
        return;
    }
    text.say(
        "Left to do: instances admit nothing from across by themselves. Add a rule to a security group of theirs:",
    );
    for rule in run.plan.iter().flat_map(Plan::security_rules) {
        text.gap();
        let place = text.scene.model.shell.labels.name(&rule.region);
        text.title(format!("{place} admits {}", rule.remote));
        text.say(&format!("  {}", rule.command()));
    }
}

/// What the owner of the peer needs, who cannot see this cloud. Without it, nothing will ever come up.
fn handover(text: &mut Account<'_>, run: &Progress) {
    let key = text.scene.model.new_vpn.answers.key.key_origin();
    let handover = run.plan.as_ref().and_then(|plan| Handover::of(plan, &run.ledger, key));
    let Some(handover) = handover else { return };
    text.gap();
    let theme = text.scene.theme;
    text.title(HANDOVER_TITLE.to_owned());
    let rows = handover.rows();
    let widest = rows.iter().map(|(label, ..)| label.len()).max().unwrap_or(0);
    for (label, value, command) in rows {
        let value = command.map_or_else(|| value.clone(), |command| format!("{value} {command}"));
        text.lines.extend(labelled(theme, label, &value, text.columns, widest));
    }
}

/// What came of holding the halves against each other: what is wrong with what it means and what to do, then what cannot
/// be seen from here.
fn proof(text: &mut Account<'_>, run: &Progress) {
    let theme = text.scene.theme;
    text.gap();
    match &run.examined {
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
                text.title("Once it is up (nothing of this keeps it down)".to_owned());
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

/// Something that is not as it should be.
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

fn remaining(text: &mut Account<'_>, run: &Progress, left: &[(Made, Error)]) {
    text.warning("Not everything could be deleted. Undo tries again.");
    for (at, (made, error)) in left.iter().enumerate() {
        text.gap();
        let object = format!("{}: {} {}", made.region, made.task.step.label(), made.id);
        text.lines.extend(paragraph(&object, text.columns, text.scene.theme.title()));
        // Mostly all fail for one reason, and only the number of the request differs.
        match left.iter().take(at).find(|(_, earlier)| earlier.message == error.message) {
            Some((earlier, _)) => text.say(&format!("As the {} above.", earlier.task.step.label())),
            None => text.error(error),
        }
    }
    let doubts = run.ledger.doubts();
    if !doubts.is_empty() {
        text.gap();
    }
    for doubt in doubts {
        text.doubt(run, doubt);
    }
}

fn unsettled(text: &mut Account<'_>, run: &Progress, error: Option<&Error>) {
    text.good("Everything of this run that could be found is deleted.");
    text.gap();
    text.say("Of some requests the answers were lost, and a cloud may act on them late:");
    for doubt in run.ledger.doubts() {
        text.doubt(run, doubt);
    }
    if let Some(error) = error {
        text.gap();
        text.error(error);
    }
    text.gap();
    text.say("Undo looks again, and deletes what it finds.");
}
