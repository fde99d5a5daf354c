//! From credentials to a token and the regions of its catalogue.
//!
//! There is one sign-in for all regions: a token is valid in every region of its Keystone. When it expires during a run
//! it is renewed once, however many requests notice it at the same time; if that takes a person, they are asked once, and
//! the requests wait.

mod clear_text;
mod conversation;
mod identity;
mod renewal;
mod session;
mod token;

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method as Verb, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use self::conversation::{Conversation, Remembered};
pub use self::identity::Receipt;
pub(super) use self::renewal::Body;
use self::session::{Endpoint, Token, TokenScope};
use self::token::request_token;
use super::credentials::{Credentials, Method};
use super::error::{Error, ErrorKind};
use super::http::{Exchange, Http, Limits, parse_page};
use super::inventory::RegionId;
use super::person::Person;
use super::printable::Text;
use super::retry::{self, Patience, Pause, PauseListeners};

/// A signed-in user of a cloud. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cloud(Arc<CloudInner>);

#[derive(Debug)]
struct CloudInner {
    http: Http,
    credentials: Credentials,
    /// As it was at sign-in; the project and catalogue of a renewed token are the same.
    session: TokenScope,
    token: RwLock<Token>,
    person: Option<Person>,
    is_silent: bool,
    /// Whether keys may be sent to a network service that is not https. Held while that is asked.
    clear_text: Mutex<bool>,
    /// Held while a renewal is in progress.
    renewals: Arc<Mutex<Renewals>>,
    listener: PauseListeners,
}

#[derive(Debug, Default)]
struct Renewals {
    tried: u64,
    failure: Option<Error>,
    known: Remembered,
}

#[derive(Debug)]
pub enum SignIn {
    Done(Cloud),
    /// The first factor was right, and no person could be asked for the second.
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

    pub async fn begin(credentials: &Credentials, limits: Limits) -> Result<SignIn, Error> {
        if let Method::PasswordToAsk { .. } = credentials.method {
            return Err(Error::new(
                ErrorKind::Credentials,
                "The password is missing, and osvpn cannot ask for it here.",
            ));
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
        (token, session): (Token, TokenScope),
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
            listener: PauseListeners::default(),
        }))
    }

    pub fn regions(&self) -> Vec<Region> {
        let endpoints = self.0.session.endpoints.iter();
        endpoints.map(|endpoint| Region { cloud: self.clone(), endpoint: endpoint.clone(), patience: None }).collect()
    }

    /// Tells of every pause before a read is tried again, from now on and once for all.
    pub(crate) fn tell_pauses(&self, told: impl Fn(&RegionId, &Pause) + Send + Sync + 'static) {
        self.0.listener.set(told);
    }

    /// Tells of every request once it is answered, from now on and once for all.
    pub(crate) fn tell_exchanges(&self, told: impl Fn(Exchange) + Send + Sync + 'static) {
        self.0.http.tell_exchanges(told);
    }

    /// The region of that code; case matters.
    /// Errors: `NotFound` if the catalogue does not have it.
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
        let patience = Patience::quiet(self.limits());
        let read = || async {
            parse_page::<RegionAnswer>(&self.send(Verb::GET, &url, None, Some(&patience)).await?, "regions")
        };
        let regions = retry::repeating(self.limits(), &patience, read).await.map(|page| page.items).unwrap_or_default();
        let named = regions.into_iter().filter_map(|region| {
            let description = region.description?.0.trim().to_owned();
            (!description.is_empty()).then(|| (RegionId::new(region.id.0), description))
        });
        named.collect()
    }

    /// Where Keystone is: the base of its version 3.
    pub fn auth_url(&self) -> &str {
        &self.0.credentials.auth_url
    }

    pub fn project_id(&self) -> &str {
        &self.0.session.project_id
    }

    pub fn project_name(&self) -> &str {
        &self.0.session.project_name
    }

    /// Whether the lists that Neutron answers hold the objects of all projects.
    pub(crate) fn is_administrator(&self) -> bool {
        self.0.session.roles.iter().any(|role| role == "admin")
    }

    /// Whether the user may only read. Since OpenStack 2025.2 such a user's lists of VPN objects are empty, without a word.
    pub(crate) fn is_reader(&self) -> bool {
        let roles = &self.0.session.roles;
        !roles.is_empty() && roles.iter().all(|role| role == "reader")
    }

    /// Whether a role in the project allows nothing but to look: Keystone gives readers alone no other of its own.
    pub(crate) fn may_only_read(&self) -> bool {
        let has = |role: &&str| self.0.session.roles.iter().any(|own| own == role);
        has(&"reader") && !["member", "_member_", "manager", "admin"].iter().any(has)
    }

    pub fn user_name(&self) -> &str {
        &self.0.session.user_name
    }

    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token().expires_at
    }

    /// Whether the token can be renewed without asking anybody.
    pub fn renews_silently(&self) -> bool {
        self.0.is_silent
    }

    /// Forgets that a sign-in was declined or refused: what begins now is a new wish of the user's, who may be asked again.
    pub fn ask_again(&self) {
        // While a renewal is in progress there is nothing to forget.
        if let Ok(mut renewals) = self.0.renewals.try_lock() {
            renewals.failure = None;
        }
    }

    /// Ends all questions, because the program ends; an open one counts as declined.
    pub fn ask_no_more(&self) {
        if let Some(person) = &self.0.person {
            person.leave();
        }
    }

    /// For how long in all questions have been open: not part of the time that the cloud takes.
    pub(crate) fn asked_for(&self) -> Duration {
        self.0.person.as_ref().map_or(Duration::ZERO, Person::asked_for)
    }

    /// The region the credentials name, whether or not the catalogue has it.
    pub(crate) fn preferred_region(&self) -> Option<&RegionId> {
        self.0.credentials.region.as_ref()
    }

    pub fn limits(&self) -> &Limits {
        self.0.http.limits()
    }
}

impl Region {
    pub fn id(&self) -> &RegionId {
        &self.endpoint.region
    }

    /// Whether a key may be sent there, which is asked if its network service is not https. Call it before the first of
    /// several objects.
    ///
    /// Errors: `ClearText`.
    pub(crate) async fn may_take_keys(&self) -> Result<(), Error> {
        self.cloud.agree_on_clear_text(&self.endpoint.url).await.map_err(|error| self.mark(error))
    }

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
