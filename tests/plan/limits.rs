//! The numbers and the initiator of a policy, and the family a tunnel runs over.

use super::*;
use osvpn::plan::Outer;
use osvpn::plan::fields::Allowed;

/// Both families on every router of Hamilton.
fn dual() -> World {
    let mut world = World::new();
    let v6 = "2001:db8:113::20".parse().unwrap();
    world.hamilton.1.routers.iter_mut().for_each(|router| router.external_v6 = vec![v6]);
    world
}

#[test]
fn the_least_mtu_follows_the_subnets_and_not_the_addresses_outside() {
    let world = dual();
    let v4 = |address: &str| single(address, "192.168.7.0/24");
    let v6 =
        |address: &str| PlanDraft { a: side(hamilton(), "h-border", &["h-six"]), ..single(address, "fd00:7::/64") };
    let with = |mut draft: PlanDraft, mtu: u32| {
        draft.policy.mtu = mtu;
        draft
    };
    let place = Place::Policy(Some(PolicyField::Mtu));
    for address in ["198.51.100.7", "2001:db8::7"] {
        world.refused(with(v4(address), 67), place, "68 bytes or more");
        world.plan(with(v4(address), 68));
        world.plan(with(v4(address), 1279));
        world.refused(with(v6(address), 1279), place, "1280 bytes or more");
        world.plan(with(v6(address), 1280));
    }
}

#[test]
fn no_number_is_larger_than_what_the_cloud_stores() {
    let world = World::new();
    let numbers: Vec<PolicyField> =
        PolicyField::ALL.iter().copied().filter(|field| matches!(field.allowed(), Allowed::Number(_))).collect();
    assert_eq!(numbers.len(), 5);
    for field in numbers {
        let mut draft = PlanDraft { profile: Profile::Custom, ..site_to_site() };
        draft.policy.dpd.timeout = 2_147_483_647;
        let largest = if field == PolicyField::DpdInterval { "2147483646" } else { "2147483647" };
        field.set(&mut draft.policy, largest).unwrap();
        let text = file::write(&world.plan(draft.clone()));
        PlanFile::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        for over in ["2147483648", "4294967296", "99999999999999999999"] {
            let why = field.set(&mut draft.policy, over).unwrap_err();
            assert!(why.to_string().contains("at most 2147483647"), "{why}");
        }
        for odd in ["-1", "+1", "1.5", ""] {
            assert!(field.set(&mut draft.policy, odd).unwrap_err().to_string().contains("a whole number"), "{odd}");
        }
        assert_eq!(field.get(&draft.policy), largest, "what does not fit changes nothing");
        for over in ["-1", "2147483648", "4294967296"] {
            let over = text.replacen(&format!("= {largest}\n"), &format!("= {over}\n"), 1);
            let error = PlanFile::parse(&over).expect_err("must be refused").to_string();
            assert!(error.starts_with("line ") && error.contains("stores 0 to 2147483647"), "{error}");
        }
    }
    let mut draft = site_to_site();
    draft.policy.ipsec.lifetime = 2_147_483_648;
    world.refused(draft, Place::Policy(Some(PolicyField::IpsecLifetime)), "at most 2147483647");
}

#[test]
fn who_only_responds_is_told_that_somebody_has_to_start() {
    let world = World::new();
    let place = Place::Policy(Some(PolicyField::Initiator));
    for (draft, words) in [
        (site_to_site(), "take bi-directional"),
        (site_to_site(), "stays DOWN"),
        (single("198.51.100.7", "192.168.7.0/24"), "only the peer starts"),
    ] {
        world.silent(draft.clone(), words);
        let mut waiting = draft;
        PolicyField::Initiator.set(&mut waiting.policy, "response-only").unwrap();
        world.warned(waiting, place, words);
    }
}

#[test]
fn a_peer_by_name_is_taken_for_ipv4_and_never_promised_ipv6() {
    let draft = || single("office.example.net", "192.168.7.0/24");
    World::new().silent(draft(), "IPv6");
    let mut world = dual();
    assert_eq!(world.plan(draft()).outer(), Outer::V4);
    assert_eq!(world.plan(draft()).a().address_text(), "103.197.61.75");
    world.warned(draft(), Place::PeerAddress, "counts on an IPv4 one");
    world.hamilton.1.routers.iter_mut().for_each(|router| router.external_v4.clear());
    world.refused(draft(), Place::PeerAddress, "type its IPv6 address");
    assert_eq!(world.plan(single("2001:db8::7", "192.168.7.0/24")).outer(), Outer::V6);
}
