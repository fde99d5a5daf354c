//! What is asked before work is stopped, left or rolled back, and leaving.

use super::dialog::{Act, Dialog};
use super::shell::{Ending, Shell};
use super::work::{Button, End, RowState, Stage, Work, WorkList};
use crate::change::short_name;
use crate::engine::{Direction, Made};
use crate::plan::shell::osvpn;

/// The first sentence of every question about stopping.
const FINISHED_FIRST: &str = "The request in progress is finished first.";

impl WorkList {
    pub(super) fn ask_to_roll_back(&self, shell: &mut Shell) {
        let Some(work) = &self.current else { return };
        let text = if work.is_creation() {
            let mut text = Vec::new();
            if work.end() == Some(&End::Active) {
                text.push("The VPN is ACTIVE. Traffic that uses it stops.".to_owned());
            }
            let removable = work.course.progress.removable();
            text.push(if removable.is_empty() {
                "This looks for objects that lost requests may have created, and deletes them.".to_owned()
            } else {
                "This deletes what this run created, and nothing else:".to_owned()
            });
            text.extend(removable.iter().map(object));
            text
        } else {
            vec!["What the steps so far have done is undone, the last first; the VPN is then as it was.".to_owned()]
        };
        let title = format!("Roll back {}?", name(work));
        let yes = if work.is_creation() { format!("Roll back {}", labelled(work)) } else { "Roll it back".to_owned() };
        let buttons = vec![("Keep it".to_owned(), Act::Close), (yes, Act::RollBack)];
        shell.dialog = Some(Dialog::new(title, text, buttons));
    }

    pub(super) fn quit(&self, shell: &mut Shell) {
        let Some(work) = &self.current else { return };
        let stay = |keep| vec![("Stay", Act::Close), (keep, Act::Leave)];
        if work.then.is_some() {
            shell.say("It is stopping already, once the request in progress is answered.");
        } else if work.is_working() {
            shell.dialog = self.stop_question();
        } else {
            let is_failed = matches!(work.end(), Some(End::Failed(..)));
            let mut text = match work.is_creation() {
                false if work.is_unfinished() => vec![how_far(work)],
                true if is_failed && !work.course.progress.is_clean() => what_exists(work),
                _ => return self.leave(shell),
            };
            text.extend(work.command().map(|go_on| format!("It can be resumed later: here, or with {go_on}.")));
            if work.is_creation() {
                text.push("Leaving keeps it.".to_owned());
            }
            let mut buttons = stay("Leave");
            if work.buttons().contains(&Button::RollBack) {
                buttons.push(("Roll back", Act::RollBack));
            }
            shell.dialog = Some(Dialog::new("Leave osvpn?", text, buttons));
        }
    }

    /// Ends the wizard. The program then prints what the engine has done.
    pub(super) fn leave(&self, shell: &mut Shell) {
        shell.dialog = None;
        let is_after = self.current.is_some() || !self.earlier.is_empty();
        shell.ending = Some(if is_after { Ending::AfterRun } else { Ending::Left });
    }

    fn stop_question(&self) -> Option<Dialog> {
        let work = self.current.as_ref().filter(|work| work.is_working())?;
        let [go_on, keep, roll_back] = match work.stage {
            Stage::Watching => ["Go on waiting", "Stop waiting", "Roll back instead"],
            _ => ["Go on", "Stop and keep", "Stop and roll back"],
        };
        let mut buttons = vec![(go_on, Act::Close), (keep, Act::StopAndKeep)];
        if work.direction == Direction::Forward && work.is_reversible() {
            buttons.push((roll_back, Act::StopAndRollBack));
        }
        Some(Dialog::new(stop_title(work), self.stop_text(work), buttons))
    }

    fn stop_text(&self, work: &Work) -> Vec<String> {
        if work.stage == Stage::Watching {
            let status = osvpn("status").operand(&work.change().subject);
            return vec![format!("The VPN stays, and goes on coming up by itself: {status}")];
        }
        let mut text = vec![FINISHED_FIRST.to_owned()];
        if work.is_creation() {
            text.extend(what_exists(work));
        } else if work.settling.is_some() {
            text = vec!["Only a request whose answer was lost is still waited for.".to_owned(), how_far(work)];
        } else {
            text.push(how_far(work));
        }
        text.extend(match self.queue.len() {
            0 => None,
            1 => Some("The VPN after this one then stays as it is.".to_owned()),
            count => Some(format!("The {count} VPNs after this one then stay as they are.")),
        });
        text
    }

    pub(super) fn refresh_question(&self, shell: &mut Shell) {
        let Some(dialog) = shell.dialog.as_mut().filter(|dialog| dialog.has(Act::StopAndKeep)) else { return };
        if let Some(question) = self.stop_question() {
            let (focus, scroll) = (dialog.focus.min(question.buttons.len() - 1), dialog.scroll);
            *dialog = Dialog { focus, scroll, ..question };
        } else {
            let text = vec!["The work has ended meanwhile; nothing was stopped.".to_owned()];
            *dialog = Dialog::new("Nothing to stop", text, vec![("Show the result", Act::Close)]);
        }
    }
}

fn stop_title(work: &Work) -> String {
    if work.stage == Stage::Watching {
        return format!("Stop waiting for {}?", name(work));
    }
    let what = match (work.is_creation(), work.direction) {
        (true, Direction::Forward) => "creating ",
        (true, Direction::Back) => "rolling back ",
        (false, _) => "",
    };
    format!("Stop {what}{}?", name(work))
}

/// The name as a button has room for it.
fn labelled(work: &Work) -> String {
    short_name(&work.change().label)
}

fn name(work: &Work) -> String {
    if work.is_creation() { work.change().label.clone() } else { work.change().to_string() }
}

fn what_exists(work: &Work) -> Vec<String> {
    let ours = work.course.progress.removable();
    if ours.is_empty() {
        return vec!["Nothing of this VPN exists yet.".to_owned()];
    }
    let mut lines = vec!["What exists so far:".to_owned()];
    lines.extend(ours.iter().map(object));
    lines
}

fn object(made: &Made) -> String {
    format!("  {} {} {} ({})", made.region, made.task.step.label(), made.name, made.id)
}

fn how_far(work: &Work) -> String {
    let done = work.rows.iter().filter(|row| matches!(row.state, RowState::Done(..))).count();
    let all = work.rows.len();
    match (work.end(), work.direction) {
        (Some(End::Unsettled(..)), _) => "One request got no answer, and the cloud may still process it.".to_owned(),
        (_, Direction::Back) => format!("{done} of {all} steps are not rolled back yet."),
        (_, Direction::Forward) if done == 0 || !work.change().verb.leaves_a_vpn() => {
            format!("{done} of {all} steps are done.")
        }
        (_, Direction::Forward) if work.is_reversible() => {
            format!("{done} of {all} steps are done. It can be rolled back.")
        }
        (_, Direction::Forward) => format!(
            "{done} of {all} steps are done. It cannot be rolled back any more, and until it is resumed the VPN may be down."
        ),
    }
}
