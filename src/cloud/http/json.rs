//! Reads the JSON of an answer. What does not fit is reported by the name of the field, and never by its value, which
//! may be a key.

use std::fmt;
use std::marker::PhantomData;

use reqwest::Url;
use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::Answer;
use crate::cloud::error::Error;

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The `marker` of the next page, if there is one.
    pub next: Option<String>,
}

/// The object the API wraps in `key` (`{"router": {…}}`).
///
/// An `Unexpected` error names the key and the field within it.
pub fn parse<T: DeserializeOwned>(answer: &Answer, key: &str) -> Result<T, Error> {
    let mut whole: Value = from_slice(answer)?;
    let inner =
        whole.get_mut(key).map(Value::take).ok_or_else(|| answer.unexpected(format!("The answer has no `{key}`.")))?;
    T::deserialize(&inner).map_err(|_| {
        answer.unexpected(format!("In the answer, {} is not as the API promises.", place::<T>(&inner, key)))
    })
}

/// A list the API wraps in `collection`, with its `collection_links`.
///
/// One object that does not fit fails the whole list, by name: a hole in a list of VPN services would make a second
/// service on a router look harmless.
pub fn parse_page<T: DeserializeOwned>(answer: &Answer, collection: &str) -> Result<Page<T>, Error> {
    let seed = Listing { collection, item: PhantomData };
    let mut reader = serde_json::Deserializer::from_slice(&answer.body);
    if let Ok(Some(page)) = seed.deserialize(&mut reader) {
        return Ok(page);
    }
    // Only to say what is wrong.
    let whole: Value = from_slice(answer)?;
    let Some(items) = whole.get(collection).and_then(Value::as_array) else {
        return Err(answer.unexpected(format!("The answer has no list `{collection}`.")));
    };
    let culprit = items.iter().enumerate().find(|(_, item)| T::deserialize(*item).is_err());
    let place = culprit.map_or_else(
        || format!("`{collection}_links`"),
        |(index, item)| place::<T>(item, &format!("{collection}[{index}]")),
    );
    Err(answer.unexpected(format!("In the answer, {place} is not as the API promises.")))
}

fn from_slice(answer: &Answer) -> Result<Value, Error> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let what = if error.is_eof() { "ends in the middle of its JSON" } else { "is not JSON" };
        answer.unexpected(format!("The answer {what}; it may come from something other than an OpenStack API."))
    })
}

/// Finds the field that keeps a value from being a `T`. Serde's own message would name it only when it is missing, and
/// quotes the value when it is not; so each field is left out in turn, to see which changes the complaint.
fn place<T: DeserializeOwned>(value: &Value, name: &str) -> String {
    let complaint = |value: &Value| T::deserialize(value).err().map(|error| error.to_string());
    let Some(object) = value.as_object() else { return format!("`{name}`") };
    let original = complaint(value).unwrap_or_default();
    if let Some(field) = original.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return format!("`{name}.{field}`, which is missing,");
    }
    for key in object.keys() {
        let mut without = object.clone();
        without.remove(key);
        if complaint(&Value::Object(without)).as_deref() != Some(&original) {
            return format!("`{name}.{}`", crate::cloud::printable::one_line(key, 60));
        }
    }
    format!("`{name}`")
}

/// Reads a list straight into its type: as `serde_json::Value`s, 10,000 subnets would take several times the memory.
struct Listing<'a, T> {
    collection: &'a str,
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Listing<'_, T> {
    type Value = Option<Page<T>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Listing<'_, T> {
    type Value = Option<Page<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.collection)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut items, mut next) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == self.collection {
                items = Some(map.next_value::<Vec<T>>()?);
            } else if key.strip_suffix("_links") == Some(self.collection) {
                next = map.next_value::<Vec<Link>>()?.iter().find_map(Link::marker);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(items.map(|items| Page { items, next }))
    }
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

impl Link {
    /// Behind a proxy the link often has the wrong scheme or host, so only its marker is used.
    fn marker(&self) -> Option<String> {
        let url = Url::parse("http://relative/").ok()?.join(&self.href).ok()?;
        let marker = url.query_pairs().find(|(key, _)| key == "marker")?.1.into_owned();
        (self.rel == "next").then_some(marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        id: String,
        up: bool,
    }

    fn answer(body: &str) -> Answer {
        Answer {
            label: "GET /v2.0/things".to_owned(),
            status: reqwest::StatusCode::OK,
            headers: reqwest::header::HeaderMap::default(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_marker_of_the_next_page_is_taken_and_its_host_is_not() {
        let body = r#"{"things_links": [{"rel": "previous", "href": "http://x/?marker=0"},
            {"rel": "next", "href": "http://inside.invalid:9696/v2.0/things?limit=1&marker=a%2Fb"}],
            "things": [{"id": "a", "up": true, "more": {}}], "other": 1}"#;
        let page: Page<Item> = parse_page(&answer(body), "things").unwrap();
        assert_eq!(page.items, [Item { id: "a".to_owned(), up: true }]);
        assert_eq!(page.next.as_deref(), Some("a/b"));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_reported_by_its_field_and_never_by_a_value() {
        let message = |body: &str| parse_page::<Item>(&answer(body), "things").unwrap_err().message;
        let wrong = message(r#"{"things": [{"id": "a", "up": true}, {"id": "b", "up": "hunter2"}]}"#);
        assert!(wrong.contains("`things[1].up`") && !wrong.contains("hunter2"), "{wrong}");
        assert!(message(r#"{"things": [{"up": true}]}"#).contains("`things[0].id`, which is missing"));
        assert!(message(r#"{"thing": []}"#).contains("no list `things`"));
        assert!(message(r#"{"things": [{"id""#).contains("ends in the middle"));
        assert!(message("<html>").contains("not JSON"));
        let one = parse::<Item>(&answer(r#"{"thing": {"id": 5, "up": true}}"#), "thing").unwrap_err().message;
        assert!(one.contains("`thing.id`"), "{one}");
    }
}
