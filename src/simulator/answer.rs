//! What a simulated service says, in the words of the real one.

use itertools::Itertools;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: vec![header("Content-Type", "application/json")], body: body.to_string() }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(header(name, value));
        self
    }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Neutron's error body: the class of its exception, and its text.
pub(super) fn neutron(status: u16, class: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"NeutronError": {"type": class, "message": message, "detail": ""}}))
}

/// A request Neutron's API layer refuses before any plugin sees it.
pub(super) fn bad_request(message: &str) -> Answer {
    neutron(400, "HTTPBadRequest", message)
}

/// What Neutron says of a path it does not have; with it also of `/vpn` where `VPNaaS` is not installed.
pub(super) fn no_such_path() -> Answer {
    neutron(404, "HTTPNotFound", "The resource could not be found.")
}

/// What the part of Neutron that answers for extensions says, which knows no JSON errors.
pub(super) fn html_not_found(what: &str) -> Answer {
    let page = format!(
        "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  The resource \
         could not be found.<br /><br />\n{what}\n\n\n </body>\n</html>"
    );
    Answer { status: 404, headers: vec![header("Content-Type", "text/html; charset=UTF-8")], body: page }
}

pub(super) fn method_not_allowed() -> Answer {
    let message = "The server could not comply with the request since it is either malformed or otherwise incorrect.";
    neutron(405, "HTTPMethodNotAllowed", message)
}

/// What Neutron makes of any exception it did not foresee, such as a value the database has no room for.
pub(super) fn internal_error() -> Answer {
    let message = "Request Failed: internal server error while processing your request.";
    neutron(500, "HTTPInternalServerError", message)
}

pub(super) fn keystone(status: u16, message: &str) -> Answer {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        _ => "Not Found",
    };
    Answer::json(status, &json!({"error": {"code": status, "message": message, "title": title}}))
}

/// The one sentence Keystone, and Neutron's token check, have for every failed sign-in; it never says why.
pub(super) const UNAUTHENTICATED: &str = "The request you have made requires authentication.";

/// Keystone's answer to a failed sign-in or a missing or dead token.
pub(super) fn unauthenticated(base: &str) -> Answer {
    unauthorized(base, UNAUTHENTICATED)
}

/// The same where it does say why.
pub(super) fn unauthorized(base: &str, message: &str) -> Answer {
    keystone(401, message).with("WWW-Authenticate", &format!("Keystone uri=\"{base}/v3\""))
}

/// A value the way Python's `str` prints it, which is how it stands in Neutron's messages.
pub(super) fn python_str(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => python_repr(other),
    }
}

/// A value the way Python's `repr` prints it.
pub(super) fn python_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => format!("[{}]", items.iter().map(python_repr).join(", ")),
        Value::Object(map) => python_dict(map.iter()),
    }
}

/// A dictionary the way Python prints it, in the order given.
pub(super) fn python_dict<'a>(entries: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    format!("{{{}}}", entries.map(|(key, value)| format!("'{key}': {}", python_repr(value))).join(", "))
}
