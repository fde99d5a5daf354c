//! clouds.yaml, secure.yaml and clouds-public.yaml.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::clouds_file::{self, CLOUDS, PROFILES};
use super::encoding;
use super::environment::TELLING;
use super::find_error::{FindError, SearchOutcome, Searched, SearchedPlace};
use super::regions;
use super::settings::Settings;
use super::sources::Sources;
use crate::cloud::printable::printable;

/// More than any of them has, in bytes: the variable that names one can as well name a disk.
const LARGEST: u64 = 4 << 20;

struct ReadFile {
    path: PathBuf,
    shown: String,
    text: String,
}

impl ReadFile {
    fn clouds(&self) -> Result<Vec<String>, FindError> {
        clouds_file::names(&self.text).map_err(|error| self.broken(&error))
    }

    fn entry(&self, section: &str, name: &str) -> Result<Option<Settings>, FindError> {
        let found = clouds_file::entry(&self.text, section, name).map_err(|error| self.broken(&error))?;
        Ok(found.map(|settings| settings.of_file(&self.shown, &self.text)))
    }

    fn region(&self, section: &str, name: &str, index: usize) -> Result<Option<Settings>, FindError> {
        let found = clouds_file::region(&self.text, section, name, index).map_err(|error| self.broken(&error))?;
        Ok(found.map(|settings| settings.of_file(&self.shown, &self.text)))
    }

    fn broken(&self, error: &serde_saphyr::Error) -> FindError {
        let (line, key, reason) = super::yaml_error::explain(error, &self.text);
        let place = line.map_or_else(|| self.shown.clone(), |line| format!("{}, line {line}", self.shown));
        FindError::Unusable { place, key, reason }
    }
}

pub(crate) struct ChosenCloud {
    pub name: String,
    pub file: String,
    pub settings: Settings,
    /// What speaks against using them unasked.
    pub doubt: Option<String>,
    /// Whether the file was found in the current directory, without being named: somebody else may have written it.
    pub is_of_here: bool,
}

/// The cloud asked for, or the only one there is, with the settings of its profile beneath and those of secure.yaml on top.
pub fn choose(sources: &Sources, wanted: Option<&str>, warnings: &mut Vec<String>) -> Result<ChosenCloud, FindError> {
    let mut looked = Vec::new();
    let found = read_first(sources, "clouds", Some("OS_CLIENT_CONFIG_FILE"), &mut looked, warnings)?;
    let Some(file) = found else {
        let Some(name) = wanted else { return Err(nothing(sources, looked)) };
        return Err(FindError::NoSuchCloud { name: printable(name), file: None, names: Vec::new(), looked });
    };
    let clouds = file.clouds()?;
    let names = || clouds.iter().map(|name| printable(name)).collect();
    let name = match (wanted, clouds.as_slice()) {
        (Some(name), clouds) if clouds.iter().any(|cloud| cloud == name) => name,
        (Some(name), _) => {
            let (name, names) = (printable(name), names());
            return Err(FindError::NoSuchCloud { name, file: Some(file.shown), names, looked: Vec::new() });
        }
        (None, []) => {
            looked.push(Searched { place: SearchedPlace::File(file.path), outcome: SearchOutcome::WithoutClouds });
            return Err(nothing(sources, looked));
        }
        (None, [only]) => only,
        (None, _) => return Err(FindError::SeveralClouds { file: file.shown, names: names() }),
    };
    let (name, shown, path) = (name.to_owned(), file.shown.clone(), file.path.clone());
    let mut doubt = None;
    let own = file.entry(CLOUDS, &name)?.unwrap_or_default();
    let mut left_out = None;
    let mut layers = Vec::from_iter(profile(sources, &name, &own, &mut left_out, warnings)?);
    warnings.extend(left_out.clone());
    layers.push(Layer { file, section: CLOUDS, name: name.clone(), settings: own });
    let secure = read_first(sources, "secure", Some("OS_CLIENT_SECURE_FILE"), &mut Vec::new(), warnings)?;
    if let Some(file) = secure
        && let Some(settings) = file.entry(CLOUDS, &name)?
    {
        doubt = not_of_one_place(sources, (&path, &shown), &file, &settings);
        layers.push(Layer { file, section: CLOUDS, name: name.clone(), settings });
    }
    let mut settings = regions::merged(&layers, sources, warnings)?;
    settings.left_out = left_out.or(settings.left_out);
    let is_of_here = is_of_here(sources, &path);
    Ok(ChosenCloud { name: printable(&name), file: shown, settings, doubt, is_of_here })
}

/// Whether a clouds.yaml only is in the current directory, where anybody may have put it. A file that is named is meant.
fn is_of_here(sources: &Sources, clouds: &Path) -> bool {
    let is_named = sources.var("OS_CLIENT_CONFIG_FILE").is_some_and(|text| sources.path(text) == clouds);
    clouds.parent() == Some(&sources.cwd) && !is_named
}

/// What speaks against it where such a clouds.yaml says where the secret of another place is sent.
fn not_of_one_place(
    sources: &Sources,
    (clouds, shown): (&Path, &str),
    secure: &ReadFile,
    settings: &Settings,
) -> Option<String> {
    let is_meant =
        !is_of_here(sources, clouds) || clouds.parent() == secure.path.parent() || settings.secrets().is_empty();
    (!is_meant).then(|| {
        format!(
            "{shown} is in the current directory and says where to sign in, and the secret for that is from {}.",
            secure.shown
        )
    })
}

pub(crate) struct Layer {
    file: ReadFile,
    section: &'static str,
    name: String,
    /// Without the values of its regions.
    pub settings: Settings,
}

impl Layer {
    /// The values for the region of that place in its list.
    pub fn region(&self, index: usize) -> Result<Option<Settings>, FindError> {
        self.file.region(self.section, &self.name, index)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Its path, with `~` for the home directory.
    pub file: String,
    /// Its clouds or profiles, and the names of the settings of each, or why it cannot be read.
    pub entries: Result<Vec<(String, Vec<String>)>, FindError>,
}

/// The outlines of the files that would be read, and every secret in them.
pub(crate) fn outlines(sources: &Sources) -> (Vec<Outline>, Vec<SecretString>) {
    let kinds = [
        ("clouds", Some("OS_CLIENT_CONFIG_FILE"), CLOUDS),
        ("secure", Some("OS_CLIENT_SECURE_FILE"), CLOUDS),
        ("clouds-public", None, PROFILES),
    ];
    let (mut outlines, mut secrets) = (Vec::new(), Vec::new());
    for (stem, variable, section) in kinds {
        let file = match read_first(sources, stem, variable, &mut Vec::new(), &mut Vec::new()) {
            Ok(None) => continue,
            Ok(Some(file)) => file,
            Err(error) => {
                outlines.push(Outline { file: format!("{stem}.yaml"), entries: Err(error) });
                continue;
            }
        };
        let mut entry = |name: String| {
            let settings = file.entry(section, &name)?.unwrap_or_default();
            secrets.extend(settings.secrets());
            Ok((printable(&name), settings.names()))
        };
        let names = if section == CLOUDS { file.clouds() } else { Ok(Vec::new()) };
        let entries = names.and_then(|names| names.into_iter().map(&mut entry).collect());
        outlines.push(Outline { file: file.shown.clone(), entries });
    }
    (outlines, secrets)
}

/// The clouds to choose from; none if the file cannot be read.
pub(crate) fn cloud_names(sources: &Sources) -> Vec<String> {
    let file = read_first(sources, "clouds", Some("OS_CLIENT_CONFIG_FILE"), &mut Vec::new(), &mut Vec::new());
    file.ok().flatten().and_then(|file| file.clouds().ok()).unwrap_or_default()
}

/// What `profile:` (formerly `cloud:`) names, if a clouds-public.yaml has it.
fn profile(
    sources: &Sources,
    cloud: &str,
    own: &Settings,
    left_out: &mut Option<String>,
    warnings: &mut Vec<String>,
) -> Result<Option<Layer>, FindError> {
    let Some((name, is_old)) = own.profile() else { return Ok(None) };
    if let Some(file) = read_first(sources, "clouds-public", None, &mut Vec::new(), warnings)?
        && let Some(settings) = file.entry(PROFILES, name)?
    {
        return Ok(Some(Layer { file, section: PROFILES, name: name.to_owned(), settings }));
    }
    // `cloud: prod` within the cloud `prod` says nothing.
    if !is_old || name != cloud {
        let why = if name == "catalyst" {
            "the one bundled with openstacksdk names an Identity v2 address and regions that no longer exist"
        } else {
            "the ones bundled with openstacksdk are not used"
        };
        let name = printable(name);
        *left_out = Some(format!("The profile `{name}` is in no clouds-public.yaml and was ignored; {why}."));
    }
    Ok(None)
}

fn nothing(sources: &Sources, mut looked: Vec<Searched>) -> FindError {
    looked.extend(["OS_CLOUD"].iter().chain(&TELLING).map(|&name| Searched {
        place: SearchedPlace::Variable(name),
        outcome: if sources.var(name).is_some() { SearchOutcome::Set } else { SearchOutcome::Absent },
    }));
    FindError::NothingFound { looked }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The first of the files of that name that exists and may be read.
fn read_first(
    sources: &Sources,
    stem: &str,
    variable: Option<&str>,
    looked: &mut Vec<Searched>,
    warnings: &mut Vec<String>,
) -> Result<Option<ReadFile>, FindError> {
    let named = variable.and_then(|name| sources.var(name)).map(|text| sources.path(text));
    let usual = sources
        .config_dirs
        .iter()
        .flat_map(|dir| ["yaml", "yml", "json"].map(|ending| dir.join(format!("{stem}.{ending}"))));
    for path in named.iter().cloned().chain(usual) {
        let unusable =
            |reason: &str| FindError::Unusable { place: sources.shown(&path), key: None, reason: reason.to_owned() };
        let text = match read(&path) {
            Ok(bytes) if bytes.len() as u64 > LARGEST => return Err(unusable("much too long for such a file")),
            Ok(bytes) => encoding::decode(bytes).map_err(|(line, reason)| {
                let shown = sources.shown(&path);
                let place = line.map_or_else(|| shown.clone(), |line| format!("{shown}, line {line}"));
                FindError::Unusable { place, key: None, reason }
            })?,
            Err(error) => {
                let shown = sources.shown(&path);
                let outcome = if error.kind() == std::io::ErrorKind::PermissionDenied {
                    warnings.push(format!("{shown} is not readable by this user and was skipped."));
                    SearchOutcome::Forbidden
                } else if error.kind() == std::io::ErrorKind::IsADirectory {
                    warnings.push(format!("{shown} is a directory and was skipped; name the file in it."));
                    SearchOutcome::Directory
                } else {
                    SearchOutcome::Absent
                };
                if let (Some(variable), true, SearchOutcome::Absent) =
                    (variable, named.as_ref() == Some(&path), outcome)
                {
                    warnings.push(format!("{variable} names {shown}, which does not exist."));
                }
                looked.push(Searched { place: SearchedPlace::File(path), outcome });
                continue;
            }
        };
        return Ok(Some(ReadFile { shown: sources.shown(&path), path, text }));
    }
    Ok(None)
}
