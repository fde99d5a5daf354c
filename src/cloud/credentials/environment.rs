//! `OS_*` variables, as an openrc file exports them.

use super::settings::Settings;
use super::sources::Sources;

/// Variables of which any one means that the user has sourced an openrc file. `OS_REGION_NAME` and the like alone do not,
/// nor do the names of a project or domain: people export them to complete a clouds.yaml.
pub const TELLING: [&str; 9] = [
    "OS_AUTH_URL",
    "OS_TOKEN",
    "OS_AUTH_TOKEN",
    "OS_USERNAME",
    "OS_USER_ID",
    "OS_PASSWORD",
    "OS_APPLICATION_CREDENTIAL_ID",
    "OS_APPLICATION_CREDENTIAL_NAME",
    "OS_APPLICATION_CREDENTIAL_SECRET",
];

/// What an openrc file and its like may export that nobody else may know.
pub const SECRET: [&str; 6] =
    ["OS_PASSWORD", "OS_TOKEN", "OS_AUTH_TOKEN", "OS_PASSCODE", "OS_APPLICATION_CREDENTIAL_SECRET", "OSVPN_PSK"];

/// `OS_FOO` becomes the setting `foo`. None if no openrc file was sourced.
pub fn settings(sources: &Sources) -> Option<Settings> {
    TELLING.iter().find(|name| sources.var(name).is_some())?;
    let mut settings = Settings::default();
    for (name, value) in &sources.vars {
        if let Some(key) = name.strip_prefix("OS_") {
            settings.set(&key.to_ascii_lowercase(), value);
        }
    }
    Some(settings)
}
