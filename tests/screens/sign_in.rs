//! What the sign-in asks.

use osvpn::cloud::person::{Question, Wanted};

use super::*;

fn question(wanted: Wanted, is_renewal: bool, refused: Option<&str>) -> Message {
    Message::Asked(Question {
        wanted,
        is_renewal,
        user: Some("demo".to_owned()),
        project: Some("vpn-demo".to_owned()),
        auth_url: "https://keystone.example:5000/v3".to_owned(),
        refused: refused.map(str::to_owned),
    })
}

#[test]
fn at_the_start_the_password_is_asked_for_and_what_is_typed_is_masked() {
    let mut journey = Journey::begun(SMALL);
    journey.send(question(Wanted::Password, false, None)).types("sesame");
    assert!(!drawn(&journey.model, &COLOR).text.contains("sesame"));
    screen("asked-password", &mut journey);
    let refused = "Keystone refused the password, or there is no such user or project, or no role in it; it does not say which. \
                   Several refusals in a row may lock the user out.";
    journey.send(question(Wanted::Appended, false, Some(refused))).press("Enter");
    screen("asked-again", &mut journey);
    journey.send(Message::Resize(60, 18));
    kept("smallest-asked-again", &journey);
}

#[test]
fn in_mid_run_the_question_stands_over_what_is_under_way() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4).made(Half::B, 0, 0.6).started(Half::A, 1);
    run.journey.after(22.4).send(question(Wanted::Passcode, true, None));
    screen("asked-passcode", &mut run.journey);
    run.journey.types("123456").press("Enter");
    screen("asked-sent", &mut run.journey);
    let refused = "That is for project other, but what is in progress is in project vpn-demo.";
    run.journey.send(question(Wanted::Token, true, Some(refused))).send(Message::Paste("gAAAAAB".repeat(30).into()));
    screen("asked-token", &mut run.journey);
}
