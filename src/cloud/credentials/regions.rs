//! The list `regions` of a cloud, whose entries may have values of their own: openstacksdk lays those of the region that is
//! used over the cloud.

use itertools::Itertools;

use super::clouds_yaml::Layer;
use super::find_error::FindError;
use super::settings::{ListedRegion, Settings};
use super::sources::Sources;
use crate::cloud::printable::printable;

/// The layers on top of each other, and above them the values of the region that is used: the one named, else the first.
pub(crate) fn merged(layers: &[Layer], sources: &Sources, warnings: &mut Vec<String>) -> Result<Settings, FindError> {
    let mut settings = Settings::default();
    for layer in layers {
        settings.overlay(layer.settings.clone());
    }
    if let Some(region) = sources.var("OS_REGION_NAME") {
        settings.prefer_variable("OS_REGION_NAME", region);
    }
    let Some(layer) = layers.iter().rev().find(|layer| !layer.settings.regions().is_empty()) else {
        return Ok(settings);
    };
    let listed = layer.settings.regions();
    let named = settings.get("region_name").map(str::to_owned);
    let used = named.as_deref().map_or(Some(0), |name| listed.iter().position(|region| region.name == name));
    for (index, region) in listed.iter().enumerate().filter(|(index, region)| region.has_values && used != Some(*index))
    {
        // Faults in the values of a region that is not used do not matter.
        let values = layer.region(index).ok().flatten();
        let address = values.as_ref().and_then(|values| values.setting("network_endpoint_override")).cloned();
        settings.elsewhere.extend(address.map(|address| (region.name.clone(), address)));
    }
    let had_address = settings.get("auth_url").is_some();
    match used {
        Some(index) if listed[index].has_values => {
            let values = layer.region(index)?.unwrap_or_default();
            settings.overlay(values);
            if let Some(name) = &named {
                // The one that was chosen stays, whatever its values say.
                settings.prefer_variable("OS_REGION_NAME", name);
            }
        }
        None if listed.iter().any(|region| region.has_values) => {
            let name = printable(named.as_deref().unwrap_or_default());
            let text = format!(
                "Region {name} is not among the `regions` of this cloud ({}), so the values of no region are used.",
                names(listed)
            );
            settings.left_out.get_or_insert_with(|| text.clone());
            warnings.push(text);
        }
        Some(_) | None => {}
    }
    if !had_address && named.is_none() && settings.get("auth_url").is_some() && listed.len() > 1 {
        let text = format!(
            "The auth_url is given for each region, and that of {} is used; choose another with OS_REGION_NAME ({}).",
            printable(&listed[0].name),
            names(listed)
        );
        warnings.push(text);
    }
    Ok(settings)
}

fn names(listed: &[ListedRegion]) -> String {
    listed.iter().map(|region| printable(&region.name)).join(", ")
}
