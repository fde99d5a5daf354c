//! Lists and single objects: visibility, filters, `fields`, sorting and pages, for every collection alike.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::access::{is_visible, shows, validates_filters};
use super::answer::{Answer, bad_request, neutron, no_such_path};
use super::attributes;
use super::call::{Call, encode};
use super::identity::Caller;
use super::object::{Collection, StoredObject, text};
use super::world::{RegionWorld, World};

/// Query parameters that are no filters.
const CONTROLS: [&str; 6] = ["fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"];

/// `GET` of one object.
pub(super) fn show(
    world: &World,
    at: usize,
    caller: &Caller,
    (kind, id): (Collection, &str),
    call: &Call,
) -> Result<Answer, Answer> {
    let found = world.regions[at].get(kind, id).filter(|object| is_visible(object, caller));
    let object = found.ok_or_else(|| kind.not_found(id))?;
    if !shows(kind, caller, world.settings.release) {
        return Err(no_such_path());
    }
    Ok(Answer::json(
        200,
        &json!({ kind.singular(): with_fields(&whole(&world.regions[at], kind, object, false), &call.values("fields")) }),
    ))
}

/// `GET` of a collection.
pub(super) fn list(world: &World, at: usize, caller: &Caller, kind: Collection, call: &Call) -> Result<Answer, Answer> {
    let region = &world.regions[at];
    let filters = filters(world, region, kind, call)?;
    let limit = page_size(world.settings.page_limit, call)?;
    let sorting = sorting(kind, call)?;
    let shown = shows(kind, caller, world.settings.release);
    let mut found: Vec<&StoredObject> = region
        .all(kind)
        .iter()
        .filter(|object| shown && is_visible(object, caller) && filters.iter().all(|filter| filter.accepts(object)))
        .collect();
    // Core collections are paged by the database, in the order of their ids; VPN objects are listed as they were made.
    if !kind.is_vpn() {
        found.sort_by_key(|object| text(object, "id"));
    }
    if let Some((key, descending)) = sorting {
        found.sort_by(|a, b| text(a, key).cmp(text(b, key)));
        if descending {
            found.reverse();
        }
    }
    let reverse = reverse(call);
    // Without a limit there are no pages, and a marker means nothing.
    if let Some(limit) = limit {
        let marker = call.values("marker").first().copied().unwrap_or_default();
        let start = if reverse { found.len() } else { 0 };
        let at = match found.iter().position(|object| text(object, "id") == marker) {
            Some(position) => position + usize::from(!reverse),
            // VPN objects are paged after they were read, and then nothing follows an unknown marker.
            None if kind.is_vpn() && !marker.is_empty() => {
                found.clear();
                0
            }
            None => start,
        };
        found = if reverse { found[at.saturating_sub(limit)..at].to_vec() } else { found.split_off(at) };
        found.truncate(limit);
    }
    let fields = call.values("fields");
    let items: Vec<_> = found.iter().map(|object| with_fields(&whole(region, kind, object, true), &fields)).collect();
    let mut body = json!({ kind.plural(): items });
    if let Some(limit) = limit {
        let base = world.settings.links_base.as_deref().unwrap_or(&world.base);
        let full = found.len() >= limit;
        let link = |rel: &str, marker: Option<&&StoredObject>| {
            let query = page_query(call, marker.map(|object| text(object, "id")), rel == "previous");
            json!({"rel": rel, "href": format!("{base}{}?{query}", call.path)})
        };
        // Where a page is not full, the list ends in the direction it was read in. A full page is taken to be followed
        // by another, even when nothing is left behind it.
        let ends = [("next", full || reverse, found.last()), ("previous", full || !reverse, found.first())];
        let links = ends.iter().filter(|(_, goes_on, _)| *goes_on).map(|(rel, _, marker)| link(rel, *marker));
        body[format!("{}_links", kind.plural())] = links.collect();
    }
    Ok(Answer::json(200, &body))
}

struct Filter<'a> {
    key: &'a str,
    values: Vec<&'a str>,
}

impl Filter<'_> {
    fn accepts(&self, object: &StoredObject) -> bool {
        if self.key == "fixed_ips" {
            return self.stands_at(object);
        }
        let equals = |wanted: &&str| match (object.get(self.key), self.key) {
            (Some(Value::Array(groups)), "security_groups") => groups.iter().any(|group| group == wanted),
            (Some(Value::Bool(value)), _) => {
                wanted.to_lowercase() == value.to_string() || **wanted == u8::from(*value).to_string()
            }
            (Some(Value::String(value)), "protocol") => *value == wanted.to_lowercase(),
            (Some(Value::String(value)), _) => value == wanted,
            (Some(Value::Number(value)), _) => value.to_string() == **wanted,
            (Some(Value::Null) | None, _) => false,
            // Lists cannot be compared with a filter and are passed over, as the database layer does.
            (Some(_), _) => true,
        };
        self.values.iter().any(equals)
    }

    /// Whether a port has an address with each of the keys asked for, where one key may be given several values.
    fn stands_at(&self, port: &StoredObject) -> bool {
        let ips = port.get("fixed_ips").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let pairs: Vec<_> = self.values.iter().filter_map(|value| value.split_once('=')).collect();
        let has = |key: &str| pairs.iter().any(|(k, value)| *k == key && ips.iter().any(|ip| ip[*k] == *value));
        pairs.iter().all(|(key, _)| has(key))
    }
}

/// The filters of a query. Unknown ones are refused where the region has filter validation, and ignored elsewhere.
fn filters<'a>(
    world: &World,
    region: &RegionWorld,
    kind: Collection,
    call: &'a Call,
) -> Result<Vec<Filter<'a>>, Answer> {
    let mut filters: Vec<Filter> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (key, value) in call.query.iter().filter(|(key, _)| !CONTROLS.contains(&key.as_str())) {
        let known = if kind.is_vpn() {
            attributes::of(kind).iter().any(|attribute| attribute.filter && attribute.name == key)
        } else {
            attributes::core_filters(kind).contains(&key.as_str())
        };
        // The column behind an endpoint group's type has another name, so the filter has no effect.
        let effective = !(kind == Collection::EndpointGroup && key == "type");
        match filters.iter_mut().find(|filter| filter.key == key) {
            Some(filter) => filter.values.push(value),
            None if known && effective => filters.push(Filter { key, values: vec![value] }),
            None if !known && !unknown.contains(&key.as_str()) => unknown.push(key),
            None => {}
        }
    }
    if unknown.is_empty() || !validates_filters(world, region) {
        return Ok(filters);
    }
    Err(bad_request(&format!("['{}'] is invalid attribute for filtering", unknown.join("', '"))))
}

fn page_size(maximum: Option<usize>, call: &Call) -> Result<Option<usize>, Answer> {
    let limits = call.values("limit");
    let mut asked = None;
    if let Some(text) = limits.first() {
        let message = format!("Bad limit request: Limit must be an integer 0 or greater and not '{text}'.");
        let limit = text.parse::<usize>().map_err(|_| neutron(400, "BadRequest", &message))?;
        asked = Some(limit).filter(|limit| *limit > 0);
    }
    Ok(match (asked, maximum) {
        (Some(asked), Some(maximum)) => Some(asked.min(maximum)),
        (asked, maximum) => asked.or(maximum),
    })
}

/// The first sort key and whether it is descending; further keys are not simulated.
fn sorting(kind: Collection, call: &Call) -> Result<Option<(&str, bool)>, Answer> {
    let (keys, directions) = (call.values("sort_key"), call.values("sort_dir"));
    if keys.len() != directions.len() {
        return Err(bad_request("The number of sort_keys and sort_dirs must be same"));
    }
    let allowed: &[&str] = match kind {
        Collection::EndpointGroup => &[],
        Collection::VpnService => &["id", "name", "tenant_id", "project_id", "router_id"],
        _ => &["id", "name", "tenant_id", "project_id"],
    };
    if let Some(key) = keys.iter().find(|key| !allowed.contains(key)) {
        return Err(bad_request(&format!("['{key}'] is invalid attribute for sort_keys")));
    }
    Ok(keys.first().zip(directions.first()).map(|(key, direction)| (*key, *direction == "desc")))
}

/// An object as it is shown: a security group with its rules, which show more there than by themselves, but in a list do
/// not know that they are of the default group.
fn whole<'a>(region: &RegionWorld, kind: Collection, object: &'a StoredObject, in_list: bool) -> Cow<'a, StoredObject> {
    if kind != Collection::SecurityGroup {
        return Cow::Borrowed(object);
    }
    let rules = region.referring(Collection::SecurityGroupRule, "security_group_id", text(object, "id"));
    let rule = |(number, rule): (usize, &StoredObject)| {
        let mut rule = rule.clone();
        rule.insert("standard_attr_id".to_owned(), Value::from(number));
        rule.insert("tags".to_owned(), json!([]));
        if in_list {
            rule.insert("belongs_to_default_sg".to_owned(), Value::Null);
        }
        rule
    };
    let rules: Vec<_> = rules.enumerate().map(rule).collect();
    let mut object = object.clone();
    object.insert("security_group_rules".to_owned(), json!(rules));
    Cow::Owned(object)
}

fn with_fields(object: &StoredObject, fields: &[&str]) -> Value {
    let wanted = |key: &str| fields.is_empty() || fields.iter().all(|field| field.is_empty()) || fields.contains(&key);
    Value::Object(
        object.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
    )
}

/// Whether a page is read backwards, from its marker to the front.
fn reverse(call: &Call) -> bool {
    call.values("page_reverse").first().is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The query of a page link: what was asked, in its order, with the marker last.
fn page_query(call: &Call, marker: Option<&str>, backwards: bool) -> String {
    let kept = call.query.iter().filter(|(key, _)| !matches!(key.as_str(), "marker" | "page_reverse"));
    let kept = kept.map(|(key, value)| (key.as_str(), value.as_str()));
    let added = marker.map(|id| ("marker", id)).into_iter().chain(backwards.then_some(("page_reverse", "True")));
    let pairs: Vec<_> = kept.chain(added).map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    pairs.join("&")
}
