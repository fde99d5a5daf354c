//! Before the first question.

use super::*;

#[test]
fn signing_in_says_for_how_long_already() {
    let mut journey = Journey::begun(SMALL);
    screen("signing-in", journey.after(3.2));
    screen("signing-in-answered", journey.press("Enter"));
}

#[test]
fn a_run_that_was_cut_off_is_offered_before_anything_is_asked() {
    let mut journey = Journey::begun(SMALL);
    let run = |name: &str| cut_off_creation(name, "0badcafe", (7, 1), State::Interrupted);
    let interruptions = vec![run("hlz-por"), run("hlz-office")];
    journey.answer_sign_in(Ok(Session { interruptions, ..session() }));
    screen("unfinished", &mut journey);
    journey.press("Enter");
    screen("unfinished-reading", &mut journey);
    let Some(Effect::Resume(request, ..)) = journey.effects.pop() else { panic!("it is taken up") };
    let text =
        vec!["another osvpn (process 4711) is working on this VPN right now; wait for it, or end it first".to_owned()];
    journey.send(Message::Resumed(request, Err(text)));
    screen("unfinished-busy", &mut journey);
}

#[test]
fn without_credentials_the_screen_says_what_was_looked_for_and_the_ways_on() {
    let mut journey = Journey::begun(SMALL);
    journey.answer_sign_in(Err(Problem {
        title: "No credentials were found".to_owned(),
        text: vec![
            "Download the OpenStack RC file of your project from the dashboard and source it, or write a clouds.yaml."
                .to_owned(),
        ],
        looked_for: vec![
            ("OS_CLOUD".to_owned(), false),
            ("OS_AUTH_URL".to_owned(), false),
            ("./clouds.yaml".to_owned(), false),
            ("~/.config/openstack/clouds.yaml".to_owned(), false),
            ("/etc/openstack/clouds.yaml".to_owned(), true),
        ],
        error: None,
        clouds: Vec::new(),
    }));
    screen("problem-credentials", &mut journey);
}

#[test]
fn a_refused_sign_in_names_the_request_and_what_to_do() {
    let mut journey = Journey::begun(SMALL);
    let mut error = Error::new(ErrorKind::Unauthorized, "The request you have made requires authentication.");
    error.request = Some("POST /v3/auth/tokens".to_owned());
    error.status = Some(401);
    error.request_id = Some("req-0a1b2c3d-0000-4444-8888-0123456789ab".to_owned());
    journey.answer_sign_in(Err(Problem {
        title: "Sign-in failed".to_owned(),
        text: vec![
            "Tried https://api.example.org:5000/v3 with the password of user demo, project vpn-demo, from OS_* variables."
                .to_owned(),
        ],
        looked_for: Vec::new(),
        error: Some(error),
        clouds: Vec::new(),
    }));
    screen("problem-refused", &mut journey);
}

#[test]
fn with_several_clouds_the_first_question_is_which() {
    let mut journey = Journey::begun(SMALL);
    journey.answer_sign_in(Err(Problem {
        title: "Several clouds".to_owned(),
        text: Vec::new(),
        looked_for: Vec::new(),
        error: None,
        clouds: clouds(),
    }));
    screen("cloud", &mut journey);
    journey.send(Message::Resize(60, 18));
    kept("smallest-cloud", &journey);
    screen("cloud-unusable", journey.press("End"));
}

fn clouds() -> Vec<ListedCloud> {
    let cloud = |name: &str, host: &str, project: &str| ListedCloud {
        name: name.to_owned(),
        state: ListedCloudState::Usable {
            auth_url: format!("https://{host}:5000/v3"),
            proof: "the password of user ada".to_owned(),
            project: Some(project.to_owned()),
        },
    };
    let broken = "The cloud `office` in ~/.config/openstack/clouds.yaml lacks auth.auth_url.".to_owned();
    vec![
        cloud("catalyst", "api.nz-por-1.example", "prod"),
        cloud("catalyst-staging", "api.staging.example", "lab"),
        ListedCloud { name: "office".to_owned(), state: ListedCloudState::Unusable(broken) },
    ]
}
