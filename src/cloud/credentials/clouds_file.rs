//! The text of a clouds.yaml, secure.yaml or clouds-public.yaml: which clouds it has, and the settings of one of them.
//!
//! Of all others nothing but the name is read: a file may describe clouds of other programs, whose settings mean nothing
//! here and must not stand in the way.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::settings::Settings;

/// The section a file's own clouds stand in.
pub const CLOUDS: &str = "clouds";
/// The section a clouds-public.yaml keeps its profiles in.
pub(crate) const PROFILES: &str = "public-clouds";

/// The names of the clouds of a file, sorted.
pub fn names(text: &str) -> Result<Vec<String>, serde_saphyr::Error> {
    #[expect(clippy::zero_sized_map_values, reason = "the values are there, and have to be passed over")]
    #[derive(Deserialize)]
    struct Sections {
        #[serde(default)]
        clouds: Option<BTreeMap<String, IgnoredAny>>,
    }
    if is_empty(text) {
        return Ok(Vec::new());
    }
    let sections: Sections = serde_saphyr::from_str_with_options(text, options())?;
    Ok(sections.clouds.unwrap_or_default().into_keys().collect())
}

/// The settings of one entry of a section. None if there is no such entry, or nothing in it.
pub fn entry(text: &str, section: &str, name: &str) -> Result<Option<Settings>, serde_saphyr::Error> {
    if is_empty(text) {
        return Ok(None);
    }
    at(text, &[PathStep::Key(section), PathStep::Key(name)])
}

/// The values an entry has for one of its regions, by the place of that region in the list.
pub fn region(text: &str, section: &str, name: &str, index: usize) -> Result<Option<Settings>, serde_saphyr::Error> {
    at(
        text,
        &[
            PathStep::Key(section),
            PathStep::Key(name),
            PathStep::Key("regions"),
            PathStep::Index(index),
            PathStep::Key("values"),
        ],
    )
}

fn at(text: &str, path: &[PathStep<'_>]) -> Result<Option<Settings>, serde_saphyr::Error> {
    serde_saphyr::with_deserializer_from_str_with_options(text, options(), |file| At(path).deserialize(file))
}

/// `serde_saphyr` reads an empty document as an error; to openstacksdk it is a file without clouds.
fn is_empty(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        with_snippet: false,
        // PyYAML takes the last of two equal keys.
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
    }
}

#[derive(Clone, Copy)]
enum PathStep<'a> {
    Key(&'a str),
    Index(usize),
}

/// Follows these steps down to settings, past all that stands beside them.
struct At<'a>(&'a [PathStep<'a>]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<Settings>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() { Option::deserialize(deserializer) } else { deserializer.deserialize_option(self) }
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<Settings>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of clouds")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0.first() {
            Some(PathStep::Index(_)) => deserializer.deserialize_seq(self),
            _ => deserializer.deserialize_map(self),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Some((PathStep::Index(wanted), below)) = self.0.split_first() else { return Ok(None) };
        let mut found = None;
        for index in 0.. {
            let more = if index == *wanted {
                list.next_element_seed(At(below))?.map(|settings| found = settings)
            } else {
                list.next_element::<IgnoredAny>()?.map(drop)
            };
            if more.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            match self.0.split_first() {
                Some((PathStep::Key(wanted), below)) if key == *wanted => found = map.next_value_seed(At(below))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}
