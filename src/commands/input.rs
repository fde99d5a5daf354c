//! What commands read before they send anything: the plan file and the key.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use tokio::task::spawn_blocking;

use super::CommandError;
use crate::engine::resume::{KeyError, parse_key};
use crate::plan::Psk;
use crate::plan::file::{FileError, PlanFile};
use crate::plan::policy::Policy;
use crate::sheet::received::{LONGEST_RECEIVED, Received, ReceivedProblem};
use crate::sign_in::terminal::AtTerminal;

/// Standard input, where a file is named.
const STDIN: &str = "-";
/// Much more than any plan, in bytes: one with 10,000 ranges has a twentieth of it.
const LONGEST_PLAN: u64 = 4 << 20;
/// Much more than any key; the wrong file is refused before all of it is read.
const LONGEST_KEY_FILE: u64 = 4096;

/// Reads the plan file.
/// Errors: if it cannot be read, or is no plan; with the line where that is known.
pub(super) async fn plan_file(path: &Path) -> Result<PlanFile, CommandError> {
    let text = text_of(path, "a plan").await?;
    PlanFile::parse(&text).map_err(|error| {
        let is_of_a_peer = matches!(error, FileError::Syntax(_)) && Received::read(&text).is_ok();
        let hint = if is_of_a_peer { "; it is what a peer has sent: use it with --from" } else { "" };
        CommandError::unusable(format!("{}: {error}{hint}", path.display()))
    })
}

/// Reads the policies of a file: its table `policy`, or the whole file.
/// Errors: as [`plan_file`].
pub(super) async fn policy_file(path: &Path) -> Result<Policy, CommandError> {
    let text = text_of(path, "a policy").await?;
    let read = || {
        let mut table: toml::Table = toml::from_str(&text)?;
        let policy = table.remove("policy").unwrap_or(toml::Value::Table(table));
        policy.try_into()
    };
    read().map_err(|error: toml::de::Error| CommandError::unusable(format!("{}: {}", path.display(), error.message())))
}

/// Reads what the other side has sent.
/// Errors: if it cannot be read, or nothing can be taken from it. No secret is in the reason.
pub(super) async fn received(path: &Path) -> Result<Received, CommandError> {
    let unusable = |why: &dyn std::fmt::Display| CommandError::unusable(format!("{}: {why}", path.display()));
    let longest = u64::try_from(LONGEST_RECEIVED).unwrap_or(u64::MAX);
    let bytes = content(path, longest).await.map_err(|error| unusable(&why_unread(&error)))?;
    let bytes = bytes.ok_or_else(|| unusable(&ReceivedProblem::TooLong))?;
    // A remark in another encoding does no harm.
    let text = match str::from_utf8(&bytes) {
        Ok(text) => Received::read(text),
        Err(_) => Received::read(&Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())),
    };
    text.map_err(|problem| unusable(&problem))
}

async fn text_of(path: &Path, what: &str) -> Result<String, CommandError> {
    let unusable = |why: &dyn std::fmt::Display| CommandError::unusable(format!("{}: {why}", path.display()));
    let bytes = content(path, LONGEST_PLAN).await.map_err(|error| unusable(&why_unread(&error)))?;
    let bytes = bytes.ok_or_else(|| unusable(&format!("it is much too long for {what}")))?;
    Ok(str::from_utf8(&bytes).map_err(|error| unusable(&error))?.to_owned())
}

/// Why a file cannot be read, without the system's number for it.
fn why_unread(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

/// No key was given, and none may be generated.
pub(super) fn no_key() -> CommandError {
    let problem = "in single mode the peer has to have the same pre-shared key, so it has to be given: with --psk-file PATH \
                   (- for standard input), or in the variable OSVPN_PSK";
    CommandError::unusable(problem)
}

pub(super) async fn key_file(path: &Path) -> Result<Psk, CommandError> {
    Ok(parse_key(&path.display().to_string(), &read_key(path).await?)?)
}

async fn read_key(path: &Path) -> Result<Zeroizing<String>, CommandError> {
    if path.as_os_str() == STDIN && io::stdin().is_terminal() {
        return type_key().await;
    }
    let place = path.display();
    let bytes = content(path, LONGEST_KEY_FILE).await;
    let bytes =
        bytes.map_err(|error| CommandError::unusable(format!("pre-shared key of {place}: {}", why_unread(&error))))?;
    let Some(bytes) = bytes else {
        return Err(CommandError::unusable(format!("{place} is too long to hold a pre-shared key alone")));
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let problem = format!("pre-shared key of {place}: it is UTF-16, as PowerShell's > writes it; save it as ASCII");
        return Err(CommandError::unusable(problem));
    }
    str::from_utf8(&bytes)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| KeyError::NotText(place.to_string()).into())
}

/// Standard input is a terminal: the key is typed.
async fn type_key() -> Result<Zeroizing<String>, CommandError> {
    let refused = |why: String| CommandError::unusable(format!("pre-shared key of -: {why}"));
    let terminal = AtTerminal::find()
        .ok_or_else(|| refused("standard input is a terminal on which osvpn cannot ask; name a file".to_owned()))?;
    let introduction = "The pre-shared key of the VPN. What you type is not shown; an empty line cancels.";
    let typed = terminal.secret(introduction, "Pre-shared key").await.map_err(|error| refused(error.to_string()))?;
    typed.map(|key| Zeroizing::new(key.expose_secret().to_owned())).ok_or_else(|| refused("none was typed".to_owned()))
}

/// The content of a file; none if it is longer. It may be a pipe that nothing is written to, so a thread reads it, which ends
/// with the program: the caller can be stopped.
async fn content(path: &Path, longest: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let path = path.to_owned();
    let read = move || {
        // It does not grow: what is left behind by growing is not wiped.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(longest).unwrap_or_default() + 1));
        if path.as_os_str() == STDIN {
            io::stdin().lock().take(longest + 1).read_to_end(&mut bytes)?;
        } else {
            File::open(&path)?.take(longest + 1).read_to_end(&mut bytes)?;
        }
        Ok((bytes.len() as u64 <= longest).then_some(bytes))
    };
    spawn_blocking(read).await.map_err(io::Error::other)?
}
