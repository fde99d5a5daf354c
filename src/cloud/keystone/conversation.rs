//! One sign-in, with whatever has to be asked on the way.
//!
//! What is known is tried first, silently. A receipt leads to the passcode; a refused password leads to the
//! question for another one, or for a passcode to be appended to it (Catalyst's form). A refused password is never sent
//! again by itself: a few of those, and the user is locked out. A passcode is forgotten as soon as it is answered.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::identity::{self, Receipt};
use super::session::{self, Token, TokenScope};
use super::token::{may_be_judged, request_token, request_token_once, token_request};
use crate::cloud::credentials::{Credentials, Method, Named};
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::http::{Http, Response};
use crate::cloud::person::{Person, Prompt, Question, Reply, Wanted};

/// What is known besides the credentials, for the next time. It lives as long as the program.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub password: Option<SecretString>,
    /// Whether a passcode is appended to it, so that it is not worth trying alone.
    pub is_appended: bool,
}

pub(crate) struct NewSession {
    pub token: Token,
    pub session: TokenScope,
    /// Whether the next sign-in needs no person.
    pub is_silent: bool,
}

pub(crate) struct Conversation<'a> {
    http: &'a Http,
    credentials: &'a Credentials,
    person: Option<&'a Person>,
    /// Who was signed in before, if this is to renew it: the project must stay the same.
    before: Option<&'a TokenScope>,
    known: &'a mut Remembered,
    has_asked: bool,
    has_passcode: bool,
}

/// The next question, with what is needed to use the answer.
enum Ask {
    Password,
    Appended(Option<SecretString>),
    Passcode(Box<Receipt>, SecretString),
    Token,
}

enum Attempt {
    In(Token, TokenScope),
    /// Not yet; what was refused is said with the question.
    More(Ask, Option<String>),
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        if let Some(person) = self.person.filter(|_| self.has_asked) {
            person.dismiss();
        }
    }
}

impl<'a> Conversation<'a> {
    /// The first sign-in of these credentials, or, with a session from before, one that renews it.
    pub fn new(
        http: &'a Http,
        credentials: &'a Credentials,
        person: Option<&'a Person>,
        before: Option<&'a TokenScope>,
        known: &'a mut Remembered,
    ) -> Self {
        Self { http, credentials, person, before, known, has_asked: false, has_passcode: false }
    }

    pub async fn hold(mut self) -> Result<NewSession, Error> {
        let opened = if self.before.is_none() { self.open().await? } else { self.reopen().await? };
        let (mut ask, mut refused) = match opened {
            Attempt::In(token, session) => return Ok(self.end(token, session)),
            Attempt::More(ask, refused) => (ask, refused),
        };
        loop {
            let reply = self.ask(&ask, refused.take()).await?;
            match self.answer(&ask, reply).await {
                Ok(Attempt::In(token, session)) => return Ok(self.end(token, session)),
                Ok(Attempt::More(next, why)) => (ask, refused) = (next, why),
                // A network failure does not throw away what was just typed.
                Err(error) if error.is_transient() => {
                    let how = if may_be_judged(&error, &self.credentials.method) {
                        "Whether anything was refused is not known"
                    } else {
                        "Nothing was refused"
                    };
                    refused = Some(format!("{} {how}; try again.", error.message));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn end(&self, token: Token, session: TokenScope) -> NewSession {
        let repeats = matches!(self.credentials.method, Method::ApplicationCredential { .. });
        let is_silent = !self.has_passcode && (repeats || self.known.password.is_some());
        NewSession { token, session, is_silent }
    }

    async fn open(&mut self) -> Result<Attempt, Error> {
        if let Method::PasswordToAsk { .. } = &self.credentials.method {
            return Ok(Attempt::More(Ask::Password, None));
        }
        self.attempt(&self.credentials.method.clone()).await
    }

    async fn reopen(&mut self) -> Result<Attempt, Error> {
        match (&self.credentials.method, self.known.password.clone(), self.credentials.method.user().cloned()) {
            (method @ Method::ApplicationCredential { .. }, ..) => self.attempt(&method.clone()).await,
            (_, Some(password), _) if self.known.is_appended => Ok(Attempt::More(Ask::Appended(Some(password)), None)),
            (_, Some(password), Some(user)) => self.attempt(&Method::Password { user, password }).await,
            (_, _, Some(_)) => Ok(Attempt::More(Ask::Password, None)),
            (_, _, None) => Ok(Attempt::More(Ask::Token, None)),
        }
    }

    async fn ask(&mut self, ask: &Ask, refused: Option<String>) -> Result<Reply, Error> {
        let wanted = match ask {
            Ask::Password => Wanted::Password,
            Ask::Appended(_) => Wanted::Appended,
            Ask::Passcode(..) => Wanted::Passcode,
            Ask::Token => Wanted::Token,
        };
        let project = self.before.map(|session| session.project_name.clone());
        let question = Question {
            wanted,
            is_renewal: self.before.is_some(),
            user: self.credentials.method.user().map(|user| user.text().clone()),
            project: project.or_else(|| self.credentials.project.as_ref().map(|project| project.text().clone())),
            auth_url: self.credentials.auth_url.clone(),
            refused,
        };
        self.has_asked = true;
        let reply = match self.person {
            Some(person) => person.ask(question).await,
            None => None,
        };
        reply.ok_or_else(|| {
            let text = if self.before.is_some() {
                "The sign-in has expired, and was not renewed."
            } else {
                "Sign-in needs input, but none was entered."
            };
            Error::new(ErrorKind::Unanswered, text)
        })
    }

    async fn answer(&mut self, ask: &Ask, mut reply: Reply) -> Result<Attempt, Error> {
        let user = || self.credentials.method.user().cloned().unwrap_or_else(|| Named::Id(String::new()));
        match ask {
            Ask::Password => {
                let password = reply.take(Prompt::Password).unwrap_or_default();
                self.attempt(&Method::Password { user: user(), password }).await
            }
            Ask::Appended(last) => {
                let typed = reply.take(Prompt::Password).or_else(|| last.clone());
                match (typed, reply.take(Prompt::Passcode)) {
                    (Some(password), Some(passcode)) => self.attempt_appended(user(), password, &passcode).await,
                    // The one that was refused is not sent again alone: without a passcode, this one was typed.
                    (Some(password), None) => self.attempt(&Method::Password { user: user(), password }).await,
                    (None, _) => Ok(Attempt::More(Ask::Password, Some("The password is needed, too.".to_owned()))),
                }
            }
            Ask::Passcode(receipt, password) => {
                let passcode = reply.take(Prompt::Passcode).unwrap_or_default();
                self.complete(receipt, user(), password, &passcode).await
            }
            Ask::Token => {
                let token = reply.take(Prompt::Token).unwrap_or_default();
                self.attempt(&Method::Token { token, user: self.credentials.method.user().cloned() }).await
            }
        }
    }

    async fn attempt(&mut self, method: &Method) -> Result<Attempt, Error> {
        let credentials = self.with(method.clone());
        // A renewal uses what was right before, and the waiting request is repeated by its caller; after typed input the
        // question is asked again.
        let is_first = self.before.is_none() && !self.has_asked;
        let answer = if is_first {
            request_token(self.http, &credentials).await?
        } else {
            request_token_once(self.http, &credentials, None).await?
        };
        if let Some(receipt) = Receipt::of(&answer) {
            return match method.password() {
                Some(password) if self.person.is_some() && receipt.takes_passcode() => {
                    *self.known = Remembered { password: Some(password.clone()), is_appended: false };
                    Ok(Attempt::More(Ask::Passcode(Box::new(receipt), password.clone()), None))
                }
                _ => Err(receipt.into_error()),
            };
        }
        match answer.success(&method.secrets()) {
            Ok(answer) => {
                *self.known = Remembered { password: method.password().cloned(), is_appended: false };
                // A passcode that came with the credentials has been used up.
                self.has_passcode = matches!(method, Method::MultiFactor(_));
                self.read(&answer, method)
            }
            Err(error) if error.kind != ErrorKind::Unauthorized => Err(error.signed(self.credentials.signed())),
            Err(error) => self.refused(method, error),
        }
    }

    fn refused(&mut self, method: &Method, error: Error) -> Result<Attempt, Error> {
        *self.known = Remembered::default();
        if self.person.is_none() {
            return Err(error.signed(self.credentials.signed()));
        }
        match method {
            Method::Password { password, .. } => {
                // It answers 401 to all of these, so that nobody learns which users and projects there are.
                let why = match &self.credentials.project {
                    Some(_) => {
                        "Keystone refused the password, or there is no such user or project, or no role in it; it does not say \
                         which. Several refusals in a row may lock the user out."
                    }
                    None => "Keystone refused the password. Several refusals in a row may lock the user out.",
                };
                Ok(Attempt::More(Ask::Appended(Some(password.clone())), Some(why.to_owned())))
            }
            Method::MultiFactor(_) => {
                Ok(Attempt::More(Ask::Password, Some("Password or passcode was refused.".to_owned())))
            }
            Method::Token { user: Some(_), .. } => {
                Ok(Attempt::More(Ask::Password, Some("The token is no longer valid.".to_owned())))
            }
            Method::Token { user: None, .. } => {
                Ok(Attempt::More(Ask::Token, Some("That token is not valid, or no longer valid.".to_owned())))
            }
            _ => Err(error.signed(self.credentials.signed())),
        }
    }

    /// Catalyst's form: the passcode right behind the password.
    async fn attempt_appended(
        &mut self,
        user: Named,
        password: SecretString,
        passcode: &SecretString,
    ) -> Result<Attempt, Error> {
        let both = format!("{}{}", password.expose_secret(), passcode.expose_secret());
        let method = Method::Password { user, password: SecretString::from(both) };
        let answer = request_token_once(self.http, &self.with(method.clone()), None).await?;
        if let Some(receipt) = Receipt::of(&answer) {
            return Err(receipt.into_error());
        }
        match answer.success(&method.secrets()) {
            Ok(answer) => {
                *self.known = Remembered { password: Some(password), is_appended: true };
                self.has_passcode = true;
                self.read(&answer, &method)
            }
            Err(error) if error.kind == ErrorKind::Unauthorized => {
                let why = "Keystone refused password and passcode. Take the next passcode, or type the password again.";
                Ok(Attempt::More(Ask::Appended(Some(password)), Some(why.to_owned())))
            }
            Err(error) => Err(error),
        }
    }

    /// Adds the passcode to the receipt. The password has been accepted, so that a new receipt can be had for it, without
    /// asking anybody, if this one is good no longer.
    async fn complete(
        &mut self,
        receipt: &Receipt,
        user: Named,
        password: &SecretString,
        passcode: &SecretString,
    ) -> Result<Attempt, Error> {
        let method = Method::Password { user, password: password.clone() };
        if !receipt.is_over(Timestamp::now())
            && let Some(outcome) = self.add(receipt, &method, password, passcode).await?
        {
            return Ok(outcome);
        }
        let fresh = match self.attempt(&method).await? {
            Attempt::More(Ask::Passcode(fresh, _), _) => fresh,
            other => return Ok(other),
        };
        Ok(self.add(&fresh, &method, password, passcode).await?.unwrap_or_else(|| {
            let why = "Keystone did not know the receipt it had just given. Nothing was refused; try again.";
            Attempt::More(Ask::Passcode(fresh, password.clone()), Some(why.to_owned()))
        }))
    }

    /// One try of a passcode with a receipt; none if the receipt is not good. Keystone looks at it only after the passcode,
    /// which was right then and may be sent again.
    async fn add(
        &mut self,
        receipt: &Receipt,
        method: &Method,
        password: &SecretString,
        passcode: &SecretString,
    ) -> Result<Option<Attempt>, Error> {
        let credentials = self.with(method.clone());
        let mut request = token_request(&credentials)?.secret_header("openstack-auth-receipt", receipt.secret());
        request.body = Some(identity::passcode_body(&credentials, passcode));
        request.secrets.push(passcode);
        let secrets = request.secrets.clone();
        let answer = self.http.exchange(request, None).await?;
        if let Some(more) = Receipt::of(&answer) {
            return Err(more.into_error());
        }
        match answer.success(&secrets) {
            Ok(answer) => {
                *self.known = Remembered { password: Some(password.clone()), is_appended: false };
                self.has_passcode = true;
                self.read(&answer, method).map(Some)
            }
            Err(error) if error.kind != ErrorKind::Unauthorized => Err(error),
            Err(error) if error.message.contains("auth receipt") => Ok(None),
            Err(_) => {
                // The receipt stays good for another passcode.
                let why = "That passcode was not accepted: mistyped, too old, or from a clock that is wrong. Take the next \
                           one. Keystone says the same to a user without a role in the project.";
                let ask = Ask::Passcode(Box::new(receipt.clone()), password.clone());
                Ok(Some(Attempt::More(ask, Some(why.to_owned()))))
            }
        }
    }

    /// The same credentials with another proof. A renewal is for the project that was worked in, however it was named.
    fn with(&self, method: Method) -> Credentials {
        let project = match (self.before, &method) {
            (_, Method::ApplicationCredential { .. }) | (None, _) => self.credentials.project.clone(),
            (Some(session), _) => Some(Named::Id(session.project_id.clone())),
        };
        Credentials { method, project, ..self.credentials.clone() }
    }

    fn read(&self, answer: &Response, method: &Method) -> Result<Attempt, Error> {
        let (token, session) = session::read(answer, &self.with(method.clone()))?;
        let Some(before) = self.before.filter(|before| before.project_id != session.project_id) else {
            return Ok(Attempt::In(token, session));
        };
        let why = format!(
            "That sign-in is for project {}, but the work in progress is in project {}.",
            session.project_name, before.project_name
        );
        let ask = if matches!(method, Method::Token { .. }) { Ask::Token } else { Ask::Password };
        Ok(Attempt::More(ask, Some(why)))
    }
}

impl Receipt {
    fn takes_passcode(&self) -> bool {
        self.accepted.is_empty() || self.accepted.iter().any(|set| set.iter().any(|name| name == "totp"))
    }

    /// Whether it has run out, by this machine's clock and the time it was said to be good for.
    fn is_over(&self, now: Timestamp) -> bool {
        self.good_for.is_some_and(|life| now.duration_since(self.received) >= life - SignedDuration::from_secs(2))
    }
}
