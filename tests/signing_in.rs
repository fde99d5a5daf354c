//! Tokens that expire in mid-run, passwords and passcodes that are asked for: with a person who answers from a script, the
//! engine goes on as if nothing had been.

use crate::support::site;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use osvpn::cloud::credentials::Sources;
use osvpn::cloud::person::{Prompt, Reply, Said, Wanted};
use osvpn::cloud::{Cloud, Credentials, Error, ErrorKind, Person};
use osvpn::engine::{ChangeError, Changed, Changing, Pace, Progress, Watched, Work};
use osvpn::plan::{Plan, Profile};
use osvpn::simulator::{
    CREDENTIAL_SECRET, FaultEffect, Gate, InjectedFault, PASSCODE, PASSWORD, Scripted, Seed, Simulator,
    SimulatorSettings,
};
use site::{HAMILTON, Site, limits};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

const QUICK: Pace = Pace { every: Duration::from_millis(10), wait: Duration::from_secs(10) };

/// What the person was asked, in order.
type Heard = Arc<Mutex<Vec<Wanted>>>;

/// A person who answers each question in turn, and nothing once the answers are used up.
fn person(answers: &[&[(Prompt, &str)]]) -> (Person, Heard) {
    let (person, mut said) = Person::new();
    let heard = Heard::default();
    let mut answers: Vec<Reply> = answers
        .iter()
        .rev()
        .map(|parts| parts.iter().fold(Reply::default(), |reply, (part, text)| reply.with(*part, (*text).into())))
        .collect();
    let shared = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Some(said) = said.recv().await {
            let Said::Asked(question, answer) = said else { continue };
            shared.lock().unwrap().push(question.wanted);
            let _ = answer.send(answers.pop());
        }
    });
    (person, heard)
}

fn heard(heard: &Heard) -> Vec<Wanted> {
    heard.lock().unwrap().clone()
}

/// The variables of the simulator's openrc with some of them changed, or taken out if empty.
fn credentials(simulator: &Simulator, changes: &[(&str, &str)]) -> Credentials {
    let mut vars: BTreeMap<String, String> =
        simulator.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    vars.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Credentials::find(&Sources { vars, ..Sources::default() }, None).unwrap().credentials
}

async fn sign_in(
    simulator: &Simulator,
    changes: &[(&str, &str)],
    answers: &[&[(Prompt, &str)]],
) -> (Result<Cloud, Error>, Heard) {
    let (person, heard) = person(answers);
    (Cloud::sign_in_with(&credentials(simulator, changes), limits(), person).await, heard)
}

async fn simulator() -> Simulator {
    Simulator::start(SimulatorSettings { seed: Seed::Minimal, ..SimulatorSettings::default() }).await.unwrap()
}

/// How many sign-ins were tried, by whatever method.
fn sign_ins(simulator: &Simulator) -> usize {
    let is_one =
        |request: &&osvpn::simulator::LoggedRequest| request.method == "POST" && request.path.ends_with("/auth/tokens");
    simulator.requests().iter().filter(is_one).count()
}

const MFA: &[(&str, &str)] = &[("OS_USERNAME", "demo-mfa")];
const CODE: &[(Prompt, &str)] = &[(Prompt::Passcode, PASSCODE)];

#[tokio::test]
async fn what_a_sign_in_lacks_is_asked_for_until_it_is_right() {
    use Wanted::{Appended, Passcode, Password};
    let simulator = simulator().await;
    let password: &[(Prompt, &str)] = &[(Prompt::Password, PASSWORD)];
    let wrong: &[(Prompt, &str)] = &[(Prompt::Password, "wrong")];
    let bad_code: &[(Prompt, &str)] = &[(Prompt::Passcode, "000000")];
    let missing = ("OS_PASSWORD", "");
    let mfa = ("OS_USERNAME", "demo-mfa");
    let appended = ("OS_USERNAME", "demo-appended");
    for (changes, answers, asked) in [
        (&[missing][..], &[password][..], &[Password][..]),
        (&[missing], &[wrong, password], &[Password, Appended]),
        (&[mfa], &[CODE], &[Passcode]),
        (&[mfa, missing], &[password, CODE], &[Password, Passcode]),
        (&[mfa], &[bad_code, bad_code, CODE], &[Passcode, Passcode, Passcode]),
        (&[mfa, ("OS_PASSWORD", "wrong")], &[password, CODE], &[Appended, Passcode]),
        (&[appended], &[CODE], &[Appended]),
        (&[appended], &[bad_code, CODE], &[Appended, Appended]),
        (&[appended, missing], &[password, CODE], &[Password, Appended]),
    ] {
        let (cloud, questions) = sign_in(&simulator, changes, answers).await;
        assert_eq!(heard(&questions), asked, "{changes:?}");
        assert_eq!(cloud.unwrap().project_name(), "demo");
    }
}

#[tokio::test]
async fn a_refused_password_is_sent_once_and_to_decline_is_an_error_of_its_own() {
    let simulator = simulator().await;
    let (cloud, questions) = sign_in(&simulator, &[("OS_PASSWORD", "wrong")], &[]).await;
    assert_eq!(cloud.unwrap_err().kind, ErrorKind::Unanswered);
    assert_eq!((heard(&questions), sign_ins(&simulator)), (vec![Wanted::Appended], 1));
}

#[tokio::test]
async fn a_keystone_in_trouble_is_asked_again_unless_it_may_have_judged_what_was_sent() {
    let multi_factor = [
        ("OS_AUTH_TYPE", "v3multifactor"),
        ("OS_AUTH_METHODS", "v3password,v3totp"),
        ("OS_USERNAME", "demo-mfa"),
        ("OS_PASSCODE", PASSCODE),
    ];
    let closed =
        [FaultEffect::CloseBefore, FaultEffect::CloseAfter, FaultEffect::status(502), FaultEffect::status(504)];
    let busy = [FaultEffect::status(503), FaultEffect::too_many_requests(0)];
    let is_busy =
        |effect: &FaultEffect| matches!(effect, FaultEffect::Answer(said) if [429, 503].contains(&said.status));
    for effect in closed.into_iter().chain(busy) {
        for changes in [&[][..], MFA, &multi_factor] {
            let simulator = simulator().await;
            simulator.inject(InjectedFault::new(effect.clone()).method("POST").path("/auth/tokens").times(2));
            let (cloud, questions) = sign_in(&simulator, changes, &[CODE]).await;
            let (sent, asked) = (sign_ins(&simulator), heard(&questions));
            if is_busy(&effect) {
                assert_eq!(cloud.unwrap().project_name(), "demo", "{effect:?}");
                let with_question = changes == MFA;
                assert_eq!((sent, asked.len()), (3 + usize::from(with_question), usize::from(with_question)));
            } else {
                assert!(cloud.unwrap_err().is_transient(), "{effect:?}");
                assert_eq!((sent, asked.len()), (1, 0), "{effect:?} {changes:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_typed_is_asked_for_again_and_a_renewal_is_repeated_by_whoever_waits_for_it() {
    let simulator = simulator().await;
    let appended = &[("OS_USERNAME", "demo-appended")];
    let trouble = |nth| InjectedFault::new(FaultEffect::status(503)).method("POST").path("/auth/tokens").nth(nth);
    simulator.inject(trouble(2));
    let (cloud, questions) = sign_in(&simulator, appended, &[CODE, CODE]).await;
    assert_eq!(heard(&questions), [Wanted::Appended, Wanted::Appended], "it is asked for again");
    assert_eq!((cloud.unwrap().project_name(), sign_ins(&simulator)), ("demo", 3));

    let (cloud, _) = sign_in(&simulator, &[], &[]).await;
    let cloud = cloud.unwrap();
    simulator.expire_tokens();
    simulator.inject(trouble(1).times(99));
    let before = sign_ins(&simulator);
    assert!(cloud.region_descriptions().await.is_empty());
    assert_eq!(sign_ins(&simulator) - before, limits().tries as usize, "one for each try of the read it is for");
}

#[tokio::test]
async fn a_receipt_that_has_run_out_is_replaced_without_anything_being_asked_for_again() {
    let simulator = Arc::new(simulator().await);
    let (person, mut said) = Person::new();
    let credentials = credentials(&simulator, MFA);
    let signing_in = tokio::spawn(async move { Cloud::sign_in_with(&credentials, limits(), person).await });
    let Some(Said::Asked(question, answer)) = said.recv().await else { panic!("a question") };
    assert_eq!(question.wanted, Wanted::Passcode);
    simulator.advance(Duration::from_secs(301));
    // As an authenticator shows it.
    let (first, second) = PASSCODE.split_at(3);
    let typed = format!(" {first} {second} ");
    answer.send(Some(Reply::default().with(Prompt::Passcode, typed.into()))).unwrap();
    assert!(matches!(said.recv().await, Some(Said::Over)));
    signing_in.await.unwrap().unwrap();
    assert_eq!(sign_ins(&simulator), 4, "password, passcode, and both again");
}

#[tokio::test]
async fn a_keystone_that_does_not_know_its_own_receipts_or_wants_a_third_factor_says_so() {
    let simulator = simulator().await;
    let refusing = |body: &str, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        FaultEffect::Answer(Scripted { status: 401, headers, body: body.to_owned() })
    };
    // As behind a balancer whose Keystones do not share their keys.
    let unknown =
        r#"{"error": {"code": 401, "message": "Could not find auth receipt: gAAAAAB.", "title": "Unauthorized"}}"#;
    let strange = || InjectedFault::new(refusing(unknown, &[])).method("POST").path("/auth/tokens");
    simulator.inject(strange().nth(2));
    simulator.inject(strange().nth(3));
    let (cloud, questions) = sign_in(&simulator, MFA, &[CODE, CODE]).await;
    assert_eq!(heard(&questions), [Wanted::Passcode; 2]);
    cloud.unwrap();

    let more =
        r#"{"receipt": {"methods": ["password", "totp"]}, "required_auth_methods": [["totp", "x509", "password"]]}"#;
    let third =
        InjectedFault::new(refusing(more, &[("Openstack-Auth-Receipt", "r")])).method("POST").path("/auth/tokens");
    simulator.inject(third.nth(2));
    let (cloud, questions) = sign_in(&simulator, MFA, &[CODE, CODE]).await;
    assert_eq!(heard(&questions), [Wanted::Passcode]);
    let error = cloud.unwrap_err();
    assert_eq!(error.kind, ErrorKind::SecondFactor);
    assert!(error.message.contains("password + totp + x509"), "{}", error.message);
}

#[tokio::test]
async fn six_requests_that_notice_it_at_once_ask_once_and_the_password_is_remembered() {
    let simulator = simulator().await;
    let (cloud, questions) =
        sign_in(&simulator, &[MFA[0], ("OS_PASSWORD", "")], &[&[(Prompt::Password, PASSWORD)], CODE, CODE]).await;
    let cloud = cloud.unwrap();
    simulator.expire_tokens();
    let all = futures::future::join_all(cloud.regions().iter().map(osvpn::cloud::Region::inventory)).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(heard(&questions), [Wanted::Password, Wanted::Passcode, Wanted::Passcode]);
    assert!(!cloud.renews_silently());
}

#[tokio::test]
async fn a_token_is_followed_by_its_user_s_password_or_by_another_token_of_the_same_project() {
    let simulator = simulator().await;
    let token = |changes: &[(&str, &str)]| {
        let credentials = credentials(&simulator, changes);
        async move {
            let (person, _) = person(&[]);
            let cloud = Cloud::sign_in_with(&credentials, limits(), person).await.unwrap();
            cloud_token(&credentials, &cloud).await
        }
    };
    let mine = token(&[]).await;
    let with_user = [("OS_TOKEN", mine.as_str()), ("OS_PASSWORD", "")];
    let (cloud, questions) = sign_in(&simulator, &with_user, &[&[(Prompt::Password, PASSWORD)]]).await;
    let cloud = cloud.unwrap();
    revoke(&simulator, &mine).await;
    cloud.regions()[0].services().await.unwrap();
    assert_eq!(heard(&questions), [Wanted::Password]);

    let mine = token(&[]).await;
    let without = [("OS_TOKEN", mine.as_str()), ("OS_PASSWORD", ""), ("OS_USERNAME", "")];
    // One of another project is exchanged for one of the project that is worked in.
    let other = token(&[("OS_PROJECT_NAME", "other")]).await;
    let answers: [&[(Prompt, &str)]; 2] = [&[(Prompt::Token, "nonsense")], &[(Prompt::Token, &other)]];
    let (cloud, questions) = sign_in(&simulator, &without, &answers).await;
    let cloud = cloud.unwrap();
    revoke(&simulator, &mine).await;
    cloud.regions()[0].services().await.unwrap();
    assert_eq!((heard(&questions), cloud.project_name()), (vec![Wanted::Token; 2], "demo"));
}

#[tokio::test]
async fn a_token_is_for_the_project_that_is_named() {
    let simulator = simulator().await;
    let demo = Cloud::sign_in(&credentials(&simulator, &[])).await.unwrap();
    let token = cloud_token(&credentials(&simulator, &[]), &demo).await;
    for (project, posted) in [("demo", 0), ("other", 1)] {
        let before = sign_ins(&simulator);
        let named = credentials(&simulator, &[("OS_TOKEN", &token), ("OS_PROJECT_NAME", project)]);
        let cloud = Cloud::sign_in(&named).await.unwrap();
        assert_eq!((cloud.project_name(), sign_ins(&simulator) - before), (project, posted));
    }
    let none = credentials(&simulator, &[("OS_TOKEN", &token), ("OS_PROJECT_NAME", "nowhere")]);
    let error = Cloud::sign_in(&none).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert!(error.hint().unwrap().contains("project that is named"), "{error:?}");
}

#[tokio::test]
async fn what_keystone_accepts_and_a_region_refuses_is_the_cloud_s_fault_and_an_openrc_is_sourced_by_who_has_one() {
    for (status, said) in [(401, "Keystone accepts this token"), (403, "its policy is for the cloud's operator")] {
        let simulator = simulator().await;
        let demo = Cloud::sign_in(&credentials(&simulator, &[])).await.unwrap();
        let token = cloud_token(&credentials(&simulator, &[]), &demo).await;
        let by_token = Cloud::sign_in(&credentials(&simulator, &[("OS_TOKEN", &token)])).await.unwrap();
        simulator.inject(InjectedFault::new(FaultEffect::status(status)).path("/network/").always());
        for cloud in [&demo, &by_token] {
            let hint = cloud.regions()[0].services().await.unwrap_err().hint().unwrap();
            assert!(hint.contains(said), "{hint}");
        }
    }
    let simulator = simulator().await;
    let demo = Cloud::sign_in(&credentials(&simulator, &[])).await.unwrap();
    let token = cloud_token(&credentials(&simulator, &[]), &demo).await;
    let mut credentials = credentials(&simulator, &[("OS_TOKEN", &token)]);
    for (in_file, said) in [(false, "source your openrc again"), (true, "The token in clouds.yaml")] {
        credentials.in_file = in_file;
        let cloud = Cloud::sign_in(&credentials).await.unwrap();
        let after = InjectedFault::new(FaultEffect::status(401)).method("GET").path("/auth/tokens").always();
        simulator.inject(InjectedFault::new(FaultEffect::status(401)).path("/network/").always());
        simulator.inject(after);
        let hint = cloud.regions()[0].services().await.unwrap_err().hint().unwrap();
        assert!(hint.contains(said), "{hint}");
        simulator.clear_faults();
    }
}

/// A token made by hand: the client gives its own to nobody.
async fn cloud_token(credentials: &Credentials, cloud: &Cloud) -> String {
    let body = serde_json::json!({"auth": {"identity": {"methods": ["password"], "password": {"user":
        {"name": "demo", "domain": {"id": "default"}, "password": PASSWORD}}},
        "scope": {"project": {"id": cloud.project_id()}}}});
    let answer = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/auth/tokens", credentials.auth_url);
    let answer = answer.post(url).json(&body).send().await.unwrap();
    answer.headers()["x-subject-token"].to_str().unwrap().to_owned()
}

async fn revoke(simulator: &Simulator, token: &str) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.delete(format!("{}/auth/tokens", simulator.auth_url()));
    request.header("x-auth-token", token).header("x-subject-token", token).send().await.unwrap();
}

/// A cloud with user `demo-mfa`, who answers every question with the right passcode.
async fn mfa_site() -> (Site, Heard) {
    let simulator = simulator().await;
    let (cloud, questions) = sign_in(&simulator, MFA, &[CODE; 8]).await;
    (Site { simulator, cloud: cloud.unwrap() }, questions)
}

struct Run {
    changing: Changing,
    stop: CancellationToken,
}

impl Run {
    fn new(plan: &Plan) -> Self {
        Self { changing: Changing::unkept_creation(plan), stop: CancellationToken::new() }
    }

    async fn create(&mut self, site: &Site) -> Result<(), ChangeError> {
        let (events, _received) = unbounded_channel();
        let work = Work::new(&site.cloud, &events, &self.stop);
        self.changing.carry_out(None, &work).await.map(drop)
    }

    async fn watch(&mut self, site: &Site, pace: Pace) -> Watched {
        let (events, _received) = unbounded_channel();
        self.changing.watch(pace, &Work::new(&site.cloud, &events, &self.stop)).await
    }

    async fn undo(&mut self, site: &Site) -> Result<Changed, ChangeError> {
        let (events, _received) = unbounded_channel();
        self.changing.roll_back(&Work::new(&site.cloud, &events, &self.stop)).await
    }

    fn progress(&self) -> Progress {
        self.changing.course().progress
    }
}

fn made(site: &Site) -> (usize, usize) {
    (site.simulator.count("nz-hlz-1"), site.simulator.count("nz-por-1"))
}

/// Lets every token expire while the `nth` request to Neutron is on its way; false if there are not so many.
async fn with_expiry<T>(site: &Site, nth: usize, work: impl Future<Output = T>) -> (T, bool) {
    let gate = Gate::closed();
    site.simulator.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).path("/network/").nth(nth));
    let expire = async {
        gate.arrived().await;
        site.simulator.expire_tokens();
        gate.open();
    };
    tokio::pin!(work, expire);
    let result = tokio::select! {
        result = &mut work => (result, false),
        () = &mut expire => (work.await, true),
    };
    site.simulator.clear_faults();
    result
}

#[tokio::test]
async fn whichever_request_of_a_creation_finds_the_token_expired_one_question_later_there_is_one_vpn() {
    let mut cases = 0;
    for is_single in [false, true] {
        for nth in 1.. {
            let (site, questions) = mfa_site().await;
            let plan = if is_single {
                site.single(HAMILTON, "198.18.0.7", "192.168.7.0/24").await
            } else {
                site.site_to_site(Profile::Modern).await
            };
            let mut run = Run::new(&plan);
            let (created, has_expired) = with_expiry(&site, nth, Box::pin(run.create(&site))).await;
            created.unwrap();
            if !has_expired {
                break;
            }
            assert_eq!(made(&site), if is_single { (6, 0) } else { (6, 6) }, "request {nth}");
            assert_eq!(heard(&questions).len(), 2, "request {nth}: once at the sign-in, and once now");
            if !is_single {
                assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
            }
            cases += 1;
        }
    }
    println!("{cases} requests of a creation found the token expired");
    assert!(cases >= 16 + 8, "{cases}");
}

#[tokio::test]
async fn whichever_request_of_an_undo_finds_the_token_expired_everything_is_deleted() {
    for nth in 1..=12 {
        let (site, questions) = mfa_site().await;
        let plan = site.site_to_site(Profile::Modern).await;
        let mut run = Run::new(&plan);
        run.create(&site).await.unwrap();
        let (undone, has_expired) = with_expiry(&site, nth, run.undo(&site)).await;
        assert_eq!((undone, made(&site), heard(&questions).len()), (Ok(Changed::Done), (0, 0), 2), "request {nth}");
        assert!(has_expired);
    }
}

#[tokio::test]
async fn the_wait_for_active_does_not_run_while_the_question_is_open() {
    let simulator = Simulator::start(SimulatorSettings {
        seed: Seed::Minimal,
        report_interval: Duration::from_secs(3600),
        ..SimulatorSettings::default()
    });
    let simulator = simulator.await.unwrap();
    let (person, mut said) = Person::new();
    let wait = Duration::from_millis(400);
    let credentials = credentials(&simulator, MFA);
    let signing_in = tokio::spawn(async move { Cloud::sign_in_with(&credentials, limits(), person).await });
    let code = || Some(Reply::default().with(Prompt::Passcode, PASSCODE.into()));
    let Some(Said::Asked(_, answer)) = said.recv().await else { panic!("a question") };
    answer.send(code()).unwrap();
    let site = Site { simulator, cloud: signing_in.await.unwrap().unwrap() };
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new(&plan);
    run.create(&site).await.unwrap();
    site.simulator.expire_tokens();
    let answer = async {
        loop {
            let Some(Said::Asked(_, answer)) = said.recv().await else { continue };
            // Longer than the whole wait.
            tokio::time::sleep(wait * 2).await;
            site.simulator.reconfigure(|settings| settings.report_interval = Duration::from_millis(20));
            answer.send(code()).unwrap();
            return;
        }
    };
    let (watched, ()) = tokio::join!(run.watch(&site, Pace { every: QUICK.every, wait }), answer);
    assert_eq!(watched, Watched::Active);
}

#[tokio::test]
async fn who_declines_is_asked_once_and_the_run_goes_on_when_they_try_again() {
    let simulator = simulator().await;
    let (person, mut said) = Person::new();
    let credentials = credentials(&simulator, MFA);
    let signing_in = tokio::spawn(async move { Cloud::sign_in_with(&credentials, limits(), person).await });
    let code = || Some(Reply::default().with(Prompt::Passcode, PASSCODE.into()));
    let Some(Said::Asked(_, answer)) = said.recv().await else { panic!("a question") };
    answer.send(code()).unwrap();
    let site = Site { simulator, cloud: signing_in.await.unwrap().unwrap() };
    let plan = site.site_to_site(Profile::Modern).await;
    let willing = Arc::new(Mutex::new((false, 0)));
    let shared = Arc::clone(&willing);
    tokio::spawn(async move {
        while let Some(said) = said.recv().await {
            let Said::Asked(_, answer) = said else { continue };
            let (is_willing, asked) = &mut *shared.lock().unwrap();
            *asked += 1;
            let _ = answer.send(is_willing.then(code).flatten());
        }
    });
    let mut run = Run::new(&plan);
    let (created, _) = with_expiry(&site, 4, Box::pin(run.create(&site))).await;
    let Err(ChangeError::Failed(_, error)) = created else { panic!("{created:?}") };
    assert_eq!((error.kind.clone(), error.status), (ErrorKind::Unanswered, Some(401)));
    assert!(!error.is_doubtful() && run.progress().is_settled(), "nothing is in doubt: {:?}", run.progress());
    let exists = run.progress().removable().len();
    assert_eq!(exists, made(&site).0 + made(&site).1);
    let undone = run.undo(&site).await;
    assert!(matches!(&undone, Err(ChangeError::Failed(..))), "{undone:?}");
    assert_eq!(run.changing.course().not_deleted.len(), exists);
    assert_eq!(willing.lock().unwrap().1, 1, "not once for every object");
    willing.lock().unwrap().0 = true;
    site.cloud.ask_again();
    run.create(&site).await.unwrap();
    assert_eq!((made(&site), willing.lock().unwrap().1), ((6, 6), 2));
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn a_person_who_leaves_lets_the_run_stop_cleanly() {
    let (site, _) = mfa_site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new(&plan);
    let stop = run.stop.clone();
    site.cloud.ask_no_more();
    let expiry = InjectedFault::new(FaultEffect::status(401)).method("POST").path("ikepolicies");
    site.simulator.inject(expiry.always());
    stop.cancel();
    assert_eq!(run.create(&site).await, Err(ChangeError::Stopped));
    assert!(run.progress().is_settled());
}

#[tokio::test]
async fn an_application_credential_needs_nobody() {
    let simulator = simulator().await;
    let id = simulator.credential_id();
    let changes = [
        ("OS_AUTH_TYPE", "v3applicationcredential"),
        ("OS_APPLICATION_CREDENTIAL_ID", id.as_str()),
        ("OS_APPLICATION_CREDENTIAL_SECRET", CREDENTIAL_SECRET),
    ];
    let (cloud, questions) = sign_in(&simulator, &changes, &[]).await;
    let cloud = cloud.unwrap();
    simulator.expire_tokens();
    cloud.regions()[0].services().await.unwrap();
    assert!(heard(&questions).is_empty() && cloud.renews_silently());
}
