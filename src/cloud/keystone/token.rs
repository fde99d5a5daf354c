//! Asks Keystone for a token, or about one.

use reqwest::{Method as Verb, Url};
use secrecy::SecretString;

use super::{identity, session};
use crate::cloud::credentials::{Credentials, Method};
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::http::{Http, Outgoing, Response};
use crate::cloud::retry::{self, Patience};

pub(super) fn token_request(credentials: &Credentials) -> Result<Outgoing<'_>, Error> {
    let url = Url::parse(&format!("{}/auth/tokens", credentials.auth_url))
        .map_err(|_| Error::new(ErrorKind::Credentials, "The auth_url is not a URL."))?;
    Ok(Outgoing::new(Verb::POST, url))
}

/// Asks for a token, as often as a read is tried if it fails for a reason that may pass. What was sent and may have been
/// judged is not sent again: a password, because a few refusals lock the user out; a passcode, because it is used up.
pub(super) async fn request_token(http: &Http, credentials: &Credentials) -> Result<Response, Error> {
    let patience = Patience::quiet(http.limits());
    let attempt = || async {
        let answered = request_token_once(http, credentials, Some(&patience)).await;
        let failure = match &answered {
            Ok(answer) => answer.refusal(&credentials.method.secrets()),
            Err(error) => Some(error.clone()),
        };
        match failure {
            Some(error) if error.is_transient() && !may_be_judged(&error, &credentials.method) => Err(error),
            // The caller reads it: a receipt is a refusal, too.
            _ => Ok(answered),
        }
    };
    retry::repeating(http.limits(), &patience, attempt).await?
}

/// Whether what failed so may have been refused all the same, and counted. 503 and 429 come from the door.
pub(super) fn may_be_judged(error: &Error, method: &Method) -> bool {
    let is_counted = !matches!(method, Method::Token { .. } | Method::ApplicationCredential { .. });
    let is_at_the_door = matches!(error.kind, ErrorKind::Unreachable | ErrorKind::RateLimited);
    is_counted && !is_at_the_door && error.status != Some(503)
}

/// Asks for a token, or about the one there is. That one is used as it is where it is for the project that is named, or
/// where none is: a cloud may forbid to exchange it, and the new one would expire no later. Otherwise it is exchanged for
/// one of that project.
pub(super) async fn request_token_once(
    http: &Http,
    credentials: &Credentials,
    patience: Option<&Patience>,
) -> Result<Response, Error> {
    let Method::Token { token, .. } = &credentials.method else {
        return exchange_proof(http, credentials, patience).await;
    };
    let about = about_token(http, credentials, token, patience).await?;
    match &credentials.project {
        Some(project) if about.status.is_success() && !session::is_for(&about, project) => {
            exchange_proof(http, credentials, patience).await
        }
        _ => Ok(about),
    }
}

async fn exchange_proof(
    http: &Http,
    credentials: &Credentials,
    patience: Option<&Patience>,
) -> Result<Response, Error> {
    let mut request = token_request(credentials)?;
    request.body = Some(identity::body(credentials));
    request.secrets.extend(credentials.method.secrets());
    http.exchange(request, patience).await
}

/// What Keystone says of a token, asked with that token.
pub(super) async fn about_token(
    http: &Http,
    credentials: &Credentials,
    token: &SecretString,
    patience: Option<&Patience>,
) -> Result<Response, Error> {
    let mut request = token_request(credentials)?;
    request.method = Verb::GET;
    http.exchange(request.secret_header("x-auth-token", token).secret_header("x-subject-token", token), patience).await
}
