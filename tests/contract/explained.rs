//! Where the simulator is known to differ from a real cloud, and why it may.

/// A difference with a reason.
pub struct Explained {
    pub releases: &'static [&'static str],
    /// How the case's name begins.
    pub case: &'static str,
    /// A part of the line the simulator gives.
    pub simulator: &'static str,
    /// A part of the line a real cloud gives in its place.
    pub cloud: &'static str,
    pub why: &'static str,
}

const BOTH: &[&str] = &["2026.1", "2026.2"];

pub const EXPLAINED: &[Explained] = &[
    Explained {
        releases: BOTH,
        case: "sign-in/refused",
        simulator: r#""methods":["external","password","token","totp","application_credential"]"#,
        cloud: r#""message":"Attempted to authenticate with an unsupported method.""#,
        why: "which methods there are is the operator's choice; the simulator's has switched passcodes on",
    },
    Explained {
        releases: BOTH,
        case: "sign-in/refused",
        simulator: r#"{"error":{"code":401,"message":"The request you have made requires authentication.""#,
        cloud: r#""message":"Attempted to authenticate with an unsupported method.""#,
        why: "a passcode is an unknown method where passcodes are switched off, and a wrong one where they are on",
    },
];
