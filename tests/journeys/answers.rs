//! What is answered, kept, changed and reviewed.

use super::*;

#[test]
fn single_mode_asks_only_for_what_the_cloud_cannot_know() {
    let mut journey = Journey::ready();
    journey.to_peer();
    journey.enter().at(Screen::Peer);
    assert!(journey.model.problem(Field::PeerAddress).is_some(), "Enter on an empty form says what is missing");
    journey.types("198.51.100.7").enter().at(Screen::Peer);
    assert_eq!(journey.model.problem(Field::PeerCidrs), None, "a field nobody has been at is not blamed");
    journey.types("192.168.7.0/24").enter().at(Screen::Review);
    journey.details();
    let plan = journey.plan().unwrap();
    let peer = plan.peer().unwrap();
    assert_eq!(peer.address, PeerAddress::Ip("198.51.100.7".parse().unwrap()));
    assert_eq!(peer.id, "198.51.100.7", "the id defaults to the address");
    assert_eq!(plan.halves().count(), 1);
}

#[test]
fn a_peer_that_is_this_side_itself_is_refused_in_its_field() {
    let mut journey = Journey::ready();
    journey.to_peer();
    let router = hamilton_inventory().routers.into_iter().find(|router| router.name == "border-router").unwrap();
    journey.types(&router.external_v4[0].to_string()).enter().at(Screen::Peer);
    assert!(journey.model.problem(Field::PeerAddress).unwrap().contains("own router"));
    journey.control('u').types("198.51.100.7").enter();
    assert_eq!(journey.model.problem(Field::PeerAddress), None);
}

#[test]
fn going_back_keeps_every_answer_and_going_on_restores_them() {
    let mut journey = Journey::ready();
    journey.enter().enter().enter().at(Screen::Subnets(Half::A));
    journey.types("k").key(KeyCode::Char(' '));
    let marked = |journey: &Journey| match journey.model.content() {
        Content::List(picker) => picker.marked().unwrap().len(),
        _ => 0,
    };
    assert_eq!(marked(&journey), 2);
    journey.esc().at(Screen::Router(Half::A)).enter().at(Screen::Subnets(Half::A));
    assert_eq!(marked(&journey), 2, "marks survive Esc");
    journey.enter().at(Screen::Router(Half::B)).enter().at(Screen::Review).to(Screen::Key);
    journey.control('u').types("mykey").esc().at(Screen::Review).enter().at(Screen::Key);
    assert_eq!(journey.model.new_vpn.answers.key.expose(), "mykey", "a half-typed key survives too");
    journey.esc().at(Screen::Review).esc().at(Screen::Router(Half::B)).esc().at(Screen::Subnets(Half::A));
    journey.esc().esc().at(Screen::Region(Half::A)).esc().at(Screen::Mode).esc();
    assert!(journey.model.shell.dialog.is_some(), "Esc on the first step asks before leaving");
    journey.esc();
    assert_eq!(journey.model.new_vpn.answers.region.b, Some(porirua()));
    assert_eq!(journey.model.new_vpn.answers.subnets_of(Half::A).len(), 2);
}

#[test]
fn a_form_that_is_wrong_does_not_hold_the_user() {
    let mut journey = Journey::ready();
    journey.to_peer();
    journey.types("not an ip").enter().at(Screen::Peer).esc().at(Screen::Subnets(Half::A)).enter().at(Screen::Peer);
    assert_eq!(journey.model.new_vpn.answers.peer_address.value(), "not an ip");
}

#[test]
fn the_review_leads_to_any_answer_and_straight_back() {
    let mut journey = Journey::at_review();
    let steps: Vec<Screen> = journey.model.answer_lines().iter().map(|line| line.screen).collect();
    for (places, step) in steps.iter().rev().enumerate() {
        journey.key(KeyCode::End);
        for _ in 0..=places {
            journey.key(KeyCode::Up);
        }
        journey.enter().at(*step).esc().at(Screen::Review).enter().at(*step).enter();
        let still_fits = journey.model.screen() == Screen::Review;
        assert!(still_fits, "{step:?} accepted as it was returns to the review, not to {:?}", journey.model.screen());
        assert!(journey.plan().is_ok());
    }
}

#[test]
fn changing_an_answer_asks_only_what_it_makes_necessary() {
    let mut journey = Journey::at_review();
    journey.model.new_vpn.answers.region.b = None;
    let steps = journey.model.answer_lines().len();
    for _ in 0..steps {
        journey.key(KeyCode::Up);
    }
    journey.enter().at(Screen::Mode).key(KeyCode::Down).enter();
    journey.at(Screen::Peer).types("198.51.100.7").enter().types("192.168.7.0/24").enter().at(Screen::Review);
    assert_eq!(journey.model.new_vpn.answers.mode, Mode::Single);
    assert!(journey.plan().is_ok(), "{:?}", journey.plan());
}

#[test]
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

#[test]
fn a_custom_policy_is_checked_field_by_field_and_kept() {
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

#[test]
fn the_key_is_generated_hidden_and_replaced_by_what_is_typed_or_pasted() {
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

#[test]
fn the_saved_plan_is_the_one_on_the_screen_and_holds_no_key() {
    let mut journey = Journey::at_review();
    journey.types("s");
    let Some(Effect::Save(name, text)) = journey.effects.pop() else { panic!("{:?}", journey.effects) };
    assert_eq!(name, "hlz-por");
    assert!(!text.contains(KEY) && PlanFile::parse(&text).is_ok(), "{text}");
}

#[test]
fn nothing_is_made_while_something_stands_in_the_way() {
    let mut journey = Journey::at_review();
    journey.model.new_vpn.answers.subnets.insert(Id::new("p-border"), vec![]);
    journey.enter();
    assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::Work(Which::Plan(..), _))));
    journey.at(Screen::Subnets(Half::B));
    let mut journey = Journey::ready();
    for _ in 0..5 {
        journey.enter();
    }
    journey.at(Screen::Review).enter().at(Screen::Review);
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("still being read"));
    journey
        .detailed(&hamilton(), Err(Error::new(ErrorKind::Timeout, "slow")))
        .detailed(&porirua(), Ok(porirua_detail()));
    journey.enter().at(Screen::Review).detailed(&hamilton(), Ok(hamilton_detail())).enter().at(Screen::Work);
}

#[test]
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

#[test]
fn a_name_that_was_only_looked_at_follows_the_answers() {
    let mut journey = Journey::at_review();
    journey.key(KeyCode::Up).enter().at(Screen::Name).key(KeyCode::Left).enter().at(Screen::Review);
    assert!(journey.model.new_vpn.answers.name.is_none());
}
