//! A simulated cloud with someone signed in to it, and plans for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use osvpn::cloud::credentials::Sources;
use osvpn::cloud::http::Limits;
use osvpn::cloud::keystone::SignIn;
use osvpn::cloud::{Cloud, Credentials, Detail, Id, Inventory, RegionId};
use osvpn::plan::{
    Far, Finding, HalfDraft, Known, Labels, Peer, PeerAddress, Plan, PlanDraft, Profile, Profiles, Psk, VpnId, VpnName,
    cidr,
};
use osvpn::simulator::{Simulator, SimulatorSettings};

/// A key no generator makes, so that a test can look for it.
pub const KEY: &str = "Kept0nly1nMemory2NeverWritten345";

pub struct Site {
    pub simulator: Simulator,
    pub cloud: Cloud,
}

/// What a test names a half by.
pub type Names<'a> = (&'a str, &'a str, &'a [&'a str]);

pub const HAMILTON: Names<'static> = ("nz-hlz-1", "border-router", &["private-subnet"]);
pub const PORIRUA: Names<'static> = ("nz-por-1", "border-router", &["private-subnet"]);

/// Time-outs that a test can wait for.
pub fn limits() -> Limits {
    Limits {
        total: Duration::from_secs(2),
        back_off: Duration::from_millis(5),
        settling: Duration::ZERO,
        ..Limits::default()
    }
}

impl Site {
    pub async fn start(settings: SimulatorSettings) -> Self {
        Self::limited(settings, limits()).await
    }

    pub async fn limited(settings: SimulatorSettings, limits: Limits) -> Self {
        let simulator = Simulator::start(settings).await.unwrap();
        let cloud = sign_in(&simulator, limits).await;
        Self { simulator, cloud }
    }

    /// Somebody else with the same rights, and the token of all their requests.
    #[allow(dead_code, reason = "each test program uses a part of it")]
    pub async fn colleague(&self, limits: Limits) -> (Cloud, String) {
        let before = self.simulator.tokens();
        let cloud = sign_in(&self.simulator, limits).await;
        let token = self.simulator.tokens().into_iter().find(|token| !before.contains(token));
        (cloud, token.unwrap())
    }

    /// The same user by a token, which nobody can renew.
    #[allow(dead_code, reason = "each test program uses a part of it")]
    pub async fn signed_in_with(&self, token: String) -> Cloud {
        let mut vars: BTreeMap<String, String> =
            self.simulator.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        vars.retain(|name, _| !matches!(name.as_str(), "OS_USERNAME" | "OS_PASSWORD" | "OS_USER_DOMAIN_NAME"));
        vars.extend([("OS_AUTH_TYPE".to_owned(), "token".to_owned()), ("OS_TOKEN".to_owned(), token)]);
        let found = Credentials::find(&Sources::new(vars, PathBuf::from("/nowhere"), None), None).unwrap();
        let SignIn::Done(cloud) = Cloud::begin(&found.credentials, limits()).await.unwrap() else {
            panic!("no second factor")
        };
        cloud
    }

    pub async fn region(&self, region: &str) -> (RegionId, Inventory, Detail) {
        let id = RegionId::new(region);
        let region = self.cloud.region(&id).unwrap();
        // Every test that makes a plan holds this, twice.
        let (inventory, detail) =
            Box::pin(async { tokio::join!(region.inventory_with_interfaces(), region.detail()) }).await;
        (id, inventory.unwrap(), detail.unwrap())
    }

    /// A site-to-site plan, or why there is none.
    pub async fn check(&self, a: Names<'_>, b: Names<'_>, profile: Profile) -> Result<Plan, Vec<Finding>> {
        let regions = [self.region(a.0).await, self.region(b.0).await];
        let far = Far::Half(side(&regions[1], b));
        check(&regions, side(&regions[0], a), far, profile, KEY)
    }

    /// The same with another key.
    #[allow(dead_code, reason = "each test program uses a part of it")]
    pub async fn keyed(&self, a: Names<'_>, b: Names<'_>, key: &str) -> Plan {
        let regions = [self.region(a.0).await, self.region(b.0).await];
        let far = Far::Half(side(&regions[1], b));
        check(&regions, side(&regions[0], a), far, Profile::Modern, key).unwrap()
    }

    pub async fn site_to_site(&self, profile: Profile) -> Plan {
        self.check(HAMILTON, PORIRUA, profile).await.unwrap()
    }

    pub async fn single(&self, a: Names<'_>, address: &str, ranges: &str) -> Plan {
        let regions = [self.region(a.0).await];
        let address = PeerAddress::parse(address).unwrap();
        // Its connection says more than the marker.
        let system = Some("fortios".parse().unwrap());
        let peer = Peer { id: address.to_string(), address, cidrs: cidr::parse_list(ranges).unwrap(), system };
        check(&regions, side(&regions[0], a), Far::Peer(peer), Profile::Modern, KEY).unwrap()
    }
}

async fn sign_in(simulator: &Simulator, limits: Limits) -> Cloud {
    let vars: BTreeMap<String, String> =
        simulator.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let found = Credentials::find(&Sources::new(vars, PathBuf::from("/nowhere"), None), None).unwrap();
    let SignIn::Done(cloud) = Cloud::begin(&found.credentials, limits).await.unwrap() else {
        panic!("no second factor")
    };
    cloud
}

fn side(region: &(RegionId, Inventory, Detail), names: Names<'_>) -> HalfDraft {
    let router = region.1.routers.iter().find(|router| router.name == names.1).unwrap();
    let id = |name: &&str| {
        let mut of_name = region.1.subnets.iter().filter(|subnet| subnet.name == **name);
        of_name.find(|subnet| router.serves(&subnet.id) == Some(true)).map(|subnet| subnet.id.clone()).unwrap()
    };
    let subnets: Vec<Id> = names.2.iter().map(id).collect();
    HalfDraft { region: region.0.clone(), router: router.id.clone(), subnets }
}

fn check(
    regions: &[(RegionId, Inventory, Detail)],
    a: HalfDraft,
    far: Far<HalfDraft, Peer>,
    profile: Profile,
    key: &str,
) -> Result<Plan, Vec<Finding>> {
    let known: Vec<Known<'_>> = regions
        .iter()
        .map(|(region, inventory, detail)| Known { region, inventory, detail: Some(detail), upgrades: None })
        .collect();
    let policy = Profiles::built_in().unwrap().get(profile).unwrap().clone();
    let name = VpnName::parse("hlz-por").unwrap();
    let draft = PlanDraft { name, a, far, profile, policy, psk: Psk::parse(key).unwrap() };
    Plan::check(draft, &known, &Labels::built_in().unwrap(), VpnId::random())
}
