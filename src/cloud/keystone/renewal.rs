//! Requests with a token, which is renewed when it has expired.

use std::sync::{Arc, PoisonError};

use reqwest::{Method as Verb, Url};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::conversation::{Conversation, Remembered};
use super::session::{self, Token};
use super::token::about_token;
use super::{Cloud, CloudInner};
use crate::cloud::error::{Error, ErrorKind, Proof, Signed};
use crate::cloud::http::{Outgoing, Response};
use crate::cloud::printable::printable;
use crate::cloud::retry::Patience;

#[derive(Clone, Copy)]
pub(in crate::cloud) struct Body<'a> {
    pub json: &'a [u8],
    pub secret: Option<&'a SecretString>,
}

impl Cloud {
    /// Sends a request with the token. If the token has expired it is renewed and the request repeated, once: a 401
    /// comes from the door, before anything is acted upon, so this is safe for a POST too. A person may take their time to
    /// answer: only what is sent has a time limit.
    pub(in crate::cloud) async fn send(
        &self,
        verb: Verb,
        url: &Url,
        body: Option<Body<'_>>,
        patience: Option<&Patience>,
    ) -> Result<Response, Error> {
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
            match Box::pin(self.0.http.send(outgoing, patience)).await {
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
                let about = about_token(http, credentials, &token.secret, None).await;
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

    pub(super) fn token(&self) -> Token {
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
            // Without `before`, a renewal was in progress when this one asked, and it is over now.
            let waited_for_it = before != Some(renewals.tried);
            let for_good =
                matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::SecondFactor | ErrorKind::Unanswered);
            if waited_for_it || for_good {
                return Err(error.clone());
            }
        }
        tracing::debug!("the token is refused; signing in again");
        let cloud = self.clone();
        // A task of its own: the first caller may give up waiting, and what a person types must not be lost by that.
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
