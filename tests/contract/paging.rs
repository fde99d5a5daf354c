//! Pages, markers, filters, fields and sorting.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, NOBODY, Stage};

pub fn cases() -> Vec<Case> {
    vec![
        case("paging/VPN objects by pages of two", vpn_objects_by_pages_of_two),
        case("paging/core objects by pages of two", core_objects_by_pages_of_two),
        case("paging/pages backwards", pages_backwards),
        case("paging/odd limits and markers", odd_limits_and_markers),
        case("paging/filters", filters),
        case("paging/fields", fields),
        case("paging/sorting", sorting),
    ]
}

async fn vpn_objects_by_pages_of_two(s: Stage) {
    five(&s).await;
    follow(&s, "vpn/endpoint-groups", "limit=2&fields=id&fields=name").await;
    follow(&s, "vpn/endpoint-groups", "limit=5&fields=name&fields=id").await;
}

async fn core_objects_by_pages_of_two(s: Stage) {
    follow(&s, "subnets", "limit=2&fields=id&fields=name").await;
}

async fn pages_backwards(s: Stage) {
    let ids = five(&s).await;
    for marker in ["", &format!("&marker={}", ids[3]), &format!("&marker={}", ids[1])] {
        let path = format!("vpn/endpoint-groups?limit=2&fields=name{marker}&page_reverse=True");
        s.ask(Method::GET, A, &path, None).await;
    }
}

async fn odd_limits_and_markers(s: Stage) {
    five(&s).await;
    for query in ["limit=0&fields=name", "limit=-1", "limit=abc", "limit=100&fields=name"] {
        s.ask(Method::GET, A, &format!("vpn/endpoint-groups?{query}"), None).await;
    }
    let unknown = format!("limit=2&marker={NOBODY}&fields=name");
    s.ask(Method::GET, A, &format!("vpn/endpoint-groups?{unknown}"), None).await;
    let first = s.send_quietly(A, "subnets?limit=2&fields=name").await;
    let same = s.send_quietly(A, &format!("subnets?{unknown}")).await["subnets"] == first["subnets"];
    s.note(format!("an unknown marker among subnets: the first page: {same}"));
    // Without a limit there are no pages.
    let last = s.ground.id(A, "border-router");
    s.note(s.send_quietly(A, &format!("routers?marker={last}")).await["routers"].as_array().unwrap().len().to_string());
}

async fn filters(s: Stage) {
    five(&s).await;
    for query in ["name=group 2", "bogus=1", "type=cidr", "project_id=nobody", "bogus=1&other=2"] {
        s.ask(Method::GET, A, &format!("vpn/endpoint-groups?fields=name&{query}"), None).await;
    }
    s.service(A).await;
    for query in ["name=service", "name=nothing", "status=ACTIVE", "bogus=1"] {
        s.ask(Method::GET, A, &format!("vpn/vpnservices?fields=name&{query}"), None).await;
    }
}

async fn fields(s: Stage) {
    let service = s.service(A).await;
    let connection = s.sound(A, &service, "192.0.2.99", &["10.77.0.0/24"]).await;
    let made = s.make(A, "ipsec-site-connections", connection).await;
    let path = super::recorder::path("ipsec-site-connections", &made);
    s.ask(Method::GET, A, &format!("{path}?fields=id&fields=name"), None).await;
    s.ask(Method::GET, A, &format!("{path}?fields=psk"), None).await;
    s.ask(Method::GET, A, &format!("{path}?fields=bogus"), None).await;
    s.ask(Method::GET, A, "vpn/ipsec-site-connections?fields=id&fields=peer_id", None).await;
    s.ask(Method::GET, A, "vpn/ipsec-site-connections?fields=bogus", None).await;
}

async fn sorting(s: Stage) {
    for name in ["b", "a", "c"] {
        s.make(A, "ikepolicies", json!({"name": name, "auth_algorithm": "sha256"})).await;
    }
    for query in
        ["sort_key=name&sort_dir=asc", "sort_key=name&sort_dir=desc", "sort_key=name", "sort_key=pfs&sort_dir=asc"]
    {
        s.ask(Method::GET, A, &format!("vpn/ikepolicies?fields=name&{query}"), None).await;
    }
    s.ask(Method::GET, A, "vpn/endpoint-groups?sort_key=name&sort_dir=asc", None).await;
}

async fn five(s: &Stage) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..5 {
        let range = format!("10.{number}.0.0/16");
        let group = json!({"name": format!("group {number}"), "type": "cidr", "endpoints": [range]});
        ids.push(s.make(A, "endpoint-groups", group).await["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// Follows the links to the end. Which object stands on which page depends on chance (ids); how many do, and how the
/// links look, does not.
async fn follow(s: &Stage, collection: &str, query: &str) {
    let key = collection.trim_start_matches("vpn/").replace('-', "_");
    let (mut path, mut names) = (format!("{collection}?{query}"), Vec::new());
    for page in 1..9 {
        let body = s.send_quietly(A, &path).await;
        let items = body[&key].as_array().unwrap();
        names.extend(items.iter().map(|one| one["name"].to_string()));
        let mut links: Vec<String> = Vec::new();
        for link in body[format!("{key}_links")].as_array().into_iter().flatten() {
            let mut href = link["href"].as_str().unwrap().to_owned();
            for (index, item) in items.iter().enumerate() {
                href = href.replace(item["id"].as_str().unwrap(), &format!("<{index}>"));
            }
            // The order of what a dictionary holds is not promised.
            let (address, query) = href.split_once('?').unwrap();
            let mut query: Vec<&str> = query.split('&').collect();
            query.sort_unstable();
            links.push(format!("{} {address}?{}", link["rel"], query.join("&")));
        }
        s.note(format!("page {page}: {} objects", items.len()));
        for link in links {
            s.note(format!("  {link}"));
        }
        let next =
            body[format!("{key}_links")].as_array().into_iter().flatten().find(|link| link["rel"] == "next").cloned();
        let Some(Value::String(href)) = next.map(|mut link| link["href"].take()) else { break };
        href.split_once("/v2.0/").unwrap().1.clone_into(&mut path);
    }
    names.sort();
    names.dedup();
    s.note(names.join(" "));
}
