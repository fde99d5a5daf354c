//! Which VPN is meant.

use super::{Inspection, Vpn};
use crate::plan::ShellCommand;
use crate::plan::shell::osvpn;

/// Why a word names no VPN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unselected {
    /// None answers to it; the names there are.
    #[error("no VPN {wanted} is in this project; {}", known(.names))]
    None {
        /// What was asked for.
        wanted: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// Several do; each with the word that names it alone.
    #[error("several VPNs answer to {wanted}; name one by its id: {}", .ids.join(", "))]
    Several {
        /// What was asked for.
        wanted: String,
        /// Ids that tell them apart.
        ids: Vec<String>,
    },
}

fn known(names: &[String]) -> String {
    if names.is_empty() { "there is none at all".to_owned() } else { format!("there are: {}", names.join(", ")) }
}

impl Vpn {
    /// The word that names it and nothing else: the id in its marks, or the id of its first connection.
    #[must_use]
    pub fn handle(&self) -> String {
        self.id.as_ref().map_or_else(|| self.a.connection.id.to_string(), ToString::to_string)
    }
}

impl Vpn {
    /// A command of this program that is about it.
    #[must_use]
    pub fn command(&self, words: &'static str) -> ShellCommand {
        osvpn(words).operand(self.handle())
    }
}

impl Inspection {
    /// The VPN of that name, mark or id; a name or id of one of its connections will do.
    ///
    /// # Errors
    /// If it names none, or several.
    pub fn select(&self, wanted: &str) -> Result<&Vpn, Unselected> {
        let found: Vec<&Vpn> = self.vpns.iter().filter(|vpn| vpn.answers_to(wanted)).collect();
        match found.as_slice() {
            [vpn] => Ok(vpn),
            [] => {
                let mut names: Vec<String> = self.vpns.iter().map(|vpn| vpn.name.clone()).collect();
                names.dedup();
                Err(Unselected::None { wanted: wanted.to_owned(), names })
            }
            several => Err(Unselected::Several {
                wanted: wanted.to_owned(),
                ids: several.iter().map(|vpn| vpn.handle()).collect(),
            }),
        }
    }
}
