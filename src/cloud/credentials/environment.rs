//! `OS_*` variables, as an openrc file exports them.

use itertools::Itertools;

use super::clouds_yaml::ChosenCloud;
use super::settings::Settings;
use super::sources::Sources;
use super::values::fault;

/// Variables of which any one means that the user has sourced an openrc file. `OS_REGION_NAME` and the like alone do not,
/// nor do the names of a project or domain: people export them to complete a clouds.yaml.
pub(crate) const TELLING: [&str; 9] = [
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

/// The secrets that an openrc file may export.
pub const SECRET: [&str; 10] = [
    "OS_PASSWORD",
    "OS_TOKEN",
    "OS_AUTH_TOKEN",
    "OS_PASSCODE",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_CLIENT_SECRET",
    "OS_ACCESS_TOKEN",
    "OS_AUTHORIZATION_CODE",
    "OS_IDP_PASSWORD",
    "OSVPN_PSK",
];

/// Variables that the `openstack` command lays over a cloud of a clouds.yaml.
const OVER_A_CLOUD: [&str; 5] = ["OS_CACERT", "OS_CERT", "OS_KEY", "OS_INTERFACE", "OS_DEFAULT_DOMAIN"];

/// Of each of these a cloud has at least one, or what it lacks may come from variables.
const COMPLETING: [&[&str]; 5] = [
    &["username", "user_id"],
    &["password"],
    &["project_id", "project_name"],
    &["user_domain_id", "user_domain_name", "domain_id", "domain_name"],
    &["project_domain_id", "project_domain_name", "domain_id", "domain_name"],
];

/// `OS_FOO` becomes the setting `foo`. None if no openrc file was sourced.
pub fn settings(sources: &Sources, warnings: &mut Vec<String>) -> Option<Settings> {
    TELLING.iter().find(|name| sources.var(name).is_some())?;
    let quoted = quoted(sources);
    if !quoted.is_empty() {
        let text = format!(
            "The quotes around the values of {} are ignored: whatever set the variables (docker --env-file?) made them \
             part of the value.",
            quoted.iter().join(", ")
        );
        warnings.push(text);
    }
    let mut settings = Settings::default();
    for (name, value) in sources.vars.iter().filter(|(name, _)| name.starts_with("OS_")) {
        let value = if quoted.contains(&name.as_str()) { unquoted(value).unwrap_or(value) } else { value };
        settings.set_variable(name, value);
    }
    Some(settings)
}

/// Whether nothing of an openrc file is set but a user or a password.
pub(crate) fn is_partial(sources: &Sources) -> bool {
    let is_part = |name: &str| matches!(name, "OS_USERNAME" | "OS_USER_ID" | "OS_PASSWORD");
    TELLING.iter().filter(|name| sources.var(name).is_some()).all(|name| is_part(name))
}

/// Whether a password is set that belongs to no openrc file.
pub(crate) fn has_password_alone(sources: &Sources) -> bool {
    sources.var("OS_PASSWORD").is_some() && sources.var("OS_AUTH_URL").is_none()
}

/// Lays over a cloud what the `openstack` command lays over it too. What the cloud does not say at all (its password, its
/// project) may come from variables as well, unless an openrc file was sourced: those then belong to another cloud.
///
/// A password does not go to an address that stands in a file of the current directory, which others may have written.
pub fn complete(chosen: &mut ChosenCloud, sources: &Sources) {
    let ChosenCloud { settings: cloud, is_of_here, .. } = chosen;
    for name in OVER_A_CLOUD {
        if let Some(value) = sources.var(name) {
            cloud.prefer_variable(name, value);
        }
    }
    if sources.var("OS_AUTH_URL").is_some() {
        return;
    }
    let mut variables = Settings::default();
    for (name, value) in sources.vars.iter().filter(|(name, _)| name.starts_with("OS_")) {
        variables.set_variable(name, value);
    }
    // A password that is still encrypted in the file is none.
    let is_there =
        |key: &&str| cloud.setting(key).is_some_and(|setting| *key != "password" || fault(key, setting).is_none());
    let is_kept_back = |group: &&&[&str]| *is_of_here && group.contains(&"password");
    let lacking = COMPLETING.iter().filter(|group| !group.iter().any(is_there) && !is_kept_back(group));
    let keys: Vec<&str> = lacking.flat_map(|group| group.iter().copied()).collect();
    cloud.complete(&variables, &keys);
}

/// The variables whose values stand in quotes, if the address is one of them or another that is no secret: then whatever
/// set them quotes all. A secret alone may have quotes of its own.
fn quoted(sources: &Sources) -> Vec<&str> {
    let is_ours = |name: &str| name.starts_with("OS_") && super::settings::is_known(name);
    let quoted: Vec<&str> = sources
        .vars
        .iter()
        .filter(|(name, value)| is_ours(name) && unquoted(value).is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    if quoted.iter().all(|name| SECRET.contains(name)) { Vec::new() } else { quoted }
}

fn unquoted(value: &str) -> Option<&str> {
    let value = value.trim();
    let within = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\''))
}
