//! How a simulated cloud is and behaves.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::release::Release;

#[derive(Clone, Debug)]
pub struct SimulatorSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    pub release: Release,
    /// Whether the OVN VPN plugin runs it, which gives every VPN service an address of its own.
    pub ovn: bool,
    pub latency: Duration,
    /// How often the agents of a region report; each region has its own phase. `Duration::MAX` for never.
    pub report_interval: Duration,
    /// How long a tunnel takes to come up once both halves exist.
    pub negotiation: Duration,
    /// Whether instances send traffic through tunnels. Without traffic, a connection added on both sides to services that already run
    /// stays `DOWN`: only the start of a service, or traffic, makes strongSwan negotiate.
    pub traffic: bool,
    /// The largest page a list is answered in; none for any size.
    pub page_limit: Option<usize>,
    /// Scheme, host and port in page links, if not the true ones, as behind a proxy that was not told.
    pub links_base: Option<String>,
    pub token_lifetime: Duration,
    /// Limits other than the default ones, by the API's singular name; -1 for none.
    pub quotas: BTreeMap<String, i64>,
    pub seed: Seed,
    /// Makes the ids the same from run to run.
    pub id_seed: Option<u64>,
}

impl Default for SimulatorSettings {
    /// As fast as tests like it: reports every 40 ms, tunnels up in 20.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            release: Release::V2026_1,
            ovn: false,
            latency: Duration::ZERO,
            report_interval: Duration::from_millis(40),
            negotiation: Duration::from_millis(20),
            traffic: true,
            page_limit: None,
            links_base: None,
            token_lifetime: Duration::from_secs(12 * 3600),
            quotas: BTreeMap::new(),
            seed: Seed::Demo,
            id_seed: None,
        }
    }
}

impl SimulatorSettings {
    /// At a pace people can follow: from the first request to `ACTIVE` in a few seconds, every state on the way seen.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            latency: Duration::from_millis(120),
            report_interval: Duration::from_secs(2),
            negotiation: Duration::from_millis(1500),
            ..Self::default()
        }
    }
}

/// What a simulated cloud is filled with. Whatever it is, there are the regions `nz-hlz-1`, `nz-por-1` and, without
/// `VPNaaS`, `nz-wlg-2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seed {
    /// `assets/demo-cloud.json`: a ready pair of routers, and everything awkward a real project can hold.
    #[default]
    Demo,
    /// One `border-router` with a gateway and one `private-subnet` behind it, in each region.
    Minimal,
    /// External networks only.
    Empty,
    /// So many routers and subnets in each region that has `VPNaaS`, the subnets spread evenly over the routers; at most
    /// 25,600 subnets.
    Scale {
        /// Routers, `router-00000` and on.
        routers: usize,
        /// Subnets, `subnet-00000` and on.
        subnets: usize,
    },
    /// A layout in the form of `assets/demo-cloud.json`.
    Json(String),
}
