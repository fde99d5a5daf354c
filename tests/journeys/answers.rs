//! What is answered, kept, changed and reviewed.

use super::*;

in_both! {
    single_mode_asks_only_for_what_the_cloud_cannot_know,
    a_peer_that_is_this_side_itself_is_refused_in_its_field,
    going_back_keeps_every_answer_and_going_on_restores_them,
    a_form_that_is_wrong_does_not_hold_the_user,
    the_review_leads_to_any_answer_and_straight_back,
    changing_an_answer_asks_only_what_it_makes_necessary,
    the_profile_follows_what_the_regions_and_subnets_need_and_says_why,
    a_custom_policy_is_checked_field_by_field_and_kept,
    the_key_is_replaced_by_what_is_typed_unseen,
    the_saved_plan_is_the_one_on_the_screen_and_holds_no_key,
    nothing_is_made_while_something_stands_in_the_way,
    what_is_known_is_read_once_more_before_anything_is_made_if_it_has_grown_old,
    a_name_that_was_only_looked_at_follows_the_answers,
}

on_a_screen! {
    marks_that_are_not_accepted_and_a_key_that_is_half_typed_survive_esc: "a line that is not sent is the terminal's own",
    a_key_is_pasted_revealed_and_generated: "nothing secret is ever said, and a line is pasted by the terminal",
    a_number_of_the_custom_policy_takes_no_letters: "a value is a line, not letter by letter",
}

fn single_mode_asks_only_for_what_the_cloud_cannot_know() {
    let person = &mut Journey::ready();
    person.at_peer();
    person.enter().at(Screen::Peer);
    assert!(person.model.problem(Field::PeerAddress).is_some(), "Enter on an empty form says what is missing");
    person.answers("198.51.100.7").at(Screen::Peer);
    assert_eq!(person.model.problem(Field::PeerCidrs), None, "a field nobody has been at is not blamed");
    person.skips_to(Field::PeerCidrs).answers("192.168.7.0/24").at(Screen::Review);
    person.details();
    let plan = person.plan().unwrap();
    let peer = plan.peer().unwrap();
    assert_eq!(peer.address, PeerAddress::Ip("198.51.100.7".parse().unwrap()));
    assert_eq!(peer.id, "198.51.100.7", "the id defaults to the address");
    assert_eq!(plan.halves().count(), 1);
}

fn a_peer_that_is_this_side_itself_is_refused_in_its_field() {
    let person = &mut Journey::ready();
    person.at_peer();
    let router = hamilton_inventory().routers.into_iter().find(|router| router.name == "border-router").unwrap();
    person.answers(&router.external_v4[0].to_string()).at(Screen::Peer);
    assert!(person.model.problem(Field::PeerAddress).unwrap().contains("own router"));
    person.is_told("own router").answers("198.51.100.7");
    assert_eq!(person.model.problem(Field::PeerAddress), None);
}

fn going_back_keeps_every_answer_and_going_on_restores_them() {
    let marked = |journey: &Journey| match journey.model.content() {
        Content::List(picker) => picker.marked().unwrap().len(),
        _ => 0,
    };
    let person = &mut Journey::ready();
    person.enter().enter().enter().at(Screen::Subnets(Half::A));
    person.marks(&["db-subnet", "private-subnet"]).at(Screen::Router(Half::B));
    person.esc().at(Screen::Subnets(Half::A));
    assert_eq!(marked(person), 2);
    person.esc().at(Screen::Router(Half::A));
    person.enter().at(Screen::Subnets(Half::A));
    assert_eq!(marked(person), 2, "marks survive going back");
    person.enter().at(Screen::Router(Half::B));
    person.enter().at(Screen::Review);
    person.chooses("Key").at(Screen::Key);
    person.answers("mykey").at(Screen::Key);
    person.esc().at(Screen::Review);
    person.chooses("Key").at(Screen::Key);
    assert_eq!(person.model.new_vpn.answers.key.expose(), "mykey", "a key that is wrong survives too");
    person.esc().esc().at(Screen::Router(Half::B));
    person.esc().at(Screen::Subnets(Half::A));
    person.esc().esc().at(Screen::Region(Half::A));
    person.esc().at(Screen::Mode);
    person.esc();
    assert!(person.model.shell.dialog.is_some(), "going back from the first step asks before leaving");
    person.esc();
    assert_eq!(person.model.new_vpn.answers.region.b, Some(porirua()));
    assert_eq!(person.model.new_vpn.answers.subnets_of(Half::A).len(), 2);
}

fn marks_that_are_not_accepted_and_a_key_that_is_half_typed_survive_esc() {
    let mut journey = Journey::ready();
    journey.enter().enter().enter().at(Screen::Subnets(Half::A)).types("k").key(KeyCode::Char(' '));
    journey.esc().at(Screen::Router(Half::A)).enter().at(Screen::Subnets(Half::A));
    let Content::List(picker) = journey.model.content() else { panic!() };
    assert_eq!(picker.marked().unwrap().len(), 2);
    journey.enter().enter().to(Screen::Key).control('u').types("mykey").esc().at(Screen::Review).enter();
    assert_eq!(journey.at(Screen::Key).model.new_vpn.answers.key.expose(), "mykey");
}

fn a_form_that_is_wrong_does_not_hold_the_user() {
    let person = &mut Journey::ready();
    person.at_peer();
    person.answers("not an ip").at(Screen::Peer);
    person.esc().at(Screen::Subnets(Half::A));
    person.enter().at(Screen::Peer);
    assert_eq!(person.model.new_vpn.answers.peer_address.value(), "not an ip");
}

fn the_review_leads_to_any_answer_and_straight_back() {
    let person = &mut Journey::at_review();
    let steps: Vec<Screen> = person.model.answer_lines().iter().map(|line| line.screen).collect();
    for step in steps {
        let name = step.name(Mode::SiteToSite);
        person.chooses(&name).at(step);
        person.esc().at(Screen::Review);
        person.chooses(&name).at(step);
        person.enter();
        let screen = person.model.screen();
        assert_eq!(screen, Screen::Review, "{step:?} accepted as it was returns to the review");
        assert!(person.plan().is_ok());
    }
}

fn changing_an_answer_asks_only_what_it_makes_necessary() {
    let person = &mut Journey::at_review();
    person.model.new_vpn.answers.region.b = None;
    person.chooses("Mode").at(Screen::Mode);
    person.chooses("one region and an outside peer").at(Screen::Peer);
    person.answers("198.51.100.7");
    person.skips_to(Field::PeerCidrs).answers("192.168.7.0/24").at(Screen::Review);
    assert_eq!(person.model.new_vpn.answers.mode, Mode::Single);
    assert!(person.plan().is_ok(), "{:?}", person.plan());
}

fn the_profile_follows_what_the_regions_and_subnets_need_and_says_why() {
    let journey = Journey::at_review();
    assert_eq!(journey.model.new_vpn.profile(), Profile::Catalyst);
    let mut journey = Journey::signed_in(&[hamilton(), porirua()]);
    let mut upgraded = porirua_inventory();
    upgraded.extensions = new_release();
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(upgraded));
    journey.to(Screen::Policy);
    assert_eq!(journey.model.new_vpn.profile(), Profile::Modern);
    let Content::List(picker) = journey.model.content() else { panic!() };
    let line = picker.current().unwrap();
    let findings = journey.model.findings(line);
    assert!(findings.iter().any(|one| one.text.contains("nz-por-1 no longer stores sha1, which")), "{findings:?}");
    let last = picker.lines().last().unwrap();
    assert!(last.title == "catalyst" && !last.is_open(), "catalyst cannot be taken there");
}

fn a_custom_policy_is_checked_field_by_field_and_kept() {
    let person = &mut Journey::at_review();
    person.chooses("Policy").at(Screen::Policy);
    person.chooses("custom").at(Screen::Custom);
    person.sets(PolicyField::DpdTimeout, "10").enter().at(Screen::Custom);
    assert!(person.model.problem(Field::Policy(PolicyField::DpdTimeout)).unwrap().contains("interval"));
    person.is_told("interval").sets(PolicyField::DpdTimeout, "100").enter().at(Screen::Review);
    let plan = person.plan().unwrap();
    assert_eq!((plan.policy().dpd.timeout, plan.profile()), (100, Profile::Custom));
}

fn a_number_of_the_custom_policy_takes_no_letters() {
    let mut journey = Journey::at_review();
    journey.key(KeyCode::Up).key(KeyCode::Up).enter().at(Screen::Policy).types("3").at(Screen::Custom);
    let place = PolicyField::ALL.iter().position(|field| *field == PolicyField::DpdTimeout).unwrap();
    for _ in 0..place {
        journey.key(KeyCode::Down);
    }
    journey.control('u').types("10").enter().at(Screen::Custom);
    assert!(journey.model.problem(Field::Policy(PolicyField::DpdTimeout)).unwrap().contains("interval"));
    journey.types("x");
    assert!(journey.model.shell.notice.is_some(), "letters are refused with a reason");
    journey.types("0").enter().at(Screen::Review);
    let plan = journey.plan().unwrap();
    assert_eq!((plan.policy().dpd.timeout, plan.profile()), (100, Profile::Custom));
}

fn the_key_is_replaced_by_what_is_typed_unseen() {
    let person = &mut Journey::at_review();
    person.chooses("Key").at(Screen::Key);
    person.answers("short").at(Screen::Key);
    assert!(person.model.problem(Field::Key).unwrap().contains("5 characters"));
    person.answers("MyVeryOwnKey0123456789").at(Screen::Review);
    assert_eq!(person.model.new_vpn.answers.key.expose(), "MyVeryOwnKey0123456789");
    person.is_told("your own, 22 characters").is_told_nothing_of("MyVeryOwnKey0123456789");
}

fn a_key_is_pasted_revealed_and_generated() {
    let mut journey = Journey::ready();
    journey.to(Screen::Key);
    assert!(journey.model.new_vpn.answers.key.is_generated() && !journey.model.shell.is_revealed());
    assert!(!format!("{:?}", journey.model).contains(KEY), "no Debug shows the key");
    journey.types("short").enter().at(Screen::Key);
    assert!(journey.model.problem(Field::Key).unwrap().contains("5 characters"));
    let pasted = Message::Paste("  MyVeryOwnKey0123456789\n".into());
    assert!(!format!("{pasted:?}").contains("MyVeryOwnKey"), "nor what may become one");
    journey.send(pasted);
    assert_eq!(journey.model.new_vpn.answers.key.expose(), "MyVeryOwnKey0123456789");
    assert_eq!(journey.model.screen(), Screen::Key, "a pasted line end submits nothing");
    for (text, why) in [("First0123456789\nSecond0123456789\n", "a line break"), ("First\t0123456789", "a control")] {
        journey.send(Message::Paste(text.into()));
        assert_eq!(journey.model.new_vpn.answers.key.expose(), "MyVeryOwnKey0123456789", "lines are not joined");
        assert!(journey.model.shell.notice.as_ref().unwrap().text.contains(why));
    }
    journey.control('r');
    assert!(journey.model.shell.is_revealed());
    journey.control('g');
    assert!(matches!(journey.effects.last(), Some(Effect::Generate)));
}

fn the_saved_plan_is_the_one_on_the_screen_and_holds_no_key() {
    let person = &mut Journey::at_review();
    person.types("s");
    let saved = person.effects.pop();
    let Some(Effect::Save(name, text)) = saved else { panic!("{saved:?}") };
    let (name, text) = (name, text);
    assert_eq!(name, "hlz-por");
    assert!(!text.contains(KEY) && PlanFile::parse(&text).is_ok(), "{text}");
}

fn nothing_is_made_while_something_stands_in_the_way() {
    let person = &mut Journey::at_review();
    person.model.new_vpn.answers.subnets.insert(Id::new("p-border"), vec![]);
    person.enter();
    assert!(!person.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::Plan(..), _))));
    person.at(Screen::Subnets(Half::B));
    let person = &mut Journey::ready();
    (0..5).for_each(|_| _ = person.enter());
    person.at(Screen::Review);
    person.enter().at(Screen::Review);
    assert!(person.model.shell.notice.as_ref().unwrap().text.contains("still being read"));
    person.detailed(&hamilton(), Err(Error::new(ErrorKind::Timeout, "slow")));
    person.detailed(&porirua(), Ok(porirua_detail()));
    person.enter().at(Screen::Review).detailed(&hamilton(), Ok(hamilton_detail()));
    person.enter().at(Screen::Work);
}

fn what_is_known_is_read_once_more_before_anything_is_made_if_it_has_grown_old() {
    let stale = || {
        let mut journey = Journey::at_review();
        journey.send(Message::Tick(Duration::from_secs(300))).enter().at(Screen::Review);
        assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::Plan(..), _))));
        journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
        journey.discovered(&porirua(), Ok(porirua_inventory())).at(Screen::Review);
        journey
    };
    let mut same = stale();
    same.discovered(&hamilton(), Ok(hamilton_inventory())).at(Screen::Work);
    assert!(matches!(same.effects.pop(), Some(Effect::Work(Which::Plan(..), _))), "one Enter is enough");

    let mut changed = stale();
    let mut taken = hamilton_inventory();
    taken.routers.iter_mut().for_each(|router| router.status = Status::Down);
    changed.discovered(&hamilton(), Ok(taken)).at(Screen::Review);
    assert!(changed.model.shell.notice.as_ref().unwrap().text.contains("something has changed"));
    assert!(!changed.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::Plan(..), _))));

    let mut called_off = stale();
    called_off.esc();
    called_off.discovered(&hamilton(), Ok(hamilton_inventory()));
    assert!(called_off.model.work.creation().is_none(), "whoever has left the review has changed their mind");
}

fn a_name_that_was_only_looked_at_follows_the_answers() {
    let mut journey = Journey::at_review();
    journey.key(KeyCode::Up).enter().at(Screen::Name).key(KeyCode::Left).enter().at(Screen::Review);
    assert!(journey.model.new_vpn.answers.name.is_none());
}
