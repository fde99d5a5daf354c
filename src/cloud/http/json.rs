//! Reads the JSON of an answer. What does not fit is reported by the name of the field, and never by its value, which
//! may be a key.

use std::fmt;
use std::marker::PhantomData;

use reqwest::Url;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::Segment;

use super::Response;
use super::failure::title;
use crate::cloud::error::Error;
use crate::cloud::inventory::{Id, Unfit};
use crate::cloud::printable::one_line;

/// Of one object, in bytes. A group of 10,000 ranges has a quarter of it, and as `serde_json::Value`s it takes many times
/// as much memory.
const LARGEST_OBJECT: usize = 1 << 20;
/// How many objects are left out of one page before it is given up, and of how many of them it is said what is wrong.
const MOST_UNFIT: usize = 100;
const MOST_EXPLAINED: usize = 20;
/// The longest name of an object or field that is passed on, in characters.
const LONGEST_LABEL: usize = 60;
/// The longest list that is kept, all its pages together. No project has so many routers or subnets, and an object that
/// is ten bytes on the wire takes hundreds in memory.
pub(crate) const MOST_ITEMS: usize = 100_000;

/// What to say of a longer one.
pub fn endless(collection: &str) -> String {
    format!("The list `{collection}` has more than {MOST_ITEMS} objects, and may not end at all.")
}

#[derive(Debug)]
pub(crate) struct Page<T> {
    pub items: Vec<T>,
    /// The `marker` of the next page, if there is one.
    pub next: Option<String>,
}

/// The object the API wraps in `key` (`{"router": {…}}`).
///
/// An `Unexpected` error names the key and the field within it.
pub fn parse<T: DeserializeOwned>(answer: &Response, key: &str) -> Result<T, Error> {
    let inner = member(answer, key)?.ok_or_else(|| answer.unexpected(format!("The answer has no `{key}`.")))?;
    if inner.len() > LARGEST_OBJECT {
        return Err(answer.unexpected(format!("In the answer, `{key}` is longer than {LARGEST_OBJECT} bytes.")));
    }
    serde_json::from_str(inner).map_err(|_| answer.unexpected(format!("In the answer, {}.", place::<T>(inner, key))))
}

/// A list the API wraps in `collection`, with its `collection_links`.
///
/// One object that does not fit fails the whole list, by name: who looks for what a request has made must not overlook it.
pub(crate) fn parse_page<T: DeserializeOwned>(answer: &Response, collection: &str) -> Result<Page<T>, Error> {
    let seed = ListVisitor { collection, item: PhantomData };
    let mut reader = serde_json::Deserializer::from_slice(&answer.body);
    if let Ok(Some(page)) = seed.deserialize(&mut reader)
        && reader.end().is_ok()
    {
        return Ok(page);
    }
    // Only to say what is wrong.
    let list = member(answer, collection)?;
    let unfit = list
        .and_then(|list| serde_json::Deserializer::from_str(list).deserialize_seq(FirstUnfit::<T>(PhantomData)).ok());
    let place = match unfit {
        None => return Err(answer.unexpected(format!("The answer has no list `{collection}`."))),
        Some((_, Some((index, item)))) => place::<T>(item.get(), &format!("{collection}[{index}]")),
        Some((count, None)) if count > MOST_ITEMS => return Err(answer.unexpected(endless(collection))),
        Some((_, None)) => format!("`{collection}_links` {MISMATCH}"),
    };
    Err(answer.unexpected(format!("In the answer, {place}.")))
}

/// The same, but an object that does not fit costs itself alone: it is left out and named.
pub(crate) fn parse_page_of_fit<T: DeserializeOwned>(
    answer: &Response,
    collection: &'static str,
) -> Result<(Page<T>, Vec<Unfit>), Error> {
    let error = match parse_page(answer, collection) {
        Ok(page) => return Ok((page, Vec::new())),
        Err(error) => error,
    };
    let all: Page<IgnoredAny> = parse_page(answer, collection).map_err(|_| error.clone())?;
    let list = member(answer, collection)?.ok_or_else(|| error.clone())?;
    let raw: Vec<&RawValue> = serde_json::from_str(list).map_err(|_| error.clone())?;
    let (mut items, mut unfit) = (Vec::new(), Vec::new());
    for item in raw {
        match serde_json::from_str(item.get()) {
            Ok(item) => items.push(item),
            // It is no list of what was asked for.
            Err(_) if unfit.len() == MOST_UNFIT => return Err(error),
            Err(_) => unfit.push(name_unfit::<T>(item.get(), collection, unfit.len() < MOST_EXPLAINED)),
        }
    }
    Ok((Page { items, next: all.next }, unfit))
}

fn name_unfit<T: DeserializeOwned>(item: &str, collection: &'static str, is_explained: bool) -> Unfit {
    #[derive(Default, Deserialize)]
    struct Label {
        #[serde(default)]
        id: Value,
        #[serde(default)]
        name: Value,
    }
    let Label { id, name } = serde_json::from_str(item).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(|text| one_line(text, LONGEST_LABEL)).filter(|text| !text.is_empty());
    let why = if is_explained { field::<T>(item) } else { None };
    Unfit {
        collection,
        name: text(&name).unwrap_or_default(),
        id: text(&id).map(Id::new),
        why: why.map_or_else(|| format!("something {MISMATCH}"), |(field, what)| format!("`{field}` {what}")),
    }
}

/// What stands under one key, as it was sent. None if the answer is no object, or has no such key.
fn member<'a>(answer: &'a Response, key: &str) -> Result<Option<&'a str>, Error> {
    let mut reader = serde_json::Deserializer::from_slice(&answer.body);
    match Member(key).deserialize(&mut reader).and_then(|found| reader.end().map(|()| found)) {
        Ok(found) => Ok(found.map(RawValue::get)),
        Err(_) => well_formed(answer).map(|()| None),
    }
}

/// Whether the answer is JSON at all. Nothing of it is kept, however deep it is.
fn well_formed(answer: &Response) -> Result<(), Error> {
    let what = match serde_json::from_slice::<IgnoredAny>(&answer.body) {
        // What is passed over is not decoded.
        Ok(_) if str::from_utf8(&answer.body).is_ok() => return Ok(()),
        Err(error) if error.is_eof() => "ends in the middle of its JSON",
        _ => "is not JSON",
    };
    let title = title(answer).map(|title| format!(" ({title})")).unwrap_or_default();
    Err(answer.unexpected(format!("The answer {what}{title}; it may come from something other than an OpenStack API.")))
}

fn place<T: DeserializeOwned>(text: &str, name: &str) -> String {
    match field::<T>(text) {
        Some((field, what)) => format!("`{name}.{field}` {what}"),
        None => format!("`{name}` {MISMATCH}"),
    }
}

/// What is wrong with a value, which is never quoted.
const MISMATCH: &str = "does not match the API";

/// The field that keeps a text from being a `T`, and what is wrong with it.
fn field<T: DeserializeOwned>(text: &str) -> Option<(String, &'static str)> {
    let error = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_str(text)).err()?;
    // Serde's own message names a field when it is missing, and quotes the value when it is not.
    let message = error.inner().to_string();
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return Some((one_line(field, LONGEST_LABEL), "is missing"));
    }
    match error.path().iter().next() {
        Some(Segment::Map { key }) => Some((one_line(key, LONGEST_LABEL), MISMATCH)),
        _ => None,
    }
}

/// Keeps what stands under one key as it was sent, and passes the rest over.
struct Member<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Counts a list and finds its first item that is no `T`. None of them is kept.
struct FirstUnfit<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for FirstUnfit<T> {
    type Value = (usize, Option<(usize, &'de RawValue)>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut index) = (None, 0);
        while let Some(item) = list.next_element::<&RawValue>()? {
            if found.is_none() && serde_json::from_str::<T>(item.get()).is_err() {
                found = Some((index, item));
            }
            index += 1;
        }
        Ok((index, found))
    }
}

/// Reads a list straight into its type: as `serde_json::Value`s, 10,000 subnets would take several times the memory.
struct ListVisitor<'a, T> {
    collection: &'a str,
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for ListVisitor<'_, T> {
    type Value = Option<Page<T>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for ListVisitor<'_, T> {
    type Value = Option<Page<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.collection)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut items, mut next) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == self.collection {
                items = Some(map.next_value_seed(Items(self.item))?);
            } else if key.strip_suffix("_links") == Some(self.collection) {
                next = map.next_value::<Vec<Link>>()?.iter().find_map(Link::marker);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(items.map(|items| Page { items, next }))
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Items<T> {
    type Value = Vec<T>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == MOST_ITEMS {
                return Err(serde::de::Error::custom("too many"));
            }
            items.push(item);
        }
        Ok(items)
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

    fn answer(body: &str) -> Response {
        Response {
            label: "GET /v2.0/things".to_owned(),
            place: String::new(),
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
    fn one_object_that_does_not_fit_costs_itself_and_is_named() {
        let body = r#"{"things": [{"id": "a", "up": true}, {"id": "b", "name": "office", "up": "hunter2"}, {"up": true}, 7],
            "things_links": [{"rel": "next", "href": "http://x/?marker=b"}]}"#;
        let (page, unfit) = parse_page_of_fit::<Item>(&answer(body), "things").unwrap();
        assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("b")));
        let told: Vec<String> = unfit.iter().map(ToString::to_string).collect();
        let expected = [
            "things: office (b), where `up` does not match the API",
            "things: an object without a name, where `id` is missing",
            "things: an object without a name, where something does not match the API",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_answer_that_does_not_fit_is_reported_by_its_field_and_never_by_a_value() {
        let message = |body: &str| parse_page::<Item>(&answer(body), "things").unwrap_err().message;
        let wrong = message(r#"{"things": [{"id": "a", "up": true}, {"id": "b", "up": "hunter2"}]}"#);
        assert!(wrong.contains("`things[1].up`") && !wrong.contains("hunter2"), "{wrong}");
        assert!(message(r#"{"things": [{"up": true}]}"#).contains("`things[0].id` is missing"));
        assert!(message(r#"{"thing": []}"#).contains("no list `things`"));
        assert!(message(r#"{"things": [{"id""#).contains("ends in the middle"));
        assert!(message("<html>").contains("not JSON"));
        let one = parse::<Item>(&answer(r#"{"thing": {"id": 5, "up": true}}"#), "thing").unwrap_err().message;
        assert!(one.contains("`thing.id`"), "{one}");
    }
}
