//! What a run means at this moment, and what there is to do.

mod verified;

use super::account::{Account, hour};
use super::text::{clock, paragraph};
use crate::cloud::{Error, Status};
use crate::engine::Direction;
use crate::engine::Doubt;
use crate::engine::handover::{HANDOVER_TITLE, Handover};
use crate::inspect::diagnosis::agents_report;
use crate::plan::Half;
use crate::plan::shell::osvpn;
use crate::wizard::sheet::reasons;
use crate::wizard::work::{Button, End, Stage, Work};
use verified::{active, proof};

/// What a creation means at this moment, and what there is to do.
pub(super) fn lines(text: &mut Account<'_>, work: &Work) {
    match (&work.stage, work.direction) {
        (Stage::Working, Direction::Forward) => creating(text, work),
        (Stage::Working, Direction::Back) => {
            text.say("Deleting what this run created, connections first; what existed before stays.");
        }
        (Stage::Watching, _) => watching(text, work),
        (Stage::Ended(end), _) => ended(text, work, end),
    }
    for made in work.course.progress.left_alone() {
        text.warning(&format!(
            "Kept: {} {} {} ({}) has the marker of this VPN, but is not what osvpn sent.",
            made.region,
            made.task.step.label(),
            made.name,
            made.id
        ));
    }
}

fn ended(text: &mut Account<'_>, work: &Work, end: &End) {
    match end {
        End::Failed(..) if work.is_left() => remaining(text, work),
        End::Failed(row, error) => failed(text, work, *row, error),
        End::Active => active(text, work),
        End::NotYet(standing) => {
            let waited = clock(work.watch.wait);
            let waited = waited.trim_end_matches(" 00 s");
            text.warning(&format!(
                "Not ACTIVE within {waited}. That is no failure: the objects exist and keep trying."
            ));
            for (half, status) in standing {
                text.half(work, *half, status);
            }
            text.besides(work);
            handover(text, work);
            proof(text, work);
        }
        End::Lost(error) => {
            text.warning("The connections can no longer be watched. What was created still exists.");
            text.error(error);
        }
        End::Done => {
            let answers =
                if work.plan.is_some() { " The answers are still here: Change answers goes back to them." } else { "" };
            text.good(&format!("Nothing of this run is left in the cloud.{answers}"));
        }
        End::Unsettled(_, error) => unsettled(text, work, error.as_deref()),
        _ => {
            let ways =
                if work.plan.is_some() { "Retry does what is still missing." } else { "Roll back deletes the rest." };
            text.warning(&format!("Stopped. {ways}"));
            text.exists(work);
        }
    }
}

impl Account<'_> {
    fn half(&mut self, work: &Work, half: Half, status: &Status) {
        let theme = self.scene.theme;
        let look = theme.status(status);
        let place = work.label(half);
        let text = format!("{place} is {status}{}", meaning(work, half, status));
        self.signed(look, &text, theme.text());
    }

    fn exists(&mut self, work: &Work) {
        let ours = work.course.progress.removable().len();
        let text = match ours {
            0 => "Nothing of this VPN exists.".to_owned(),
            1 => "1 object exists so far.".to_owned(),
            count => format!("{count} objects exist so far."),
        };
        self.say(&text);
        let doubts = work.course.progress.doubts();
        match doubts.iter().map(|doubt| doubt.until).max() {
            None => {}
            // None is the least: of no request is it known until when.
            Some(None) => {
                self.say(
                    "Whether the cloud carried out the last request is unknown; both Retry and Roll back check that first.",
                );
            }
            Some(Some(until)) => self.say(&format!(
                "The last request got no answer. The cloud has not carried it out so far, and may until {}; both Retry and Roll back \
                 check that first.",
                hour(until)
            )),
        }
    }

    /// What there is, or may come to be, besides the VPN itself.
    fn besides(&mut self, work: &Work) {
        for left in work.course.progress.leftovers() {
            let text = format!(
                "Unused by this VPN: {} {} {}. osvpn list names it, and the command that deletes it.",
                left.region,
                left.task.step.label(),
                left.id
            );
            self.warning(&text);
        }
        for doubt in work.course.progress.doubts() {
            self.doubt(work, doubt);
        }
    }

    fn doubt(&mut self, work: &Work, Doubt { task, until }: Doubt) {
        let Some(create) = work.change().creation_of(task) else { return };
        let when = match until {
            Some(until) => format!("may still appear until {}", hour(until)),
            None => "may exist; it could not be checked".to_owned(),
        };
        let text = format!("{}: {} {} {when}", create.region, task.step.label(), create.name);
        let theme = self.scene.theme;
        self.signed((theme.glyphs.warning, theme.warning()), &text, theme.text());
    }
}

fn meaning(work: &Work, half: Half, status: &Status) -> String {
    let other = half.other();
    let alone = work.halves().contains(&other) && !work.is_made(other);
    match status {
        Status::Active => ": the tunnel is up as seen from here".to_owned(),
        Status::Down if alone => format!(" until half {other} exists: normal"),
        Status::Down => ": set up, no tunnel reported yet".to_owned(),
        Status::PendingCreate => ": accepted, no agent has reported yet".to_owned(),
        Status::Error => ": it failed in the cloud; its operator can see why".to_owned(),
        Status::PendingUpdate | Status::Build => ": the cloud is updating it".to_owned(),
        Status::PendingDelete => ": it is being deleted".to_owned(),
        Status::Other(_) => String::new(),
    }
}

fn creating(text: &mut Account<'_>, work: &Work) {
    let connected = work.halves().into_iter().find(|half| work.is_made(*half));
    let all = work.halves().iter().all(|half| work.is_made(*half));
    match connected {
        Some(half) if !all => {
            let label = work.label(half);
            text.say(&format!("{label} is DOWN until half {} exists: normal.", half.other()));
        }
        Some(_) if text.scene.theme.is_still => {}
        _ => text.say("Services first: their addresses are the peer addresses. Then everything else of both halves."),
    }
}

fn watching(text: &mut Account<'_>, work: &Work) {
    for (half, status) in &work.watch.standing {
        text.half(work, *half, status);
    }
    if !work.watch.standing.is_empty() {
        text.gap();
    }
    let since = work.watch.since.unwrap_or(text.scene.model.shell.now);
    let left = work.watch.wait.saturating_sub(text.scene.elapsed(since));
    let left = clock(left);
    text.say(&if work.has_sheet() {
        format!("It becomes ACTIVE once the peer is set up, as below. Waiting {left} more.")
    } else {
        format!("On a real cloud this usually takes 1 to 2 min: {}. Waiting {left} more.", agents_report!())
    });
    text.besides(work);
    if let Some((half, error)) = &work.watch.problem {
        text.warning(&format!("The status of half {half} could not be read and is requested again: {error}"));
    }
    handover(text, work);
}

fn failed(text: &mut Account<'_>, work: &Work, row: usize, error: &Error) {
    let Some(task) = work.task(row) else { return };
    let place = work.label(task.half);
    let what = if work.course.progress.get(task.half, task.step).is_some() {
        "could not be checked"
    } else {
        "could not be created"
    };
    text.say(&format!("The {} of {place} {what}:", task.step.label()));
    text.error(error);
    text.gap();
    if work.buttons().contains(&Button::UseModern) {
        let peer = if work.halves().len() == 1 { " The peer must be set up for it, too." } else { "" };
        text.say(&format!(
            "Use modern continues with the profile modern, which every region accepts: the policies this run created are \
             recreated, everything else is kept.{peer}"
        ));
        text.gap();
    }
    text.exists(work);
}

/// What the owner of the peer needs, who cannot see this cloud. Without it, nothing will ever come up.
fn handover(text: &mut Account<'_>, work: &Work) {
    let (Some(plan), true) = (work.plan.as_ref(), work.has_sheet()) else { return };
    let Some(sheet) = text.scene.model.sheet.sheet_of_work() else { return };
    text.gap();
    text.title(HANDOVER_TITLE.to_owned());
    text.say("p shows this for another system, with the key, or writes it to a file.");
    match sheet {
        Ok(sheet) => text.sheet(sheet),
        Err(refused) => {
            let of = |word| osvpn(word).operand(&work.change().subject);
            for reason in reasons(refused, of) {
                text.warning(&reason);
            }
        }
    }
    text.gap();
    if let Some(handover) = Handover::of(plan, &work.course.progress, work.key) {
        text.say(&format!("Pre-shared key: {}", handover.key()));
        handover.key_command.iter().for_each(|command| text.say(&format!("  {command}")));
    }
}

fn remaining(text: &mut Account<'_>, work: &Work) {
    let left = &work.course.not_deleted;
    text.warning("Not everything could be deleted. Roll back tries again.");
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
    let doubts = work.course.progress.doubts();
    if !doubts.is_empty() {
        text.gap();
    }
    for doubt in doubts {
        text.doubt(work, doubt);
    }
}

fn unsettled(text: &mut Account<'_>, work: &Work, error: Option<&Error>) {
    text.good("Everything that was found of this run is deleted.");
    text.gap();
    text.say("Some requests got no answer, and the cloud may still process them:");
    for doubt in work.course.progress.doubts() {
        text.doubt(work, doubt);
    }
    if let Some(error) = error {
        text.gap();
        text.error(error);
    }
    text.gap();
    text.say("Roll back looks again, and deletes what it finds.");
}
