//! A cloud that signs everybody in and answers all else as a test says, down to the byte.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use osvpn::cloud::Credentials;
use osvpn::cloud::credentials::Sources;

/// Status line and headers after `HTTP/1.1 `, without the length, and a body.
pub struct Reply {
    pub head: String,
    pub body: Vec<u8>,
    /// What follows the body for ever, or nothing.
    pub then: Vec<u8>,
}

impl Reply {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { head: "200 OK".to_owned(), body: body.into(), then: Vec::new() }
    }
}

type Answers = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

pub struct Hostile {
    pub url: String,
    /// The bytes it got rid of, sign-ins not counted.
    pub sent: Arc<AtomicUsize>,
}

impl Hostile {
    /// `answers` gets path and query of every request but the sign-in.
    pub fn start(answers: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::<AtomicUsize>::default();
        let (answers, token): (Answers, _) = (Arc::new(answers), token(&url));
        let counter = Arc::clone(&sent);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, token, counter) = (Arc::clone(&answers), token.clone(), Arc::clone(&counter));
                std::thread::spawn(move || serve(stream.unwrap(), &answers, &token, &counter));
            }
        });
        Self { url, sent }
    }

    pub fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("OS_AUTH_URL", self.url.clone()),
            ("OS_USERNAME", "jo".to_owned()),
            ("OS_PASSWORD", "hunter2hunter2".to_owned()),
            ("OS_PROJECT_NAME", "demo".to_owned()),
            ("OS_REGION_NAME", "one".to_owned()),
        ]
    }

    pub fn credentials(&self) -> Credentials {
        let vars: BTreeMap<_, _> = self.variables().map(|(name, value)| (name.to_owned(), value)).into();
        Credentials::find(&Sources { vars, ..Sources::default() }, None).unwrap().credentials
    }
}

fn token(url: &str) -> Vec<u8> {
    let endpoints = serde_json::json!([{"interface": "public", "region_id": "one", "url": url}]);
    let token = serde_json::json!({"token": {
        "user": {"id": "u", "name": "jo"}, "project": {"id": "mine", "name": "demo"},
        "catalog": [{"type": "network", "endpoints": endpoints}],
    }});
    token.to_string().into_bytes()
}

fn serve(mut stream: TcpStream, answers: &Answers, token: &[u8], counter: &AtomicUsize) {
    stream.set_nodelay(true).unwrap();
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let Ok(read @ 1..) = stream.read(&mut chunk) else { return };
        received.extend_from_slice(&chunk[..read]);
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&received[..end]).into_owned();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if received.len() < end + 4 + length.unwrap_or(0_usize) {
            continue;
        }
        received.clear();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let signs_in = path.ends_with("/auth/tokens");
        let reply = if signs_in {
            let head = "201 Created\r\nx-subject-token: token-of-a-test".to_owned();
            Reply { head, body: token.to_vec(), then: Vec::new() }
        } else {
            answers(path)
        };
        let ends = reply.then.is_empty();
        let length = if ends { format!("content-length: {}\r\n", reply.body.len()) } else { String::new() };
        let mut send = |bytes: &[u8]| {
            let sent = stream.write_all(bytes).is_ok();
            if sent && !signs_in {
                counter.fetch_add(bytes.len(), Ordering::SeqCst);
            }
            sent
        };
        if !send(format!("HTTP/1.1 {}\r\n{length}\r\n", reply.head).as_bytes()) || !send(&reply.body) {
            return;
        }
        while !ends && send(&reply.then) {}
        if !ends {
            return;
        }
    }
}
