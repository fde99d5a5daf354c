//! Reads what a region holds.
//!
//! Every list is asked for with `fields=`, so that little crosses the wire and the pre-shared keys, which Neutron puts in
//! the clear into each IPsec site connection, never do. No VPN list is filtered by the server: from 2026.2 on any filter
//! that is not a declared one is refused with 400, and before that an unknown one was ignored without a word.
//!
//! An object that does not fit is left out of what is shown, and named ([`Unfit`]): the rest of its region is as good as
//! ever. Where VPN services of a region are left out, nothing is created there, because the one on a router that goes unseen
//! would be displaced; and who looks for what a request has made reads the whole list or nothing.

mod by;
mod named;
mod survey;
pub(super) mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

pub use self::by::By;
pub(super) use self::by::batches;
pub use self::survey::{OtherSubnets, VpnLists};
use self::wire::vpn::{WireConnection, WireGroup, WireService};
use self::wire::{Owned, Wire};
use self::wire::{QuotaDetail, WireExtension, WireNetwork, WireRouter, WireSubnet};
use super::error::{Error, ErrorKind};
use super::http::{MOST_ITEMS, Page, Response, endless, parse_page, parse_page_of_fit};
use super::inventory::{
    Detail, EndpointGroup, Extensions, Id, Inventory, Quota, Router, SiteConnection, Subnet, Unfit, VpnService,
};
use super::keystone::Region;
use super::request::Kind;
use super::retry;

/// How many objects a page has at most. Where a cloud sets no maximum, the ports of thousands of subnets in one answer would
/// take it longer than any request may.
const PAGE: &str = "500";

/// More pages than this means a server that never ends its list.
const MOST_PAGES: usize = 10_000;

impl Region {
    /// What discovery needs, in five requests at once: no router's interfaces, which [`Self::interfaces`] reads. A region
    /// without `VPNaaS` simply has no VPN objects.
    pub async fn inventory(&self) -> Result<Inventory, Error> {
        self.inventory_in_parts(|_| ()).await
    }

    /// As [`Self::inventory`]; if the subnets take long, `tell` gets the rest first.
    pub async fn inventory_in_parts(&self, tell: impl FnOnce(&Inventory) + Send) -> Result<Inventory, Error> {
        let has_subnets = AtomicBool::new(false);
        // A server that works at one request at a time has those first that the user needs first.
        let (read, routers_read) = oneshot::channel::<()>();
        let routers = async {
            let routers = self.router_list().await;
            drop(read);
            routers
        };
        let subnets = async {
            // Those of other projects may be shared, and a router of this one stand on them.
            let turn = async {
                let _ = routers_read.await;
            };
            let subnets = self.fit_after(&["subnets"], "subnets", WireSubnet::FIELDS, &[], turn).await;
            has_subnets.store(true, Ordering::Relaxed);
            subnets
        };
        let rest = async {
            let (extensions, routers, services, connections) = tokio::join!(
                self.extensions(),
                routers,
                self.fit_vpn::<WireService>(Kind::VpnService),
                self.fit_vpn::<WireConnection>(Kind::SiteConnection),
            );
            let (extensions, mut unfit) = (extensions?, Vec::new());
            let routers = self.own(routers?.and(&mut unfit)).into_iter().map(WireRouter::into_router).collect();
            let none = (Vec::new(), Vec::new());
            let inventory = self.inventory_from(extensions, services, connections, routers, none, unfit)?;
            if !has_subnets.load(Ordering::Relaxed) {
                tell(&inventory);
            }
            Ok::<_, Error>(inventory)
        };
        let (inventory, subnets) = tokio::join!(rest, subnets);
        let mut inventory = inventory?;
        let subnets = subnets?.and(&mut inventory.unfit);
        let external = inventory.routers.iter().filter_map(|router| router.external_network.as_ref()).collect();
        (inventory.subnets, inventory.foreign) = self.usable(subnets, &external);
        Ok(inventory)
    }

    fn inventory_from(
        &self,
        extensions: Extensions,
        services: Result<Readable<WireService>, Error>,
        connections: Result<Readable<WireConnection>, Error>,
        routers: Vec<Router>,
        (subnets, foreign): (Vec<Subnet>, Vec<Subnet>),
        mut unfit: Vec<Unfit>,
    ) -> Result<Inventory, Error> {
        let absent = !extensions.has("vpnaas");
        let services = self.own(unless_absent(services, absent)?.and(&mut unfit));
        let connections = self.own(unless_absent(connections, absent)?.and(&mut unfit));
        Ok(Inventory {
            services: services.into_iter().map(|one| one.into_service_on(&routers)).collect(),
            connections: connections.into_iter().map(WireConnection::into_connection).collect(),
            subnets,
            foreign,
            routers,
            extensions,
            unfit,
        })
    }

    /// As [`Self::inventory`], with the interfaces of all routers, in one round trip more.
    pub async fn inventory_with_interfaces(&self) -> Result<Inventory, Error> {
        let mut inventory = self.inventory().await?;
        let routers: Vec<Id> = inventory.routers.iter().map(|router| router.id.clone()).collect();
        inventory.add_interfaces(self.interfaces(&routers).await?);
        Ok(inventory)
    }

    /// What an administrator's token needs, which would see everybody's. Every release declares it a filter of routers; VPN
    /// lists do not, and who asks for networks, subnets or security groups may mean one that another project shares.
    fn of_project(&self) -> Option<(&'static str, &str)> {
        Some(("project_id", self.cloud().project_id())).filter(|(_, project)| !project.is_empty())
    }

    pub async fn extensions(&self) -> Result<Extensions, Error> {
        let listed = self.list::<WireExtension>(&["extensions"], "extensions", &[], &[]).await?;
        Ok(Extensions::new(listed.into_iter().map(|extension| extension.alias.0)))
    }

    /// What the later steps need of a chosen region, in three requests at once. Unknown quotas are left out.
    pub async fn detail(&self) -> Result<Detail, Error> {
        let (networks, groups, quotas) = tokio::join!(
            self.list::<WireNetwork>(&["networks"], "networks", WireNetwork::FIELDS, &[]),
            self.groups(),
            self.quotas(),
        );
        let networks = networks?.into_iter().map(WireNetwork::into_name).collect();
        // There is no list of extensions here to tell a missing service from a missing list.
        Ok(Detail { networks, groups: unless_absent(groups, true)?, quotas })
    }

    pub async fn services(&self) -> Result<Vec<VpnService>, Error> {
        let services = self.own(self.vpn_list(Kind::VpnService).await?);
        Ok(services.into_iter().map(WireService::into_service).collect())
    }

    pub async fn connections(&self) -> Result<Vec<SiteConnection>, Error> {
        let connections = self.own(self.vpn_list(Kind::SiteConnection).await?);
        Ok(connections.into_iter().map(WireConnection::into_connection).collect())
    }

    pub async fn groups(&self) -> Result<Vec<EndpointGroup>, Error> {
        let groups = self.own(self.vpn_list(Kind::EndpointGroup).await?);
        Ok(groups.into_iter().map(WireGroup::into_group).collect())
    }

    /// Limits and use; from a cloud that does not tell the use, only what is unlimited or forbidden; or nothing at all: a
    /// quota that is not known is found out by the POST that exceeds it.
    async fn quotas(&self) -> BTreeMap<String, Quota> {
        let project = self.cloud().project_id();
        let detailed = self.quota::<QuotaDetail>(&["quotas", project, "details.json"]).await;
        let known: BTreeMap<_, _> = match detailed {
            Ok(quotas) => quotas.into_iter().filter_map(|(name, quota)| Some((name, quota.into_quota()?))).collect(),
            Err(error) => {
                tracing::debug!(kind = ?error.kind, "no quota details");
                let limits = self.quota::<i64>(&["quotas", project]).await.unwrap_or_default();
                // Without the use, a limit tells only whether there is always room, or never.
                let telling = limits.into_iter().filter(|(_, limit)| *limit <= 0);
                telling.map(|(name, limit)| (name, Quota { limit: u64::try_from(limit).ok(), used: 0 })).collect()
            }
        };
        known.into_iter().filter(|(name, _)| Kind::ALL.iter().any(|kind| kind.singular() == name)).collect()
    }

    async fn quota<T: DeserializeOwned>(&self, path: &[&str]) -> Result<BTreeMap<String, T>, Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Any(BTreeMap<String, Box<RawValue>>);
        let Any(all) = self.get(path, &[], "quota").await?;
        Ok(all.into_iter().filter_map(|(name, value)| Some((name, serde_json::from_str(value.get()).ok()?))).collect())
    }

    /// Subnets a tunnel can serve, the project's own and those of others, without external networks and without the transit
    /// subnets that OVN adds to routers with a VPN service.
    fn usable(&self, mut all: Vec<WireSubnet>, external: &BTreeSet<&Id>) -> (Vec<Subnet>, Vec<Subnet>) {
        let project = self.cloud().project_id();
        all.retain(|subnet| {
            subnet.external != Some(true) && !external.contains(&subnet.network_id) && !subnet.is_transit()
        });
        all.sort_by(|a, b| a.key().cmp(&b.key()));
        let (own, foreign): (Vec<_>, Vec<_>) = all.into_iter().partition(|subnet| subnet.belongs_to(project));
        let subnets = |all: Vec<WireSubnet>| all.into_iter().map(WireSubnet::into_subnet).collect();
        (subnets(own), subnets(foreign))
    }

    /// By name, then id, without what belongs to other projects: an administrator's token sees them all.
    pub(super) fn own<T: Owned>(&self, mut objects: Vec<T>) -> Vec<T> {
        let project = self.cloud().project_id();
        objects.retain(|object| object.belongs_to(project));
        objects.sort_by(|a, b| a.key().cmp(&b.key()));
        objects
    }

    pub(super) async fn vpn_list<T: Wire>(&self, kind: Kind) -> Result<Vec<T>, Error> {
        self.list(&["vpn", kind.collection()], kind.plural(), &T::fields(kind), &[]).await
    }

    pub(super) async fn fit_vpn<T: Wire>(&self, kind: Kind) -> Result<Readable<T>, Error> {
        self.fit(&["vpn", kind.collection()], kind.plural(), &T::fields(kind), &[]).await
    }

    /// A whole list, page by page. The objects that do not match the API are named instead.
    async fn fit<T: Wire>(
        &self,
        path: &[&str],
        collection: &'static str,
        fields: &[&str],
        filters: &[(&str, &str)],
    ) -> Result<Readable<T>, Error> {
        self.fit_after(path, collection, fields, filters, ready(())).await
    }

    /// The same; a second page is asked for only once it is the list's turn.
    async fn fit_after<T: Wire>(
        &self,
        path: &[&str],
        collection: &'static str,
        fields: &[&str],
        filters: &[(&str, &str)],
        turn: impl Future<Output = ()>,
    ) -> Result<Readable<T>, Error> {
        let mut unfit = Vec::new();
        let read = |answer: &Response| parse_page_of_fit(answer, collection);
        let query = query(path, collection, fields, filters);
        let items = self.pages(path, collection, &query, read, &mut unfit, turn).await?;
        Ok(Readable { items, unfit })
    }

    pub(super) async fn list<T: Wire>(
        &self,
        path: &[&str],
        collection: &'static str,
        fields: &[&str],
        filters: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
        let read = |answer: &Response| Ok((parse_page(answer, collection)?, Vec::new()));
        let query = query(path, collection, fields, filters);
        self.pages(path, collection, &query, read, &mut Vec::new(), ready(())).await
    }

    async fn pages<T>(
        &self,
        path: &[&str],
        collection: &'static str,
        query: &[(&str, &str)],
        parse: impl Fn(&Response) -> Result<(Page<T>, Vec<Unfit>), Error>,
        unfit: &mut Vec<Unfit>,
        turn: impl Future<Output = ()>,
    ) -> Result<Vec<T>, Error> {
        let (turn, mut waited) = (pin!(turn), Duration::ZERO);
        let mut turn = Some(turn);
        let (mut items, mut bytes, mut known) = (Vec::new(), 0_usize, BTreeSet::new());
        let mut marker: Option<String> = None;
        let (began, asked) = (Instant::now(), self.cloud().asked_for());
        for _ in 0..MOST_PAGES {
            let mut url = self.url(path);
            url.query_pairs_mut().extend_pairs(query).extend_pairs(marker.iter().map(|marker| ("marker", marker)));
            if url.query() == Some("") {
                url.set_query(None);
            }
            let is_first = marker.is_none();
            let read = |answer: &Response| {
                let (page, left_out) = parse(answer)?;
                let is_only = is_first && page.next.is_none();
                let ids =
                    if is_only { Vec::new() } else { parse_page_of_fit::<Identified>(answer, collection)?.0.items };
                Ok((page, left_out, ids, answer.body.len()))
            };
            let (page, left_out, ids, length) = self.read(&url, read).await?;
            let empty = page.items.is_empty() && left_out.is_empty();
            unfit.extend(left_out);
            bytes += length;
            items.extend(page.items);
            let ids: Vec<String> = ids.into_iter().filter_map(|one| one.id).collect();
            let is_known = !ids.is_empty() && ids.iter().all(|id| known.contains(id));
            known.extend(ids);
            let took =
                began.elapsed().saturating_sub(waited).saturating_sub(self.cloud().asked_for().saturating_sub(asked));
            let limits = self.cloud().limits();
            if bytes > limits.list
                || items.len() > MOST_ITEMS
                || is_known
                || (page.next.is_some() && took > limits.paging)
            {
                break;
            }
            // A full last page has a link to an empty one.
            if empty || page.next.is_none() || page.next == marker {
                return Ok(items);
            }
            marker = page.next;
            if let Some(turn) = turn.take() {
                let since = Instant::now();
                turn.await;
                waited = since.elapsed();
            }
        }
        let message = if items.len() > MOST_ITEMS {
            endless(collection)
        } else {
            format!("The list `{collection}` does not end; {bytes} bytes of it were read.")
        };
        Err(self.mark(Error::new(ErrorKind::Unexpected, message)))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str], fields: &[&str], key: &str) -> Result<T, Error> {
        let mut url = self.url(path);
        if !fields.is_empty() {
            url.query_pairs_mut().extend_pairs(fields.iter().map(|field| ("fields", *field)));
        }
        self.read(&url, |answer| super::http::parse(answer, key)).await
    }

    async fn read<T>(&self, url: &Url, parse: impl Fn(&Response) -> Result<T, Error>) -> Result<T, Error> {
        let patience = self.patience();
        let attempt = || async { parse(&self.cloud().send(Method::GET, url, None, Some(&patience)).await?) };
        retry::repeating(self.cloud().limits(), &patience, attempt).await.map_err(|error| self.mark(error))
    }

    /// An address below `/v2.0`; what an id may contain stays within its part of the path.
    pub(super) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    pub(super) fn mark(&self, mut error: Error) -> Error {
        error.region = Some(self.id().clone());
        error
    }
}

fn query<'a>(
    path: &[&str],
    collection: &str,
    fields: &[&'a str],
    filters: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut query: Vec<_> = fields.iter().map(|field| ("fields", *field)).collect();
    query.extend(filters);
    // There is one list of extensions, and it has no pages. Neutron reads a whole VPN list for each page of it, and keeps no
    // order between two.
    let has_pages = collection != "extensions" && path.first() != Some(&"vpn");
    query.extend(has_pages.then_some(("limit", PAGE)));
    query
}

/// An object, as far as a list that repeats itself needs to know it.
#[derive(Deserialize)]
struct Identified {
    id: Option<String>,
}

pub(super) struct Readable<T> {
    pub(super) items: Vec<T>,
    unfit: Vec<Unfit>,
}

impl<T> Default for Readable<T> {
    fn default() -> Self {
        Self { items: Vec::new(), unfit: Vec::new() }
    }
}

impl<T> Readable<T> {
    /// What could be read. The rest is added to what is left out.
    fn and(self, left_out: &mut Vec<Unfit>) -> Vec<T> {
        left_out.extend(self.unfit);
        self.items
    }
}

/// A VPN list that is not there is empty where the region has no `VPNaaS`, and a failure everywhere else.
fn unless_absent<T: Default>(list: Result<T, Error>, absent: bool) -> Result<T, Error> {
    match list {
        Err(error) if absent && error.kind == ErrorKind::NotFound => Ok(T::default()),
        list => list,
    }
}
