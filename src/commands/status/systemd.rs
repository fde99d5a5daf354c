//! The units that write the metrics every two minutes.

use std::env::current_exe;
use std::io;
use std::path::{Path, absolute};

use super::StatusArgs;

const SERVICE: &str = include_str!("../../../assets/monitoring/osvpn-status.service");
const TIMER: &str = include_str!("../../../assets/monitoring/osvpn-status.timer");
/// Where Debian's node exporter looks.
const TEXTFILE: &str = "/var/lib/prometheus/node-exporter/osvpn.prom";

pub(super) fn units(args: &StatusArgs) -> io::Result<String> {
    let textfile = absolute(args.textfile.as_deref().unwrap_or(Path::new(TEXTFILE)))?;
    let directory = textfile.parent().unwrap_or(Path::new("/"));
    let mut command = vec![current_exe()?.display().to_string(), "status".to_owned()];
    command.extend(args.vpn.clone());
    command.extend(["--format", "prometheus", "--textfile"].map(str::to_owned));
    command.push(textfile.display().to_string());
    command.extend(args.detail.then(|| "--detail".to_owned()));
    command.extend(args.answer.cloud.cloud.iter().flat_map(|cloud| ["--cloud".to_owned(), cloud.clone()]));
    let command: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    let service = SERVICE.replace("@COMMAND@", &command.join(" "));
    Ok(service.replace("@DIRECTORY@", &quoted(&directory.display().to_string())) + TIMER)
}

/// A word as systemd reads it: a percent sign and a dollar begin something.
fn quoted(word: &str) -> String {
    let word = word.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    if word.contains([' ', '\'', '"', ';']) { format!("\"{word}\"") } else { word }
}
