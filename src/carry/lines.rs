//! A change as lines, one for each thing that happens.

use crate::change::Change;
use crate::engine::change::{ChangeEvent, End};
use crate::sign_in::aside::say;

/// Tells an event of a change on standard error.
pub fn tell(change: &Change, event: &ChangeEvent) {
    let step = |number: &usize| change.steps().get(*number).map(ToString::to_string).unwrap_or_default();
    let line = match event {
        ChangeEvent::Started(_) | ChangeEvent::TakingBack(_) => return,
        ChangeEvent::Finished(number, end, took) => {
            let word = match end {
                End::Made(id) => format!("made {id}"),
                End::Existed => "was there already".to_owned(),
                End::Changed => "done".to_owned(),
                End::Unnoticed(_) => "done, but NOT NOTICED by the agent".to_owned(),
                End::Gone => "gone".to_owned(),
                End::Kept(why) => format!("KEPT, because it is in use: {why}"),
            };
            format!("{}: {word} ({:.1} s)", step(number), took.as_secs_f64())
        }
        ChangeEvent::Failed(number, error, took) => {
            format!("{}: FAILED: {error} ({:.1} s)", step(number), took.as_secs_f64())
        }
        ChangeEvent::Waiting(number, pause) => format!("{}: {pause}", step(number)),
        ChangeEvent::TakenBack(number, took) => {
            format!("{}: rolled back ({:.1} s)", step(number), took.as_secs_f64())
        }
        ChangeEvent::Settling(until) => {
            format!(
                "waiting until {}, because an answer was lost and the cloud may still act on that request",
                until.strftime("%H:%M:%S UTC")
            )
        }
        ChangeEvent::Removed(_, id) => format!("{id}, which nothing needs any more: deleted"),
    };
    say(&line);
}
