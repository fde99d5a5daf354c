//! What is said of the connections that are there already.

use super::*;
use osvpn::cloud::{Error, ErrorKind, Interfaces, SiteConnection};
use osvpn::plan::SharedKey;
use osvpn::plan::psk::KeyOrigin;

/// Hamilton's used router, from those subnets of it to an outside range.
fn from_used(subnets: &[&str], address: &str, cidrs: &str) -> PlanDraft {
    let modern = Profiles::built_in().unwrap().modern;
    let a = side(hamilton(), "h-used", subnets);
    PlanDraft { a, profile: Profile::Modern, policy: modern, ..single(address, cidrs) }
}

/// The used router with a second subnet, which its connection does not tunnel.
fn world() -> World {
    let mut world = World::new();
    let other = subnet("h-other", "other-subnet", "10.8.1.0/24");
    let inventory = &mut world.hamilton.1;
    let router = inventory.routers.iter_mut().find(|router| router.id == Id::new("h-used")).unwrap();
    let with_it = self::router("", "", &[], &[&other]);
    let interfaces = [router.interfaces.as_ref(), with_it.interfaces.as_ref()];
    router.interfaces = Some(interfaces.into_iter().flatten().flat_map(Interfaces::iter).cloned().collect());
    inventory.subnets.push(other);
    world
}

#[test]
fn a_pair_of_ranges_is_refused_where_it_is_tunnelled_already_and_a_remote_range_alone_is_not() {
    let world = world();
    let to = |subnets: &[&str], cidrs: &str| from_used(subnets, "198.51.100.7", cidrs);
    let named = "tunnels already with connection office_vpn_site_connection (ACTIVE)";
    for remote in ["192.168.50.0/24", "192.168.50.0/25", "192.168.0.0/16", "10.7.0.0/16, 192.168.50.128/25"] {
        world.refused(to(&["h-shared"], remote), Place::PeerCidrs, named);
        world.refused(to(&["h-other", "h-shared"], remote), Place::PeerCidrs, named);
        world.warned(to(&["h-other"], remote), Place::PeerCidrs, named);
        world.warned(to(&["h-other"], remote), Place::PeerCidrs, "for other subnets (10.8.0.0/24)");
    }
    world.silent(to(&["h-shared"], "192.168.51.0/24"), "office");
    world.silent(single("198.51.100.7", "192.168.50.0/24"), "office");
}

#[test]
fn where_it_cannot_be_seen_what_a_connection_tunnels_the_user_is_warned() {
    let unseen: [fn(&mut World); 3] = [
        |world| world.hamilton.2.groups.retain(|group| group.id != Id::new("g-local")),
        |world| world.hamilton.2.groups[0].endpoints.push("of-another-project".into()),
        |world| world.hamilton.1.connections[0].local_group = None,
    ];
    for hide in unseen {
        let mut world = world();
        hide(&mut world);
        let draft = from_used(&["h-shared"], "198.51.100.7", "192.168.50.0/24");
        world.warned(draft, Place::PeerCidrs, "office_vpn_site_connection (ACTIVE) for subnets that cannot be seen");
    }
}

#[test]
fn a_second_connection_to_one_peer_from_one_router_is_warned_of() {
    let mut world = world();
    let to = |address: &str| from_used(&["h-other"], address, "192.168.60.0/24");
    world.warned(to("203.0.113.50"), Place::PeerAddress, "connection office_vpn_site_connection (ACTIVE)");
    world.silent(to("203.0.113.51"), "office");
    world.silent(single("203.0.113.50", "192.168.60.0/24"), "office");
    world.hamilton.1.connections[0].peer_address = "2001:DB8:0::7".into();
    let v6 = "2001:db8::9".parse().unwrap();
    world.hamilton.1.routers.iter_mut().for_each(|router| router.external_v6 = vec![v6]);
    world.warned(to("2001:db8::7"), Place::PeerAddress, "office");
}

#[test]
fn the_other_half_is_the_peer_as_soon_as_its_address_is_known() {
    let mut world = world();
    let existing = |service: &str, address: &str| SiteConnection {
        service: Id::new(service),
        peer_address: address.into(),
        name: "earlier".into(),
        local_group: None,
        peer_group: None,
        ..hamilton_inventory().connections.remove(0)
    };
    let said = "goes to 150.242.40.137 already with connection earlier";
    let draft = || PlanDraft { a: side(hamilton(), "h-used", &["h-shared"]), ..site_to_site() };
    world.hamilton.1.connections.push(existing("s-used", "150.242.40.137"));
    world.warned(draft(), Place::Router(Half::B), said);
    world.porirua.1.extensions =
        osvpn::cloud::Extensions::new(["vpnaas", "vpn-endpoint-groups", "vpn-agent-scheduler"]);
    let modern = PlanDraft { profile: Profile::Modern, policy: Profiles::built_in().unwrap().modern, ..draft() };
    world.silent(modern, "earlier");
    world = self::world();
    let mut own = service("s-there", "p-border", None);
    own.external_v4 = Some("150.242.40.99".parse().unwrap());
    world.porirua.1.services.push(own);
    world.porirua.1.connections.push(existing("s-there", "103.197.61.99"));
    world.hamilton.1.connections.push(existing("s-used", "150.242.40.99"));
    world.warned(draft(), Place::Router(Half::B), "goes to 150.242.40.99 already with connection earlier");
    world.warned(draft(), Place::Router(Half::A), "goes to 103.197.61.99 already with connection earlier");
}

/// Hamilton's used router and the other half, with a connection between the two already.
fn further(existing: SiteConnection) -> (World, PlanDraft) {
    let mut world = world();
    world.hamilton.1.connections.push(SiteConnection { id: Id::new("c-earlier"), ..existing });
    (world, PlanDraft { a: side(hamilton(), "h-used", &["h-other"]), ..site_to_site() })
}

fn earlier() -> SiteConnection {
    SiteConnection {
        service: Id::new("s-used"),
        peer_address: "150.242.40.137".into(),
        peer_id: "150.242.40.137".into(),
        name: "earlier".into(),
        local_group: None,
        peer_group: None,
        ..hamilton_inventory().connections.remove(0)
    }
}

#[test]
fn a_further_connection_between_two_ends_has_the_key_of_the_first_or_is_refused() {
    let shared = |plan: &Plan, key: &str| {
        let of = plan.key_sharers().to_vec();
        of.into_iter().map(|of| SharedKey { of, key: Ok(key.into()) }).collect::<Vec<_>>()
    };
    let says = |found: Result<Plan, Vec<Finding>>, words: &str| {
        let found = found.expect_err("it must be refused");
        assert!(found.iter().any(|one| one.place == Place::Key && one.text.contains(words)), "{found:#?}");
    };
    let (world, draft) = further(earlier());
    let plan = || world.plan(draft.clone());
    let theirs = "Another0key1of2the3earlier4one56";
    let with_theirs = plan().sharing(&shared(&plan(), theirs), KeyOrigin::Generated).unwrap();
    assert_eq!(with_theirs.psk(), &Psk::parse(theirs).unwrap());
    assert!(with_theirs.to_string().contains("uses the key of connection earlier"), "{with_theirs}");
    assert!(!with_theirs.to_string().contains(theirs));
    says(plan().sharing(&shared(&plan(), theirs), KeyOrigin::Given), "osvpn rotate-psk c-earlier --psk-file PATH");
    assert!(plan().sharing(&shared(&plan(), KEY), KeyOrigin::Given).is_ok(), "the user may have it");
    says(plan().sharing(&shared(&plan(), psk::PUBLIC), KeyOrigin::Generated), "osvpn rotate-psk c-earlier");
    let unread =
        SharedKey { of: plan().key_sharers()[0].clone(), key: Err(Error::new(ErrorKind::Forbidden, "not shown")) };
    says(plan().sharing(&[unread], KeyOrigin::Generated), "not shown");
    let two = [shared(&plan(), KEY), shared(&plan(), theirs)].concat();
    says(plan().sharing(&two, KeyOrigin::Generated), "different keys");
}

#[test]
fn with_another_identity_a_connection_has_a_key_of_its_own() {
    let sharers = |existing: SiteConnection| {
        let (world, draft) = further(existing);
        world.plan(draft).key_sharers().len()
    };
    assert_eq!(sharers(earlier()), 1);
    assert_eq!(sharers(SiteConnection { peer_id: "office.example.com".into(), ..earlier() }), 0);
    assert_eq!(sharers(SiteConnection { local_id: "vpn.example.com".into(), ..earlier() }), 0);
    assert_eq!(sharers(SiteConnection { peer_address: "150.242.40.138".into(), ..earlier() }), 0);
}
