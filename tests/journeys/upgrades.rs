//! VPNs that are behind today's standard: marked, upgraded one by one, all at once, and together with other subnets.

use osvpn::change::{Change, Step, Verb};
use osvpn::inspect::{Exposures, Keys, Weakness};
use osvpn::wizard::Overview;
use osvpn::wizard::vpns::VpnButton;

use super::surveys::{legacy, regions, seen, two_pairs};
use super::vpns::{agreed, ended, listed, open, titles};
use super::*;

in_both! {
    a_vpn_of_the_old_kind_is_marked_and_upgraded_on_its_page,
    several_that_are_behind_are_upgraded_after_one_question,
    other_subnets_of_one_that_cannot_have_them_upgrade_it_with_them,
    what_is_up_to_date_has_no_upgrade,
    a_router_of_the_old_kind_is_upgraded_as_part_of_the_new_vpn,
    whoever_leaves_the_review_before_the_vpn_is_created_has_to_create_it_anew,
    where_the_upgrade_fails_nothing_is_created,
    where_one_of_two_upgrades_cannot_be_none_is_begun,
    a_missing_half_is_made_from_the_page_of_the_other,
}

fn opened(seen: Box<Overview>) -> Journey {
    let mut journey = listed(seen);
    journey.types("1").at(Screen::Vpn);
    let (request, _) = journey.asked();
    let keys = Keys::Read { equal: Some(true), weakness: Some(Weakness::Public), rivals: Vec::new() };
    journey.send(Message::Vpns(VpnsMessage::Diagnosed(request, Box::new(keys), Box::default())));
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
    assert!(dialog.text[0].contains(&format!("about {} s", osvpn::change::INTERRUPTION)), "{:?}", dialog.text);
    assert!(dialog.text.iter().any(|line| line.contains("new key")), "{:?}", dialog.text);
    let labels: Vec<&str> = dialog.buttons.iter().map(|button| button.label.as_str()).collect();
    assert_eq!((labels.as_slice(), dialog.focus), (["Keep it as it is", "Upgrade hlz-por"].as_slice(), 0));
    let change = agreed(&mut journey);
    assert_eq!(change.verb, Verb::Upgrade);
    assert!(steps(&change).iter().any(|step| step.contains("create the VPN service")), "{:?}", steps(&change));
    assert!(shows(&journey, "Upgrade of hlz-por: in progress", "Upgrade of hlz-por: in progress"));
    ended(&mut journey, &change, Ok(Changed::Done));
    journey.inspected(surveys::healthy()).diagnosed(Exposures::default());
    let (page, result) = (drawn_text(&journey), "Done: hlz-por is ACTIVE, and both halves match.");
    assert!(shows(&journey, result, result), "{page}");
    assert!(!page.contains("can be rolled back") && !page.contains("down for some seconds"), "{page}");
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

/// At the review of a VPN that ends on the router of the legacy VPN in Hamilton.
fn on_a_legacy_router() -> Journey {
    on_routers_of(&legacy())
}

fn on_routers_of(seen: &Overview) -> Journey {
    let mut journey = Journey::signed_in(&[hamilton(), porirua()]);
    for (region, survey) in &seen.inspection.surveys {
        journey.discovered(region, Ok(survey.inventory.clone()));
    }
    journey.to(Screen::Router(Half::A));
    let Content::List(picker) = journey.model.content() else { panic!() };
    let router = picker.lines().iter().find(|line| line.title == "border-router").unwrap().clone();
    assert!(
        router.is_open() && journey.reason(&router).contains("holds the legacy VPN hlz-por, which is upgraded first")
    );
    journey.chooses("border-router").to(Screen::Router(Half::B));
    journey.goes_to(&Choice::Object(Id::new("p-twin-2"))).enter();
    journey.to(Screen::Review).details();
    journey
}

/// Every VPN that is asked about has one key on both halves.
fn compare_keys(journey: &mut Journey) {
    let (request, vpns) = journey.taken("the keys", |effect| match effect {
        Effect::CompareKeys(request, vpns) => Some((*request, vpns.clone())),
        _ => None,
    });
    let keys = vpns.iter().map(|vpn| (vpn.handle(), surveys::equal_keys())).collect();
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(request, keys)));
}

fn a_router_of_the_old_kind_is_upgraded_as_part_of_the_new_vpn() {
    let mut journey = on_a_legacy_router();
    assert!(shows(&journey, "upgrades hlz-por first", "Create: upgrades hlz-por first"), "{}", drawn_text(&journey));
    journey.chooses("Create").at(Screen::Review).inspected(legacy());
    compare_keys(&mut journey);
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert_eq!(dialog.title, "Upgrade hlz-por first?");
    assert!(dialog.text[1].contains(&format!("about {} s", osvpn::change::INTERRUPTION)), "{:?}", dialog.text);
    journey.chooses("Upgrade, then create").at(Screen::Work);
    let Some(Effect::Work(Which::New(change, _), Order::CarryOut)) = journey.effects.pop() else { panic!() };
    assert_eq!(change.verb, Verb::Upgrade);
    ended(&mut journey, &change, Ok(Changed::Done));
    // The regions are read again, and what was agreed to is created without another question.
    journey.at(Screen::Review);
    let upgraded = surveys::healthy();
    for (region, survey) in &upgraded.inspection.surveys {
        journey.discovered(region, Ok(survey.inventory.clone()));
    }
    journey.details().at(Screen::Work);
    let plan = journey.taken("the creation", |effect| match effect {
        Effect::Work(Which::Plan(plan, _), Order::CarryOut) => Some(plan.clone()),
        _ => None,
    });
    assert!(plan.objects(plan.a()).iter().any(|object| object.is_reused), "the new service of the router is used");
}

/// The upgrade that a new VPN needs is agreed to.
fn upgrading_first() -> (Journey, Change) {
    let mut journey = on_a_legacy_router();
    journey.chooses("Create").inspected(legacy());
    let (request, vpns) = journey.taken("the keys", |effect| match effect {
        Effect::CompareKeys(request, vpns) => Some((*request, vpns.clone())),
        _ => None,
    });
    let keys = vpns.iter().map(|vpn| (vpn.handle(), surveys::equal_keys())).collect();
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(request, keys))).chooses("Upgrade, then create");
    let Some(Effect::Work(Which::New(change, _), _)) = journey.effects.pop() else { panic!() };
    (journey, *change)
}

fn is_creating(journey: &Journey) -> bool {
    journey.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::Plan(..), _)))
}

/// What was agreed to was the review as it stood then.
fn whoever_leaves_the_review_before_the_vpn_is_created_has_to_create_it_anew() {
    let (mut journey, change) = upgrading_first();
    ended(&mut journey, &change, Ok(Changed::Done));
    journey.at(Screen::Review).esc();
    for (region, survey) in &surveys::healthy().inspection.surveys {
        journey.discovered(region, Ok(survey.inventory.clone()));
    }
    journey.to(Screen::Review).details().at(Screen::Review);
    assert!(!is_creating(&journey));
}

fn where_the_upgrade_fails_nothing_is_created() {
    let (mut journey, change) = upgrading_first();
    let failure = ChangeError::Failed(0, Box::new(Error::new(ErrorKind::Server, "500")));
    ended(&mut journey, &change, Err(failure));
    journey.at(Screen::Work).chooses("Your VPNs").at(Screen::Vpns);
    assert!(!is_creating(&journey));
}

/// The routers of both ends have a legacy service, and the VPN on one of them cannot be upgraded.
fn where_one_of_two_upgrades_cannot_be_none_is_begun() {
    let mut regions = legacy().inspection.surveys.clone();
    let inventory = &mut regions.get_mut(&porirua()).unwrap().inventory;
    let mut service = inventory.services[0].clone();
    (service.id, service.router) = (Id::new("twin-service"), Id::new("p-twin-2"));
    (service.legacy_subnet, service.external_v4) = (Some(Id::new("p-apps")), "150.242.40.139".parse().ok());
    let mut office = inventory.connections[0].clone();
    (office.id, office.name, office.service) = (Id::new("office"), "office".to_owned(), service.id.clone());
    (office.peer_address, office.peer_id) = ("203.0.113.250".to_owned(), "203.0.113.250".to_owned());
    office.peer_cidrs = vec!["192.168.9.0/24".parse().unwrap()];
    inventory.services.push(service);
    inventory.connections.push(office);
    let mut journey = on_routers_of(&seen(regions.clone(), Vec::new()));
    // Meanwhile it has got the mark of a VPN whose other half is gone.
    let connections = &mut regions.get_mut(&porirua()).unwrap().inventory.connections;
    let office = connections.iter_mut().find(|one| one.name == "office").unwrap();
    office.description = osvpn::plan::VpnId::new("5ec0ff1d").mark(Half::B);
    assert!(drawn_text(&journey).contains("upgrades hlz-por and office first"), "{}", drawn_text(&journey));
    journey.chooses("Create").inspected(seen(regions, Vec::new()));
    compare_keys(&mut journey);
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    let refused = dialog.text.join(" ");
    assert!(refused.contains("office: ") && !refused.contains("upgraded first"), "{dialog:?}");
    assert!(!dialog.buttons.iter().any(|button| button.label.contains("Upgrade")), "{dialog:?}");
}

fn a_missing_half_is_made_from_the_page_of_the_other() {
    let mut regions = regions(Status::Active, Status::Active, "group14");
    regions.get_mut(&porirua()).unwrap().inventory.connections.retain(|one| one.description.is_empty());
    let mut journey = listed(seen(regions, Vec::new()));
    journey.types("1").at(Screen::Vpn).diagnosed(Exposures::default());
    assert!(open(&journey).buttons().contains(&VpnButton::Fix), "{}", drawn_text(&journey));
    assert!(!open(&journey).buttons().contains(&VpnButton::Upgrade), "that needs both halves");
    journey.types("f");
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert_eq!(dialog.title, "Create the missing half of hlz-por?", "{dialog:?}");
    assert_eq!(agreed(&mut journey).verb, Verb::Repair);
}
