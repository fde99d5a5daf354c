//! The half that is missing, as it is to be made where it cannot be just the mirror image of the other one.

use osvpn::change::{Edits, New, PeerEnd, Proposal, Refused, Step, repair};
use osvpn::cloud::{Extensions, Id, Kind, Status, Survey};
use osvpn::inspect::{Inspection, OtherHalf};
use osvpn::plan::Profiles;

use crate::support::inventories::{hamilton, new_release, porirua, service};
use crate::support::surveys::regions;

/// The VPN between the border routers without Porirua's half; but for the service and the connection all is left.
fn without_b(alter: impl FnOnce(&mut Survey, &mut Survey)) -> Result<Proposal, Refused> {
    without_b_on(None, alter)
}

/// The same where a router is named for it.
fn without_b_on(router: Option<&str>, alter: impl FnOnce(&mut Survey, &mut Survey)) -> Result<Proposal, Refused> {
    let mut surveys = regions(Status::Down, Status::Down, "group14");
    let (mut a, mut b) = (surveys.remove(&hamilton()).unwrap(), surveys.remove(&porirua()).unwrap());
    b.inventory.connections.retain(|one| one.id.as_str() != "connection-B");
    b.inventory.services.retain(|one| one.id.as_str() != "service-B");
    alter(&mut a, &mut b);
    let seen = Inspection::of([(hamilton(), a), (porirua(), b)].into(), Vec::new());
    let vpn = seen.vpns.iter().find(|vpn| vpn.name == "hlz-por").unwrap();
    assert!(matches!(vpn.other_half, OtherHalf::Missing { .. }), "{vpn:?}");
    repair(&seen, vpn, &Profiles::built_in().unwrap(), router)
}

fn steps(proposal: &Proposal) -> Vec<String> {
    proposal.change.steps().iter().map(|step| format!("{step:.0}")).collect()
}

#[test]
fn what_is_left_is_used_and_the_key_is_named_by_its_connection_alone() {
    let proposal = without_b(|_, _| {}).unwrap();
    let made = [
        "nz-por-1: create the VPN service hlz-por_vpn_service",
        "nz-por-1: create the IPsec site connection hlz-por_vpn_site_connection",
    ];
    assert_eq!(steps(&proposal), made);
    let Some(Step::Create(create)) = proposal.change.steps().last() else { panic!() };
    let New::FreshConnection(fresh) = &create.object else { panic!("{create:?}") };
    assert_eq!(fresh.key_of.as_ref().unwrap().id, Id::new("connection-A"));
    assert_eq!(create.description, "osvpn:7a1f214e:B");
    let here = PeerEnd::Outside { address: "103.197.61.75".to_owned(), id: "103.197.61.75".to_owned() };
    assert_eq!((&fresh.peer, fresh.ike_policy.clone()), (&here, osvpn::change::Ref::Id(Id::new("ike-B"))));
}

#[test]
fn policies_that_the_region_does_not_store_any_more_are_replaced_on_both_halves() {
    let proposal = without_b(|a, b| {
        b.inventory.extensions = new_release();
        for policy in a.ike_policies.iter_mut().chain(&mut a.ipsec_policies) {
            policy
                .attributes
                .iter_mut()
                .filter(|(name, _)| *name == "auth_algorithm")
                .for_each(|(_, word)| "sha1".clone_into(word));
        }
    })
    .unwrap();
    let told = steps(&proposal);
    // What is left in Porirua holds sha256 already, which is what both halves get.
    for part in [
        "nz-hlz-1: create the IKE policy hlz-por_ike_policy",
        "nz-hlz-1: create the IPsec policy hlz-por_ipsec_policy",
        "nz-hlz-1: create the IPsec site connection hlz-por_vpn_site_connection",
        "nz-hlz-1: delete the IPsec site connection hlz-por_vpn_site_connection",
        "nz-hlz-1: delete the IKE policy hlz-por_ike-A",
    ] {
        assert!(told.iter().any(|step| step == part), "{part}: {told:#?}");
    }
    assert!(proposal.notes.iter().any(|note| note.contains("sha256")), "{:?}", proposal.notes);
}

#[test]
fn on_ovn_the_other_half_follows_the_address_that_the_new_service_gets() {
    let proposal = without_b(|_, b| {
        let aliases: Vec<String> = b.inventory.extensions.aliases().map(str::to_owned).collect();
        b.inventory.extensions = Extensions::new(aliases.into_iter().chain(["vpn-agent-scheduler".to_owned()]));
    })
    .unwrap();
    let replaced = proposal.change.steps().iter().find_map(|step| match step {
        Step::Create(create) if create.region == hamilton() => Some(&create.object),
        _ => None,
    });
    let Some(New::Connection(replacement)) = replaced else { panic!("{:#?}", steps(&proposal)) };
    assert!(matches!(replacement.peer, Some(PeerEnd::Service(0, _))), "{replacement:?}");
    assert!(
        replacement.is_peer_renamed,
        "the new half goes by its address, whatever name was expected: {replacement:?}"
    );
}

#[test]
fn a_legacy_service_that_no_connection_uses_is_replaced() {
    let proposal = without_b(|_, b| b.inventory.services.push(service("old", "p-border", Some("p-private")))).unwrap();
    assert_eq!(steps(&proposal).last().unwrap(), "nz-por-1: delete the VPN service vpn_service");
}

#[test]
fn a_half_that_expects_the_other_elsewhere_is_pointed_to_it() {
    let proposal = without_b(|a, b| {
        for connection in a.inventory.connections.iter_mut().filter(|one| one.id.as_str() == "connection-A") {
            (connection.peer_address, connection.peer_id) = ("192.0.2.1".to_owned(), "vpn.example".to_owned());
        }
        // Another router that stands elsewhere is none of its.
        b.inventory.routers.rotate_left(1);
    })
    .unwrap();
    let edits = proposal.change.steps().iter().find_map(|step| match step {
        Step::Update(update) => Some(&update.edits),
        _ => None,
    });
    let Some(Edits::Connection(edits)) = edits else { panic!("{:#?}", steps(&proposal)) };
    let after = |edit: &Option<osvpn::change::Edit<String>>| edit.as_ref().unwrap().after.clone();
    assert_eq!([after(&edits.peer_address), after(&edits.peer_id)], ["150.242.40.137", "150.242.40.137"]);
    assert!(
        steps(&proposal).last().unwrap().starts_with("nz-hlz-1: switch the VPN service"),
        "{:#?}",
        steps(&proposal)
    );
    assert!(
        !proposal
            .change
            .steps()
            .iter()
            .any(|step| matches!(step, Step::Delete(osvpn::change::Deletable::Vpn(Kind::SiteConnection), _)))
    );
}

#[test]
fn unused_services_beside_the_new_half_s_go_and_one_that_is_switched_off_is_not_used() {
    let proposal = without_b(|_, b| {
        for (id, is_up) in [("off", false), ("first", true), ("second", true)] {
            let mut service = service(id, "p-border", None);
            service.admin_state_up = is_up;
            b.inventory.services.push(service);
        }
    })
    .unwrap();
    let gone = proposal.change.steps().iter().filter_map(|step| match step {
        Step::Delete(_, object) => Some(object.id.as_str()),
        _ => None,
    });
    assert_eq!(gone.collect::<Vec<_>>(), ["off", "second"]);
    let used = proposal.change.steps().iter().find_map(|step| match step {
        Step::Create(create) => match &create.object {
            New::FreshConnection(fresh) => Some(fresh.service.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(used, Some(osvpn::change::Ref::Id(Id::new("first"))));
}

#[test]
fn where_several_routers_could_have_the_half_one_is_chosen() {
    let alter = |a: &mut Survey, b: &mut Survey| {
        for connection in a.inventory.connections.iter_mut().filter(|one| one.id.as_str() == "connection-A") {
            connection.peer_address = "192.0.2.1".to_owned();
        }
        let mut second = b.inventory.routers.iter().find(|router| router.id.as_str() == "p-border").unwrap().clone();
        (second.id, second.name) = (Id::new("p-second"), "second-router".to_owned());
        b.inventory.routers.push(second);
    };
    let Refused(reasons) = without_b(alter).unwrap_err();
    for part in ["border-router in nz-por-1 (p-border)", "second-router in nz-por-1 (p-second)", "--router ROUTER"] {
        assert!(reasons[0].contains(part), "{part}: {reasons:?}");
    }
    for wanted in ["second-router", "p-second"] {
        let proposal = without_b_on(Some(wanted), alter).unwrap();
        assert!(proposal.notes.iter().any(|note| note.contains("on router second-router")), "{:?}", proposal.notes);
    }
    assert!(without_b_on(Some("elsewhere"), alter).is_err());
}

#[test]
fn a_half_is_not_made_beside_another_vpn_that_has_its_ranges() {
    let Refused(reasons) = without_b(|_, b| {
        b.inventory.services.push(service("used", "p-border", None));
        let mut other = regions(Status::Active, Status::Active, "group14").remove(&porirua()).unwrap().inventory;
        let mut other = other.connections.remove(other.connections.len() - 1);
        (other.id, other.name, other.service) = (Id::new("other"), "theirs".to_owned(), Id::new("used"));
        (other.peer_address, other.description) = ("192.0.2.77".to_owned(), String::new());
        other.peer_group = Some(Id::new("their-ranges"));
        let mut group = b.groups.iter().find(|group| group.kind == "cidr").unwrap().clone();
        (group.id, group.endpoints) = (Id::new("their-ranges"), vec!["10.0.0.0/25".to_owned()]);
        b.groups.push(group);
        b.inventory.connections.push(other);
    })
    .unwrap_err();
    assert!(reasons.iter().any(|reason| reason.starts_with("nz-por-1: ") && reason.contains("theirs")), "{reasons:?}");
}
