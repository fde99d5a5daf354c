//! What a change means at this moment, and what there is to do.

use super::account::{Account, hour};
use crate::engine::Direction;
use crate::plan::shell::osvpn;
use crate::wizard::work::capitalised;
use crate::wizard::work::{End, Work};

pub(super) fn lines(text: &mut Account<'_>, work: &Work) {
    let list = &text.scene.model.work;
    for before in list.done_before() {
        text.done_before(before);
    }
    if let Some(until) = work.settling {
        text.warning(&format!(
            "One request got no answer, and the cloud may still process it until {}: it is checked again then.",
            hour(until)
        ));
    }
    if let Some(end) = work.end() {
        text.change_ended(work, end);
    }
    if !work.is_working() && !list.queue.is_empty() {
        text.gap();
        for left in &list.queue {
            let why = if list.is_stopped { "you stopped" } else { "this one is not done" };
            text.say(&format!("Not begun, because {why}: {}.", left.change));
        }
    }
    for id in &work.removed {
        text.say(&format!("{id}, created by a request that got no answer, is deleted."));
    }
}

impl Account<'_> {
    /// One that was agreed to together with the present one and is done.
    fn done_before(&mut self, before: &Work) {
        let said = format!("{}: done.", capitalised(&before.change().to_string()));
        if before.course.caveats.is_empty() {
            return self.good(&said);
        }
        self.warning(&said);
        for caveat in &before.course.caveats {
            self.say(&caveat.text(None));
            caveat.command().iter().for_each(|command| self.say(&format!("  {command}")));
        }
    }

    fn change_ended(&mut self, work: &Work, end: &End) {
        let subject = &work.change().subject;
        match end {
            End::Done => match work.direction {
                Direction::Back => self.good("Rolled back: everything is as it was."),
                Direction::Forward if work.completes_creation => {
                    self.good("Done.");
                    self.completed(work);
                }
                Direction::Forward => self.came_to(work),
            },
            End::Unsettled(until, error) => {
                let done = if work.direction == Direction::Back { "Rolled back" } else { "Done" };
                let until = hour(*until);
                self.warning(&format!(
                    "{done}. One request got no answer, and the cloud may still process it until {until}."
                ));
                if let Some(error) = error {
                    self.error(error);
                }
            }
            End::Failed(row, error) => {
                let what = work.change().steps().get(*row).map(ToString::to_string).unwrap_or_default();
                self.say(&format!("This failed: {what}"));
                self.error(error);
            }
            End::Stopped => self.warning("Stopped. Retry does what is still missing."),
            End::KeyNeeded(_) => {
                self.warning("The key was typed in and is not stored anywhere. Enter it again: here, or with");
                self.say(&format!("  {}", osvpn("resume").operand(subject).words("--psk-file PATH")));
            }
            End::TooLate => {
                let why = work.course.why_final().unwrap_or_default();
                self.warning(&format!("It cannot be rolled back any more: {why}. Retry finishes it."));
            }
            End::NotBegun(why) => {
                self.warning(if work.turn.is_some() { "This one was not begun:" } else { "Nothing was changed:" });
                return why.iter().for_each(|why| self.say(why));
            }
            End::Active | End::NotYet(_) | End::Lost(_) => {}
        }
        let go_on = work.command();
        for caveat in &work.course.caveats {
            self.gap();
            self.warning(&caveat.text(go_on.as_ref()));
            caveat.command().iter().for_each(|command| self.say(&format!("  {command}")));
        }
        if let Some(go_on) = go_on.filter(|_| !matches!(end, End::KeyNeeded(_))) {
            self.gap();
            self.say(&format!("It can be resumed later: here, or with {go_on}."));
        }
        if let (End::Failed(..) | End::TooLate, Some(journal)) = (end, &work.course.journal) {
            self.say(&format!("To keep it as it is for good, remove {}.", journal.display()));
        }
    }
}
