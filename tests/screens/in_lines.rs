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
    let text = ["3?", "delete", "q", "delete", "2", "b"].map(|line| reader.types(&mut journey, line)).concat();
    kept_lines("in-lines-a-vpn", &text);
}

#[test]
fn a_vpn_s_menu_is_said_once_and_enter_alone_begins_no_deletion() {
    let mut journey = super::vpns::opened(super::surveys::broken(), Exposures::new());
    let mut reader = Reader(Transcript::default());
    reader.types(&mut journey, "delete");
    let back = reader.types(&mut journey, "b");
    assert!(back.contains("Delete\nNumber:"), "{back}");
    let said = reader.types(&mut journey, "");
    assert!(said.contains("! Enter alone deletes nothing"), "{said}");
    assert!(journey.model.shell.dialog.is_none());
    reader.types(&mut journey, "?");
    let said = reader.types(&mut journey, "1?");
    assert!(said.contains("! That is neither"), "a number is not of what is behind the help: {said}");
}

#[test]
fn numbers_stay_as_they_were_said_until_everything_is_read() {
    let mut journey = Journey::on_first_page(&[hamilton(), porirua(), super::journey::wellington()]);
    let mut reader = Reader(Transcript::default());
    let mut text = reader.says(&mut journey);
    journey.discovered(&hamilton(), Ok(hamilton_inventory()));
    text += &reader.says(&mut journey);
    text += &reader.types(&mut journey, "porirua");
    journey.discovered(&porirua(), Ok(porirua_inventory()));
    text += &reader.says(&mut journey);
    journey.discovered(&super::journey::wellington(), Ok(super::journey::without_vpn()));
    text += &reader.says(&mut journey);
    kept_lines("in-lines-while-reading", &text);
}

#[test]
fn at_active_nothing_is_offered_by_number_before_both_halves_are_compared() {
    let mut run = Run::created(SMALL);
    let mut reader = Reader(Transcript::default());
    reader.says(&mut run.journey);
    run.polled(Status::Active, Status::Active);
    run.journey.send(Message::Watched(Watched::Active));
    let early = reader.types(&mut run.journey, "1");
    assert!(!early.contains("Number") && early.contains(" a name can be typed already"), "{early}");
    let left = reader.types(&mut run.journey, "show vpn");
    assert!(left.contains("hlz-por") && run.journey.model.screen() == Screen::Vpn, "{left}");
}

#[test]
fn what_is_to_be_known_of_an_answer_is_said_at_once_and_what_is_wrong_is_not_offered_again() {
    let mut journey = Journey::ready();
    journey.single().to(Screen::Peer);
    let mut reader = Reader(Transcript::default());
    let said = reader.types(&mut journey, "10.0.1.5");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("! 10.0.1.5 is in db-subnet") && said.contains("this project's own network"), "{said}");
    reader.types(&mut journey, "");
    let said = reader.types(&mut journey, "abc");
    assert!(said.contains("! ") && said.matches("abc").count() <= 2 && !said.contains("[abc]"), "{said}");
}

#[test]
fn a_review_that_had_to_be_read_first_has_every_line_of_both_regions() {
    let mut journey = Journey::ready();
    for _ in 0..5 {
        journey.enter();
    }
    let mut reader = Reader(Transcript::default());
    assert!(!reader.says(&mut journey).contains("Number"), "nothing is asked yet");
    journey.details();
    let said = reader.says(&mut journey);
    let policies = said.lines().filter(|line| line.starts_with("new hlz-por_ike_policy")).count();
    assert!(policies == 2 && said.matches("Number [1]:").count() == 1, "{said}");
}

#[test]
fn a_letter_that_is_a_command_elsewhere_is_said_to_be_text_and_a_question_mark_explains() {
    let mut journey = Journey::ready();
    journey.single().to(Screen::Peer);
    let mut reader = Reader(Transcript::default());
    assert!(reader.types(&mut journey, "?").contains("\nHelp\n"));
    let said = reader.types(&mut journey, "?") + &reader.types(&mut journey, "b");
    assert!(said.contains("Who is the external peer?") && said.contains("taken as text; here :b goes back"), "{said}");
    let said = reader.types(&mut journey, ":b");
    assert!(said.contains("Which subnets of Hamilton?") && !said.contains("taken as text"), "{said}");
}

#[test]
fn a_sign_in_is_declined_by_a_command_and_not_by_an_empty_line() {
    use osvpn::cloud::person::{Question, Wanted};
    let mut journey = Journey::ready();
    journey.send(Message::Asked(Question {
        wanted: Wanted::Password,
        is_renewal: true,
        user: Some("demo".into()),
        project: None,
        auth_url: "https://keystone.example:5000/v3".into(),
        refused: None,
    }));
    let mut reader = Reader(Transcript::default());
    let said = reader.types(&mut journey, "") + &reader.types(&mut journey, ":?");
    assert!(said.contains("! Nothing was typed. :b cancels.") && journey.model.shell.question.is_some(), "{said}");
    reader.types(&mut journey, ":b");
    assert!(journey.model.shell.question.is_none());
}

#[test]
fn a_long_page_is_not_said_over_again_but_as_a_whole_when_it_is_asked_for() {
    let mut journey = super::vpns::opened(super::surveys::broken(), Exposures::new());
    let mut reader = Reader(Transcript::default());
    let first = reader.says(&mut journey);
    assert!(first.contains("1 ! IPsec: pfs is group14") && !first.contains("pre-shared keys are equal"), "{first}");
    reader.types(&mut journey, "delete");
    let again = reader.types(&mut journey, "b");
    assert!(again.contains("The rest is as it was said before") && !again.contains("1 ! IPsec"), "{again}");
    let whole = reader.types(&mut journey, "/");
    assert!(whole.contains("1 ! IPsec") && whole.contains("✓ pre-shared keys are equal: yes"), "{whole}");
}
