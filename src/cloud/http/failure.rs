//! From a failed transfer or a refusal to a typed error.

use std::error::Error as StdError;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use secrecy::SecretString;
use serde_json::Value;

use super::proxies::Proxy;
use super::{Limits, Response, redact};
use crate::cloud::error::{Error, ErrorDetail, ErrorKind};
use crate::cloud::printable::one_line;

/// The longest message of a cloud that is passed on, in characters. Neutron repeats whole requests in some of them.
const LONGEST_MESSAGE: usize = 400;
/// What is taken for a time to stay away that cannot be read: longer than is sat out.
const UNREADABLE_WAIT: Duration = Duration::from_secs(300);
/// The longest title of a page that is passed on, in characters, and how far it is looked for, in bytes.
const LONGEST_TITLE: usize = 120;
const LARGEST_PAGE: usize = 4096;
/// The largest body a message is looked for in, in bytes. As a `Value` it takes many times as much memory.
const LARGEST_BODY: usize = 256 << 10;

/// How a request was to reach its host.
pub(crate) struct Way<'a> {
    pub host: &'a str,
    pub proxy: Option<Proxy>,
    /// The authorities that were added to the system's.
    pub authorities: Option<&'a str>,
    pub limits: &'a Limits,
}

/// What reqwest reports when no complete answer came.
///
/// Only what fails while the connection is made can be `Unreachable` or `Certificate`, which promise that the cloud has
/// not seen the request. TLS can fail later too, with the request long acted upon.
pub fn transport(error: &reqwest::Error, label: &str, way: &Way<'_>) -> Error {
    let Way { host, proxy, limits, .. } = way;
    let mut detail = None;
    let (kind, message) = if let Some(tls) = cause::<rustls::Error>(error).filter(|_| error.is_connect()) {
        let (kind, found, message) = explain_tls(tls, way);
        detail = found;
        (kind, message)
    } else if error.is_connect() {
        let reason = if error.is_timeout() {
            format!("no answer within {} s", limits.connect.as_secs_f64())
        } else if error.is_dns() && proxy.as_ref().is_some_and(|proxy| proxy.looks_up_here) {
            "no such host is known here (with socks5h:// the proxy looks names up)".to_owned()
        } else if error.is_dns() {
            "no such host is known".to_owned()
        } else {
            root(error).replace("failed to create underlying connection", "the proxy does not answer")
        };
        let through = proxy.as_ref().map(|proxy| format!(" through {}", proxy.text)).unwrap_or_default();
        detail = proxy.is_some().then_some(ErrorDetail::BehindProxy);
        (ErrorKind::Unreachable, format!("{host} cannot be reached{through}: {reason}."))
    } else if error.is_timeout() {
        (ErrorKind::Timeout, format!("{host} did not answer within {} s.", limits.total.as_secs_f64()))
    } else if error.is_builder() {
        (ErrorKind::Unexpected, format!("The request could not be formed: {}.", root(error)))
    } else {
        (
            ErrorKind::Interrupted,
            format!("The connection to {host} broke before the answer was complete: {}.", root(error)),
        )
    };
    let mut made = Error::new(kind, message).with_detail(detail);
    made.request = Some(label.to_owned());
    made
}

fn explain_tls(error: &rustls::Error, way: &Way<'_>) -> (ErrorKind, Option<ErrorDetail>, String) {
    use rustls::Error as Tls;
    let host = way.host;
    match error {
        Tls::InvalidCertificate(reason) => {
            let through = way.proxy.as_ref().map(|proxy| format!(" (through {})", proxy.text)).unwrap_or_default();
            let (detail, why) = why_not_trusted(reason, way);
            (ErrorKind::Certificate, detail, format!("The certificate of {host}{through} is not trusted: {why}."))
        }
        Tls::NoCertificatesPresented => (ErrorKind::Certificate, None, format!("{host} shows no certificate.")),
        Tls::InvalidMessage(_) => {
            let message = format!("{host} does not speak TLS; is it http:// and not https://?");
            (ErrorKind::Unreachable, Some(ErrorDetail::NoTls), message)
        }
        other => (ErrorKind::Unreachable, None, format!("No TLS connection to {host}: {}.", clip(&other.to_string()))),
    }
}

fn why_not_trusted(reason: &rustls::CertificateError, way: &Way<'_>) -> (Option<ErrorDetail>, String) {
    use rustls::CertificateError as Bad;
    let (detail, text) = match reason {
        Bad::UnknownIssuer => {
            let added = way.authorities.map(|added| format!(", and not among {added}")).unwrap_or_default();
            let detail = way.authorities.map(|_| ErrorDetail::OtherAuthorities);
            return (detail, format!("its issuer is not known to this machine{added}"));
        }
        Bad::Expired | Bad::ExpiredContext { .. } => (Some(ErrorDetail::OutOfDate), "it has expired"),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            (None, "it is not valid yet; is this machine's clock right?")
        }
        Bad::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            return (Some(ErrorDetail::OtherNames), names(presented));
        }
        // A common name counts no longer.
        Bad::NotValidForNameContext { .. } => (
            Some(ErrorDetail::NamesNoHost),
            "it names no host: it has no subjectAltName, and a common name (CN) alone is no longer accepted",
        ),
        Bad::NotValidForName => (Some(ErrorDetail::OtherNames), "it is for another host name"),
        Bad::Revoked => (Some(ErrorDetail::OutOfDate), "it has been revoked"),
        // Private clouds often show the certificate that `openssl req -x509` made, whose only fault is this one.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            (None, "it is the certificate of an authority, not of a server")
        }
        other => return (None, clip(&other.to_string())),
    };
    (detail, text.to_owned())
}

/// The names a certificate is for. rustls writes them as `DnsName("a.example")`, `IpAddress(…)`.
fn names(presented: &[String]) -> String {
    let name = |text: &String| text.split('"').nth(1).unwrap_or(text).to_owned();
    let names: Vec<String> = presented.iter().take(5).map(name).collect();
    let more = if presented.len() > 5 { " and others" } else { "" };
    clip(&format!("it is for {}{more}", names.join(", ")))
}

/// Looks for a cause of one type, inside I/O errors too: their `source` skips what they wrap.
fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => current.source(),
        };
    }
    None
}

/// The innermost cause, which alone tells what happened ("Connection refused"), without the operating system's number.
pub fn root(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(next) = innermost.source() {
        innermost = next;
    }
    let text = clip(&innermost.to_string());
    text.split(" (os error").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

fn clip(text: &str) -> String {
    one_line(text, LONGEST_MESSAGE)
}

pub fn refusal(answer: &Response, secrets: &[&SecretString]) -> Error {
    let body = Some(&answer.body).filter(|body| body.len() <= LARGEST_BODY);
    let body: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or(Value::Null);
    let neutron_type = body["NeutronError"]["type"].as_str();
    let neutron_type = neutron_type.map(|text| redact::one_line(text, secrets, 80)).filter(|text| !text.is_empty());
    let message = said(&body).unwrap_or_else(|| said_nothing(answer));
    let kind = match kind(answer.status, &answer.headers, neutron_type.as_deref()) {
        ErrorKind::NotFound if is_of_token(&body) => ErrorKind::Unauthorized,
        kind => kind,
    };
    let detail = location(answer).is_some_and(|place| place.starts_with("https://")).then_some(ErrorDetail::MovedToTls);
    let mut error = Error::new(kind, redact::one_line(&message, secrets, LONGEST_MESSAGE))
        .of(&answer.label, Some(answer.status), &answer.headers)
        .with_detail(detail);
    error.neutron_type = neutron_type;
    if matches!(answer.status.as_u16(), 413 | 429 | 503) {
        error.retry_after = wait(&answer.headers, Timestamp::now());
    }
    error
}

/// Whether Keystone speaks of a token that is over or never was one. Asked about such a token it says so with a 404, or
/// with a 401, as its cache will have it.
fn is_of_token(body: &Value) -> bool {
    let message = body["error"]["message"].as_str().unwrap_or_default();
    ["Failed to validate token", "Could not recognize Fernet token"].iter().any(|words| message.starts_with(words))
}

fn kind(status: StatusCode, headers: &HeaderMap, neutron_type: Option<&str>) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 if neutron_type == Some("OverQuota") => ErrorKind::Quota,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        // The older OpenStack way to say 429.
        413 if headers.contains_key(RETRY_AFTER) => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Invalid,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Unexpected,
    }
}

/// Neutron, Keystone and the middlewares before them each have their own wrapping.
fn said(body: &Value) -> Option<String> {
    let object = body.as_object()?;
    let inner = match object.get("NeutronError").or_else(|| object.get("error")) {
        Some(inner) => inner,
        None if object.contains_key("message") => body,
        None if object.len() == 1 => object.values().next()?,
        None => return None,
    };
    let text = inner.as_str().or_else(|| inner.get("message")?.as_str())?;
    let detail = inner.get("detail").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let whole = detail.map_or_else(|| text.to_owned(), |detail| format!("{text} ({detail})"));
    (!text.trim().is_empty()).then_some(whole)
}

/// A page of HTML says no more than its status does, but for its title.
fn said_nothing(answer: &Response) -> String {
    let reason = answer.status.canonical_reason().unwrap_or("no known reason");
    let status = answer.status.as_u16();
    if let Some(place) = location(answer) {
        return format!("{} redirects to {place} (HTTP {status}).", answer.place);
    }
    match title(answer).or_else(|| plain_line(answer)).filter(|title| !title.eq_ignore_ascii_case(reason)) {
        Some(title) => format!("HTTP {status} {reason}: {}.", title.trim_end_matches('.')),
        None => format!("HTTP {status} {reason}."),
    }
}

fn location(answer: &Response) -> Option<&str> {
    let place = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    place.filter(|_| answer.status.is_redirection())
}

pub fn title(answer: &Response) -> Option<String> {
    let text = String::from_utf8_lossy(answer.body.get(..LARGEST_PAGE).unwrap_or(&answer.body));
    let lower = text.to_ascii_lowercase();
    let within = |tag: &str| {
        let start = lower.find(&format!("<{tag}"))?;
        let start = start + lower[start..].find('>')? + 1;
        let end = start + lower[start..].find(&format!("</{tag}"))?;
        text.get(start..end).filter(|found| !found.trim().is_empty())
    };
    let found = within("title").or_else(|| within("h1")).filter(|_| lower.trim_start().starts_with('<'))?;
    without_status(found, answer)
}

fn plain_line(answer: &Response) -> Option<String> {
    let is_plain = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain"));
    let text = str::from_utf8(&answer.body).ok().map(str::trim).filter(|text| is_plain && !text.contains('\n'))?;
    without_status(text, answer)
}

fn without_status(text: &str, answer: &Response) -> Option<String> {
    let text = one_line(text, LONGEST_TITLE);
    let rest = text.strip_prefix(answer.status.as_str()).unwrap_or(&text).trim_start_matches([' ', '-', ':']);
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// How long to stay away: `Retry-After` in seconds or as a date, else the reset header of a rate limiter, which holds
/// seconds or, when that would be decades, a point in time. A cloud that asks for something that cannot be read wants to be
/// left alone all the same.
fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    let until = |then: Timestamp| Duration::try_from(then.duration_since(now)).unwrap_or_default();
    let known = if let Some(after) = text("retry-after") {
        let date = || jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(after).ok().map(until);
        after.parse().ok().map(Duration::from_secs).or_else(date)
    } else {
        match text("x-ratelimit-reset").or_else(|| text("ratelimit-reset"))?.parse::<i64>() {
            Ok(point) if point > 1_000_000_000 => Timestamp::from_second(point).ok().map(until),
            Ok(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
            Err(_) => None,
        }
    };
    Some(known.unwrap_or(UNREADABLE_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        Response {
            label: "POST /v2.0/vpn/ikepolicies".to_owned(),
            place: "https://inside.example:9696/v2.0/vpn/ikepolicies".to_owned(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_refusal_of_neutron_keeps_its_type_words_and_request_number() {
        let body = r#"{"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['vpnservice'].", "detail": ""}}"#;
        let error = refusal(&answer(409, &[("x-openstack-request-id", "req-1")], body), &[]);
        assert_eq!(error.kind, ErrorKind::Quota);
        assert_eq!(error.message, "Quota exceeded for resources: ['vpnservice'].");
        assert_eq!(error.neutron_type.as_deref(), Some("OverQuota"));
        assert_eq!(error.request_id.as_deref(), Some("req-1"));
        assert_eq!(error.request.as_deref(), Some("POST /v2.0/vpn/ikepolicies"));
    }

    #[test]
    fn an_answer_shows_neither_its_headers_nor_its_body() {
        let headers = [("x-openstack-request-id", "req-1"), ("x-subject-token", "gAAAA")];
        let shown = format!("{:?}", answer(201, &headers, r#"{"ipsec_site_connection": {"psk": "hunter2"}}"#));
        assert_eq!(shown, r#"Response { status: 201, request_id: Some("req-1"), .. }"#);
    }

    #[test]
    fn a_refusal_that_repeats_a_secret_or_a_terminal_escape_is_reported_without_it() {
        let psk = SecretString::from("hunter2hunter2");
        let body =
            r#"{"NeutronError": {"type": "HTTPBadRequest", "message": "Invalid psk 'hunter2hunter2'\u001b[2J\n."}}"#;
        let error = refusal(&answer(400, &[], body), &[&psk]);
        assert_eq!(error.message, "Invalid psk '…'[2J .");
    }

    #[test]
    fn a_page_of_html_a_keystone_error_and_a_redirection_are_each_one_sentence() {
        assert_eq!(refusal(&answer(502, &[], "<html>…"), &[]).message, "HTTP 502 Bad Gateway.");
        let keystone = r#"{"error":{"code":401,"message":"The request you have made requires authentication."}}"#;
        let error = refusal(&answer(401, &[], keystone), &[]);
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::Unauthorized, "The request you have made requires authentication.")
        );
        for message in ["Failed to validate token", "Could not recognize Fernet token"] {
            let body = format!(r#"{{"error":{{"code":404,"message":"{message}"}}}}"#);
            assert_eq!(refusal(&answer(404, &[], &body), &[]).kind, ErrorKind::Unauthorized);
        }
        let moved = refusal(&answer(301, &[("location", "https://cloud.example/")], ""), &[]);
        assert_eq!(moved.kind, ErrorKind::Unexpected);
        assert!(moved.message.contains("https://cloud.example/"));
    }

    #[test]
    fn a_rate_limiter_is_understood_in_seconds_as_a_date_and_by_its_reset() {
        let now = "2026-11-24T02:00:00Z".parse().unwrap();
        let waits = |name, value| wait(&answer(429, &[(name, value)], "").headers, now).map(|wait| wait.as_secs());
        assert_eq!(waits("retry-after", "7"), Some(7));
        assert_eq!(waits("retry-after", "Tue, 24 Nov 2026 02:00:30 GMT"), Some(30));
        assert_eq!(waits("retry-after", "Tue, 24 Nov 2026 01:00:00 GMT"), Some(0));
        assert_eq!(waits("x-ratelimit-reset", "12"), Some(12));
        assert_eq!(waits("x-ratelimit-reset", "1795485690"), Some(90));
        assert_eq!(waits("x-other", "1"), None);
        let long = Some(UNREADABLE_WAIT.as_secs());
        for unreadable in ["-5", "99999999999999999999", "soon", ""] {
            assert_eq!((waits("retry-after", unreadable), waits("x-ratelimit-reset", unreadable)), (long, long));
        }
        assert_eq!(waits("x-ratelimit-reset", "9223372036854775807"), long);
    }
}
