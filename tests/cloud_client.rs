//! What the client makes of a cloud that is slow, broken, short of tokens or full.

mod http2;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use osvpn::cloud::credentials::{Credentials, Sources};
use osvpn::cloud::keystone::SignIn;
use osvpn::cloud::request::{Seconds, VpnServiceBody};
use osvpn::cloud::vpnaas::Deleted;
use osvpn::cloud::{By, Cloud, ErrorKind, Id, Kind, Limits, Region, Subnet};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Reply = Box<dyn Fn(&Request, usize) -> Response + Send + Sync>;

/// A Keystone and a Neutron in one. Everything Neutron is asked goes to `neutron`, with the number of the request.
struct Stub {
    url: String,
    neutron: Reply,
    /// Of Keystone after the first sign-in, which always succeeds.
    renewal: StatusCode,
    sign_ins: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

async fn stub(neutron: impl Fn(&Request, usize) -> Response + Send + Sync + 'static, renewal: StatusCode) -> Arc<Stub> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stub = Arc::new(Stub {
        url: format!("http://{}", listener.local_addr().unwrap()),
        neutron: Box::new(neutron),
        renewal,
        sign_ins: AtomicUsize::new(0),
        requests: Mutex::default(),
    });
    let app = Router::new().fallback(answer).with_state(stub.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    stub
}

async fn answer(State(stub): State<Arc<Stub>>, request: Request) -> Response {
    if request.uri().path() == "/v3/auth/tokens" {
        let number = stub.sign_ins.fetch_add(1, Ordering::SeqCst);
        if number > 0 && !stub.renewal.is_success() {
            return stub.renewal.into_response();
        }
        let token = catalogue(&stub.url);
        return (StatusCode::CREATED, [("x-subject-token", format!("token-{number}"))], axum::Json(token))
            .into_response();
    }
    let number = {
        let mut requests = stub.requests.lock().unwrap();
        requests.push(format!("{} {}", request.method(), request.uri()));
        requests.len()
    };
    (stub.neutron)(&request, number)
}

fn catalogue(neutron: &str) -> Value {
    json!({"token": {
        "expires_at": "2026-11-25T02:04:51.000000Z", "user": {"id": "u", "name": "jo"},
        "project": {"id": "mine", "name": "demo"}, "roles": [{"id": "r", "name": "member"}],
        "catalog": [{"type": "network", "endpoints": [{"interface": "public", "region_id": "one", "url": neutron}]}],
    }})
}

fn credentials(url: &str) -> Credentials {
    let vars = [("OS_AUTH_URL", url), ("OS_USERNAME", "jo"), ("OS_PASSWORD", "hunter2"), ("OS_PROJECT_ID", "mine")];
    let vars: BTreeMap<_, _> = vars.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Credentials::find(&Sources { vars, ..Sources::default() }, None).unwrap().credentials
}

fn limits() -> Limits {
    Limits { back_off: Duration::ZERO, ..Limits::default() }
}

async fn region(url: &str, limits: Limits) -> Region {
    match Cloud::begin(&credentials(url), limits).await.unwrap() {
        SignIn::Done(cloud) => cloud.regions().remove(0),
        SignIn::SecondFactor(receipt) => panic!("{receipt:?}"),
    }
}

fn ok(body: Value) -> Response {
    axum::Json(body).into_response()
}

/// An empty list for whatever collection is asked for.
fn empty(request: &Request) -> Response {
    let collection = request.uri().path().rsplit('/').next().unwrap().replace('-', "_");
    ok(json!({ collection: [] }))
}

fn has_token(request: &Request, token: &str) -> bool {
    request.headers()["x-auth-token"] == token
}

#[tokio::test]
async fn an_expired_token_noticed_by_five_requests_at_once_is_renewed_once() {
    let neutron = |request: &Request, _| {
        if has_token(request, "token-0") { StatusCode::UNAUTHORIZED.into_response() } else { empty(request) }
    };
    let stub = stub(neutron, StatusCode::CREATED).await;
    region(&stub.url, limits()).await.inventory().await.unwrap();
    assert_eq!(stub.sign_ins.load(Ordering::SeqCst), 2);
    assert_eq!(stub.requests.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn a_password_refused_on_renewal_is_not_sent_again_by_the_others_that_waited() {
    let stub = stub(|_: &Request, _| StatusCode::UNAUTHORIZED.into_response(), StatusCode::UNAUTHORIZED).await;
    let error = region(&stub.url, limits()).await.inventory().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert_eq!(stub.sign_ins.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_read_is_repeated_after_the_time_the_cloud_asks_for_and_a_write_is_not() {
    let limited = |request: &Request, number| {
        if number == 1 || request.method() == Method::POST {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response();
        }
        empty(request)
    };
    let stub = stub(limited, StatusCode::CREATED).await;
    let region = region(&stub.url, limits()).await;
    assert!(region.services().await.unwrap().is_empty());
    assert_eq!(stub.requests.lock().unwrap().len(), 2);
    let router = Id::from("r");
    let body = VpnServiceBody { name: "n", description: "d", router: &router };
    let error = region.create_service(&body).await.unwrap_err();
    assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, Some(Duration::ZERO)));
    assert_eq!(error.region.as_ref().map(osvpn::cloud::RegionId::as_str), Some("one"));
    assert_eq!(stub.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn pages_are_followed_by_marker_and_other_projects_and_external_subnets_are_left_out() {
    let neutron = |request: &Request, _| match (request.uri().path(), request.uri().query().unwrap_or_default()) {
        ("/v2.0/subnets", query) if !query.contains("marker=") => ok(json!({
            "subnets": [
                {"id": "b", "name": "web\u{1b}[31m", "network_id": "n", "cidr": "10.0.0.9/24", "gateway_ip": null, "project_id": "mine"},
                {"id": "c", "name": "shared", "network_id": "n2", "cidr": "10.1.0.0/24", "project_id": "other"},
                {"id": "d", "name": "foreign", "network_id": "n3", "cidr": "10.2.0.0/24", "project_id": "other"},
            ],
            "subnets_links": [{"rel": "next", "href": "http://wrong.invalid/v2.0/subnets?marker=d"}],
        })),
        ("/v2.0/subnets", _) => ok(json!({"subnets": [
            {"id": "a", "name": "ext", "network_id": "public", "cidr": "203.0.113.0/24", "project_id": "mine"},
            {"id": "e", "name": "vpn-transit-subnet-r", "network_id": "t", "cidr": "169.254.0.0/28", "project_id": "mine"},
            {"id": "f", "name": "api", "network_id": "n", "cidr": "fd00::/64", "tenant_id": "mine"},
        ]})),
        ("/v2.0/routers", _) => ok(json!({"routers": [
            {"id": "r", "name": "edge", "status": "ACTIVE", "project_id": "mine", "surprise": {"x": 1},
             "external_gateway_info": {"network_id": "public", "external_fixed_ips": [{"ip_address": "203.0.113.7"}, {"ip_address": "2001:db8::7"}]}},
            {"id": "q", "name": "alone", "external_gateway_info": null, "project_id": "mine"},
            {"id": "x", "name": "theirs", "external_gateway_info": null, "project_id": "other"},
        ]})),
        ("/v2.0/ports", _) => ok(json!({"ports": [
            {"device_id": "r", "fixed_ips": [{"subnet_id": "b", "ip_address": "10.0.0.1"}, {"subnet_id": "c", "ip_address": "10.1.0.1"}]},
            {"device_id": "r", "fixed_ips": [{"subnet_id": "e", "ip_address": "169.254.0.1"}]},
        ]})),
        _ => empty(request),
    };
    let stub = stub(neutron, StatusCode::CREATED).await;
    let region = region(&stub.url, limits()).await;
    let mut inventory = region.inventory().await.unwrap();
    let named = |subnets: &[Subnet]| -> Vec<String> {
        subnets.iter().map(|subnet| format!("{} {}", subnet.name, subnet.cidr)).collect()
    };
    assert_eq!(named(&inventory.subnets), ["api fd00::/64", "web[31m 10.0.0.0/24"]);
    assert_eq!(named(&inventory.foreign), ["foreign 10.2.0.0/24", "shared 10.1.0.0/24"]);
    let edge = Id::from("r");
    assert_eq!(inventory.router(&edge).unwrap().serves(&Id::from("b")), None, "not read is not none");
    inventory.add_interfaces(region.interfaces(std::slice::from_ref(&edge)).await.unwrap());
    assert_eq!(named(&inventory.subnets), ["api fd00::/64", "shared 10.1.0.0/24", "web[31m 10.0.0.0/24"]);
    assert_eq!(named(&inventory.foreign), ["foreign 10.2.0.0/24"]);
    assert_eq!(inventory.router(&Id::from("q")).unwrap().interfaces, None);
    let routers: Vec<_> = inventory.routers.iter().map(|one| (one.name.as_str(), one.has_gateway())).collect();
    assert_eq!(routers, [("alone", false), ("edge", true)]);
    let edge = inventory.router(&edge).unwrap();
    assert_eq!(["b", "c", "e"].map(|subnet| edge.serves(&Id::from(subnet))), [Some(true), Some(true), Some(false)]);
    assert_eq!((edge.external_v4.len(), edge.external_v6.len()), (1, 1));
    let requests = stub.requests.lock().unwrap();
    assert_eq!(requests.len(), 7, "five lists, one of two pages, and the ports of one router");
    let has_pages = |line: &String| !line.contains("/vpn/") && !line.contains("/extensions");
    assert!(requests.iter().all(|line| line.contains("limit=500") == has_pages(line)), "{requests:?}");
    assert!(
        requests.iter().all(|line| !line.contains("psk") && (!line.contains("/vpn/") || line.contains("?fields=")))
    );
}

#[tokio::test]
async fn objects_are_asked_for_by_id_in_short_addresses_side_by_side() {
    let neutron = |request: &Request, _| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let of = |name: &str| -> Vec<String> {
            let values = query.split('&').filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            values.map(ToOwned::to_owned).collect()
        };
        match request.uri().path() {
            "/v2.0/subnets" => ok(json!({ "subnets": of("id").iter().map(|id| {
                json!({"id": id, "name": id, "network_id": "n", "cidr": "10.0.0.0/24", "project_id": "other"})
            }).collect::<Vec<_>>() })),
            "/v2.0/ports" => ok(json!({ "ports": of("device_id").iter().map(|id| {
                json!({"device_id": id, "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.1"}]})
            }).collect::<Vec<_>>() })),
            _ => empty(request),
        }
    };
    let stub = stub(neutron, StatusCode::CREATED).await;
    let region = region(&stub.url, limits()).await;
    let ids: Vec<Id> = (0..100).map(|number| Id::new(format!("0d5c8f6e-7a3b-4b53-9d0c-{number:012}"))).collect();
    assert_eq!(region.subnets(By::Id, &ids).await.unwrap().len(), 100);
    assert_eq!(region.interfaces(&ids).await.unwrap().len(), 100);
    assert_eq!(region.routers(By::Name, &["caf\u{e9} & bar"]).await.unwrap(), []);
    assert_eq!(region.subnets(By::Cidr, &[""; 0]).await.unwrap(), [], "nothing is asked for nothing");
    let requests = stub.requests.lock().unwrap();
    let asked = |path: &str| requests.iter().filter(|line| line.contains(path)).count();
    assert_eq!((asked("/subnets?"), asked("/ports?"), asked("/routers?")), (3, 4, 1));
    assert!(requests.iter().all(|line| line.len() < 2_000), "{requests:#?}");
    assert!(requests.iter().any(|line| line.contains("name=caf%C3%A9+%26+bar")), "{requests:#?}");
}

#[tokio::test]
async fn a_name_or_range_of_the_project_does_not_mean_that_of_another() {
    let neutron = |request: &Request, _| {
        let subnet = |(id, name, cidr, project): (&str, &str, &str, &str)| json!({"id": id, "name": name, "network_id": "n", "cidr": cidr, "project_id": project});
        let all = [
            ("own", "web", "10.0.0.0/24", "mine"),
            ("a", "web", "10.0.1.0/24", "other"),
            ("b", "db", "10.0.1.0/24", "other"),
            ("c", "db", "10.0.0.0/24", "another"),
        ];
        if request.uri().path() == "/v2.0/subnets" { ok(json!({"subnets": all.map(subnet)})) } else { empty(request) }
    };
    let region = region(&stub(neutron, StatusCode::CREATED).await.url, limits()).await;
    for (by, expected) in [(By::Name, "b c own"), (By::Cidr, "a b own"), (By::Id, "a b c own")] {
        let found = region.subnets(by, &["asked"]).await.unwrap();
        let mut ids: Vec<&str> = found.iter().map(|subnet| subnet.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids.join(" "), expected, "{by:?}");
    }
}

#[tokio::test]
async fn a_region_without_vpnaas_is_empty_and_one_whose_vpn_list_is_lost_is_an_error() {
    for (alias, expected) in [("router", None), ("vpnaas", Some(ErrorKind::NotFound))] {
        let neutron = move |request: &Request, _| match request.uri().path() {
            "/v2.0/extensions" => ok(json!({"extensions": [{"alias": alias}]})),
            path if path.contains("/vpn/") => StatusCode::NOT_FOUND.into_response(),
            _ => empty(request),
        };
        let stub = stub(neutron, StatusCode::CREATED).await;
        let result = region(&stub.url, limits()).await.inventory().await;
        assert_eq!(result.err().map(|error| error.kind), expected);
    }
}

#[tokio::test]
async fn only_neutrons_own_word_that_an_object_is_missing_counts_as_deleted() {
    let neutron = |request: &Request, _| {
        let kind = if request.uri().path().ends_with("gone") { "VPNServiceNotFound" } else { "HTTPNotFound" };
        (StatusCode::NOT_FOUND, axum::Json(json!({"NeutronError": {"type": kind, "message": "no"}}))).into_response()
    };
    let stub = stub(neutron, StatusCode::CREATED).await;
    let region = region(&stub.url, limits()).await;
    assert_eq!(region.delete(Kind::VpnService, &Id::from("gone")).await.unwrap(), Deleted::WasGone);
    assert_eq!(region.delete(Kind::VpnService, &Id::from("?")).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up_before_it_fills_the_memory() {
    let stub = stub(|_: &Request, _| "x".repeat(100_000).into_response(), StatusCode::CREATED).await;
    let small = Limits { body: 50_000, ..limits() };
    let error = region(&stub.url, small).await.services().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unexpected);
    assert!(error.message.contains("50000 bytes"), "{error}");
}

/// A Keystone that signs in and a Neutron that answers every request with these bytes and hangs up.
async fn raw(bytes: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let token = catalogue(&url).to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let reply = if request[..read].windows(12).any(|part| part == b"/auth/tokens") {
                let head = "HTTP/1.1 201 Created\r\nconnection: close\r\nx-subject-token: t";
                format!("{head}\r\ncontent-length: {}\r\n\r\n{token}", token.len())
            } else if bytes.is_empty() {
                std::future::pending().await
            } else {
                bytes.to_owned()
            };
            let _ = stream.write_all(reply.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

#[tokio::test]
async fn a_write_whose_answer_is_cut_or_never_comes_is_doubtful_and_says_how_it_failed() {
    let cut = "HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{\"ikepolicy\": {\"id\":";
    let half = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
    let quick = Limits { total: Duration::from_millis(300), ..limits() };
    for (bytes, expected) in [(cut, ErrorKind::Interrupted), (half, ErrorKind::Unexpected), ("", ErrorKind::Timeout)] {
        let region = region(&raw(bytes).await, quick.clone()).await;
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
        let error = region.create_ike_policy(&body).await.unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(error.is_doubtful());
        assert_eq!(error.request.as_deref(), Some("POST /v2.0/vpn/ikepolicies"));
    }
}

/// What a server needs for TLS. Its certificate is only good for a client that takes any.
fn tls_of_a_server() -> ServerConfig {
    #[derive(Debug)]
    struct Anything(Arc<CertifiedKey>);
    impl ResolvesServerCert for Anything {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(self.0.clone())
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // An Ed25519 key of thirty-two noughts, in PKCS #8.
    let key = [&b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"[..], &[0; 32]].concat();
    let key = provider.key_provider.load_private_key(PrivatePkcs8KeyDer::from(key).into()).unwrap();
    let certified = CertifiedKey::new(vec![CertificateDer::from(vec![0x30, 0])], key);
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_no_client_auth().with_cert_resolver(Arc::new(Anything(Arc::new(certified))))
}

/// An https server that signs in, and sends what is no TLS in place of (the rest of) every other answer.
fn breaking_tls(before: &'static str) -> String {
    let config = Arc::new(tls_of_a_server());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let token = catalogue(&url).to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket.unwrap());
            let mut request = [0; 4096];
            let Ok(read) = stream.read(&mut request) else { continue };
            if request[..read].windows(12).any(|part| part == b"/auth/tokens") {
                let head = "HTTP/1.1 201 Created\r\nconnection: close\r\nx-subject-token: t";
                let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{token}", token.len());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            } else {
                let _ = stream.write_all(before.as_bytes());
                // A record of application data that no key decrypts.
                let _ = stream.sock.write_all(&[&[0x17, 3, 3, 0, 32][..], &[0; 32]].concat());
            }
        }
    });
    url
}

#[tokio::test]
async fn tls_that_fails_before_the_request_is_sent_leaves_no_doubt_and_after_it_does() {
    for before in ["", "HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{\"vpnservice\": {"] {
        let mut credentials = credentials(&breaking_tls(before));
        credentials.tls.insecure = true;
        let SignIn::Done(cloud) = Cloud::begin(&credentials, limits()).await.unwrap() else { panic!() };
        let router = Id::from("r");
        let body = VpnServiceBody { name: "n", description: "d", router: &router };
        let error = cloud.regions().remove(0).create_service(&body).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted, "{error}");
        assert!(error.is_doubtful());

        credentials.tls.insecure = false;
        let error = Cloud::sign_in(&credentials).await.unwrap_err();
        assert_eq!((error.kind.clone(), error.is_doubtful()), (ErrorKind::Certificate, false), "{error}");
    }
    let plain = stub(|request: &Request, _| empty(request), StatusCode::CREATED).await;
    let error = Cloud::sign_in(&credentials(&plain.url.replace("http:", "https:"))).await.unwrap_err();
    assert_eq!((error.kind.clone(), error.is_doubtful()), (ErrorKind::Unreachable, false), "{error}");
    assert!(error.message.contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn a_port_nobody_listens_on_is_unreachable_and_nothing_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Cloud::sign_in(&credentials(&url)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(!error.is_doubtful());
    assert!(error.message.ends_with("cannot be reached: Connection refused."), "{error}");
}

/// The time for a request is for all of it: a server that sends a byte now and then holds nobody up for ever.
#[tokio::test]
async fn an_answer_that_trickles_is_given_up_in_time() {
    let drop_by_drop = || async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, Infallible>(" "), ()))
    };
    let stub = stub(
        move |_, _| Body::from_stream(futures::stream::unfold((), move |()| drop_by_drop())).into_response(),
        StatusCode::OK,
    );
    let region = region(&stub.await.url, Limits { total: Duration::from_millis(400), ..limits() }).await;
    let reading = tokio::time::timeout(Duration::from_secs(60), region.described(Kind::IkePolicy)).await;
    let error = reading.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error:?}");
    assert!(error.hint().is_some());
}

/// The most requests that a server was answering at once.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[tokio::test]
async fn a_hundred_reads_at_once_are_sixteen_in_flight() {
    let (crowd, all) = (Arc::new(Crowd::default()), Arc::new(tokio::sync::Barrier::new(16)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let token = catalogue(&url);
    let answer = {
        let crowd = Arc::clone(&crowd);
        move |request: Request| async move {
            if request.uri().path() == "/v3/auth/tokens" {
                return (StatusCode::CREATED, [("x-subject-token", "t")], axum::Json(token)).into_response();
            }
            crowd.most.fetch_max(crowd.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Nobody is answered before sixteen are there: fewer at once would wait here for ever.
            all.wait().await;
            crowd.now.fetch_sub(1, Ordering::SeqCst);
            empty(&request)
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let region = region(&url, limits()).await;
    let answers = futures::future::join_all((0..96).map(|_| region.services())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(crowd.most.load(Ordering::SeqCst), 16);
}

#[tokio::test]
async fn what_one_request_is_told_to_wait_for_every_other_waits_for_too() {
    let limited = |request: &Request, number| {
        if number <= 2 {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "600")]).into_response();
        }
        empty(request)
    };
    let stub = stub(limited, StatusCode::CREATED).await;
    let region = region(&stub.url, limits()).await;
    let error = region.services().await.unwrap_err();
    assert_eq!((error.status, error.retry_after), (Some(429), Some(Duration::from_mins(10))));
    for _ in 0..3 {
        let error = region.connections().await.unwrap_err();
        assert!(error.status == Some(429) && error.retry_after > Some(Duration::from_secs(500)), "{error:?}");
    }
    assert_eq!(stub.requests.lock().unwrap().len(), 1, "nobody asks meanwhile");
}
