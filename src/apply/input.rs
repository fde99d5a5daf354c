//! What `osvpn apply` reads before it sends anything: the plan file and the key.

use std::env::{self, VarError};
use std::io::{self, Read};
use std::path::Path;

use secrecy::zeroize::Zeroizing;

use super::Refusal;
use crate::plan::Psk;
use crate::plan::file::PlanFile;
use crate::provision::handover::KeyOrigin;

/// The variable a key can be given in.
pub const KEY_VARIABLE: &str = "OSVPN_PSK";
/// Much more than any plan, in bytes: one with 10,000 ranges has a twentieth of it.
const LONGEST_PLAN: u64 = 4 << 20;
/// Much more than any key; whoever names the wrong file is told so, and not after reading all of it.
const LONGEST_KEY_FILE: u64 = 4096;

/// Reads the plan file.
///
/// # Errors
/// If it cannot be read, or is no plan; with the line where that is known.
pub fn plan_file(path: &Path) -> Result<PlanFile, Refusal> {
    let unusable = |why: &dyn std::fmt::Display| Refusal::unusable(vec![format!("{}: {why}", path.display())]);
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LONGEST_PLAN + 1).read_to_string(&mut text));
    read.map_err(|error| unusable(&error))?;
    if text.len() as u64 > LONGEST_PLAN {
        return Err(unusable(&"it is much too long for a plan"));
    }
    PlanFile::parse(&text).map_err(|error| unusable(&error))
}

/// The key: from the file that was named, else from the variable, else a new one if nobody else has to know it.
///
/// # Errors
/// If there is none, or what was given is no key. The text itself is in no message.
pub fn key(psk_file: Option<&Path>, may_generate: bool) -> Result<(Psk, KeyOrigin), Refusal> {
    match given_key(psk_file)? {
        Some(psk) => Ok((psk, KeyOrigin::Given)),
        None if may_generate => Ok((Psk::generate(), KeyOrigin::Generated)),
        None => {
            let problem = "in single mode the peer has to have the same pre-shared key, so it has to be given: \
                           with --psk-file PATH (- for standard input), or in the variable OSVPN_PSK";
            Err(Refusal::unusable(vec![problem.to_owned()]))
        }
    }
}

/// The key from the file that was named, else from the variable, else none.
///
/// # Errors
/// If what was given is no key. The text itself is in no message.
pub fn given_key(psk_file: Option<&Path>) -> Result<Option<Psk>, Refusal> {
    let (place, text) = match (psk_file, env::var(KEY_VARIABLE)) {
        (Some(path), _) => (path.display().to_string(), read_key(path)?),
        (None, Ok(text)) if !text.trim().is_empty() => (KEY_VARIABLE.to_owned(), Zeroizing::new(text)),
        (None, Err(VarError::NotUnicode(_))) => return Err(no_text(KEY_VARIABLE)),
        (None, _) => return Ok(None),
    };
    let refused = |problem| Refusal::unusable(vec![format!("pre-shared key of {place}: {problem}")]);
    Psk::parse(text.trim()).map(Some).map_err(refused)
}

fn read_key(path: &Path) -> Result<Zeroizing<String>, Refusal> {
    let place = path.display();
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST_KEY_FILE).unwrap_or_default() + 1));
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LONGEST_KEY_FILE + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST_KEY_FILE + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Refusal::unusable(vec![format!("pre-shared key of {place}: {error}")]))?;
    if bytes.len() as u64 > LONGEST_KEY_FILE {
        return Err(Refusal::unusable(vec![format!("{place} is too long to hold a pre-shared key alone")]));
    }
    str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| no_text(&place.to_string()))
}

fn no_text(place: &str) -> Refusal {
    Refusal::unusable(vec![format!("pre-shared key of {place}: it is not text")])
}
