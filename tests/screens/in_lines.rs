//! What is said where there is no screen: all that is appended from one question to the next.

use osvpn::view::lines::Transcript;

use super::*;

/// Somebody who has what is said written down.
struct Reader(Transcript);

impl Reader {
    fn says(&mut self, journey: &mut Journey) -> String {
        let new = self.0.say(&journey.model, &Theme::of_lines(true), 78);
        let lines: Vec<&str> = new.written().map(str::trim_end).collect();
        lines.join("\n") + "\n"
    }

    /// Types a line, a while after it was asked for.
    fn types(&mut self, journey: &mut Journey, line: &str) -> String {
        journey.passes(1000);
        let text = self.says(journey);
        for message in self.0.hear(&journey.model, &line.into()) {
            journey.send(message);
        }
        journey.details();
        text + "<-- " + line + "\n" + &self.says(journey)
    }
}

fn kept_lines(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn the_way_to_the_review_with_what_is_refused_explained_and_changed() {
    let mut journey = Journey::discovered_on(SMALL);
    let mut reader = Reader(Transcript::default());
    let to_the_review = ["choose step by step", "", "legacy-router", "1?", "/used", "/", "", "/dbx", "/", "1,2", ""];
    let at_the_review = ["c", "", "9", "", "p", ""];
    let lines = [&to_the_review[..], &at_the_review].concat();
    let mut text: String = lines.iter().map(|line| reader.types(&mut journey, line)).collect();
    text += &reader.says(&mut journey);
    kept_lines("in-lines-to-the-review", &text);
}

#[test]
fn a_run_is_told_row_by_row_and_a_question_interrupts_it() {
    let mut run = Run::begun(SMALL);
    let mut reader = Reader(Transcript::default());
    let mut text = reader.says(&mut run.journey);
    run.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).made(Half::A, 1, 0.3).started(Half::B, 1);
    text += &reader.says(&mut run.journey);
    text += &["q", ""].map(|line| reader.types(&mut run.journey, line)).concat();
    run.journey.after(60.0);
    text += &reader.says(&mut run.journey);
    let mut run = Run::created(SMALL);
    for status in [Status::PendingCreate, Status::Down, Status::Down, Status::Active] {
        run.polled(status.clone(), status);
        text += &reader.says(&mut run.journey);
    }
    kept_lines("in-lines-a-run", &text);
}

#[test]
fn a_vpn_with_its_findings_and_the_question_before_it_is_deleted() {
    let mut journey = super::vpns::opened(super::surveys::broken(), Exposures::new());
    let mut reader = Reader(Transcript::default());
    let text = ["3?", "delete", "2", "b"].map(|line| reader.types(&mut journey, line)).concat();
    kept_lines("in-lines-a-vpn", &text);
}
