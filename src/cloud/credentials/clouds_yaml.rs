//! clouds.yaml, secure.yaml and clouds-public.yaml.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::environment::TELLING;
use super::find_error::{FindError, Looked, Outcome, Place};
use super::settings::Settings;
use super::sources::Sources;
use crate::cloud::printable::printable;

/// The file's own clouds, or the profiles of a clouds-public.yaml.
#[derive(Default, Deserialize)]
struct CloudsFile {
    #[serde(default)]
    clouds: Option<BTreeMap<String, Option<Settings>>>,
    #[serde(default, rename = "public-clouds")]
    profiles: Option<BTreeMap<String, Option<Settings>>>,
}

/// The cloud asked for, or the only one there is: its name, its file as shown, and its settings with those of its profile
/// beneath and those of secure.yaml on top.
pub fn choose(
    sources: &Sources,
    wanted: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<(String, String, Settings), FindError> {
    let mut looked = Vec::new();
    let found = read_first(sources, "clouds", Some("OS_CLIENT_CONFIG_FILE"), &mut looked, warnings)?;
    let Some((path, file)) = found else {
        return Err(wanted.map_or_else(
            || nothing(sources, looked),
            |name| FindError::NoSuchCloud { name: printable(name), file: None, names: Vec::new() },
        ));
    };
    let shown = sources.shown(&path);
    let mut clouds = file.clouds.unwrap_or_default();
    let names = || clouds.keys().map(|name| printable(name)).collect::<Vec<_>>();
    let name = match (wanted, clouds.len()) {
        (Some(name), _) if clouds.contains_key(name) => name.to_owned(),
        (Some(name), _) => {
            return Err(FindError::NoSuchCloud { name: printable(name), file: Some(shown), names: names() });
        }
        (None, 0) => {
            looked.push(Looked { place: Place::File(path), outcome: Outcome::WithoutClouds });
            return Err(nothing(sources, looked));
        }
        (None, 1) => clouds.keys().next().cloned().unwrap_or_default(),
        (None, _) => return Err(FindError::SeveralClouds { file: shown, names: names() }),
    };
    let own = clouds.remove(&name).flatten().unwrap_or_default();
    let mut settings = profile(sources, &own, warnings)?.unwrap_or_default();
    settings.overlay(own);
    let secure = read_first(sources, "secure", Some("OS_CLIENT_SECURE_FILE"), &mut Vec::new(), warnings)?;
    if let Some(secret) = secure.and_then(|(_, file)| file.clouds?.remove(&name)?) {
        settings.overlay(secret);
    }
    Ok((printable(&name), shown, settings))
}

/// What `profile:` (formerly `cloud:`) names, if a clouds-public.yaml has it.
fn profile(sources: &Sources, own: &Settings, warnings: &mut Vec<String>) -> Result<Option<Settings>, FindError> {
    let Some(name) = own.profile() else { return Ok(None) };
    let public = read_first(sources, "clouds-public", None, &mut Vec::new(), warnings)?;
    let found = public.and_then(|(_, file)| file.profiles?.remove(name)?);
    if found.is_none() {
        let why = if name == "catalyst" {
            "the one bundled with openstacksdk names an Identity v2 address and regions that no longer exist"
        } else {
            "the ones bundled with openstacksdk are not used"
        };
        warnings
            .push(format!("The profile `{}` is in no clouds-public.yaml and was left out; {why}.", printable(name)));
    }
    Ok(found)
}

fn nothing(sources: &Sources, mut looked: Vec<Looked>) -> FindError {
    looked.extend(["OS_CLOUD"].iter().chain(&TELLING).map(|&name| Looked {
        place: Place::Variable(name),
        outcome: if sources.var(name).is_some() { Outcome::Set } else { Outcome::Absent },
    }));
    FindError::NothingFound { looked }
}

/// The first of the files of that name that exists and may be read.
fn read_first(
    sources: &Sources,
    stem: &str,
    variable: Option<&str>,
    looked: &mut Vec<Looked>,
    warnings: &mut Vec<String>,
) -> Result<Option<(PathBuf, CloudsFile)>, FindError> {
    let named = variable.and_then(|name| sources.var(name)).map(|text| sources.path(text));
    let usual = sources
        .config_dirs
        .iter()
        .flat_map(|dir| ["yaml", "yml", "json"].map(|ending| dir.join(format!("{stem}.{ending}"))));
    for path in named.iter().cloned().chain(usual) {
        let text = match std::fs::read(&path) {
            Ok(bytes) => {
                String::from_utf8(bytes).map_err(|_| unusable(sources, &path, None, None, "not UTF-8 text"))?
            }
            Err(error) => {
                let shown = sources.shown(&path);
                let outcome = if error.kind() == std::io::ErrorKind::PermissionDenied {
                    warnings.push(format!("{shown} may not be read by this user and was passed over."));
                    Outcome::Forbidden
                } else {
                    Outcome::Absent
                };
                if let (Some(variable), true, Outcome::Absent) = (variable, named.as_ref() == Some(&path), outcome) {
                    warnings.push(format!("{variable} names {shown}, which does not exist."));
                }
                looked.push(Looked { place: Place::File(path), outcome });
                continue;
            }
        };
        let file = parse(&text).map_err(|error| {
            let (line, key, reason) = super::yaml_error::explain(&error, &text);
            unusable(sources, &path, line, key, &reason)
        })?;
        return Ok(Some((path, file)));
    }
    Ok(None)
}

fn unusable(sources: &Sources, path: &Path, line: Option<u64>, key: Option<String>, reason: &str) -> FindError {
    let shown = sources.shown(path);
    let place = line.map_or_else(|| shown.clone(), |line| format!("{shown}, line {line}"));
    FindError::Unusable { place, key, reason: reason.to_owned() }
}

fn parse(text: &str) -> Result<CloudsFile, serde_saphyr::Error> {
    // `serde_saphyr` reads an empty document as an error; to openstacksdk it is a file without clouds.
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(CloudsFile::default());
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
        // PyYAML takes the last of two equal keys.
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::from_str_with_options(text, options)
}
