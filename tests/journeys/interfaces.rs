//! Where routers stand: read only of those that matter, and nothing waits that does not need it.

use osvpn::cloud::Inventory;
use osvpn::wizard::picker::Picker;
use osvpn::wizard::remote::Remote;

use super::journey::{current_line, drawn_text, shows};
use super::*;

in_both! {
    the_cursor_goes_to_the_first_router_that_turns_out_to_be_of_use_unless_the_user_has_moved_it,
    a_router_is_taken_before_it_is_read_and_its_subnets_are_shown_once_they_are,
    subnets_that_could_not_be_read_say_why_and_are_read_again,
    what_is_read_again_keeps_its_subnets_in_view_and_a_late_answer_is_dropped,
    nothing_is_created_before_the_subnets_of_its_routers_are_known,
    routers_are_shown_and_taken_while_a_long_list_of_subnets_is_still_being_read,
    a_filter_typed_before_the_subnets_are_there_is_kept_and_its_letters_are_no_commands,
}

on_a_screen! {
    only_the_routers_around_the_cursor_are_asked_about_and_not_one_by_one: "there is no cursor in lines",
}

/// An inventory as discovery reads it: nothing is known of where routers stand.
fn bare(inventory: &Inventory) -> Inventory {
    let mut bare = inventory.clone();
    bare.routers.iter_mut().for_each(|router| router.interfaces = None);
    bare
}

/// Many routers, each on a subnet of its own but every third, which stands on none.
fn many(count: usize) -> Inventory {
    let subnets: Vec<_> =
        (0..count).map(|n| subnet(&format!("{n:08}-s"), &format!("s-{n:03}"), &format!("10.{n}.0.0/24"))).collect();
    let stand = |n: usize| if n.is_multiple_of(3) { Vec::new() } else { vec![&subnets[n]] };
    let routers = (0..count).map(|n| router(&format!("{n:08}-r"), &format!("r-{n:03}"), &["103.197.61.75"], &stand(n)));
    let routers = routers.collect();
    Inventory { routers, subnets, services: vec![], connections: vec![], ..hamilton_inventory() }
}

fn picker(journey: &Journey) -> &Picker {
    let Content::List(picker) = journey.model.content() else { panic!("a list") };
    picker
}

fn asked(journey: &Journey) -> Vec<usize> {
    let asked = journey.effects.iter().filter_map(|effect| match effect {
        Effect::ReadInterfaces(_, _, routers) => Some(routers.len()),
        _ => None,
    });
    asked.collect()
}

/// At the routers of one region, of which nothing more is known.
fn at_routers(inventory: &Inventory) -> Journey {
    let mut journey = Journey::signed_in(&[hamilton()]);
    journey.keeps_interfaces = true;
    journey.discovered(&hamilton(), Ok(bare(inventory))).single().at(Screen::Router(Half::A));
    journey
}

fn only_the_routers_around_the_cursor_are_asked_about_and_not_one_by_one() {
    let inventory = many(200);
    let mut journey = Journey::signed_in(&[hamilton()]);
    journey.keeps_interfaces = true;
    journey.discovered(&hamilton(), Ok(bare(&inventory))).at(Screen::Mode);
    assert!(asked(&journey).is_empty(), "no router is chosen or on the screen");
    journey.single().at(Screen::Router(Half::A));
    assert_eq!(asked(&journey), [25]);
    assert!(drawn_text(&journey).contains("reading subnets"), "{}", drawn_text(&journey));
    for _ in 0..60 {
        journey.key(KeyCode::Down);
    }
    assert_eq!(picker(&journey).cursor(), 60, "nothing holds the cursor");
    assert_eq!(asked(&journey), [25], "whoever scrolls does not ask for what is passed by");
    journey.interfaces_read(&hamilton(), Ok(&inventory));
    assert_eq!(asked(&journey), [25]);
    let read = journey.interfaces_read(&hamilton(), Ok(&inventory));
    assert!(read.contains(&inventory.routers[60].id));
    let bare = picker(&journey).current().unwrap().clone();
    assert!(!bare.is_open() && journey.reason(&bare).contains("no subnet to tunnel"), "{}", journey.reason(&bare));
    assert!(asked(&journey).is_empty());
    journey.key(KeyCode::Down);
    assert!(asked(&journey).is_empty(), "what comes next is known already");
}

fn the_cursor_goes_to_the_first_router_that_turns_out_to_be_of_use_unless_the_user_has_moved_it() {
    let inventory = many(10);
    let mut journey = at_routers(&inventory);
    assert_eq!(current_line(&journey).title, "r-000", "nothing speaks against it yet");
    journey.interfaces_read(&hamilton(), Ok(&inventory));
    assert_eq!(current_line(&journey).title, "r-001");
    let mut moved = at_routers(&inventory);
    moved.key(KeyCode::Down).key(KeyCode::Down).key(KeyCode::Down).interfaces_read(&hamilton(), Ok(&inventory));
    assert_eq!(current_line(&moved).title, "r-003");
}

fn a_router_is_taken_before_it_is_read_and_its_subnets_are_shown_once_they_are() {
    let inventory = hamilton_inventory();
    let mut journey = at_routers(&inventory);
    journey.enter().at(Screen::Subnets(Half::A));
    assert!(drawn_text(&journey).contains("Reading the subnets of border-router"), "{}", drawn_text(&journey));
    journey.enter().at(Screen::Subnets(Half::A));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("still being read"));
    journey.types("?").esc().interfaces_read(&hamilton(), Ok(&inventory));
    assert_eq!(picker(&journey).tally().open, 3);
    journey.key(KeyCode::End).enter().at(Screen::Subnets(Half::A));
    let lonely = picker(&journey).lines().iter().find(|line| line.title == "lonely-subnet").unwrap();
    assert!(journey.reason(lonely).contains("is not attached to border-router"));
    journey.key(KeyCode::Home).enter().at(Screen::Peer);
}

fn subnets_that_could_not_be_read_say_why_and_are_read_again() {
    let inventory = hamilton_inventory();
    let mut journey = at_routers(&inventory);
    let failure = || Err(Error::new(ErrorKind::Timeout, "no answer within 60 s"));
    journey.interfaces_read(&hamilton(), failure());
    let text = drawn_text(&journey);
    assert!(
        shows(&journey, "103.197.61.75  ! not read", "its subnets could not be read")
            && text.contains("no answer within 60 s"),
        "{text}"
    );
    assert!(asked(&journey).is_empty(), "a cloud that fails is not asked again by itself");
    journey.enter().at(Screen::Subnets(Half::A));
    let text = drawn_text(&journey);
    assert!(text.contains("The subnets of border-router could not be read"), "{text}");
    journey.types("r");
    assert_eq!(asked(&journey), [1]);
    journey.interfaces_read(&hamilton(), Ok(&inventory));
    assert_eq!(picker(&journey).tally().open, 3);
}

fn what_is_read_again_keeps_its_subnets_in_view_and_a_late_answer_is_dropped() {
    let inventory = hamilton_inventory();
    let mut journey = at_routers(&inventory);
    let Some(Effect::ReadInterfaces(late, ..)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    journey.types("r");
    let read = [(Id::new("h-border"), FromIterator::from_iter([]))].into();
    journey.send(Message::InterfacesRead(hamilton(), late, Ok(read)));
    let standing = |journey: &Journey| journey.model.new_vpn.regions[0].standing(&Id::new("h-border")).clone();
    assert!(matches!(standing(&journey), Remote::Loading { .. }), "it was asked for before the region was read again");
    journey.interfaces_read(&hamilton(), Ok(&inventory));
    journey.discovered(&hamilton(), Ok(bare(&inventory)));
    assert!(matches!(standing(&journey), Remote::Ready(())), "what was read meanwhile is kept");
    journey.enter().at(Screen::Subnets(Half::A));
    let before = picker(&journey).lines().to_vec();
    journey.types("r").discovered(&hamilton(), Ok(bare(&inventory)));
    assert_eq!(picker(&journey).lines(), before, "what was known stays in view");
    assert!(drawn_text(&journey).contains("Reading the subnets of border-router"));
    let mut moved = inventory.clone();
    let private = moved.routers.iter().find(|one| one.name == "border-router").unwrap().interfaces.clone().unwrap();
    let private = private.iter().filter(|one| one.subnet == Id::new("h-private")).cloned();
    moved.routers.iter_mut().find(|one| one.name == "border-router").unwrap().interfaces = Some(private.collect());
    journey.interfaces_read(&hamilton(), Ok(&moved));
    assert_eq!(picker(&journey).tally().open, 1, "what was detached meanwhile cannot be taken");
}

fn nothing_is_created_before_the_subnets_of_its_routers_are_known() {
    let inventories = [(hamilton(), hamilton_inventory()), (porirua(), porirua_inventory())];
    let mut journey = Journey::signed_in(&[hamilton(), porirua()]);
    journey.keeps_interfaces = true;
    for (region, inventory) in &inventories {
        journey.discovered(region, Ok(bare(inventory)));
    }
    for _ in 0..3 {
        journey.enter();
    }
    journey.interfaces_read(&hamilton(), Ok(&inventories[0].1));
    journey.at(Screen::Subnets(Half::A)).enter().at(Screen::Router(Half::B)).enter().at(Screen::Subnets(Half::B));
    journey.interfaces_read(&porirua(), Ok(&inventories[1].1));
    journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
    journey.at(Screen::Review);
    assert!(journey.plan().is_ok(), "{:?}", journey.plan());
    // What is known is old by now: everything is read again, the routers' subnets too.
    journey.send(Message::Tick(Duration::from_secs(600))).passes(1000).enter().at(Screen::Review);
    for (region, inventory) in &inventories {
        journey.discovered(region, Ok(bare(inventory)));
        journey.detailed(region, Ok(if *region == hamilton() { hamilton_detail() } else { porirua_detail() }));
    }
    journey.at(Screen::Review);
    assert!(journey.plan().is_err(), "their routers may have been moved meanwhile");
    journey.interfaces_read(&hamilton(), Ok(&inventories[0].1));
    journey.at(Screen::Review).interfaces_read(&porirua(), Ok(&inventories[1].1));
    journey.at(Screen::Work);
}

fn routers_are_shown_and_taken_while_a_long_list_of_subnets_is_still_being_read() {
    let whole = bare(&hamilton_inventory());
    let mut journey = Journey::signed_in(&[hamilton()]);
    journey.keeps_interfaces = true;
    let Some(Effect::Discover(request, _)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    let part = Box::new(Inventory { subnets: Vec::new(), ..whole.clone() });
    journey.send(Message::DiscoveredInPart(hamilton(), request, part.clone()));
    journey.single().at(Screen::Router(Half::A));
    journey.interfaces_read(&hamilton(), Ok(&hamilton_inventory()));
    let text = drawn_text(&journey);
    assert!(shows(&journey, "Subnets being read", "") && text.contains("Reading Hamilton"), "{text}");
    journey.enter().at(Screen::Subnets(Half::A)).enter().at(Screen::Subnets(Half::A));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("still being read"));
    journey.types("?").esc().send(Message::Discovered(hamilton(), request, Ok(whole.clone())));
    assert_eq!(picker(&journey).tally().open, 3, "where its routers stand was read meanwhile");
    let before = picker(&journey).lines().to_vec();
    journey.types("r");
    let Some(again) = journey.effects.iter().find_map(|effect| match effect {
        Effect::Discover(request, _) => Some(*request),
        _ => None,
    }) else {
        panic!("{:?}", journey.effects)
    };
    journey.send(Message::DiscoveredInPart(hamilton(), again, part));
    assert_eq!(picker(&journey).lines(), before, "what is known whole is not replaced by a part");
    journey.send(Message::Discovered(hamilton(), again, Err(Error::new(ErrorKind::Timeout, "slow"))));
    assert!(drawn_text(&journey).contains("slow"));
}

fn a_filter_typed_before_the_subnets_are_there_is_kept_and_its_letters_are_no_commands() {
    let inventory = hamilton_inventory();
    let mut journey = at_routers(&inventory);
    journey.enter().at(Screen::Subnets(Half::A)).types("/10.0");
    journey.interfaces_read(&hamilton(), Ok(&inventory));
    journey.types(".1").at(Screen::Subnets(Half::A));
    assert_eq!(picker(&journey).filter().unwrap().value(), "10.0.1");
    let shown: Vec<_> = picker(&journey).window(0, 9).map(|(_, line)| line.title.clone()).collect();
    assert_eq!(shown, ["db-subnet"]);
}
