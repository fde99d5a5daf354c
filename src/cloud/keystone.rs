//! From credentials to a token and the regions of its catalogue.
//!
//! There is one sign-in for all regions: a token is valid in every region of its Keystone. When it expires during a run
//! it is renewed once, however many requests notice it at the same time; if that takes a person, they are asked once, and
//! the requests wait.

mod conversation;
mod identity;
mod session;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method as Verb, Url};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use tokio::sync::Mutex;

use self::conversation::{Conversation, Remembered};
pub use self::identity::Receipt;
use self::session::{Account, Endpoint, Token};
use super::credentials::{Credentials, Method};
use super::error::{Error, ErrorKind, Proof, Signed};
use super::http::{Http, Limits, Outgoing, Response, is_loopback, parse_page};
use super::inventory::RegionId;
use super::person::Person;
use super::printable::{Text, printable};
use super::retry::{self, Listener, Patience, Pause};

/// A signed-in user of a cloud. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cloud(Arc<CloudInner>);

#[derive(Debug)]
struct CloudInner {
    http: Http,
    credentials: Credentials,
    /// As it was at sign-in; the project and catalogue of a renewed token are the same.
    session: Account,
    token: RwLock<Token>,
    person: Option<Person>,
    is_silent: bool,
    /// Whether keys may be sent to a network service that is not https. Held while that is asked.
    clear_text: Mutex<bool>,
    /// Held while a renewal is under way.
    renewals: Arc<Mutex<Renewals>>,
    listener: Listener,
}

#[derive(Debug, Default)]
struct Renewals {
    tried: u64,
    failure: Option<Error>,
    known: Remembered,
}

/// How far a sign-in got.
#[derive(Debug)]
pub enum SignIn {
    Done(Cloud),
    /// The first factor was right, and there was nobody to ask for the second.
    SecondFactor(Receipt),
}

/// One region of a cloud: where its Neutron is, and the token for it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Region {
    cloud: Cloud,
    endpoint: Arc<Endpoint>,
    patience: Option<Patience>,
}

impl Cloud {
    /// Signs in with the default [`Limits`].
    ///
    /// Errors: `Unauthorized` (wrong password, unknown user or project, expired token: Keystone does not say which),
    /// `SecondFactor`, `Credentials` (unreadable CA file; no project; no network service in the catalogue), `NotFound`
    /// (no Keystone there), and everything that can happen to a request.
    pub async fn sign_in(credentials: &Credentials) -> Result<Self, Error> {
        match Self::begin(credentials, Limits::default()).await? {
            SignIn::Done(cloud) => Ok(cloud),
            SignIn::SecondFactor(receipt) => Err(receipt.into_error().signed(credentials.signed())),
        }
    }

    /// Signs in as far as these credentials go.
    pub async fn begin(credentials: &Credentials, limits: Limits) -> Result<SignIn, Error> {
        if let Method::PasswordToAsk { .. } = credentials.method {
            return Err(Error::new(ErrorKind::Credentials, "The password is missing, and nobody can be asked for it."));
        }
        let http = Http::new(&credentials.auth_url, &credentials.tls, limits)?;
        let answer = request_token(&http, credentials).await?;
        if let Some(receipt) = Receipt::of(&answer) {
            return Ok(SignIn::SecondFactor(receipt));
        }
        let answer = answer.success(&credentials.method.secrets());
        let answer = answer.map_err(|error| error.signed(credentials.signed()))?;
        let (token, session) = session::read(&answer, credentials)?;
        let known = Remembered { password: credentials.method.password().cloned(), is_appended: false };
        let is_silent = credentials.method.can_repeat();
        Ok(SignIn::Done(Self::signed_in(http, credentials, (token, session), (known, is_silent), None)))
    }

    /// Signs in, and asks that person for whatever is missing or refused: now, and when the token has expired.
    ///
    /// Errors: as [`Self::sign_in`], and `Unanswered` if the person declines.
    pub async fn sign_in_with(credentials: &Credentials, limits: Limits, person: Person) -> Result<Self, Error> {
        let http = Http::new(&credentials.auth_url, &credentials.tls, limits)?;
        let mut known = Remembered::default();
        let signed_in = Conversation::new(&http, credentials, Some(&person), None, &mut known).hold().await?;
        let conversation::NewSession { token, session, is_silent } = signed_in;
        Ok(Self::signed_in(http, credentials, (token, session), (known, is_silent), Some(person)))
    }

    fn signed_in(
        http: Http,
        credentials: &Credentials,
        (token, session): (Token, Account),
        (known, is_silent): (Remembered, bool),
        person: Option<Person>,
    ) -> Self {
        let token = RwLock::new(token);
        let credentials = credentials.clone();
        let renewals = Arc::new(Mutex::new(Renewals { known, ..Renewals::default() }));
        Self(Arc::new(CloudInner {
            clear_text: Mutex::new(false),
            http,
            credentials,
            session,
            token,
            person,
            is_silent,
            renewals,
            listener: Listener::default(),
        }))
    }

    #[must_use]
    pub fn regions(&self) -> Vec<Region> {
        let endpoints = self.0.session.endpoints.iter();
        endpoints.map(|endpoint| Region { cloud: self.clone(), endpoint: endpoint.clone(), patience: None }).collect()
    }

    /// Tells of every pause before a read is tried again, from now on and once for all.
    pub(crate) fn tell_pauses(&self, told: impl Fn(&RegionId, &Pause) + Send + Sync + 'static) {
        self.0.listener.set(told);
    }

    /// The region of that code; case matters.
    ///
    /// # Errors
    /// `NotFound` if the catalogue does not have it.
    pub fn region(&self, id: &RegionId) -> Result<Region, Error> {
        self.regions().into_iter().find(|region| region.id() == id).ok_or_else(|| Error::no_region(id))
    }

    /// What the operator calls the regions, as far as they have descriptions. Empty if that cannot be read: nothing
    /// depends on it.
    pub async fn region_descriptions(&self) -> BTreeMap<RegionId, String> {
        #[derive(Deserialize)]
        struct RegionAnswer {
            id: Text,
            description: Option<Text>,
        }
        let Ok(url) = Url::parse(&format!("{}/regions", self.0.credentials.auth_url)) else { return BTreeMap::new() };
        let read = || async { parse_page::<RegionAnswer>(&self.send(Verb::GET, &url, None).await?, "regions") };
        let regions = retry::repeating(self.limits(), None, read).await.map(|page| page.items).unwrap_or_default();
        let named = regions.into_iter().filter_map(|region| {
            let description = region.description?.0.trim().to_owned();
            (!description.is_empty()).then(|| (RegionId::new(region.id.0), description))
        });
        named.collect()
    }

    /// Where Keystone is: the base of its version 3.
    #[must_use]
    pub fn auth_url(&self) -> &str {
        &self.0.credentials.auth_url
    }

    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.0.session.project_id
    }

    #[must_use]
    pub fn project_name(&self) -> &str {
        &self.0.session.project_name
    }

    /// Whether the user may only read. Since OpenStack 2025.2 such a user's lists of VPN objects are empty, without a word.
    #[must_use]
    pub(crate) fn is_reader(&self) -> bool {
        let roles = &self.0.session.roles;
        !roles.is_empty() && roles.iter().all(|role| role == "reader")
    }

    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.0.session.user_name
    }

    /// When the token that is in use now expires.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token().expires_at
    }

    /// Whether the token can be renewed without asking anybody.
    #[must_use]
    pub fn renews_silently(&self) -> bool {
        self.0.is_silent
    }

    /// Forgets that a sign-in was declined or refused: what begins now is a new wish of the user's, who may be asked again.
    pub fn ask_again(&self) {
        // While a renewal is under way there is nothing to forget.
        if let Ok(mut renewals) = self.0.renewals.try_lock() {
            renewals.failure = None;
        }
    }

    /// Asks nobody any more, because the program ends; an open question counts as declined.
    pub fn ask_no_more(&self) {
        if let Some(person) = &self.0.person {
            person.leave();
        }
    }

    /// For how long in all people have been asked to sign in again. Whoever measures how long the cloud takes leaves that
    /// out.
    #[must_use]
    pub(crate) fn asked_for(&self) -> Duration {
        self.0.person.as_ref().map_or(Duration::ZERO, Person::asked_for)
    }

    /// The region the credentials name, whether or not the catalogue has it.
    #[must_use]
    pub(crate) fn preferred_region(&self) -> Option<&RegionId> {
        self.0.credentials.region.as_ref()
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.0.http.limits()
    }

    /// Sends a request with the token. If the token has expired it is renewed and the request repeated, once: a 401
    /// comes from the door, before anything is acted upon, so this is safe for a POST too. A person may take their time to
    /// answer: only what is sent has a time limit.
    pub(super) async fn send(&self, verb: Verb, url: &Url, body: Option<Body<'_>>) -> Result<Response, Error> {
        if !session::is_usable(url) {
            let interface = printable(&self.0.credentials.interface);
            let message =
                format!("The catalogue has no usable `{interface}` address of this region's network service.");
            return Err(Error::new(ErrorKind::Unexpected, message));
        }
        if body.as_ref().is_some_and(|body| body.secret.is_some()) {
            self.agree_on_clear_text(url).await?;
        }
        let mut token = self.token();
        let mut renewed = false;
        loop {
            let mut outgoing = Outgoing::new(verb.clone(), url.clone()).secret_header("x-auth-token", &token.secret);
            if let Some(Body { json, secret }) = &body {
                outgoing.body = Some(Zeroizing::new(json.to_vec()));
                outgoing.secrets.extend(secret);
            }
            // Boxed, because six of these make up one future of discovery.
            match Box::pin(self.0.http.send(outgoing)).await {
                Err(error) if error.kind == ErrorKind::Unauthorized && !renewed => {
                    if self.0.person.is_none() && !self.0.credentials.method.can_repeat() {
                        return Err(Box::pin(self.explained(error, &token)).await);
                    }
                    token = Box::pin(self.renewed(token.serial)).await.map_err(|failure| failure.at(error))?;
                    renewed = true;
                }
                Err(error) => return Err(Box::pin(self.explained(error, &token)).await),
                result => return result,
            }
        }
    }

    /// A refusal with what is known of the token and the roles it was given: what Keystone accepts and a region refuses is
    /// the cloud's fault.
    async fn explained(&self, error: Error, token: &Token) -> Error {
        let CloudInner { http, credentials, session, .. } = &*self.0;
        let is_sound = match error.kind {
            ErrorKind::Unauthorized => {
                let about = about_token(http, credentials, &token.secret).await;
                about.is_ok_and(|answer| answer.status.is_success())
            }
            // An application credential may be restricted beyond its roles.
            ErrorKind::Forbidden => {
                let may = |role: &String| matches!(role.as_str(), "admin" | "manager" | "member");
                session.roles.iter().any(may) && credentials.signed().by != Proof::ApplicationCredential
            }
            _ => return error,
        };
        error.signed(Signed { is_sound, ..credentials.signed() })
    }

    /// The regions whose network service is not https although Keystone is: whoever is in between can read what is sent
    /// there, and the token with it.
    #[must_use]
    pub(crate) fn clear_text_regions(&self) -> Vec<&RegionId> {
        let endpoints = self.0.session.endpoints.iter();
        endpoints.filter(|endpoint| self.is_clear_text(&endpoint.url)).map(|endpoint| &endpoint.region).collect()
    }

    fn is_clear_text(&self, url: &Url) -> bool {
        url.scheme() == "http" && self.0.credentials.auth_url.starts_with("https:") && !is_loopback(url.as_str())
    }

    /// Lets keys be sent to network services that are not https, as the user wants it.
    pub(crate) async fn allow_clear_text(&self) {
        *self.0.clear_text.lock().await = true;
    }

    /// Before a key goes there: nobody but the user can say whether the network between is to be trusted.
    async fn agree_on_clear_text(&self, url: &Url) -> Result<(), Error> {
        if !self.is_clear_text(url) {
            return Ok(());
        }
        let mut is_allowed = self.0.clear_text.lock().await;
        let host = url.host_str().unwrap_or_default();
        let why = format!(
            "The network service at http://{host} is not https, although Keystone is: whoever is in between can read the \
             pre-shared key, and the token."
        );
        if let (false, Some(person)) = (*is_allowed, &self.0.person) {
            *is_allowed = person.agrees(&self.0.credentials.auth_url, &why).await;
        }
        if *is_allowed {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ClearText, format!("{why} The key was not sent.")))
    }

    fn token(&self) -> Token {
        self.0.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A token newer than that one. Of all that ask at once, the first signs in and the others take what it got, be that
    /// a token or a refusal: repeating a refused password would lock the user out.
    async fn renewed(&self, serial: u64) -> Result<Token, Error> {
        let before = self.0.renewals.try_lock().map_or(None, |renewals| Some(renewals.tried));
        let mut renewals = Arc::clone(&self.0.renewals).lock_owned().await;
        let current = self.token();
        if current.serial != serial {
            return Ok(current);
        }
        if let Some(error) = &renewals.failure {
            // Without `before`, a renewal was under way when this one asked, and it is over now.
            let waited_for_it = before != Some(renewals.tried);
            let for_good =
                matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::SecondFactor | ErrorKind::Unanswered);
            if waited_for_it || for_good {
                return Err(error.clone());
            }
        }
        tracing::debug!("the token is refused; signing in again");
        let cloud = self.clone();
        // A task of its own: whoever noticed first may give up waiting, and what a person types must not be lost by that.
        let renewal = tokio::spawn(async move {
            renewals.tried += 1;
            renewals.failure = None;
            let result = cloud.renew(serial, &mut renewals.known).await;
            renewals.failure = result.as_ref().err().cloned();
            result
        });
        renewal.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Unexpected, format!("signing in again ended early: {error}")))
        })
    }

    async fn renew(&self, serial: u64, known: &mut Remembered) -> Result<Token, Error> {
        let CloudInner { http, credentials, session, token, person, .. } = &*self.0;
        let conversation = Conversation::new(http, credentials, person.as_ref(), Some(session), known);
        let mut fresh = conversation.hold().await?.token;
        fresh.serial = serial + 1;
        *token.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        Ok(fresh)
    }
}

impl Error {
    /// Of a sign-in that was not answered, the request it was for is what there is to name.
    fn at(mut self, noticed: Self) -> Self {
        if self.kind == ErrorKind::Unanswered {
            (self.request, self.status, self.request_id) = (noticed.request, noticed.status, noticed.request_id);
        }
        self
    }
}

impl Region {
    #[must_use]
    pub fn id(&self) -> &RegionId {
        &self.endpoint.region
    }

    /// Whether a key may be sent there, which is asked if its network service is not https. Whoever makes several objects
    /// wants to know before the first.
    ///
    /// Errors: `ClearText`.
    pub(crate) async fn may_take_keys(&self) -> Result<(), Error> {
        self.cloud.agree_on_clear_text(&self.endpoint.url).await.map_err(|error| self.mark(error))
    }

    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The same region, whose requests are tried as often as that says.
    #[must_use]
    pub(crate) fn patient(self, patience: Patience) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// What it was given; otherwise that of every request, whose pauses are told to who listens to the cloud.
    pub(super) fn patience(&self) -> Patience {
        let common = || self.cloud.0.listener.patience(self.id(), self.cloud.limits());
        self.patience.clone().unwrap_or_else(common)
    }

    /// What it was given. A request that changes something is repeated only by who has asked for that.
    pub(super) const fn given_patience(&self) -> Option<&Patience> {
        self.patience.as_ref()
    }

    /// The address of its network API; ends in `/v2.0`.
    pub(super) fn base(&self) -> &Url {
        &self.endpoint.url
    }
}

/// JSON to send, and the secret in it.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    pub json: &'a [u8],
    pub secret: Option<&'a SecretString>,
}

fn token_request(credentials: &Credentials) -> Result<Outgoing<'_>, Error> {
    let url = Url::parse(&format!("{}/auth/tokens", credentials.auth_url))
        .map_err(|_| Error::new(ErrorKind::Credentials, "The auth_url is not a URL."))?;
    Ok(Outgoing::new(Verb::POST, url))
}

/// Asks for a token, as often as a read is tried if it fails for a reason that may pass. What was sent and may have been
/// judged is not sent again: a password, because a few refusals lock the user out; a passcode, because it is used up.
async fn request_token(http: &Http, credentials: &Credentials) -> Result<Response, Error> {
    let attempt = || async {
        let answered = request_token_once(http, credentials).await;
        let failure = match &answered {
            Ok(answer) => answer.refusal(&credentials.method.secrets()),
            Err(error) => Some(error.clone()),
        };
        match failure {
            Some(error) if error.is_transient() && !may_be_judged(&error, &credentials.method) => Err(error),
            // Whoever asked reads it: a receipt is a refusal, too.
            _ => Ok(answered),
        }
    };
    retry::repeating(http.limits(), None, attempt).await?
}

/// Whether what failed so may have been refused all the same, and counted. 503 and 429 come from the door.
fn may_be_judged(error: &Error, method: &Method) -> bool {
    let is_counted = !matches!(method, Method::Token { .. } | Method::ApplicationCredential { .. });
    let is_at_the_door = matches!(error.kind, ErrorKind::Unreachable | ErrorKind::RateLimited);
    is_counted && !is_at_the_door && error.status != Some(503)
}

/// Asks for a token, or about the one there is. That one is used as it is where it is for the project that is named, or
/// where none is: a cloud may forbid to exchange it, and the new one would expire no later. Otherwise it is exchanged for
/// one of that project.
async fn request_token_once(http: &Http, credentials: &Credentials) -> Result<Response, Error> {
    let Method::Token { token, .. } = &credentials.method else { return exchange_proof(http, credentials).await };
    let about = about_token(http, credentials, token).await?;
    match &credentials.project {
        Some(project) if about.status.is_success() && !session::is_for(&about, project) => {
            exchange_proof(http, credentials).await
        }
        _ => Ok(about),
    }
}

async fn exchange_proof(http: &Http, credentials: &Credentials) -> Result<Response, Error> {
    let mut request = token_request(credentials)?;
    request.body = Some(identity::body(credentials));
    request.secrets.extend(credentials.method.secrets());
    http.exchange(request).await
}

/// What Keystone says of a token, asked with that token.
async fn about_token(http: &Http, credentials: &Credentials, token: &SecretString) -> Result<Response, Error> {
    let mut request = token_request(credentials)?;
    request.method = Verb::GET;
    http.exchange(request.secret_header("x-auth-token", token).secret_header("x-subject-token", token)).await
}

#[cfg(test)]
mod tests {
    use super::super::credentials::Tls;
    use super::super::person::{Prompt, Reply, Said};
    use super::*;

    /// A cloud whose Keystone is https, and one of whose network services is not.
    fn torn(person: Option<Person>) -> Cloud {
        let credentials = Credentials {
            auth_url: "https://keystone.example/v3".to_owned(),
            method: Method::Token { token: "t".into(), user: None },
            project: None,
            region: None,
            interface: "internal".to_owned(),
            network_endpoints: Vec::new(),
            tls: Tls::default(),
            in_file: false,
        };
        let endpoint =
            |region: &str, url: &str| Arc::new(Endpoint { region: region.into(), url: url.parse().unwrap() });
        let session = Account {
            project_id: String::new(),
            project_name: String::new(),
            user_name: String::new(),
            roles: Vec::new(),
            endpoints: vec![
                endpoint("clear", "http://10.0.0.5:9696/v2.0"),
                endpoint("here", "http://127.0.0.1:9696/v2.0"),
                endpoint("safe", "https://network.example/v2.0"),
            ],
        };
        let http = Http::new(&credentials.auth_url, &credentials.tls, Limits::default()).unwrap();
        let token = Token { secret: Arc::new("t".into()), expires_at: None, serial: 0 };
        Cloud::signed_in(http, &credentials, (token, session), (Remembered::default(), true), person)
    }

    #[tokio::test]
    async fn a_key_goes_in_clear_text_only_where_the_user_wants_it() {
        let cloud = torn(None);
        assert_eq!(cloud.clear_text_regions(), [&RegionId::from("clear")]);
        for region in cloud.regions() {
            let refused = region.may_take_keys().await.err().map(|error| error.kind);
            assert_eq!(refused, (region.id().as_str() == "clear").then_some(ErrorKind::ClearText), "{}", region.id());
        }
        // Whoever sends one without having asked is held at the door.
        let key = SecretString::from("Zq7PSKinMemory0123456789ab");
        let clear = cloud.region(&"clear".into()).unwrap();
        let sent = clear.set_connection_psk(&"id".into(), &key).await.unwrap_err();
        assert_eq!((sent.kind, sent.region), (ErrorKind::ClearText, Some("clear".into())));
        cloud.allow_clear_text().await;
        assert_eq!(clear.may_take_keys().await, Ok(()));
    }

    #[tokio::test]
    async fn whoever_can_be_asked_is_asked_until_yes_is_said() {
        let (person, mut said) = Person::new();
        let cloud = torn(Some(person));
        let clear = cloud.region(&"clear".into()).unwrap();
        let answers = tokio::spawn(async move {
            for typed in ["y", "no", "yes"] {
                let Some(Said::Asked(question, reply)) = said.recv().await else { panic!("a question") };
                assert!(question.refused.unwrap().contains("http://10.0.0.5 is not https"));
                let _ = reply.send(Some(Reply::default().with(Prompt::Consent, typed.into())));
                assert!(matches!(said.recv().await, Some(Said::Over)));
            }
            assert!(said.recv().await.is_none(), "once is enough");
        });
        for is_agreed in [false, false, true, true] {
            assert_eq!(clear.may_take_keys().await.is_ok(), is_agreed);
        }
        drop((clear, cloud));
        answers.await.unwrap();
    }
}
