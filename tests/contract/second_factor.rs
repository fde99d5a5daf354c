//! Signing in where the password alone is not enough: receipts, passcodes, and every way either is refused.

use std::sync::{Arc, Mutex};

use osvpn::cloud::Person as Asked;
use osvpn::cloud::person::{Prompt, Reply, Said};
use reqwest::Method;
use serde_json::json;

use super::case::{Case, case};
use super::recorder::{Answer, NOBODY, Stage};
use super::sign_in::sign_in_with;
use super::test_project::{password, totp};

const RECEIPT: &str = "Openstack-Auth-Receipt";

pub fn cases() -> Vec<Case> {
    vec![
        case("second factor/password alone", password_alone),
        case("second factor/passcode with a receipt", passcode_with_a_receipt),
        case("second factor/passcode refused", passcode_refused),
        case("second factor/project without a role", project_without_a_role),
        case("second factor/passcode without a receipt", passcode_without_a_receipt),
        case("second factor/both at once", both_at_once),
        case("second factor/receipt that is not good", receipt_that_is_not_good),
        case("second factor/receipt expired", receipt_expired),
        case("second factor/token made of such a token", token_made_of_such_a_token),
        case("second factor/what the client asks", what_the_client_asks),
        case("second factor/the client without anybody to ask", the_client_without_anybody_to_ask),
    ]
}

async fn password_alone(s: Stage) {
    let sound = password(&s.ground.guarded, &s.ground.project_id);
    let answer = sign_in_with(&s, "right", &[], sound.clone()).await;
    s.note(format!("asks by a header: {}", answer.header("WWW-Authenticate")));
    s.note(format!("a receipt: {}", answer.header(RECEIPT).starts_with("gAAAAA")));
    let mut wrong = sound.clone();
    wrong["auth"]["identity"]["password"]["user"]["password"] = "wrong".into();
    sign_in_with(&s, "wrong", &[], wrong).await;
    let mut elsewhere = sound.clone();
    elsewhere["auth"]["scope"] = json!({"project": {"id": NOBODY.replace('-', "")}});
    sign_in_with(&s, "unknown project", &[], elsewhere).await;
    let mut unscoped = sound;
    unscoped["auth"].as_object_mut().unwrap().remove("scope");
    sign_in_with(&s, "without a scope", &[], unscoped).await;
}

async fn passcode_with_a_receipt(s: Stage) {
    let (code, before) = (s.ground.passcode(0).await, s.ground.passcode(-1).await);
    let receipt = receipt(&s).await;
    for what in ["passcode", "the same passcode and receipt again"] {
        add(&s, what, &receipt, &code).await;
    }
    add(&s, "the passcode before", &receipt, &before).await;
    let mut unscoped = totp(&s.ground.guarded, &code, &s.ground.project_id);
    unscoped["auth"].as_object_mut().unwrap().remove("scope");
    sign_in_with(&s, "without a scope", &[(RECEIPT, &receipt)], unscoped).await;
}

async fn passcode_refused(s: Stage) {
    let (old, early, right) = (s.ground.passcode(-2).await, s.ground.passcode(1).await, s.ground.passcode(0).await);
    let (first, second) = right.split_at(3);
    let parted = format!("{first} {second}");
    let receipt = receipt(&s).await;
    for (what, wrong) in [("two before", &old), ("the next", &early), ("in two groups", &parted)] {
        add(&s, what, &receipt, wrong).await;
    }
    add(&s, "a right one with the same receipt", &receipt, &right).await;
}

async fn project_without_a_role(s: Stage) {
    let code = s.ground.passcode(0).await;
    let scope = json!({"project": {"name": s.ground.foreign_project(), "domain": {"id": "default"}}});
    let mut first = password(&s.ground.guarded, &s.ground.project_id);
    first["auth"]["scope"] = scope.clone();
    let answer = sign_in_with(&s, "password", &[], first).await;
    let mut second = totp(&s.ground.guarded, &code, &s.ground.project_id);
    second["auth"]["scope"] = scope;
    sign_in_with(&s, "passcode", &[(RECEIPT, answer.header(RECEIPT))], second).await;
}

async fn passcode_without_a_receipt(s: Stage) {
    let (guarded, project) = (&s.ground.guarded, &s.ground.project_id);
    let code = s.ground.passcode(0).await;
    let answer = sign_in_with(&s, "passcode", &[], totp(guarded, &code, project)).await;
    let receipt = answer.header(RECEIPT).to_owned();
    sign_in_with(&s, "its receipt with the password", &[(RECEIPT, &receipt)], password(guarded, project)).await;
    add(&s, "its receipt with the passcode", &receipt, &code).await;
    sign_in_with(&s, "of who has none", &[], totp(&s.ground.member, &code, project)).await;
}

async fn both_at_once(s: Stage) {
    let code = s.ground.passcode(0).await;
    let mut sound = password(&s.ground.guarded, &s.ground.project_id);
    sound["auth"]["identity"]["methods"] = json!(["password", "totp"]);
    let passcode = totp(&s.ground.guarded, &code, &s.ground.project_id);
    sound["auth"]["identity"]["totp"] = passcode["auth"]["identity"]["totp"].clone();
    sign_in_with(&s, "both", &[], sound.clone()).await;
    for (method, secret) in [("password", "password"), ("totp", "passcode")] {
        let mut wrong = sound.clone();
        wrong["auth"]["identity"][method]["user"][secret] = "wrong".into();
        sign_in_with(&s, &format!("wrong {secret}"), &[], wrong).await;
    }
}

async fn receipt_that_is_not_good(s: Stage) {
    let (code, old) = (s.ground.passcode(0).await, s.ground.passcode(-2).await);
    for (what, receipt) in [("nonsense", "nonsense"), ("nonsense in its form", "gAAAAABnonsense")] {
        add(&s, what, receipt, &code).await;
        add(&s, &format!("{what}, and a wrong passcode"), receipt, &old).await;
    }
    let member = password(&s.ground.member, &s.ground.project_id);
    sign_in_with(&s, "nonsense, and who needs none", &[(RECEIPT, "nonsense")], member.clone()).await;
    let receipt = receipt(&s).await;
    sign_in_with(&s, "somebody else's", &[(RECEIPT, &receipt)], member).await;
    add(&s, "a token", &s.ground.member.token, &code).await;
}

async fn receipt_expired(s: Stage) {
    let code = s.ground.passcode(0).await;
    let receipt = receipt(&s).await;
    // A passcode lives longer than a receipt here.
    for _ in 0..80 {
        s.ground.outlive_receipts().await;
        if with_receipt(&s, &receipt, &code).await.status != 201 {
            break;
        }
    }
    add(&s, "expired", &receipt, &code).await;
}

async fn token_made_of_such_a_token(s: Stage) {
    let code = s.ground.passcode(0).await;
    let receipt = receipt(&s).await;
    let token = with_receipt(&s, &receipt, &code).await.header("X-Subject-Token").to_owned();
    let mut body = password(&s.ground.guarded, &s.ground.project_id);
    body["auth"]["identity"] = json!({"methods": ["token"], "token": {"id": token}});
    sign_in_with(&s, "exchanged", &[], body).await;
}

async fn what_the_client_asks(s: Stage) {
    let (right, old) = (s.ground.passcode(0).await, s.ground.passcode(-2).await);
    let (first, second) = right.split_at(3);
    let parted = format!("{first} {second}");
    let word = s.ground.guarded.password.clone();
    for (what, with, answers) in [
        ("the passcode", word.as_str(), vec![(Prompt::Passcode, right.as_str())]),
        ("a wrong one first", &word, vec![(Prompt::Passcode, old.as_str()), (Prompt::Passcode, &right)]),
        ("as it is shown", &word, vec![(Prompt::Passcode, &parted)]),
        ("the password, too", "wrong", vec![(Prompt::Password, &word), (Prompt::Passcode, &right)]),
    ] {
        let (asked, heard) = person(&answers);
        let outcome = s.sign_in_as(&guarded(&s, &[("OS_PASSWORD", with)]), asked).await;
        for question in heard.lock().unwrap().iter() {
            s.note(format!("{what}: {question}"));
        }
        let told = outcome.map(|cloud| (cloud.user_name() == s.ground.guarded.name, cloud.renews_silently()));
        s.note_outcome(what, &told);
    }
}

async fn the_client_without_anybody_to_ask(s: Stage) {
    let (word, right, old) =
        (s.ground.guarded.password.clone(), s.ground.passcode(0).await, s.ground.passcode(-2).await);
    let several = [("OS_AUTH_TYPE", "v3multifactor"), ("OS_AUTH_METHODS", "v3password,v3totp")];
    for (what, more) in [
        ("password", vec![("OS_PASSWORD", word.as_str())]),
        ("both", [&several[..], &[("OS_PASSWORD", &word), ("OS_PASSCODE", &right)]].concat()),
        ("both, a wrong passcode", [&several[..], &[("OS_PASSWORD", &word), ("OS_PASSCODE", &old)]].concat()),
        ("passcode", vec![("OS_AUTH_TYPE", "v3totp"), ("OS_PASSCODE", &right)]),
    ] {
        let outcome = s.try_sign_in(&guarded(&s, &more)).await;
        s.note_outcome(
            what,
            &outcome.map(|cloud| (cloud.user_name() == s.ground.guarded.name, cloud.renews_silently())),
        );
    }
}

/// The variables of the one who needs a passcode.
fn guarded<'a>(s: &'a Stage, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("OS_USERNAME", s.ground.guarded.name.as_str()),
        ("OS_USER_DOMAIN_ID", "default"),
        ("OS_PROJECT_ID", s.ground.project_id.as_str()),
    ];
    [&own, more].concat()
}

/// Somebody who answers each question in turn, and what they were asked.
fn person(answers: &[(Prompt, &str)]) -> (Asked, Arc<Mutex<Vec<String>>>) {
    let (person, mut said) = Asked::new();
    let mut answers: Vec<Reply> =
        answers.iter().rev().map(|(part, text)| Reply::default().with(*part, (*text).into())).collect();
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let shared = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Some(said) = said.recv().await {
            let Said::Asked(question, answer) = said else { continue };
            let line = format!("{:?}, {}", question.wanted, question.refused.unwrap_or_default());
            shared.lock().unwrap().push(line);
            let _ = answer.send(answers.pop());
        }
    });
    (person, heard)
}

/// A receipt for the right password.
async fn receipt(s: &Stage) -> String {
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let body = password(&s.ground.guarded, &s.ground.project_id);
    let answer = s.exchange(Method::POST, &url, &[], Some(body.to_string())).await;
    answer.header(RECEIPT).to_owned()
}

/// A passcode with a receipt, not recorded.
async fn with_receipt(s: &Stage, receipt: &str, passcode: &str) -> Answer {
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let body = totp(&s.ground.guarded, passcode, &s.ground.project_id);
    s.exchange(Method::POST, &url, &[(RECEIPT, receipt)], Some(body.to_string())).await
}

/// A passcode with a receipt.
async fn add(s: &Stage, what: &str, receipt: &str, passcode: &str) {
    let body = totp(&s.ground.guarded, passcode, &s.ground.project_id);
    sign_in_with(s, what, &[(RECEIPT, receipt)], body).await;
}
