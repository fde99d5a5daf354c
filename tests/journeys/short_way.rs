//! What the wizard does not ask, and what it does not have to be asked twice.

use osvpn::cloud::Inventory;
use osvpn::wizard::review::AnswerLine;
use secrecy::ExposeSecret;

use super::journey::{drawn_text, shows, wellington, without_vpn};
use super::*;

in_both! {
    a_step_with_one_candidate_is_answered_said_and_still_open_from_the_review,
    an_enter_pressed_while_a_region_is_read_acts_when_it_is_and_another_key_drops_it,
    a_kept_enter_never_creates,
    the_first_side_goes_on_while_the_second_region_is_read,
    a_subnet_of_another_router_is_found_behind_one_line_and_brings_its_router,
    a_subnet_can_be_chosen_before_its_router,
    the_filter_takes_what_is_shown_and_not_what_an_id_happens_to_hold,
    the_policy_is_switched_by_a_key_with_its_reason_in_view,
    the_commands_and_the_plan_are_shown_and_copied_without_the_key,
    the_peer_form_takes_the_network_of_an_address_and_says_whose_an_address_is,
    a_vpn_that_exists_is_said_at_the_answer_that_would_be_beside_it,
}

on_a_screen! {
    a_value_of_a_long_list_is_found_by_typing_and_a_number_is_replaced: "a value is a line, behind the number of its field",
}

#[track_caller]
fn told(journey: &Journey, part: &str) {
    let notice = journey.model.shell.notice.as_ref().map(|notice| notice.text.as_str()).unwrap_or_default();
    assert!(notice.contains(part), "{part:?} is not in {notice:?}");
}

fn line(journey: &Journey, screen: Screen) -> AnswerLine {
    journey.model.answer_lines().into_iter().find(|line| line.screen == screen).unwrap()
}

fn titles(journey: &Journey) -> Vec<String> {
    super::vpns::titles(journey)
}

fn a_step_with_one_candidate_is_answered_said_and_still_open_from_the_review() {
    let mut journey = Journey::signed_in(&[hamilton(), porirua(), wellington()]);
    let mut one_gateway = porirua_inventory();
    one_gateway.routers.iter_mut().skip(1).for_each(|router| router.external_network = None);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(one_gateway));
    journey.discovered(&wellington(), Ok(without_vpn())).enter().enter().at(Screen::Router(Half::A));
    told(&journey, "Region B: Porirua, the only other region that can be used.");
    assert!(shows(&journey, "Porirua (only)", "Region B: Porirua, the only other"), "{}", drawn_text(&journey));
    journey.enter().at(Screen::Subnets(Half::A)).enter().at(Screen::Review).details();
    told(&journey, "Router B: border-router, the only router with a gateway. Subnets B: private-subnet, the only");
    let reasons = [
        (Screen::Region(Half::B), "the only other region that can be used"),
        (Screen::Router(Half::B), "the only router with a gateway"),
        (Screen::Subnets(Half::B), "the only subnet"),
    ];
    for (screen, why) in reasons {
        assert_eq!(line(&journey, screen).source.as_deref(), Some(why));
    }
    assert_eq!(line(&journey, Screen::Router(Half::A)).source, None);
    journey.esc().at(Screen::Subnets(Half::A)).enter().at(Screen::Review);
    journey.to(Screen::Router(Half::B)).enter().at(Screen::Review);
    assert_eq!(line(&journey, Screen::Router(Half::B)).source, None, "what was chosen has no other reason");
    assert!(journey.plan().is_ok(), "{:?}", journey.plan());
}

fn an_enter_pressed_while_a_region_is_read_acts_when_it_is_and_another_key_drops_it() {
    let at_region = || {
        let mut journey = Journey::signed_in(&[hamilton(), porirua()]);
        journey.enter().at(Screen::Region(Half::A)).enter();
        told(&journey, "Hamilton is still being read; the wizard will go on as soon as it is read.");
        journey.discovered(&porirua(), Ok(porirua_inventory())).at(Screen::Region(Half::A));
        journey
    };
    let mut kept = at_region();
    kept.discovered(&hamilton(), Ok(hamilton_inventory())).at(Screen::Router(Half::A));
    assert!(!kept.model.keeps_enter());
    for text in ["x", "?"] {
        let mut dropped = at_region();
        dropped.types(text).discovered(&hamilton(), Ok(hamilton_inventory())).at(Screen::Region(Half::A));
    }
    let mut dropped = at_region();
    dropped.on_a_screen(|dropped| _ = dropped.key(KeyCode::Up));
    if dropped.is_in_lines() {
        dropped.types("9");
    }
    dropped.discovered(&hamilton(), Ok(hamilton_inventory())).at(Screen::Region(Half::A));
    let mut failed = at_region();
    failed.discovered(&hamilton(), Err(Error::new(ErrorKind::Timeout, "slow"))).at(Screen::Region(Half::A));
    assert!(!failed.model.keeps_enter(), "it was for that region, and takes no other");
    assert_eq!(failed.model.new_vpn.answers.region.a, None);
}

fn a_kept_enter_never_creates() {
    let mut journey = Journey::ready();
    for _ in 0..5 {
        journey.enter();
    }
    journey.at(Screen::Review).enter().details().passes(5000).at(Screen::Review);
    assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::Work(..))));
}

fn the_first_side_goes_on_while_the_second_region_is_read() {
    let third = osvpn::cloud::RegionId::new("nz-akl-1");
    let mut journey = Journey::signed_in(&[hamilton(), porirua(), third]);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).enter().enter().at(Screen::Region(Half::B));
    journey.enter().at(Screen::Router(Half::A)).enter().at(Screen::Subnets(Half::A)).enter();
    journey.at(Screen::Router(Half::B)).enter();
    told(&journey, "Porirua is still being read; the wizard will go on");
    journey.discovered(&porirua(), Ok(porirua_inventory())).at(Screen::Review).details();
    assert!(journey.plan().is_ok(), "{:?}", journey.plan());

    let mut lacking = Journey::signed_in(&[hamilton(), porirua(), wellington()]);
    lacking.discovered(&hamilton(), Ok(hamilton_inventory())).enter().enter().types("/wlg").enter();
    lacking.enter().enter().at(Screen::Router(Half::B)).discovered(&wellington(), Ok(without_vpn()));
    lacking.at(Screen::Region(Half::B));
    told(&lacking, "Wellington has no VPN service");
}

fn a_subnet_of_another_router_is_found_behind_one_line_and_brings_its_router() {
    let mut journey = Journey::ready();
    journey.to(Screen::Subnets(Half::A));
    assert_eq!(titles(&journey), ["db-subnet", "private-subnet", "v6-subnet", "3 more on other routers"]);
    journey.key(KeyCode::End).enter().at(Screen::Subnets(Half::A));
    let all = titles(&journey);
    assert_eq!(
        all[..4],
        ["db-subnet", "private-subnet", "v6-subnet", "shared-subnet"],
        "what can be taken comes first"
    );
    let Content::List(picker) = journey.model.content() else { panic!() };
    let reason = |title: &str| journey.reason(picker.lines().iter().find(|line| line.title == title).unwrap());
    assert_eq!(reason("shared-subnet"), "is on used-router; choosing it chooses that router");
    assert!(reason("old-subnet").starts_with("is on legacy-router, which holds a legacy VPN service"));
    assert!(reason("lonely-subnet").contains("is not attached to border-router"));
    journey.types("/shared").enter().at(Screen::Router(Half::B));
    told(&journey, "Router A is now used-router");
    assert_eq!(journey.model.new_vpn.answers.router_of(Half::A), Some(&Id::new("h-used")));
    assert_eq!(journey.model.new_vpn.answers.subnets_of(Half::A), [Id::new("h-shared")]);

    let mut marked = Journey::ready();
    marked.to(Screen::Subnets(Half::A)).key(KeyCode::End).enter().types("/shared").key(KeyCode::Tab);
    marked.on_a_screen(|marked| told(marked, "Router A is now used-router"));
    marked.enter().at(Screen::Router(Half::B));
    assert_eq!(marked.model.new_vpn.answers.subnets_of(Half::A), [Id::new("h-shared")]);
}

fn a_subnet_can_be_chosen_before_its_router() {
    let mut journey = Journey::ready();
    journey.to(Screen::Router(Half::A));
    assert_eq!(titles(&journey)[..3], ["border-router", "used-router", "choose a subnet first"]);
    journey.types("3").at(Screen::Subnets(Half::A));
    assert!(titles(&journey).contains(&"shared-subnet".to_owned()), "{:?}", titles(&journey));
    journey.types("/10.8").enter().at(Screen::Router(Half::B));
    told(&journey, "Router A is now used-router: the subnet is on it.");
    let mut own = Journey::ready();
    own.to(Screen::Router(Half::A)).types("3").types("/db").enter().at(Screen::Router(Half::B));
    assert_eq!(own.model.new_vpn.answers.router_of(Half::A), Some(&Id::new("h-border")));
}

fn the_filter_takes_what_is_shown_and_not_what_an_id_happens_to_hold() {
    let mut inventory: Inventory = hamilton_inventory();
    let id = "84316507-5610-4f2f-b14f-75f5077495db";
    for subnet in inventory.subnets.iter_mut().filter(|subnet| subnet.name == "private-subnet") {
        subnet.id = Id::new(id);
    }
    for router in &mut inventory.routers {
        for interface in router.interfaces.iter_mut().flat_map(|own| own.iter().cloned().collect::<Vec<_>>()) {
            assert!(!interface.subnet.as_str().is_empty());
        }
        let own = router.interfaces.take().unwrap_or_default();
        let renamed = own.iter().cloned().map(|mut interface| {
            if interface.subnet == Id::new("h-private") {
                interface.subnet = Id::new(id);
            }
            interface
        });
        router.interfaces = Some(renamed.collect());
    }
    let at_subnets = || {
        let mut journey = Journey::signed_in(&[hamilton(), porirua()]);
        journey.discovered(&hamilton(), Ok(inventory.clone())).discovered(&porirua(), Ok(porirua_inventory()));
        journey.to(Screen::Subnets(Half::A));
        journey
    };
    let shown = |journey: &Journey| match journey.model.content() {
        Content::List(picker) => picker.window(0, 9).map(|(_, line)| line.title.clone()).collect::<Vec<_>>(),
        _ => panic!("a list"),
    };
    let mut journey = at_subnets();
    journey.types("/db");
    assert_eq!(shown(&journey), ["db-subnet"]);
    journey.enter();
    assert_eq!(journey.model.new_vpn.answers.subnets_of(Half::A), [Id::new("h-db")]);
    let mut by_id = at_subnets();
    by_id.types("/843");
    assert!(shown(&by_id).is_empty(), "three digits are found by chance");
    by_id.types("1");
    assert_eq!(shown(&by_id), ["private-subnet"]);
    // The best of what can be used has the cursor, whatever stands above it.
    let mut best = at_subnets();
    best.types("/s");
    let Content::List(picker) = best.model.content() else { panic!() };
    assert!(picker.current().unwrap().title == "shared-subnet" || picker.current().unwrap().title == "db-subnet");
}

fn the_policy_is_switched_by_a_key_with_its_reason_in_view() {
    let mut journey = Journey::at_review();
    let told = journey.model.new_vpn.policy_text();
    for part in ["Policy catalyst (IKEv1, SHA-1)", "p uses modern (IKEv2, SHA-256)", "several subnets", "2026.2"] {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
    assert!(drawn_text(&journey).contains("Policy catalyst"), "{}", drawn_text(&journey));
    journey.types("p").at(Screen::Review);
    assert_eq!(journey.plan().unwrap().profile(), Profile::Modern);
    assert!(drawn_text(&journey).contains("Policy modern (IKEv2, SHA-256)"), "{}", drawn_text(&journey));
    assert_eq!(line(&journey, Screen::Policy).source, None, "it is the user's own now");
    journey.types("p");
    assert_eq!(journey.plan().unwrap().profile(), Profile::Catalyst);
    // What the regions do not store is not offered.
    let mut upgraded = Journey::signed_in(&[hamilton(), porirua()]);
    let new = |inventory: Inventory| Inventory { extensions: new_release(), ..inventory };
    upgraded.discovered(&hamilton(), Ok(new(hamilton_inventory())));
    upgraded.discovered(&porirua(), Ok(new(porirua_inventory()))).to(Screen::Review).details().types("p");
    assert_eq!(upgraded.plan().unwrap().profile(), Profile::Modern);
    assert!(!drawn_text(&upgraded).contains("p uses"), "{}", drawn_text(&upgraded));
}

fn the_commands_and_the_plan_are_shown_and_copied_without_the_key() {
    let mut journey = Journey::at_review();
    for (key, parts) in [
        ("c", ["vpn service create --router h-border hlz-por_vpn_service", "--psk \"$OSVPN_PSK\"", "nz-por-1 vpn ike"]),
        ("f", ["version = 1", "router = \"h-border\"", "[[half]]"]),
    ] {
        journey.types(key);
        let text = journey.model.shell.dialog.as_ref().unwrap().text.join("\n");
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains(KEY));
        journey.types("y");
        assert!(matches!(journey.effects.pop(), Some(Effect::Copy(copied)) if copied.expose_secret() == text));
        assert!(journey.model.shell.dialog.is_some(), "it stays, for whoever's terminal has no clipboard");
        journey.esc().at(Screen::Review);
    }
    journey.types("r").at(Screen::Review);
    let read = journey.effects.iter().filter(|effect| matches!(effect, Effect::Discover(..))).count();
    assert_eq!(read, 2);
}

fn a_value_of_a_long_list_is_found_by_typing_and_a_number_is_replaced() {
    let mut journey = Journey::at_review();
    journey.to(Screen::Policy).types("3").at(Screen::Custom);
    for _ in 0..3 {
        journey.key(KeyCode::Down);
    }
    journey.types("/").at(Screen::Values);
    assert_eq!(titles(&journey).last().map(String::as_str), Some("aes-128-ccm-8"), "what IKEv1 cannot use comes last");
    journey.types("3des").enter().at(Screen::Custom);
    assert_eq!(PolicyField::IkeEncryption.get(&journey.model.new_vpn.answers.custom), "3des");
    assert!(drawn_text(&journey).contains("3des ›  ! weak"), "{}", drawn_text(&journey));
    journey.types("/").esc().esc().at(Screen::Custom).types("?");
    assert!(journey.model.shell.dialog.as_ref().unwrap().is_help, "nothing is typed as text here");
    journey.esc();
    assert!(drawn_text(&journey).contains("Encrypts the negotiation itself"), "{}", drawn_text(&journey));
    journey.key(KeyCode::Down).key(KeyCode::Down).types("90");
    assert_eq!(PolicyField::IkeLifetime.get(&journey.model.new_vpn.answers.custom), "90");
    journey.types("0");
    assert_eq!(PolicyField::IkeLifetime.get(&journey.model.new_vpn.answers.custom), "900");
}

fn the_peer_form_takes_the_network_of_an_address_and_says_whose_an_address_is() {
    let mut journey = Journey::ready();
    journey.at_peer().types("10.0.0.5").enter();
    assert!(journey.model.remark(Field::PeerAddress).unwrap().contains("private-subnet (10.0.0.0/24)"));
    journey.returns_to(Field::PeerAddress).control('u').types("vpn.office.example").enter();
    assert_eq!(journey.model.remark(Field::PeerAddress), None);
    journey.skips_to(Field::PeerCidrs).types("192.168.1.5/24, 192.168.9.0/24").enter().at(Screen::Review).details();
    told(&journey, "Taken as 192.168.1.0/24, 192.168.9.0/24");
    assert_eq!(journey.model.new_vpn.suggested_name(), "hlz-vpn", "the name tells one peer from another");
}

fn a_vpn_that_exists_is_said_at_the_answer_that_would_be_beside_it() {
    let mut journey = Journey::ready();
    let named = |inventory: &mut Inventory, router: &str, peer: &str| {
        let id = format!("s-{router}");
        inventory.services.push(service(&id, router, None));
        let mut connection = hamilton_inventory().connections[0].clone();
        (connection.id, connection.service) = (Id::new(format!("c-{router}")), Id::new(&*id));
        (connection.peer_address, connection.peer_id) = (peer.into(), peer.into());
        connection.name = "branch_vpn_site_connection".into();
        (connection.local_group, connection.peer_group) = (None, None);
        inventory.services.last_mut().unwrap().external_v4 =
            inventory.routers.iter().find(|one| one.id == Id::new(router)).unwrap().external_v4.first().copied();
        inventory.connections.push(connection);
    };
    let (mut a, mut b) = (hamilton_inventory(), porirua_inventory());
    named(&mut a, "h-border", "150.242.40.137");
    named(&mut b, "p-border", "103.197.61.75");
    journey.to(Screen::Router(Half::A)).types("r").discovered(&hamilton(), Ok(a));
    journey.esc().at(Screen::Region(Half::A)).key(KeyCode::Down).types("r").discovered(&porirua(), Ok(b));
    journey.key(KeyCode::Up).enter().at(Screen::Router(Half::A)).types("/border").enter();
    journey.at(Screen::Subnets(Half::A)).enter().at(Screen::Router(Half::B)).types("/border");
    let Content::List(picker) = journey.model.content() else { panic!() };
    let reason = journey.reason(picker.current().unwrap());
    assert!(reason.contains("branch connects it with the router of the other side already"), "{reason}");
    journey.control('o').at(Screen::Vpn);
    assert_eq!(journey.model.vpns.open.as_ref().unwrap().name, "branch");
    let mut name = Journey::at_review();
    name.to(Screen::Name).answers("office").at(Screen::Review).chooses("Name").at(Screen::Name);
    let key = if name.is_in_lines() { ":o" } else { "Ctrl-O" };
    assert!(name.model.remark(Field::Name).unwrap().contains(&format!("{key} opens that VPN")));
    name.control('o').at(Screen::Vpn);
}
