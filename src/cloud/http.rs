//! Sends one request and makes a typed [`Error`] of everything that can go wrong with it.
//!
//! Nothing here logs or reports a body, a query or a token. What is logged of a request, at debug level, is its method,
//! path, status, duration and the cloud's own number for it.

mod certificates;
mod failure;
mod json;
mod proxies;
mod redact;
mod throttle;
mod told;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use jiff::SignedDuration;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode, Url};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

pub(crate) use self::json::{MOST_ITEMS, Page, endless, parse, parse_page, parse_page_of_fit};
use self::proxies::Proxies;
use self::throttle::{IN_FLIGHT, SLOW, Throttle, WORTH_TELLING};
pub use self::told::Exchange;
use self::told::Witness;
use super::credentials::Tls;
use super::error::{Error, ErrorKind};
use super::printable::one_line;
use super::retry::Patience;

/// How long, how large and how often. The defaults suit a person at a terminal; tests shorten them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To reach the host, TLS included. Default 10 s: no healthy cloud takes longer, and a dropped SYN is not answered.
    pub connect: Duration,
    /// For a whole request, the reading of its answer included. Default 60 s: making a VPN service on OVN takes several
    /// seconds, and load balancers give up after 50 or 60.
    pub total: Duration,
    /// Of one answer, unpacked, in bytes. Default 16 MiB: 10,000 subnets are about 3 MiB.
    pub body: usize,
    /// Of all pages of one list together, in bytes. Default 64 MiB: some 200,000 subnets.
    pub list: usize,
    /// Of all pages of one list together, in time. Default 5 min: a slow cloud takes one for thousands of objects.
    pub paging: Duration,
    /// How often a request that may be repeated is tried in all. Default 5.
    pub tries: u32,
    /// The longest pause after a first failed try, doubled after each further one. Default 400 ms.
    pub back_off: Duration,
    /// How long after a request was given up its effect may still appear. Default 3 min: a Neutron that is stuck in its
    /// database or waits for an agent has been seen to act after that long.
    pub settling: Duration,
}

impl Limits {
    /// How long after it was announced a request may still take effect, whatever became of its sender.
    pub fn reach(&self) -> SignedDuration {
        SignedDuration::try_from(self.total + self.settling).unwrap_or(SignedDuration::MAX)
    }

    /// The pause after that many failures in a row: it doubles with each.
    pub(crate) fn back_off_after(&self, failures: u32) -> Duration {
        self.back_off.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(60),
            body: 16 << 20,
            list: 64 << 20,
            paging: Duration::from_secs(5 * 60),
            tries: super::retry::TRIES,
            back_off: Duration::from_millis(400),
            settling: Duration::from_secs(180),
        }
    }
}

/// The one connection pool of a signed-in user. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    limits: Limits,
    proxies: Arc<Proxies>,
    throttle: Arc<Throttle>,
    authorities: Option<String>,
    witness: Witness,
}

#[derive(Clone)]
pub(crate) struct Outgoing<'a> {
    pub method: Method,
    pub url: Url,
    /// Sent as headers that HTTP/2 does not index and that no debug output shows.
    pub secret_headers: Vec<(&'static str, &'a SecretString)>,
    /// JSON. It may hold a secret, and is wiped once it is sent.
    pub body: Option<Zeroizing<Vec<u8>>>,
    /// Taken out of the cloud's message should it repeat what it was sent.
    pub secrets: Vec<&'a SecretString>,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, secret_headers: Vec::new(), body: None, secrets: Vec::new() }
    }

    pub(crate) fn secret_header(mut self, name: &'static str, value: &'a SecretString) -> Self {
        self.secret_headers.push((name, value));
        self.secrets.push(value);
        self
    }

    fn label(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }
}

pub(crate) struct Response {
    pub label: String,
    pub place: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Http {
    /// A client that trusts the system's authorities and those of the CA file, uses the system's proxy, and follows no
    /// redirection: the token header would be sent along to whatever host it names.
    ///
    /// A Keystone on a loopback address is talked to directly: no proxy reaches this machine's own.
    pub fn new(auth_url: &str, tls: &Tls, limits: Limits) -> Result<Self, Error> {
        // A second installation fails because there is one already, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let extra = tls.authorities.as_ref().map(certificates::authorities).transpose()?.unwrap_or_default();
        let own = tls.client.as_ref().map(certificates::client).transpose()?;
        let direct = is_loopback(auth_url);
        let base = || {
            let builder = reqwest::Client::builder();
            let builder = if direct { builder.no_proxy() } else { builder };
            let builder = if let Some(own) = &own { builder.identity(own.clone()) } else { builder };
            builder
                .user_agent(concat!("osvpn/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .connect_timeout(limits.connect)
                .timeout(limits.total)
                // A request that gets the connection of another leaves one behind that nobody uses.
                .pool_max_idle_per_host(IN_FLIGHT / 2)
                .tls_danger_accept_invalid_certs(tls.insecure)
        };
        // Without any certificate store on the machine the first fails, and yet plain HTTP or the CA file may do.
        let client =
            base().tls_certs_merge(extra.clone()).build().or_else(|_| base().tls_certs_only(extra).build()).map_err(
                |error| Error::new(ErrorKind::Certificate, format!("TLS cannot be set up: {}", failure::root(&error))),
            )?;
        let proxies = Arc::new(if direct { Proxies::none() } else { Proxies::of_system() });
        let authorities = tls.authorities.as_ref().map(|file| format!("{} ({})", file.path.display(), file.setting));
        Ok(Self { client, limits, proxies, throttle: Arc::default(), authorities, witness: Witness::default() })
    }

    /// Tells of every request once it is answered, or not.
    pub(crate) fn tell_exchanges(&self, told: impl Fn(Exchange) + Send + Sync + 'static) {
        self.witness.set(told);
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) async fn send(&self, outgoing: Outgoing<'_>, patience: Option<&Patience>) -> Result<Response, Error> {
        let secrets = outgoing.secrets.clone();
        let answer = self.exchange(outgoing, patience).await?.success(&secrets);
        answer.inspect_err(
            |error| tracing::debug!(kind = ?error.kind, neutron_type = error.neutron_type, "refused: {error}"),
        )
    }

    /// Sends a request when its host's turn comes. With patience it is sent again if the host answers 429, as long as there
    /// is a point in that: such a request was certainly not acted upon.
    pub(crate) async fn exchange(
        &self,
        outgoing: Outgoing<'_>,
        patience: Option<&Patience>,
    ) -> Result<Response, Error> {
        let label = outgoing.label();
        let host = self.throttle.host(&host_of(&outgoing.url), outgoing.url.scheme() == "https");
        let writes = outgoing.method != Method::GET;
        let mut ticket = host.ticket(writes, patience, &self.limits);
        let asked = Instant::now();
        loop {
            let under_way = ticket.called().await.map_err(|error| Error { request: Some(label.clone()), ..error })?;
            if let Some(patience) = patience.filter(|_| writes && asked.elapsed() >= WORTH_TELLING) {
                (patience.sent_late)();
            }
            let mut exchange = pin!(self.exchange_once(outgoing.clone(), &label));
            let answer = if let Ok(answer) = timeout(SLOW, &mut exchange).await {
                answer
            } else {
                ticket.give_way();
                exchange.await
            };
            let answer = answer.inspect_err(|_| ticket.unanswered(&under_way))?;
            let refusal = answer.refusal(&outgoing.secrets).filter(|error| error.kind == ErrorKind::RateLimited);
            let Some(error) = refusal else {
                ticket.accepted(&under_way);
                return Ok(answer);
            };
            if !ticket.refused(under_way, &error) {
                return Ok(answer);
            }
        }
    }

    async fn exchange_once(&self, outgoing: Outgoing<'_>, label: &str) -> Result<Response, Error> {
        let host = host_of(&outgoing.url);
        let started = Instant::now();
        let result = self.transfer(outgoing, label, &host).await;
        self.witness.tell(label, &host, started.elapsed(), &result);
        let ms = started.elapsed().as_millis();
        match &result {
            Ok(answer) => {
                let request_id = answer.request_id().unwrap_or_default();
                tracing::debug!(request = %label, host, status = answer.status.as_u16(), ms, request_id, bytes = answer.body.len());
            }
            Err(error) => tracing::debug!(request = %label, host, kind = ?error.kind, ms, "failed: {error}"),
        }
        result
    }

    async fn transfer(&self, outgoing: Outgoing<'_>, label: &str, host: &str) -> Result<Response, Error> {
        let place = place_of(&outgoing.url);
        let way = failure::Way {
            host,
            proxy: self.proxies.of(&outgoing.url),
            authorities: self.authorities.as_deref(),
            limits: &self.limits,
        };
        let failed = |error: &reqwest::Error| failure::transport(error, label, &way);
        let mut request = self.client.request(outgoing.method, outgoing.url);
        for (name, secret) in outgoing.secret_headers {
            request = request.header(HeaderName::from_static(name), sensitive(secret, label)?);
        }
        if let Some(body) = outgoing.body {
            request = request.header(CONTENT_TYPE, "application/json").body(Bytes::from_owner(body));
        }
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.throttle.note_version(response.version());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > self.limits.body {
                let message = format!("The answer of {host} is longer than {} bytes.", self.limits.body);
                return Err(Error::new(ErrorKind::Unexpected, message).of(label, Some(status), &headers));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { label: label.to_owned(), place, status, headers, body })
    }
}

/// Its headers may hold a token and its body a pre-shared key.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status.as_u16())
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

impl Response {
    pub(crate) fn request_id(&self) -> Option<String> {
        request_id(&self.headers)
    }

    /// Itself if the status is 2xx, and otherwise what the cloud said was wrong, without the secrets.
    pub(crate) fn success(self, secrets: &[&SecretString]) -> Result<Self, Error> {
        self.refusal(secrets).map_or(Ok(self), Err)
    }

    /// What the cloud said was wrong, without the secrets, if the status is not 2xx.
    pub(crate) fn refusal(&self, secrets: &[&SecretString]) -> Option<Error> {
        (!self.status.is_success()).then(|| failure::refusal(self, secrets))
    }

    pub(crate) fn unexpected(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Unexpected, message).of(&self.label, Some(self.status), &self.headers)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Error {
    fn of(mut self, label: &str, status: Option<StatusCode>, headers: &HeaderMap) -> Self {
        self.request = Some(label.to_owned());
        self.status = status.map(|status| status.as_u16());
        self.request_id = request_id(headers);
        self
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-openstack-request-id").and_then(|value| value.to_str().ok()).map(|text| one_line(text, 80))
}

/// Host and port, for messages: enough to see a wrong address, and no user name or query.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the cloud");
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn place_of(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), host_of(url), url.path())
}

pub(crate) fn is_loopback(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn sensitive(secret: &SecretString, label: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| {
        let mut error = Error::new(ErrorKind::Credentials, "The token contains characters that no token has.");
        error.request = Some(label.to_owned());
        error
    })?;
    value.set_sensitive(true);
    Ok(value)
}
