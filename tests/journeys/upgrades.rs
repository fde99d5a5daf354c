//! VPNs that are behind today's standard: marked, upgraded one by one, all at once, and together with other subnets.

use osvpn::change::{Change, Step, Verb};
use osvpn::inspect::{Exposures, Keys, Weakness};
use osvpn::wizard::Overview;
use osvpn::wizard::vpns::VpnButton;

use super::surveys::{regions, seen, two_pairs};
use super::vpns::{agreed, ended, listed, open, titles};
use super::*;

in_both! {
    a_vpn_of_the_old_kind_is_marked_and_upgraded_on_its_page,
    several_that_are_behind_are_upgraded_after_one_question,
    other_subnets_of_one_that_cannot_have_them_upgrade_it_with_them,
    what_is_up_to_date_has_no_upgrade,
}

/// The VPN between the border routers as the script makes it.
fn legacy() -> Box<Overview> {
    let mut regions = regions(Status::Active, Status::Active, "group14");
    for (region, subnet, remote) in
        [(hamilton(), "h-private", "10.20.30.0/24"), (porirua(), "p-private", "10.0.0.0/24")]
    {
        let survey = regions.get_mut(&region).unwrap();
        let is_ours = |description: &str| description.starts_with("osvpn:");
        for service in survey.inventory.services.iter_mut().filter(|one| is_ours(&one.description)) {
            (service.legacy_subnet, service.description) = (Some(Id::new(subnet)), String::new());
        }
        for one in survey.inventory.connections.iter_mut().filter(|one| is_ours(&one.description)) {
            (one.local_group, one.peer_group, one.description) = (None, None, String::new());
            one.peer_cidrs = vec![remote.parse().unwrap()];
        }
        survey.groups.retain(|group| !is_ours(&group.description));
        for policy in &mut survey.ike_policies {
            policy.attributes.iter_mut().filter(|(name, _)| *name == "ike_version").for_each(|one| one.1 = "v1".into());
        }
    }
    seen(regions, Vec::new())
}

fn opened(seen: Box<Overview>) -> Journey {
    let mut journey = listed(seen);
    journey.types("1").at(Screen::Vpn);
    let (request, _) = journey.asked();
    let keys = Keys::Read { equal: Some(true), weakness: Some(Weakness::Public), rivals: Vec::new() };
    journey.send(Message::Vpns(VpnsMessage::Diagnosed(request, Box::new(keys), Box::new(Exposures::default()))));
    journey
}

fn steps(change: &Change) -> Vec<String> {
    change.steps().iter().map(ToString::to_string).collect()
}

fn a_vpn_of_the_old_kind_is_marked_and_upgraded_on_its_page() {
    let mut journey = listed(legacy());
    assert!(shows(&journey, "behind: legacy, IKEv1", "behind: legacy, IKEv1"), "{}", drawn_text(&journey));
    journey.esc();
    let mut journey = opened(legacy());
    let page = drawn_text(&journey);
    assert!(shows(&journey, "Behind: legacy, IKEv1, public key", "Behind: legacy, IKEv1, public key"), "{page}");
    // It is what fixes the finding, too.
    let legacy_finding = open(&journey)
        .diagnosis
        .as_ref()
        .unwrap()
        .findings
        .iter()
        .position(|finding| finding.fault().is_some_and(|fault| fault.fix == osvpn::inspect::Fix::Upgrade));
    assert!(legacy_finding.is_some(), "{page}");
    journey.types("u");
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert_eq!(dialog.title, "Upgrade hlz-por?");
    assert!(dialog.text[0].contains("15 s at most"), "{:?}", dialog.text);
    assert!(dialog.text.iter().any(|line| line.contains("new key")), "{:?}", dialog.text);
    let labels: Vec<&str> = dialog.buttons.iter().map(|button| button.label.as_str()).collect();
    assert_eq!((labels.as_slice(), dialog.focus), (["Keep it as it is", "Upgrade hlz-por"].as_slice(), 0));
    let change = agreed(&mut journey);
    assert_eq!(change.verb, Verb::Upgrade);
    assert!(steps(&change).iter().any(|step| step.contains("create the VPN service")), "{:?}", steps(&change));
    assert!(shows(&journey, "Upgrade of hlz-por: in progress", "Upgrade of hlz-por: in progress"));
    ended(&mut journey, &change, Ok(Changed::Done));
    journey.inspected(surveys::healthy());
    journey.enter().at(Screen::Vpn);
}

fn several_that_are_behind_are_upgraded_after_one_question() {
    let mut journey = listed(two_pairs());
    let (request, vpns) = journey.taken("the keys", |effect| match effect {
        Effect::CompareKeys(request, vpns) => Some((*request, vpns.clone())),
        _ => None,
    });
    let public = |handle: String| {
        (handle, Keys::Read { equal: Some(true), weakness: Some(Weakness::Public), rivals: Vec::new() })
    };
    let keys = vpns.iter().map(|vpn| public(vpn.handle())).collect();
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(request, keys)));
    assert!(titles(&journey).contains(&"upgrade all".to_owned()), "{:?}", titles(&journey));
    journey.chooses("upgrade all");
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert_eq!((dialog.title.as_str(), dialog.buttons[1].label.as_str()), ("Upgrade 2 VPNs?", "Upgrade 2 VPNs"));
    journey.chooses("Upgrade 2 VPNs").at(Screen::Work);
    assert_eq!(journey.model.work.queue.len(), 1, "one after the other");
}

fn other_subnets_of_one_that_cannot_have_them_upgrade_it_with_them() {
    let mut journey = opened(legacy());
    journey.types("s").at(Screen::NewSubnets(Half::A));
    journey.enter().at(Screen::NewSubnets(Half::B)).enter().at(Screen::NewSubnets(Half::B));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("tunnelled already"));
    journey.esc().at(Screen::NewSubnets(Half::A)).marks(&["private-subnet", "db-subnet"]);
    journey.at(Screen::NewSubnets(Half::B)).enter();
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert_eq!(dialog.title, "Upgrade hlz-por and change its subnets?");
    assert_eq!(dialog.buttons[1].label, "Upgrade and change");
    let change = agreed(&mut journey);
    let carries_both = |step: &Step| step.to_string().contains("h-db") || format!("{step:?}").contains("h-db");
    assert!(change.verb == Verb::Upgrade && change.steps().iter().any(carries_both), "{:?}", steps(&change));
}

fn what_is_up_to_date_has_no_upgrade() {
    let mut journey = listed(surveys::healthy());
    journey.types("1").diagnosed(Exposures::default());
    assert!(!open(&journey).buttons().contains(&VpnButton::Upgrade));
    assert!(!drawn_text(&journey).contains("Behind"), "{}", drawn_text(&journey));
    // Another pair of subnets needs nothing but the new groups.
    journey.types("s").marks(&["private-subnet", "db-subnet"]);
    journey.at(Screen::NewSubnets(Half::B)).enter();
    assert_eq!(agreed(&mut journey).verb, Verb::SetSubnets);
}
