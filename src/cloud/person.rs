//! The person who can be asked for what a sign-in lacks: a password, a passcode, a token.
//!
//! A cloud knows no screen. It says what it wants, and waits for the answer; the wizard answers from a dialog, the other
//! commands from the terminal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prompt {
    Password,
    Passcode,
    Token,
    Consent,
}

impl Prompt {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Password => "Password",
            Self::Passcode => "Passcode",
            Self::Token => "Token",
            Self::Consent => "yes to confirm",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Password,
    Passcode,
    /// The password again, or a passcode that is appended to it, which is how Catalyst's multi-factor sign-in wants it; an
    /// empty password means the one given before.
    Appended,
    /// A token: there is no user in the settings who could sign in.
    Token,
    /// Consent to an action that may expose a secret.
    Consent,
}

impl Wanted {
    pub const fn parts(self) -> &'static [Prompt] {
        match self {
            Self::Password => &[Prompt::Password],
            Self::Passcode => &[Prompt::Passcode],
            Self::Appended => &[Prompt::Password, Prompt::Passcode],
            Self::Token => &[Prompt::Token],
            Self::Consent => &[Prompt::Consent],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub wanted: Wanted,
    /// Whether there was a sign-in before, and something waits for it to be renewed.
    pub is_renewal: bool,
    /// Whose, as far as that is known.
    pub user: Option<String>,
    /// For which project, as far as that is known.
    pub project: Option<String>,
    pub auth_url: String,
    /// What was wrong with the answer before; of a consent, what speaks against it.
    pub refused: Option<String>,
}

impl Question {
    pub const fn title(&self) -> &'static str {
        if matches!(self.wanted, Wanted::Consent) {
            "Before it is sent"
        } else if self.is_renewal {
            "Your sign-in has expired"
        } else {
            "Sign in"
        }
    }

    /// What there is to know before answering, a paragraph a line.
    pub fn text(&self) -> Vec<String> {
        let of = |part: &str| self.user.as_ref().map_or_else(|| part.to_owned(), |user| format!("{part} of {user}"));
        let project = self.project.as_ref().map(|project| format!(" for project {project}")).unwrap_or_default();
        let mut text = Vec::new();
        if self.is_renewal {
            text.push("The work in progress continues once you have signed in.".to_owned());
        }
        text.push(match self.wanted {
            Wanted::Passcode => {
                format!("The passcode that the authenticator{} shows now{project}, at {}.", self.whose(), self.auth_url)
            }
            Wanted::Appended if self.refused.is_none() => format!(
                "The passcode that the authenticator{} shows now{project}, at {}. The password is known.",
                self.whose(),
                self.auth_url
            ),
            Wanted::Password | Wanted::Appended => format!("The {}{project}, at {}.", of("password"), self.auth_url),
            Wanted::Consent => "Type yes to send it anyway.".to_owned(),
            Wanted::Token => format!(
                "Get a new token{project} (openstack token issue -f value -c id), and paste it here. It is used at {}.",
                self.auth_url
            ),
        });
        if self.wanted == Wanted::Appended && self.refused.is_some() {
            text.push(
                "If this account signs in with a passcode too, type it below. If only the passcode was wrong, the password may \
                 stay empty."
                    .to_owned(),
            );
        }
        text
    }

    fn whose(&self) -> String {
        self.user.as_ref().map(|user| format!(" of {user}")).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Default)]
pub struct Reply(BTreeMap<Prompt, SecretString>);

impl Reply {
    /// Takes what was typed into a field. An authenticator shows a passcode in two groups, but Keystone wants it in one.
    #[must_use]
    pub fn with(mut self, part: Prompt, typed: SecretString) -> Self {
        let typed = match part {
            Prompt::Passcode => SecretString::from(typed.expose_secret().split_whitespace().collect::<String>()),
            Prompt::Password | Prompt::Token | Prompt::Consent => typed,
        };
        if !typed.expose_secret().is_empty() {
            self.0.insert(part, typed);
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, part: Prompt) -> Option<SecretString> {
        self.0.remove(&part)
    }
}

/// What is sent to the side that answers.
#[derive(Debug)]
pub enum Said {
    /// A question. To drop the sender, or to send none, is to decline. It is closed when the answer is no longer needed.
    Asked(Question, oneshot::Sender<Option<Reply>>),
    Over,
}

/// A person to ask. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Person {
    hears: UnboundedSender<Said>,
    asked: Arc<Mutex<AskedTime>>,
    gone: CancellationToken,
}

#[derive(Debug, Default)]
struct AskedTime {
    before: Duration,
    open_since: Option<Instant>,
}

impl Person {
    pub fn new() -> (Self, UnboundedReceiver<Said>) {
        let (hears, said) = unbounded_channel();
        (Self { hears, asked: Arc::default(), gone: CancellationToken::new() }, said)
    }

    pub fn leave(&self) {
        self.gone.cancel();
    }

    pub(super) fn asked_for(&self) -> Duration {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.before + asked.open_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Asks; none if the answer is declined.
    pub(super) async fn ask(&self, question: Question) -> Option<Reply> {
        let (sender, answer) = oneshot::channel();
        if self.gone.is_cancelled() || self.hears.send(Said::Asked(question, sender)).is_err() {
            return None;
        }
        let _open = OpenQuestion::new(&self.asked);
        tokio::select! {
            reply = answer => reply.ok().flatten().filter(|reply| !reply.is_empty()),
            () = self.gone.cancelled() => None,
        }
    }

    /// Asks for consent, with the objection. Only the word yes is a yes.
    pub(crate) async fn agrees(&self, auth_url: &str, why: &str) -> bool {
        let question = Question {
            wanted: Wanted::Consent,
            is_renewal: false,
            user: None,
            project: None,
            auth_url: auth_url.to_owned(),
            refused: Some(why.to_owned()),
        };
        let typed = self.ask(question).await.and_then(|mut reply| reply.take(Prompt::Consent));
        self.dismiss();
        typed.is_some_and(|typed| typed.expose_secret().trim().eq_ignore_ascii_case("yes"))
    }

    pub(super) fn dismiss(&self) {
        let _ = self.hears.send(Said::Over);
    }
}

struct OpenQuestion<'a>(&'a Mutex<AskedTime>);

impl<'a> OpenQuestion<'a> {
    fn new(asked: &'a Mutex<AskedTime>) -> Self {
        asked.lock().unwrap_or_else(PoisonError::into_inner).open_since = Some(Instant::now());
        Self(asked)
    }
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let took = asked.open_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        asked.before += took;
    }
}
