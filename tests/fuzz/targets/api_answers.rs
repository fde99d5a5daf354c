//! Every answer the client reads, through its real requests to a server that answers what the fuzzer says.
//!
//! The first byte of an input chooses the question, the second the status and headers, the rest is the body.
#![no_main]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use osvpn::cloud::credentials::Sources;
use osvpn::cloud::keystone::SignIn;
use osvpn::cloud::person::{Prompt, Reply, Said};
use osvpn::cloud::request::{Seconds, VpnServiceBody};
use osvpn::cloud::{Cloud, Credentials, Error, Id, Kind, Limits, OtherSubnets, Person, Region};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

const PASSWORD: &str = "hunter2hunter2";

/// The head of an answer and its body.
type Answer = Rc<RefCell<(String, Vec<u8>)>>;

struct Ground {
    runtime: Runtime,
    tasks: LocalSet,
    credentials: Credentials,
    region: Region,
    answer: Answer,
}

thread_local!(static GROUND: Ground = ground());

fn ground() -> Ground {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = LocalSet::new();
    let answer = Answer::default();
    let shared = answer.clone();
    let (credentials, region) = tasks.block_on(&runtime, async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let token = format!(
            r#"{{"token": {{"user": {{"id": "u", "name": "jo"}}, "project": {{"id": "mine", "name": "demo"}}, "catalog":
            [{{"type": "network", "endpoints": [{{"interface": "public", "region_id": "one", "url": "{url}"}}]}}]}}}}"#
        );
        *shared.borrow_mut() = ("201 Created\r\nx-subject-token: t".to_owned(), token.into_bytes());
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(stream, shared.clone()));
            }
        });
        let vars = [
            ("OS_AUTH_URL", url.as_str()),
            ("OS_USERNAME", "jo"),
            ("OS_PASSWORD", PASSWORD),
            ("OS_PROJECT_ID", "mine"),
        ];
        let vars: BTreeMap<_, _> = vars.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let credentials = Credentials::find(&Sources { vars, ..Sources::default() }, None).unwrap().credentials;
        let SignIn::Done(cloud) = Cloud::begin(&credentials, limits()).await.unwrap() else { panic!() };
        (credentials, cloud.regions().remove(0))
    });
    Ground { runtime, tasks, credentials, region, answer }
}

fn limits() -> Limits {
    Limits { total: Duration::from_secs(5), tries: 1, body: 64 << 10, list: 256 << 10, ..Limits::default() }
}

async fn serve(mut stream: TcpStream, answer: Answer) {
    let mut sent = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let Ok(read @ 1..) = stream.read(&mut chunk).await else { return };
        sent.extend_from_slice(&chunk[..read]);
        let Some(end) = sent.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&sent[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if sent.len() < end + 4 + length.unwrap_or(0) {
            continue;
        }
        sent.clear();
        let (head, body) = answer.borrow().clone();
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(&[head.as_bytes(), &body].concat()).await.is_err() {
            return;
        }
    }
}

const HEADS: [&str; 12] = [
    "200 OK",
    "201 Created\r\nx-subject-token: abc",
    "400 Bad Request",
    "401 Unauthorized\r\nopenstack-auth-receipt: abc",
    "401 Unauthorized",
    "403 Forbidden",
    "404 Not Found\r\nx-openstack-request-id: req-1",
    "409 Conflict",
    "413 Too Large\r\nretry-after: 99999999999999999999",
    "429 Too Many\r\nx-ratelimit-reset: 9223372036854775807",
    "500 Internal Server Error",
    "503 Unavailable\r\nretry-after: Fri, 31 Dec 9999 23:59:59 GMT",
];

/// A person who has one passcode to give, and nothing else.
fn person() -> Person {
    let (person, mut said) = Person::new();
    tokio::task::spawn_local(async move {
        let mut passcode = Some("123456");
        while let Some(said) = said.recv().await {
            let Said::Asked(_, answer) = said else { continue };
            let _ = answer.send(passcode.take().map(|code| Reply::default().with(Prompt::Passcode, code.into())));
        }
    });
    person
}

async fn ask(question: u8, region: &Region, credentials: &Credentials) -> Result<(), Error> {
    let id = Id::from("x");
    let kind = Kind::ALL[usize::from(question) / 16 % Kind::ALL.len()];
    match question % 14 {
        0 => {
            let cloud = Cloud::sign_in_with(credentials, limits(), person()).await?;
            for shown in [cloud.project_name(), cloud.user_name()] {
                harmless(shown);
            }
            cloud.regions().iter().for_each(|region| harmless(region.id().as_str()));
        }
        1 => {
            let inventory = region.inventory().await?;
            inventory.routers.iter().for_each(|one| harmless(&one.name));
            inventory.subnets.iter().for_each(|one| harmless(&one.name));
            inventory.services.iter().for_each(|one| harmless(&one.name));
            inventory
                .connections
                .iter()
                .for_each(|one| harmless(&format!("{}{}{}", one.name, one.status, one.peer_id)));
        }
        2 => {
            let detail = region.detail().await?;
            detail.networks.values().for_each(|name| harmless(name));
            detail.groups.iter().flat_map(|one| &one.endpoints).for_each(|one| harmless(one));
            assert!(detail.quotas.values().all(|quota| quota.allows(0) || quota.limit < Some(quota.used)));
        }
        3 => drop(region.create_service(&VpnServiceBody { name: "n", description: "d", router: &id }).await?),
        4 => {
            let body = osvpn::cloud::request::IkePolicyBody {
                name: "n",
                description: "d",
                auth_algorithm: "sha256",
                encryption_algorithm: "aes-256",
                phase1_negotiation_mode: "main",
                ike_version: "v2",
                pfs: "group14",
                lifetime: Seconds { value: 3600 },
            };
            drop(region.create_ike_policy(&body).await?);
        }
        5 => drop(region.delete(kind, &id).await?),
        6 => harmless(&region.connection_status(&id).await?.to_string()),
        7 => drop(region.connection_psk(&id).await?),
        8 => region.described(kind).await?.iter().for_each(|one| harmless(&one.name)),
        9 => drop(region.show(kind, &id, &["name"]).await?),
        10 => region.cloud().region_descriptions().await.values().for_each(|text| harmless(text)),
        11 => drop(region.survey(region.vpn_lists().await?, OtherSubnets::OfRouters).await?),
        12 => drop(region.exposure([id].into()).await?),
        _ => drop(region.services().await?),
    }
    Ok(())
}

#[track_caller]
fn harmless(text: &str) {
    assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
    assert!(text.chars().count() < 1000, "{} characters", text.len());
}

fuzz_target!(|data: &[u8]| {
    let [question, head, body @ ..] = data else { return };
    GROUND.with(|ground| {
        *ground.answer.borrow_mut() = (HEADS[usize::from(*head) % HEADS.len()].to_owned(), body.to_vec());
        let asked = ask(*question, &ground.region, &ground.credentials);
        if let Err(error) = ground.tasks.block_on(&ground.runtime, asked) {
            harmless(&error.to_string());
            harmless(&format!("{:?} {:?} {:?}", error.request, error.request_id, error.neutron_type));
            let _ = (error.hint(), error.is_doubtful(), error.is_gone(), error.is_in_use(), error.is_transient());
        }
    });
});
