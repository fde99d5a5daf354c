//! Everything outside the program that credentials are read from, gathered so that a test can stand in for it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::cloud::printable::printable;

#[derive(Clone, Default)]
pub struct Sources {
    /// Environment variables. An empty one counts as not set.
    pub vars: BTreeMap<String, String>,
    pub cwd: PathBuf,
    /// Directories in which a clouds.yaml may be, the first searched first.
    pub config_dirs: Vec<PathBuf>,
    /// The user's home, for `~` in paths.
    pub home: Option<PathBuf>,
}

impl Sources {
    pub(crate) fn from_process() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::new(vars, std::env::current_dir().unwrap_or_default(), std::env::home_dir())
    }

    /// Those variables, and openstacksdk's directories in its order: the current one, the platform's for the user,
    /// `~/.config/openstack`, the platform's for the site, `/etc/openstack`.
    pub fn new(vars: BTreeMap<String, String>, cwd: PathBuf, home: Option<PathBuf>) -> Self {
        let mut sources = Self { vars, cwd: cwd.clone(), config_dirs: vec![cwd], home };
        let in_home = |below: &str| sources.home.as_ref().map(|home| home.join(below));
        let (user, site) = if cfg!(target_os = "macos") {
            let below = "Library/Application Support";
            (in_home(below), Some(Path::new("/").join(below)))
        } else {
            let first = |list: &str| list.split(':').next().map(PathBuf::from);
            (
                sources.var("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| in_home(".config")),
                first(sources.var("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg")),
            )
        };
        for parent in [user, in_home(".config"), site, Some(PathBuf::from("/etc"))].into_iter().flatten() {
            let dir = parent.join("openstack");
            if !sources.config_dirs.contains(&dir) {
                sources.config_dirs.push(dir);
            }
        }
        sources
    }

    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A path as a user writes it: `~` is the home directory, and a relative one starts at the current directory.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.cwd.join(text),
        }
    }

    pub(super) fn shown(&self, path: &Path) -> String {
        let below = self.home.as_ref().and_then(|home| path.strip_prefix(home).ok());
        printable(&below.map_or_else(|| path.display().to_string(), |rest| format!("~/{}", rest.display())))
    }
}

/// The names of the variables only: a value may be a password.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("vars", &self.vars.keys())
            .field("cwd", &self.cwd)
            .field("config_dirs", &self.config_dirs)
            .field("home", &self.home)
            .finish()
    }
}
