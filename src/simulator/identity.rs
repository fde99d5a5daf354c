//! Who can sign in to the simulated cloud, and the tokens that were given out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::answer::{Answer, keystone};

/// The password of the users `demo` (a member), `demo-reader` (a reader) and `demo-mfa` (who needs a passcode besides).
/// `demo-appended` is from a cloud that wants the passcode appended to the password: his is this followed by
/// [`PASSCODE`].
pub const PASSWORD: &str = "demo";
/// The one-time passcode; it does not change.
pub const PASSCODE: &str = "123456";
/// The name of the application credential of user `demo` for project `demo`.
pub const CREDENTIAL_NAME: &str = "demo-credential";
pub const CREDENTIAL_SECRET: &str = "demo-secret";

pub(super) struct User {
    pub name: &'static str,
    pub id: String,
    pub password: String,
    /// Whether a one-time passcode is asked for besides the password.
    pub totp: bool,
    pub role: &'static str,
    pub projects: Vec<String>,
}

#[derive(Clone)]
pub(super) struct IssuedToken {
    pub user: String,
    pub project: Option<String>,
    /// Sorted, each once.
    pub methods: BTreeSet<String>,
    pub audit: String,
    pub issued: Duration,
    pub expires: Duration,
}

/// A sign-in that still misses a factor.
#[derive(Clone)]
pub(super) struct IssuedReceipt {
    pub user: String,
    pub methods: BTreeSet<String>,
    pub expires: Duration,
}

#[derive(Default)]
pub(super) struct Identity {
    pub users: Vec<User>,
    pub projects: Vec<(&'static str, String)>,
    pub credential: String,
    pub tokens: BTreeMap<String, IssuedToken>,
    pub revoked: BTreeSet<String>,
    pub receipts: BTreeMap<String, IssuedReceipt>,
    /// Ids of services and their endpoints, by service, region and interface.
    pub catalog: BTreeMap<(String, String, &'static str), String>,
    pub roles: BTreeMap<&'static str, String>,
}

/// On whose behalf a request to Neutron is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// The id of the project; empty for an unscoped token.
    pub project: String,
    /// Whether the only role is `reader`.
    pub reader: bool,
}

impl Identity {
    /// `hex` makes ids in Keystone's form.
    pub fn new(mut hex: impl FnMut() -> String) -> Self {
        let projects = ["demo", "other", "service"].map(|name| (name, hex()));
        let (demo, other) = (projects[0].1.clone(), projects[1].1.clone());
        let mut user = |name, suffix: &str, totp, role, projects: &[&String]| User {
            name,
            id: hex(),
            password: format!("{PASSWORD}{suffix}"),
            totp,
            role,
            projects: projects.iter().map(|&project| project.clone()).collect(),
        };
        let users = vec![
            user("demo", "", false, "member", &[&demo, &other]),
            user("demo-reader", "", false, "reader", &[&demo]),
            user("demo-mfa", "", true, "member", &[&demo]),
            user("demo-appended", PASSCODE, false, "member", &[&demo]),
        ];
        let roles = ["member", "reader"].map(|role| (role, hex())).into();
        Self { users, projects: projects.into(), credential: hex(), roles, ..Self::default() }
    }

    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// What is said of a token that was asked about and is good for nothing.
    pub fn unusable(&self, id: &str) -> Answer {
        let was_one = self.revoked.contains(id) || self.tokens.contains_key(id);
        keystone(404, if was_one { "Failed to validate token" } else { "Could not recognize Fernet token" })
    }

    pub fn project_named(&self, name: &str) -> Option<&str> {
        self.projects.iter().find(|(found, _)| *found == name).map(|(_, id)| id.as_str())
    }
}
