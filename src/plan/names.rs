//! Names and marks: what the objects of a VPN are called, and how they are known as ours.

use std::fmt;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

use crate::cloud::vpnaas::leading_word;
use crate::cloud::{Kind, printable};

/// One region's side of a VPN. An external peer is not a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Half {
    A,
    B,
}

impl Half {
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// The short random id of one VPN, the same in every mark of its objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VpnId(String);

impl VpnId {
    /// A new one: eight hexadecimal digits.
    pub fn random() -> Self {
        Self(format!("{:08x}", rand::random::<u32>()))
    }

    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The VPN and the half a mark tells of; none if the text is no mark.
    pub(crate) fn of_mark(text: &str) -> Option<(Self, Half)> {
        let (id, half) = text.strip_prefix("osvpn:")?.split_once(':')?;
        let half = [Half::A, Half::B].into_iter().find(|candidate| candidate.to_string() == half)?;
        Self::try_from(id.to_owned()).ok().map(|id| (id, half))
    }

    /// The id in a person's word: that alone, behind `osvpn:`, or in a whole mark. A name may look like one.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let marked = Self::of_mark(word).map(|(id, _)| id);
        marked.or_else(|| Self::try_from(word.strip_prefix("osvpn:").unwrap_or(word).to_owned()).ok())
    }

    /// The VPN and the half an object is of, by its description: that is the marker, or begins with it.
    pub(crate) fn of_description(description: &str) -> Option<(Self, Half)> {
        Self::of_mark(leading_word(description))
    }

    /// The description every object of that half carries: `osvpn:<vpn-id>:<half>`.
    pub fn mark(&self, half: Half) -> String {
        format!("osvpn:{self}:{half}")
    }
}

impl TryFrom<String> for VpnId {
    type Error = &'static str;

    /// It stands in marks, in names of files, and in commands to be copied.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_id = !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric());
        is_id.then_some(Self(text)).ok_or("an id of a VPN is letters and digits")
    }
}

impl From<VpnId> for String {
    fn from(id: VpnId) -> Self {
        id.0
    }
}

impl fmt::Display for VpnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person's word means: those that answer to it in the first of these ways in which any does. A whole id stands
/// before a name, because anybody can give something the name that is another's id; and an empty word means nothing.
pub fn meant<T>(word: &str, all: impl IntoIterator<Item = T>, ways: &[&dyn Fn(&T) -> bool]) -> Vec<T> {
    let mut answering: Vec<Vec<T>> = ways.iter().map(|_| Vec::new()).collect();
    let named = (!word.trim().is_empty()).then_some(all).into_iter().flatten();
    for one in named {
        if let Some(way) = ways.iter().position(|way| way(&one)) {
            answering[way].push(one);
        }
    }
    answering.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// The user's name for a VPN; every object's name starts with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VpnName(String);

/// The longest name whose longest object name still fits Neutron's 255 characters.
pub(crate) const LONGEST_NAME: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    #[error("a name is needed")]
    Empty,
    /// Longer than [`LONGEST_NAME`].
    #[error("at most {LONGEST_NAME} characters; Neutron's names end at 255")]
    TooLong,
    /// Control characters, which Neutron refuses since 2026.2, and what does not show.
    #[error("no control characters and no invisible ones")]
    Control,
}

/// What a VPN is called that was made by the guide's script: as its connections are.
const GUIDES: &str = "vpn_site_connection";

impl VpnName {
    /// Takes a name; spaces around it are dropped, as Neutron refuses them since 2026.2.
    pub fn parse(text: &str) -> Result<Self, NameProblem> {
        let text = text.trim();
        if text.is_empty() {
            Err(NameProblem::Empty)
        } else if text.chars().count() > LONGEST_NAME {
            Err(NameProblem::TooLong)
        } else if printable(text) != text {
            Err(NameProblem::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name a VPN has if one of its objects has that name.
    pub(crate) fn from_object(name: &str, object: &str) -> Option<Self> {
        if name == object {
            return Some(Self(GUIDES.to_owned()));
        }
        Self::parse(name.strip_suffix(object)?.strip_suffix('_')?).ok()
    }

    /// Whether an object of that kind has a name as this program gives it: the name of a VPN and what the object is.
    pub(crate) fn is_given(kind: Kind, name: &str) -> bool {
        let objects: &[&str] = match kind {
            Kind::VpnService => &["vpn_service"],
            Kind::IkePolicy => &["ike_policy"],
            Kind::IpsecPolicy => &["ipsec_policy"],
            Kind::EndpointGroup => &["local_endpoint_group", "peer_endpoint_group"],
            Kind::SiteConnection => &["vpn_site_connection"],
        };
        objects.iter().any(|object| Self::from_object(name, object).is_some())
    }

    /// The name of one of its objects: the guide's name behind the VPN's own (`hlz-por_ike_policy`), or that alone where
    /// the VPN has none but the guide's.
    pub fn of(&self, object: &str) -> String {
        if self.0 == GUIDES { object.to_owned() } else { format!("{}_{object}", self.0) }
    }
}

impl fmt::Display for VpnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a VPN is called if nothing else is known of it.
impl From<&VpnId> for VpnName {
    fn from(id: &VpnId) -> Self {
        Self(id.0.clone())
    }
}

impl TryFrom<String> for VpnName {
    type Error = NameProblem;

    fn try_from(text: String) -> Result<Self, NameProblem> {
        Self::parse(&text)
    }
}

impl From<VpnName> for String {
    fn from(name: VpnName) -> Self {
        name.0
    }
}

/// A name for a VPN between those places that no existing object starts with: `hlz-por`, `hlz-por-2`, …
pub fn suggest(places: &[&str], taken: &[&str]) -> String {
    let base = places.iter().map(|place| short_place(place)).join("-");
    let base = if base.is_empty() { "vpn".to_owned() } else { base };
    let numbered = |number: usize| if number == 1 { base.clone() } else { format!("{base}-{number}") };
    let free = |name: &String| !taken.iter().any(|existing| existing.starts_with(&format!("{name}_")));
    // One more candidate than there are names, so one is free.
    (1..=taken.len() + 1).map(numbered).find(free).unwrap_or(base)
}

/// The part of a region code that tells it from its neighbours: `nz-hlz-1` is `hlz`.
fn short_place(code: &str) -> &str {
    let parts: Vec<&str> = code.split(['-', '_']).collect();
    match parts.as_slice() {
        [country, place, number] if country.len() <= 3 && number.chars().all(|c| c.is_ascii_digit()) => place,
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_vpn_leads_nowhere_else() {
        for text in ["../../etc/x", "", "a b", "$(x)", "a\u{1b}b"] {
            assert!(serde_json::from_value::<VpnId>(text.into()).is_err(), "{text:?}");
        }
        assert_eq!(VpnId::of_mark("osvpn:0badcafe:B"), Some((VpnId::new("0badcafe"), Half::B)));
        assert_eq!(VpnId::of_mark("osvpn:a/b:B"), None);
    }

    #[test]
    fn a_marker_is_the_whole_description_or_its_beginning() {
        let marked = Some((VpnId::new("0badcafe"), Half::A));
        for description in ["osvpn:0badcafe:A", "osvpn:0badcafe:A osvpn-change:1f2e3d4c:3", "osvpn:0badcafe:A\nmine"] {
            assert_eq!(VpnId::of_description(description), marked, "{description:?}");
        }
        for description in
            ["", "copied from osvpn:0badcafe:A", " osvpn:0badcafe:A", "osvpn:0badcafe:A, mine", "osvpn:0badcafe"]
        {
            assert_eq!(VpnId::of_description(description), None, "{description:?}");
        }
    }
}
