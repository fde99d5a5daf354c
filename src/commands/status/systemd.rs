//! The units that write the metrics every two minutes.

use std::env::{current_exe, home_dir};
use std::path::{Path, PathBuf, absolute};

use super::StatusArgs;
use crate::commands::CommandError;
use crate::commands::lines::warn;

const SERVICE: &str = include_str!("../../../assets/monitoring/osvpn-status.service");
const TIMER: &str = include_str!("../../../assets/monitoring/osvpn-status.timer");
/// Where Debian's node exporter looks.
const TEXTFILE: &str = "/var/lib/prometheus/node-exporter/osvpn.prom";

/// Where the program has to be if it is in a home directory, which the service is not shown.
const PROGRAM: &str = "/usr/local/bin/osvpn";

/// Errors: a word that no line of a unit can have.
pub(super) fn units(args: &StatusArgs) -> Result<String, CommandError> {
    let textfile = absolute(args.textfile.as_deref().unwrap_or(Path::new(TEXTFILE))).map_err(CommandError::internal)?;
    let directory = textfile.parent().unwrap_or(Path::new("/"));
    let mut command = vec![program()?, "status".to_owned()];
    command.extend(args.vpn.clone());
    command.extend(["--format", "prometheus", "--textfile"].map(str::to_owned));
    command.push(textfile.display().to_string());
    command.extend(args.detail.then(|| "--detail".to_owned()));
    command.extend(args.answer.cloud.cloud.iter().flat_map(|cloud| ["--cloud".to_owned(), cloud.clone()]));
    if let Some(odd) = command.iter().find(|word| word.contains(char::is_control)) {
        return Err(CommandError::unusable(format!("no unit can have this in a line: {odd:?}")));
    }
    let command: Vec<String> = command.iter().map(|word| word_of_command(word)).collect();
    let service = SERVICE.replace("@COMMAND@", &command.join(" "));
    Ok(service.replace("@DIRECTORY@", &quoted(&directory.display().to_string())) + TIMER)
}

fn program() -> Result<String, CommandError> {
    let own = current_exe().map_err(CommandError::internal)?;
    let mut homes = ["/home", "/root", "/run/user"].map(PathBuf::from).into_iter().chain(home_dir());
    if homes.any(|home| home != Path::new("/") && own.starts_with(home)) {
        warn(&format!("the service cannot run {}, which is in a home directory: copy it to {PROGRAM}", own.display()));
        return Ok(PROGRAM.to_owned());
    }
    Ok(own.display().to_string())
}

/// A word of a command: a dollar begins a variable.
fn word_of_command(word: &str) -> String {
    quoted(&word.replace('$', "$$"))
}

/// A word as systemd reads it: a percent sign begins something.
fn quoted(word: &str) -> String {
    let word = word.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%");
    if word.is_empty() || word.contains([' ', '\'', '"', ';']) { format!("\"{word}\"") } else { word }
}
