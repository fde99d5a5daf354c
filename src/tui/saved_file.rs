//! Writing plan files, and the file of a key.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::system::private_file::write_new;

/// Far below the 255 bytes of a file name, whatever the characters.
const LONGEST: usize = 60;

/// Writes a file of that name and kind into a directory, readable by its owner alone: a plan names the user's networks. A
/// file that is there is never overwritten; the new one gets a number.
pub fn save(dir: &Path, (name, kind): (&str, &str), text: &str) -> io::Result<PathBuf> {
    let stem = stem(name);
    for number in 1..=u32::MAX {
        let file = if number == 1 { format!("{stem}.{kind}") } else { format!("{stem}-{number}.{kind}") };
        let path = dir.join(file);
        match write_new(&path, text.as_bytes()) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// A VPN's name as a file name that no shell has to quote and no option can be taken for.
fn stem(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let stem: String = name.chars().map(plain).take(LONGEST).collect();
    let stem = stem.trim_matches(['-', '.']);
    if stem.is_empty() { "vpn".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_saved_plan_never_replaces_another_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = save(dir.path(), ("hlz-por", "toml"), "one").unwrap();
        let second = save(dir.path(), ("hlz-por", "toml"), "two").unwrap();
        assert_eq!(first.file_name().unwrap(), "hlz-por.toml");
        assert_eq!(second.file_name().unwrap(), "hlz-por-2.toml");
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "one");
        assert_eq!(std::fs::metadata(&second).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        assert_eq!(stem("../../etc/passwd"), "etc-passwd");
        assert_eq!(stem("--help me"), "help-me");
        assert_eq!(stem("/"), "vpn");
        assert_eq!(stem(&"ü".repeat(300)).chars().count(), LONGEST);
    }
}
