//! The VPN that a word names.

use itertools::Itertools;

use super::vpn::Ambiguity;
use super::{Inspection, Side, Vpn};
use crate::cloud::{Hidden, RegionId};
use crate::plan::shell::osvpn;
use crate::plan::{ShellCommand, VpnId, meant};

/// Why a word names no VPN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unselected {
    /// None answers to it; the names there are.
    #[error("no VPN {wanted} is in this project; {}", known(.names))]
    None { wanted: String, names: Vec<String> },
    /// Nothing was asked for: a variable of a script is not set, say.
    #[error("an empty name names no VPN; {}", known(.names))]
    Empty { names: Vec<String> },
    /// Several do; each with the word that names it alone.
    #[error("several VPNs answer to {wanted}; name one by its id:{}", listed(.vpns))]
    Several { wanted: String, ids: Vec<String>, vpns: Vec<String> },
    /// The id is in the markers of several connections for one half.
    #[error("{doubled}; name the connection you mean by its id")]
    Doubled { doubled: String },
    /// The id is in the marker of one half alone, which can have been copied.
    #[error("{half_marked}; name the connection you mean by its id")]
    HalfMarked { half_marked: String },
    /// None is seen, and there may be any.
    #[error(transparent)]
    Hidden(#[from] Hidden),
}

/// Why a VPN cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unchangeable {
    /// Its other half may be in a region that could not be read.
    #[error("the other half of {name} may be in {}, which could not be read; try again when it answers", .regions.iter().join(", "))]
    HalfUnread { name: String, regions: Vec<RegionId> },
    #[error("{0}")]
    Ambiguous(Ambiguity),
}

fn known(names: &[String]) -> String {
    if names.is_empty() { "there is none at all".to_owned() } else { format!("there are: {}", names.join(", ")) }
}

fn listed(vpns: &[String]) -> String {
    vpns.iter().map(|vpn| format!("\n  {vpn}")).join("")
}

impl Vpn {
    /// Whether it is known which connections it consists of.
    /// Errors: [`Unchangeable::Ambiguous`].
    pub fn unambiguous(&self) -> Result<(), Unchangeable> {
        self.ambiguity().map_or(Ok(()), |ambiguity| Err(Unchangeable::Ambiguous(ambiguity)))
    }

    /// The word that names it and nothing else: the id in its markers, or the id of its first connection.
    pub fn handle(&self) -> String {
        let id = self.id.as_ref().filter(|_| self.doubles.is_empty());
        id.map_or_else(|| self.a.connection.id.to_string(), ToString::to_string)
    }

    /// Its id, name, regions and ranges: what tells it from others of its name.
    pub fn distinction(&self) -> String {
        let side = |(_, side): (_, &Side)| format!("{} {}", side.region, side.local.iter().flatten().join(", "));
        let peer = self
            .b()
            .is_none()
            .then(|| format!("{} {}", self.a.connection.peer_address, self.a.remote.iter().join(", ")));
        let ends = self.sides().map(side).chain(peer).join(" to ");
        format!("{}  {}, {ends}", self.handle(), self.name)
    }

    /// What a command is given for it: its name where that means nothing else.
    fn word(&self) -> String {
        let is_plain = self.is_named_alone && self.doubles.is_empty();
        if is_plain { self.name.clone() } else { self.handle() }
    }

    pub fn command(&self, words: &'static str) -> ShellCommand {
        osvpn(words).operand(self.word())
    }

    fn has_connection(&self, wanted: &str) -> bool {
        self.sides().any(|(_, side)| side.connection.id.as_str() == wanted)
    }

    fn is_of(&self, wanted: &VpnId) -> bool {
        self.id.as_ref() == Some(wanted)
    }

    /// Whether a connection of it has that id in its marker.
    pub(super) fn carries(&self, wanted: &VpnId) -> bool {
        self.sides().any(|(_, side)| side.mark.as_ref().is_some_and(|(id, _)| id == wanted))
    }

    /// Whether it, or one of its connections, has that name, or an id that a list shows so.
    fn is_called(&self, wanted: &str) -> bool {
        let is_short = |id: &str| wanted.len() >= 8 && id.starts_with(wanted);
        self.name == wanted
            || self.sides().any(|(_, side)| side.connection.name == wanted || is_short(side.connection.id.as_str()))
    }
}

impl Inspection {
    /// The VPN of that id, name or marker; a name or id of one of its connections will do. A whole id goes before a name:
    /// a connection can be given a name that is another's id.
    /// Errors: if it names none, or several.
    pub fn select(&self, wanted: &str) -> Result<&Vpn, Unselected> {
        if wanted.trim().is_empty() {
            return Err(self.hidden().map_or_else(|| Unselected::Empty { names: self.names() }, Unselected::Hidden));
        }
        let id = VpnId::of_word(wanted);
        let of_id = |is: fn(&Vpn, &VpnId) -> bool, vpn: &Vpn| id.as_ref().is_some_and(|id| is(vpn, id));
        let found = meant(
            wanted,
            &self.vpns,
            &[
                &|vpn| vpn.has_connection(wanted),
                &|vpn| of_id(Vpn::is_of, vpn),
                &|vpn| of_id(Vpn::carries, vpn),
                &|vpn| vpn.is_called(wanted),
            ],
        );
        match found.as_slice() {
            [vpn] => match vpn.half_marked() {
                Some(half_marked) if of_id(Vpn::carries, vpn) && !vpn.has_connection(wanted) => {
                    Err(Unselected::HalfMarked { half_marked })
                }
                _ => Ok(vpn),
            },
            [] => Err(self.hidden().map_or_else(
                || Unselected::None { wanted: wanted.to_owned(), names: self.names() },
                Unselected::Hidden,
            )),
            several => Err(Unselected::Several {
                wanted: wanted.to_owned(),
                ids: several.iter().map(|vpn| vpn.handle()).collect(),
                vpns: several.iter().map(|vpn| vpn.distinction()).collect(),
            }),
        }
    }

    /// The same for a change: where a half is there twice, only a connection's own id names one.
    /// Errors: if it names none, or several, or a VPN of which a half is there twice.
    pub fn select_to_change(&self, wanted: &str) -> Result<&Vpn, Unselected> {
        let vpn = self.select(wanted)?;
        match vpn.doubled() {
            Some(doubled) if !vpn.has_connection(wanted) => Err(Unselected::Doubled { doubled }),
            _ => Ok(vpn),
        }
    }

    fn names(&self) -> Vec<String> {
        self.vpns.iter().map(|vpn| vpn.name.clone()).dedup().collect()
    }
}
