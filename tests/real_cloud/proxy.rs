//! A proxy between osvpn and a real cloud that fails as networks and load balancers do, at one chosen request.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use futures::stream;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

/// What befalls a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is answered with that status, and the cloud never sees it.
    Status(u16),
    /// Its connection is closed, and the cloud never sees it.
    ResetBefore,
    /// The cloud acts on it, and its connection is closed without an answer.
    ResetAfter,
    /// The cloud acts on it, and half of the answer arrives.
    Cut,
    /// It waits here, and the cloud never sees it.
    Held,
}

/// The `nth` request of a method to paths with that text, counted from 1.
struct Trap {
    method: Method,
    path: String,
    nth: usize,
    trouble: Trouble,
}

struct Shared {
    /// Where it listens.
    own: SocketAddr,
    client: Client,
    trap: Mutex<Option<Trap>>,
    sprung: Notify,
}

pub struct Proxy {
    shared: Arc<Shared>,
    runtime: Runtime,
}

impl Proxy {
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let shared = Arc::new(Shared {
            own: listener.local_addr().unwrap(),
            client: Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap(),
            trap: Mutex::new(None),
            sprung: Notify::new(),
        });
        let accepting = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&accepting);
                let answer = service_fn(move |request| Arc::clone(&shared).answer(request));
                // An error of the service closes the connection without an answer.
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Self { shared, runtime }
    }

    /// The address that leads to another through this proxy: the other's host and port are the first part of the path.
    pub fn before(&self, url: &str) -> String {
        self.shared.before(url)
    }

    /// Sets a trap; an earlier one is gone.
    pub fn trap(&self, method: Method, path: &str, nth: usize, trouble: Trouble) {
        *self.shared.trap.lock().unwrap() = Some(Trap { method, path: path.to_owned(), nth, trouble });
    }

    /// Waits until the trap has been sprung.
    pub fn sprung(&self) {
        let sprung = async { tokio::time::timeout(Duration::from_secs(60), self.shared.sprung.notified()).await };
        assert!(self.runtime.block_on(sprung).is_ok(), "the request never came");
    }

    /// Whether it has not been.
    pub fn is_set(&self) -> bool {
        self.shared.trap.lock().unwrap().is_some()
    }
}

impl Shared {
    fn before(&self, url: &str) -> String {
        url.replace("http://", &format!("http://{}/", self.own))
    }

    /// The trouble that is meant for this request.
    fn trouble(&self, request: &Request<Incoming>) -> Option<Trouble> {
        let mut trap = self.trap.lock().unwrap();
        let set = trap.as_mut().filter(|trap| *request.method() == trap.method)?;
        if !request.uri().path().contains(&set.path) {
            return None;
        }
        set.nth -= 1;
        let sprung = (set.nth == 0).then_some(set.trouble);
        if sprung.is_some() {
            *trap = None;
            self.sprung.notify_one();
        }
        sprung
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
        let trouble = self.trouble(&request);
        match trouble {
            Some(Trouble::Status(status)) => {
                let mut answer = Response::new(Body::from("<html>a load balancer's page</html>"));
                *answer.status_mut() = StatusCode::from_u16(status).unwrap();
                Ok(answer)
            }
            Some(Trouble::ResetBefore) => Err(io::Error::other("closed by the test")),
            Some(Trouble::Held) => std::future::pending().await,
            Some(Trouble::ResetAfter | Trouble::Cut) | None => self.forward(request, trouble).await,
        }
    }

    async fn forward(&self, request: Request<Incoming>, trouble: Option<Trouble>) -> Result<Response<Body>, io::Error> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await.map_err(io::Error::other)?;
        let target = format!("http:/{}", parts.uri.path_and_query().unwrap());
        let mut headers = parts.headers;
        headers.remove("host");
        let sent = self.client.request(parts.method, target).headers(headers).body(body).send().await;
        let mut answer = sent.map_err(io::Error::other)?;
        let (status, mut headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = answer.bytes().await.map_err(io::Error::other)?.to_vec();
        if trouble == Some(Trouble::ResetAfter) {
            return Err(io::Error::other("closed by the test"));
        }
        // The catalogue: what it leads to is reached through here, too.
        if parts.uri.path().ends_with("/auth/tokens") {
            body = self.before(&String::from_utf8(body).unwrap()).into_bytes();
        }
        for name in ["content-length", "transfer-encoding", "connection"] {
            headers.remove(name);
        }
        headers.insert("content-length", body.len().into());
        let body = if trouble == Some(Trouble::Cut) {
            body.truncate(body.len() / 2);
            Body::from_stream(stream::iter([Ok(body), Err(io::Error::other("cut by the test"))]))
        } else {
            Body::from(body)
        };
        let mut answer = Response::new(body);
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        Ok(answer)
    }
}
