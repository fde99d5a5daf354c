//! Readable names of regions: from `assets/regions.toml`, else the region's own description, else none.

use std::collections::BTreeMap;

use crate::cloud::RegionId;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    built_in: BTreeMap<String, String>,
    described: BTreeMap<RegionId, String>,
}

impl Labels {
    /// The names built into the program.
    /// Errors: only if `assets/regions.toml` was broken when the program was built.
    pub fn built_in() -> Result<Self, toml::de::Error> {
        Ok(Self { built_in: toml::from_str(include_str!("../../assets/regions.toml"))?, described: BTreeMap::new() })
    }

    /// Takes the descriptions Keystone has of its regions; empty ones do not count.
    pub(crate) fn describe(&mut self, descriptions: impl IntoIterator<Item = (RegionId, String)>) {
        self.described.extend(descriptions.into_iter().filter(|(_, text)| !text.trim().is_empty()));
    }

    /// The readable name alone; the code where there is none.
    pub fn name(&self, region: &RegionId) -> String {
        let built_in = self.built_in.get(region.as_str());
        built_in.or_else(|| self.described.get(region)).cloned().unwrap_or_else(|| region.to_string())
    }

    /// The readable name with the code beside it: `Hamilton (nz-hlz-1)`.
    pub fn full(&self, region: &RegionId) -> String {
        let name = self.name(region);
        if name == region.as_str() { name } else { format!("{name} ({region})") }
    }
}
