//! The names that were read last, by cloud and project, for the shell to complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use atomic_write_file::AtomicWriteFile;
use atomic_write_file::unix::OpenOptionsExt as _;
use itertools::Itertools;
use serde::{Deserialize, Serialize};

use crate::cloud::credentials::{Domain, Method, Named};
use crate::cloud::{Credentials, OtherSubnets};
use crate::inspect::{Inspection, Vpn};
use crate::report::CreationReport;
use crate::sign_in::{self, Login};
use crate::system::state;

/// How long credentials are looked for at a Tab, and after a command. A clouds.yaml can be a pipe that has been read already, or
/// on a disk that hangs.
pub(super) const TAB: Duration = Duration::from_millis(250);
const AFTERWARDS: Duration = Duration::from_secs(1);

/// So many projects are kept, those that were read last.
const MOST_PROJECTS: usize = 8;
/// So many names of one kind.
const MOST_NAMES: usize = 500;
/// More than the file ever has, in bytes.
const LARGEST: u64 = 1 << 20;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct KnownNames {
    /// The cloud and project, and whose sign-in showed them.
    place: String,
    pub(super) vpns: Vec<KnownVpn>,
    /// By region.
    pub(super) subnets: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownVpn {
    pub(super) name: String,
    /// The word that names it alone.
    pub(super) id: String,
    pub(super) regions: String,
}

impl KnownVpn {
    fn of(vpn: &Vpn) -> Self {
        let regions = vpn.sides().map(|(_, side)| side.region.as_str()).join(", ");
        Self { name: vpn.name.clone(), id: vpn.handle(), regions }
    }
}

/// What tells one project's names from another's without a sign-in; none where a token alone knows its project.
fn place(credentials: &Credentials) -> Option<String> {
    let Credentials { auth_url, method, project, .. } = credentials;
    let is_untold = project.is_none() && matches!(method, Method::Token { .. });
    let project = match project {
        None => String::new(),
        Some(Named::Id(id)) => format!(" project {id}"),
        Some(Named::Name { name, domain: Domain::Id(domain) }) => {
            format!(" project {name} of the domain with id {domain}")
        }
        Some(Named::Name { name, domain: Domain::Name(domain) }) => format!(" project {name} of domain {domain}"),
    };
    (!is_untold).then(|| format!("{auth_url}{project}, with {}", method.in_words()))
}

fn place_of(login: &Login) -> Option<String> {
    let name = match login {
        Login::Default => None,
        Login::Named(name) => Some(name.as_str()),
        Login::Demo => return None,
    };
    place(&sign_in::find(name).ok()?.credentials)
}

/// What files say; none if they take too long. The thread that waits for them ends with the program.
pub(super) fn in_time<T: Send + 'static>(patience: Duration, read: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(read()));
    receiver.recv_timeout(patience).ok()
}

fn path() -> Option<PathBuf> {
    Some(state::directory()?.join("names"))
}

fn read() -> Option<Vec<KnownNames>> {
    let file = state::open(&path()?, OpenOptions::new().read(true)).ok()?;
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// What is known of the project that a command line means; nothing where that is not certain.
pub(super) fn known(login: &Login) -> KnownNames {
    let found = place_of(login).and_then(|place| read()?.into_iter().find(|names| names.place == place));
    found.unwrap_or_default()
}

/// Keeps the names of what was read, beside those of regions that were not. Where that fails, nothing is completed.
pub(super) fn remember(login: &Login, inspection: &Inspection, others: OtherSubnets) {
    if inspection.surveys.is_empty() {
        return;
    }
    let vpns = inspection.vpns.iter().map(KnownVpn::of);
    let subnets = inspection.surveys.iter().map(|(region, survey)| {
        let names = survey.inventory.subnets.iter().map(|subnet| subnet.name.clone());
        (region.to_string(), names.collect::<BTreeSet<String>>())
    });
    let was_read = |region: &str| inspection.surveys.keys().any(|read| read.as_str() == region);
    change(login, |names| {
        names.vpns.retain(|vpn| !vpn.regions.split(", ").all(was_read));
        let kept = names.vpns.clone();
        let is_new = |vpn: &KnownVpn| kept.iter().all(|one| one.id != vpn.id && one.name != vpn.name);
        names.vpns.extend(vpns.filter(is_new));
        names.vpns.truncate(MOST_NAMES);
        for (region, found) in subnets {
            let known = names.subnets.entry(region).or_default();
            // Without the others it is no list of all.
            if others == OtherSubnets::OfRouters {
                known.clear();
            }
            known.extend(found);
            while known.len() > MOST_NAMES {
                known.pop_last();
            }
        }
    });
}

/// Adds one that was created since.
pub(super) fn add(login: &Login, report: &CreationReport) {
    if report.is_empty() {
        return;
    }
    let regions = report.halves.iter().map(|half| half.region.as_str()).join(", ");
    let vpn = KnownVpn { name: report.name.to_string(), id: report.id.to_string(), regions };
    change(login, |names| {
        names.vpns.retain(|known| known.id != vpn.id);
        names.vpns.push(vpn);
    });
}

fn change(login: &Login, change: impl FnOnce(&mut KnownNames)) {
    let login = login.clone();
    let Some(place) = in_time(AFTERWARDS, move || place_of(&login)).flatten() else { return };
    let mut all = read().unwrap_or_default();
    let found = all.iter().position(|names| names.place == place).map(|found| all.remove(found));
    let mut names = found.unwrap_or_else(|| KnownNames { place, ..KnownNames::default() });
    change(&mut names);
    all.insert(0, names);
    all.truncate(MOST_PROJECTS);
    if let Err(error) = write(&all) {
        tracing::debug!(%error, "the names for the shell are not kept");
    }
}

fn write(all: &[KnownNames]) -> io::Result<()> {
    let Some(path) = path() else { return Ok(()) };
    if let Some(directory) = path.parent() {
        state::make_private(directory)?;
    }
    let mut file = AtomicWriteFile::options().mode(state::PRIVATE_FILE).preserve_mode(false).open(path)?;
    file.write_all(serde_json::to_string(all)?.as_bytes())?;
    file.commit()
}
