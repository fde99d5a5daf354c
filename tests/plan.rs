//! From a draft to a plan: what is refused, what is warned of, and what will be made.

mod existing_connections;
mod limits;
mod peer_fields;

use crate::support::{inventories, peer_input as hold};
use inventories::*;
use osvpn::cloud::{Detail, Id, Inventory, Quota, RegionId, Status};
use osvpn::plan::fields::PolicyField;
use osvpn::plan::file::{self, FileError, PlanFile};
use osvpn::plan::{
    Far, Finding, Half, HalfDraft, Known, Labels, Peer, PeerAddress, Place, Plan, PlanDraft, Policy, Profile, Profiles,
    Psk, ServicePlan, Severity, VpnId, VpnName, cidr, names, psk,
};

const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";

struct World {
    hamilton: (RegionId, Inventory, Detail),
    porirua: (RegionId, Inventory, Detail),
}

impl World {
    fn new() -> Self {
        Self {
            hamilton: (hamilton(), hamilton_inventory(), hamilton_detail()),
            porirua: (porirua(), porirua_inventory(), porirua_detail()),
        }
    }

    fn known(&self) -> Vec<Known<'_>> {
        [&self.hamilton, &self.porirua]
            .into_iter()
            .map(|(region, inventory, detail)| Known { region, inventory, detail: Some(detail), upgrades: None })
            .collect()
    }

    fn check(&self, draft: PlanDraft) -> Result<Plan, Vec<Finding>> {
        Plan::check(draft, &self.known(), &Labels::built_in().unwrap(), VpnId::new("0badcafe"))
    }

    fn plan(&self, draft: PlanDraft) -> Plan {
        self.check(draft).unwrap_or_else(|findings| panic!("refused: {findings:#?}"))
    }

    #[track_caller]
    fn refused(&self, draft: PlanDraft, place: Place, words: &str) {
        let findings = self.check(draft).expect_err("this draft must be refused");
        let said = findings
            .iter()
            .any(|finding| finding.is_refusal() && finding.place == place && finding.text.contains(words));
        assert!(said, "no refusal at {place} with {words:?} in {findings:#?}");
    }

    #[track_caller]
    fn silent(&self, draft: PlanDraft, words: &str) {
        let plan = self.plan(draft);
        let said = plan.findings().iter().any(|finding| finding.text.contains(words));
        assert!(!said, "{words:?} is said in {:#?}", plan.findings());
    }

    #[track_caller]
    fn warned(&self, draft: PlanDraft, place: Place, words: &str) {
        let plan = self.plan(draft);
        let said = plan.findings().iter().any(|finding| finding.place == place && finding.text.contains(words));
        assert!(said, "nothing at {place} with {words:?} in {:#?}", plan.findings());
    }
}

fn side(region: RegionId, router: &str, subnets: &[&str]) -> HalfDraft {
    HalfDraft { region, router: Id::new(router), subnets: subnets.iter().copied().map(Id::new).collect() }
}

fn draft(profile: Profile, a: HalfDraft, far: Far<HalfDraft, Peer>) -> PlanDraft {
    let profiles = Profiles::built_in().unwrap();
    PlanDraft {
        name: VpnName::parse("hlz-por").unwrap(),
        a,
        far,
        profile,
        policy: profiles.get(profile).unwrap().clone(),
        psk: Psk::parse(KEY).unwrap(),
    }
}

fn site_to_site() -> PlanDraft {
    let a = side(hamilton(), "h-border", &["h-private"]);
    draft(Profile::Catalyst, a, Far::Half(side(porirua(), "p-border", &["p-private"])))
}

fn single(address: &str, cidrs: &str) -> PlanDraft {
    let address = PeerAddress::parse(address).unwrap();
    let peer = Peer { id: address.to_string(), address, cidrs: cidr::parse_list(cidrs).unwrap(), system: None };
    draft(Profile::Catalyst, side(hamilton(), "h-border", &["h-private"]), Far::Peer(peer))
}

#[test]
fn peer_values_are_crossed_without_being_asked_for() {
    let plan = World::new().plan(site_to_site());
    let (a, b) = (plan.half(Half::A).unwrap(), plan.half(Half::B).unwrap());
    assert_eq!(a.remote, b.local_ranges());
    assert_eq!(b.remote, a.local_ranges());
    assert_eq!(plan.peer_of(a), ("150.242.40.137".to_owned(), "150.242.40.137".to_owned()));
    assert_eq!(plan.peer_of(b), ("103.197.61.75".to_owned(), "103.197.61.75".to_owned()));
    assert_eq!((a.service.clone(), b.service.clone()), (ServicePlan::Create, ServicePlan::Create));
}

#[test]
fn the_dry_run_names_every_object_and_not_the_key() {
    let text = World::new().plan(site_to_site()).to_string();
    for object in [
        "vpn_service",
        "ike_policy",
        "ipsec_policy",
        "local_endpoint_group",
        "peer_endpoint_group",
        "vpn_site_connection",
    ] {
        assert_eq!(text.matches(&format!("hlz-por_{object}")).count(), 2, "{object} in\n{text}");
    }
    assert!(text.contains("IKEv1 main, sha1, aes-256, group14, 14400 s"), "{text}");
    assert!(text.contains("esp tunnel, sha1, aes-256, group14, 3600 s"), "{text}");
    assert!(text.contains("DPD restart 15/150 s"), "{text}");
    assert!(!text.contains(KEY));
}

#[test]
fn what_cannot_work_is_refused_with_the_reason() {
    let world = World::new();
    let mut same_region = site_to_site();
    same_region.far = Far::Half(side(hamilton(), "h-used", &["h-shared"]));
    world.refused(same_region, Place::Region(Half::B), "same region");
    let with = |router: &str, subnet: &str| PlanDraft { a: side(hamilton(), router, &[subnet]), ..site_to_site() };
    world.refused(with("h-isolated", "h-private"), Place::Router(Half::A), "no external gateway");
    world.refused(with("h-legacy", "h-old"), Place::Router(Half::A), "legacy VPN service");
    world.refused(with("h-border", "h-lonely"), Place::Subnets(Half::A), "not attached");
    world.refused(with("h-border", "nowhere"), Place::Subnets(Half::A), "not a subnet");
    let mut overlap = site_to_site();
    overlap.far = Far::Half(side(porirua(), "p-twin-1", &["p-same"]));
    world.refused(overlap, Place::Subnets(Half::B), "on both sides");
    let mut several = site_to_site();
    several.a.subnets.push(Id::new("h-db"));
    world.refused(several, Place::Policy(Some(PolicyField::IkeVersion)), "only the first pair of subnets");
    let mut mixed = site_to_site();
    mixed.a.subnets.push(Id::new("h-six"));
    world.refused(mixed, Place::Subnets(Half::A), "different IP versions");
    world.refused(single("103.197.61.75", "192.168.7.0/24"), Place::PeerAddress, "own router");
    world.refused(single("198.51.100.7", "10.0.0.0/16"), Place::PeerCidrs, "overlaps");
    world.refused(single("198.51.100.7", "fd00:7::/64"), Place::PeerCidrs, "different IP versions");
    world.refused(single("2001:db8::7", "192.168.7.0/24"), Place::PeerAddress, "no IP version in common");
}

#[test]
fn a_router_s_service_is_reused_and_never_doubled() {
    let mut world = World::new();
    let mut draft = single("198.51.100.7", "192.168.7.0/24");
    draft.a = side(hamilton(), "h-used", &["h-shared"]);
    world.warned(draft.clone(), Place::Router(Half::A), "reused");
    let plan = world.plan(draft.clone());
    assert!(matches!(&plan.a().service, ServicePlan::Reuse(service) if service.id == Id::new("s-used")));
    assert_eq!(plan.a().address_text(), "103.197.61.99", "the service's own address, not the router's");
    world.hamilton.1.services.push(service("s-second", "h-used", None));
    world.refused(draft, Place::Router(Half::A), "only one can work");
}

#[test]
fn a_region_is_held_to_what_it_stores_and_allows() {
    let mut world = World::new();
    world.porirua.1.extensions = new_release();
    world.refused(site_to_site(), Place::Policy(Some(PolicyField::IkeAuth)), "no longer stores sha1");
    let modern = Profiles::built_in().unwrap().modern;
    world.plan(PlanDraft { profile: Profile::Modern, policy: modern, ..site_to_site() });
    world = World::new();
    world.hamilton.2.quotas.insert("ipsec_site_connection".into(), Quota { limit: Some(1), used: 1 });
    world.refused(site_to_site(), Place::Region(Half::A), "quota");
    world = World::new();
    world.porirua.1.extensions = osvpn::cloud::Extensions::new(["router"]);
    world.refused(site_to_site(), Place::Region(Half::B), "no VPN service");
}

#[test]
fn what_is_odd_is_said_but_not_refused() {
    let mut world = World::new();
    let mut several = site_to_site();
    several.far = Far::Half(side(porirua(), "p-twin-2", &["p-apps"]));
    world.warned(several, Place::Router(Half::B), "several IPv4");
    world.warned(single("office.example.net", "192.168.7.0/24"), Place::PeerId, "FQDN");
    world.warned(single("office.example.net", "192.168.7.0/24"), Place::PeerAddress, "up once, when it creates");
    world.warned(single("fortigate", "192.168.7.0/24"), Place::PeerAddress, "one word");
    world.warned(single("192.168.1.1", "192.168.7.0/24"), Place::PeerAddress, "private address");
    let mut behind_nat = single("198.51.100.7", "192.168.7.0/24");
    if let Far::Peer(peer) = &mut behind_nat.far {
        "10.0.0.4".clone_into(&mut peer.id);
    }
    world.warned(behind_nat, Place::PeerId, "behind NAT");
    let encoded = PlanDraft { psk: Psk::parse("0x9f2c41d07ab3e85566c1d2e3f4a5b6").unwrap(), ..site_to_site() };
    world.warned(encoded, Place::Key, "hexadecimal");
    let mut swapped = site_to_site();
    (swapped.policy.ike.lifetime, swapped.policy.ipsec.lifetime) = (3600, 14400);
    world.warned(swapped, Place::Policy(Some(PolicyField::IkeLifetime)), "shorter than the IPsec lifetime");
    world.warned(single("198.51.100.7", "10.0.1.0/24"), Place::PeerCidrs, "lose its own addresses");
    world.hamilton.1.routers.iter_mut().for_each(|router| router.status = Status::Down);
    world.warned(site_to_site(), Place::Router(Half::A), "is DOWN");
}

#[test]
fn impossible_policies_are_refused_and_unwise_ones_warned_of() {
    let world = World::new();
    let with = |field: PolicyField, value: &str| {
        let mut draft = site_to_site();
        field.set(&mut draft.policy, value).unwrap();
        draft
    };
    let refused = |field: PolicyField, value: &str, words: &str| {
        world.refused(with(field, value), Place::Policy(Some(field)), words);
    };
    refused(PolicyField::IkeEncryption, "aes-256-gcm-16", "needs IKE version v2");
    refused(PolicyField::DpdTimeout, "15", "more than the interval");
    refused(PolicyField::IkeLifetime, "59", "60 seconds");
    refused(PolicyField::Phase1Mode, "aggressive", "aggressive");
    world.warned(with(PolicyField::IpsecLifetime, "300"), Place::Policy(Some(PolicyField::IpsecLifetime)), "600");
    world.warned(with(PolicyField::IkePfs, "group2"), Place::Policy(Some(PolicyField::IkePfs)), "weak");
    assert!(PolicyField::IkeAuth.set(&mut site_to_site().policy, "md5").is_err());
}

#[test]
fn both_findings_and_plans_say_each_thing_once() {
    let mut draft = site_to_site();
    draft.a.subnets.push(Id::new("h-private"));
    let plan = World::new().plan(draft);
    assert_eq!(plan.a().local.len(), 1, "a subnet asked for twice is tunnelled once; older clouds hang on doubles");
    let severities: Vec<Severity> = plan.findings().iter().map(|finding| finding.severity).collect();
    assert!(severities.is_sorted());
}

#[test]
fn security_rules_name_the_exact_range_and_region() {
    let rules = World::new().plan(site_to_site()).security_rules();
    let commands: Vec<String> = rules.iter().map(|rule| rule.command().to_string()).collect();
    assert_eq!(commands.len(), 2);
    assert!(commands[0].contains("--os-region-name nz-hlz-1") && commands[0].contains("--remote-ip 10.20.30.0/24"));
    assert!(commands[1].contains("--os-region-name nz-por-1") && commands[1].contains("--remote-ip 10.0.0.0/24"));
}

#[test]
fn a_saved_plan_reads_back_as_the_same_plan() {
    let world = World::new();
    let profiles = Profiles::built_in().unwrap();
    let mut custom = site_to_site();
    custom.profile = Profile::Custom;
    PolicyField::IkeLifetime.set(&mut custom.policy, "28800").unwrap();
    for draft in [site_to_site(), single("198.51.100.7", "192.168.7.0/24, 192.168.8.0/25"), custom] {
        let draft = match &draft.far {
            Far::Peer(_) => PlanDraft { profile: Profile::Modern, policy: profiles.modern.clone(), ..draft },
            Far::Half(_) => draft,
        };
        let plan = world.plan(draft.clone());
        let text = file::write(&plan);
        assert!(!text.contains(KEY), "{text}");
        let file = PlanFile::parse(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        let read = file.resolve(&world.known(), &profiles, Psk::parse(KEY).unwrap()).unwrap();
        assert_eq!(read, draft, "{text}");
    }
}

const FILE: &str = r#"
version = 1
name = "hlz-por"
mode = "site-to-site"
[[half]]
region = "nz-hlz-1"
router = "border-router"
subnets = ["private-subnet", "10.0.1.0/24"]
[[half]]
region = "nz-por-1"
router = "border-router"
subnets = ["private-subnet"]
"#;

#[test]
fn a_plan_file_names_things_by_name_id_or_range_and_gets_the_profile_that_fits() {
    let world = World::new();
    let profiles = Profiles::built_in().unwrap();
    let resolve =
        |text: &str| PlanFile::parse(text).unwrap().resolve(&world.known(), &profiles, Psk::parse(KEY).unwrap());
    let draft = resolve(FILE).unwrap();
    assert_eq!(draft.a.subnets, [Id::new("h-private"), Id::new("h-db")]);
    assert_eq!(draft.profile, Profile::Modern, "two subnets need IKEv2");
    let one = resolve(&FILE.replace(r#", "10.0.1.0/24""#, "")).unwrap();
    assert_eq!(one.profile, Profile::Catalyst);
    let twins =
        FILE.replace("border-router\"\nsubnets = [\"private-subnet\"]", "twin-router\"\nsubnets = [\"apps-subnet\"]");
    let errors = resolve(&twins).unwrap_err();
    let said = errors[0].to_string();
    assert!(said.contains("p-twin-1") && said.contains("p-twin-2"), "an ambiguous name lists the ids: {said}");
    assert!(!errors[0].is_unreadable());
    let missing = resolve(&FILE.replace("\"private-subnet\", ", "\"nothing\", ")).unwrap_err();
    assert!(missing[0].to_string().contains("there are: db-subnet"), "{missing:?}");
}

#[test]
fn a_plan_names_the_system_of_its_peer_or_none() {
    let text = "version = 1\nname = \"office\"\nmode = \"single\"\n[[half]]\nregion = \"nz-hlz-1\"\n\
                router = \"border-router\"\nsubnets = [\"private-subnet\"]\n[peer]\naddress = \"198.51.100.7\"\n\
                cidrs = [\"192.168.7.0/24\"]\n";
    let world = World::new();
    let (profiles, psk) = (Profiles::built_in().unwrap(), || Psk::parse(KEY).unwrap());
    let written = |text: &str| {
        let draft = PlanFile::parse(text).unwrap().resolve(&world.known(), &profiles, psk()).unwrap();
        let labels = Labels::built_in().unwrap();
        osvpn::plan::file::write(&Plan::check(draft, &world.known(), &labels, VpnId::new("0badcafe")).unwrap())
    };
    assert!(!written(text).contains("system"), "an older file stays as it was");
    let named = written(&format!("{text}system = \"ios-xe\"\n"));
    assert!(named.contains("system = \"ios-xe\"") && written(&named) == named, "{named}");
    let unknown = PlanFile::parse(&format!("{text}system = \"netscreen\"\n")).unwrap_err().to_string();
    assert!(
        unknown.starts_with("peer.system: netscreen is not known here") && unknown.contains("fortios, google"),
        "{unknown}"
    );
    assert!(!unknown.contains("values"), "any system is none: {unknown}");
}

#[test]
fn an_unusable_plan_file_says_where_and_why() {
    let error = |text: &str| {
        let error = PlanFile::parse(text).expect_err("must be refused");
        assert!(error.is_unreadable());
        error
    };
    assert!(matches!(error("version = "), FileError::Syntax(text) if text.starts_with("line 1:")));
    let unknown = error(&FILE.replace("name =", "nmae ="));
    assert!(unknown.to_string().contains("nmae") && unknown.to_string().contains("line 3"), "{unknown}");
    assert!(error(&FILE.replace("version = 1", "version = 7")).to_string().contains("version 1"));
    assert!(error(&FILE.replace("site-to-site", "single")).to_string().contains("[peer]"));
    let third = format!("{FILE}[[half]]\nregion = \"x\"\nrouter = \"r\"\nsubnets = []\n");
    assert!(error(&third).to_string().contains("there are 3"));
    let peer = "[peer]\naddress = \"no one\"\ncidrs = [\"10.0.0.1/99\"]\n";
    let (one, _) = FILE
        .replace("site-to-site", "single")
        .rsplit_once("[[half]]")
        .map(|(a, b)| (a.to_owned() + peer, b.to_owned()))
        .unwrap();
    let both = error(&one).to_string();
    assert!(both.contains("peer.address: ") && both.contains("peer.cidrs: "), "{both}");
    let psk = error(&format!("psk = \"{KEY}\"\n{FILE}"));
    assert!(!psk.to_string().contains(KEY), "a key that has no business there is not repeated: {psk}");
}

#[test]
fn keys_keep_the_guide_s_rule() {
    for _ in 0..200 {
        let key = Psk::generate();
        let text = secrecy::ExposeSecret::expose_secret(key.secret()).to_owned();
        assert_eq!(text.len(), 32);
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric()) && !text.starts_with('0'));
    }
    assert_ne!(Psk::generate(), Psk::generate());
    let refused = |text: &str| psk::check(text).unwrap_err().to_string();
    assert!(refused("supersecretpsk").contains("14 characters"));
    assert!(refused(&"a".repeat(41)).contains("41"));
    assert!(refused("aaaaaaaaaaaaaaaaaaaa&aaaa").contains("character 21"));
    assert!(refused("pre_shared_key").contains("create-vpn.sh"));
    assert_eq!(format!("{:?}", Psk::parse(KEY).unwrap()), "Psk([hidden])");
}

#[test]
fn suggested_names_are_short_and_free() {
    assert_eq!(names::suggest(&["nz-hlz-1", "nz-por-1"], &[]), "hlz-por");
    let taken = ["hlz-por_vpn_service", "hlz-por-2_vpn_site_connection"];
    assert_eq!(names::suggest(&["nz-hlz-1", "nz-por-1"], &taken), "hlz-por-3");
    assert_eq!(names::suggest(&["RegionOne"], &[]), "RegionOne");
    assert_eq!(VpnName::parse("  x ").unwrap().of("ike_policy"), "x_ike_policy");
    assert!(VpnName::parse(" \t").is_err() && VpnName::parse("a\u{1b}b").is_err());
}

proptest::proptest! {
    #[test]
    fn overlap_is_having_an_address_in_common(a: u32, b: u32, m in 1u8..=32, n in 1u8..=32) {
        let net = |address: u32, prefix: u8| ipnet::Ipv4Net::new(address.into(), prefix).unwrap().trunc();
        let (x, y) = (net(a, m), net(b, n));
        let common = x.network().max(y.network()) <= x.broadcast().min(y.broadcast());
        proptest::prop_assert_eq!(cidr::overlap(&x.into(), &y.into()), common);
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,60}") {
        let _ = PlanFile::parse(&text);
        let _ = cidr::parse_list(&text);
        let _ = PeerAddress::parse(&text);
        let _ = VpnName::parse(&text);
        let _ = psk::check(&text);
    }
}

#[test]
fn the_plans_of_the_readme_and_of_the_manual_can_be_read() {
    let readme = include_str!("../README.md");
    let shown: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [plan] = shown.as_slice() else { panic!("one example in TOML: {shown:?}") };
    PlanFile::parse(plan).unwrap();
    let manual = include_str!("../assets/manual/plan.txt").split("\n\n");
    let examples = |start| -> Vec<&str> { manual.clone().filter(|part: &&str| part.starts_with(start)).collect() };
    let (plans, policies) = (examples("  version = 1"), examples("  [policy]"));
    let ([pair, single], [policy]) = (plans.as_slice(), policies.as_slice()) else { panic!("{plans:?} {policies:?}") };
    assert_eq!(PlanFile::parse(pair).unwrap().regions().len(), 2);
    assert_eq!(PlanFile::parse(single).unwrap().regions().len(), 1);
    PlanFile::parse(&format!("{}\n{policy}", pair.replace("profile = \"modern\"", ""))).unwrap();
    let shown = toml::from_str::<toml::Table>(policy).unwrap()["policy"].clone();
    assert_eq!(shown.try_into::<Policy>().unwrap(), Profiles::built_in().unwrap().modern);
}
