//! Choosing from lists.

use super::*;

in_both! {
    both_modes_choose_by_the_same_rule_and_say_why,
    what_no_longer_fits_is_unmarked_and_said,
    what_cannot_be_chosen_stays_visible_with_its_reason,
    objects_of_one_name_are_told_apart,
    letters_are_text_while_a_filter_or_field_is_open_and_commands_otherwise,
    a_slow_region_holds_nobody_up_and_a_broken_one_says_why,
    answers_that_come_too_late_are_dropped,
    reading_again_loses_neither_marks_nor_filter_nor_place,
    a_region_that_hangs_can_be_asked_anew_but_not_hammered,
    enter_takes_the_subnet_at_the_cursor_until_the_user_marks_some,
    what_has_the_name_of_the_other_side_is_chosen_first,
    the_region_offered_does_not_depend_on_which_answers_first,
}

fn what_no_longer_fits_is_unmarked_and_said() {
    let mut journey = Journey::ready();
    journey.to(Screen::Router(Half::B));
    let Content::List(picker) = journey.model.content() else { panic!() };
    let last = picker.lines().last().unwrap();
    assert!(!last.is_open() && journey.reason(last).contains("has only subnets that overlap"), "{last:?}");
    journey.key(KeyCode::End).enter().at(Screen::Router(Half::B));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("10.0.0.0/24 and 10.0.0.0/24"));
    // What fitted when it was chosen no longer does when the first side has changed.
    journey.esc().at(Screen::Subnets(Half::A)).types("/db").enter().at(Screen::Router(Half::B));
    journey.types("/150.242.40.138").enter().at(Screen::Review);
    journey.to(Screen::Subnets(Half::A)).types("/private").enter().at(Screen::Review).details();
    journey.key(KeyCode::End).enter().at(Screen::Subnets(Half::B));
    let Content::List(picker) = journey.model.content() else { panic!() };
    let same = picker.lines().iter().find(|line| line.title == "same-subnet").unwrap();
    assert!(!same.is_open() && journey.reason(same).contains("overlaps 10.0.0.0/24"), "{same:?}");
    journey.key(KeyCode::Home).enter().at(Screen::Subnets(Half::B));
    assert!(
        journey.model.shell.notice.as_ref().unwrap().is_problem,
        "a list of refusals says why nothing can be taken"
    );
}

fn both_modes_choose_by_the_same_rule_and_say_why() {
    let default = |journey: &Journey| {
        let Content::List(picker) = journey.model.content() else { panic!() };
        let line = picker.current().unwrap();
        let why = journey.model.detail(line).iter().find(|(name, _)| name == "Default").unwrap().1.clone();
        (line.title.clone(), why)
    };
    let offers = |journey: &mut Journey| {
        let router = default(journey.to(Screen::Router(Half::A)));
        (router, default(journey.to(Screen::Subnets(Half::A))))
    };
    let two = offers(&mut Journey::ready());
    let mut alone = Journey::ready();
    let one = offers(alone.single());
    assert_eq!((&two.0.0, &two.1.0), (&one.0.0, &one.1.0));
    assert_eq!(two.1, ("private-subnet".to_owned(), "the other side has a subnet of this name".to_owned()));
    assert_eq!(one.1.1, "another region has a subnet of this name");
}

fn what_cannot_be_chosen_stays_visible_with_its_reason() {
    let mut journey = Journey::ready();
    journey.to(Screen::Router(Half::A));
    let Content::List(picker) = journey.model.content() else { panic!() };
    let reason = |name: &str| {
        let line = picker.lines().iter().find(|line| line.title == name).unwrap();
        (line.is_open(), journey.reason(line))
    };
    assert!(reason("border-router").0);
    assert!(matches!(reason("isolated-router"), (false, text) if text.contains("no external gateway")));
    assert!(matches!(reason("legacy-router"), (false, text) if text.contains("legacy")));
    assert!(matches!(reason("used-router"), (true, text) if text.contains("reused")));
    assert_eq!(picker.current().unwrap().title, "border-router", "the best line has the cursor");
    let person = &mut Journey::ready();
    person.to(Screen::Router(Half::A));
    person.chooses("legacy-router").at(Screen::Router(Half::A));
    assert!(person.model.shell.notice.as_ref().unwrap().text.contains("legacy"));
    person.is_told("isolated-router, no gateway; ✗ cannot be taken: has no external gateway");
    person.chooses("used-router").at(Screen::Router(Half::B));
}

fn objects_of_one_name_are_told_apart() {
    let mut journey = Journey::ready();
    journey.to(Screen::Router(Half::B));
    let Content::List(picker) = journey.model.content() else { panic!() };
    let twins: Vec<&str> =
        picker.lines().iter().filter(|line| line.title == "twin-router").map(|line| line.aside.as_str()).collect();
    assert!(twins[0].contains("p-twin-2") && twins[1].contains("p-twin-1"), "{twins:?}");
}

fn letters_are_text_while_a_filter_or_field_is_open_and_commands_otherwise() {
    let mut journey = Journey::ready();
    journey.enter().types("/jkq?");
    let Content::List(picker) = journey.model.content() else { panic!() };
    assert_eq!((picker.filter().unwrap().value(), picker.shown()), ("jkq?", 0));
    journey.esc().types("?");
    assert!(journey.model.shell.dialog.as_ref().unwrap().is_help);
    journey.esc().types("q");
    assert!(journey.model.shell.dialog.is_some() && journey.model.shell.ending.is_none(), "quitting asks");
    journey.key(KeyCode::Tab).enter();
    assert_eq!(journey.model.shell.ending, Some(Ending::Left));
}

fn a_slow_region_holds_nobody_up_and_a_broken_one_says_why() {
    let wellington = osvpn::cloud::RegionId::new("nz-wlg-2");
    let mut journey = Journey::signed_in(&[hamilton(), porirua(), wellington.clone()]);
    journey.enter().at(Screen::Region(Half::A)).enter().at(Screen::Region(Half::A));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("still being read"));
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).at(Screen::Region(Half::B));
    journey.discovered(&wellington, Err(Error::new(ErrorKind::Timeout, "no answer within 60 s")));
    journey.discovered(&porirua(), Ok(porirua_inventory()));
    let Content::List(picker) = journey.model.content() else { panic!() };
    assert_eq!(picker.current().unwrap().choice, Choice::Region(porirua()), "the cursor goes where it can be of use");
    let broken = picker.lines().last().unwrap();
    assert!(!broken.is_open() && journey.reason(broken).contains("no answer within 60 s"));
    journey.types("r");
    let asked = journey.effects.iter().filter(|effect| matches!(effect, Effect::Discover(..))).count();
    let regions = if journey.is_in_lines() { 3 } else { 2 };
    assert_eq!(asked, regions, "one key reads the region under the cursor, all where there is none, and what failed");
}

fn answers_that_come_too_late_are_dropped() {
    let mut journey = Journey::signed_in(&[hamilton()]);
    let Some(Effect::Discover(request, _)) = journey.effects.pop() else { panic!() };
    journey.send(Message::Discovered(hamilton(), request, Err(Error::new(ErrorKind::Timeout, "slow"))));
    journey.enter().types("r");
    journey.send(Message::Discovered(hamilton(), request, Ok(hamilton_inventory())));
    assert!(journey.model.new_vpn.regions[0].inventory.is_loading(), "the first question's answer is not the second's");
}

fn reading_again_loses_neither_marks_nor_filter_nor_place() {
    let mut journey = Journey::ready();
    journey.to(Screen::Subnets(Half::A));
    journey.key(KeyCode::Down).key(KeyCode::Char(' '));
    let seen = |journey: &Journey| match journey.model.content() {
        Content::List(picker) => (picker.marked().unwrap().to_vec(), picker.current().cloned(), picker.shown()),
        _ => panic!("a list"),
    };
    let before = seen(&journey);
    journey.types("r");
    assert_eq!(seen(&journey), before, "what was known stays in view");
    journey.discovered(&hamilton(), Err(Error::new(ErrorKind::Timeout, "slow"))).types("r");
    journey.discovered(&hamilton(), Ok(hamilton_inventory()));
    assert_eq!(seen(&journey).0, before.0, "and a failure in between loses no mark");
}

fn a_region_that_hangs_can_be_asked_anew_but_not_hammered() {
    let mut journey = Journey::signed_in(&[hamilton()]);
    let asked =
        |journey: &Journey| journey.effects.iter().filter(|effect| matches!(effect, Effect::Discover(..))).count();
    journey.enter().types("rrr");
    assert_eq!(asked(&journey), 1);
    journey.send(Message::Tick(Duration::from_secs(20))).types("rrr");
    assert_eq!(asked(&journey), 2);
}

fn enter_takes_the_subnet_at_the_cursor_until_the_user_marks_some() {
    let taken = |keys: &[KeyCode]| {
        let mut journey = Journey::ready();
        journey.to(Screen::Subnets(Half::A));
        for key in keys {
            journey.key(*key);
        }
        journey.enter();
        journey.model.new_vpn.answers.subnets_of(Half::A).len()
    };
    assert_eq!(taken(&[]), 1);
    assert_eq!(taken(&[KeyCode::Up]), 1, "a suggestion is not forced on anybody");
    assert_eq!(taken(&[KeyCode::Up, KeyCode::Char(' '), KeyCode::Down]), 2);
    let mut journey = Journey::ready();
    journey.to(Screen::Subnets(Half::A));
    let Content::List(picker) = journey.model.content() else { panic!() };
    let suggested = picker.marked().unwrap()[0].clone();
    journey.key(KeyCode::Up).enter();
    assert_ne!(
        journey.model.new_vpn.answers.subnets_of(Half::A)[0],
        match suggested {
            Choice::Object(id) => id,
            _ => panic!("a subnet"),
        }
    );
}

fn what_has_the_name_of_the_other_side_is_chosen_first() {
    let mut journey = Journey::at_review();
    let plan = journey.plan().unwrap();
    assert_eq!(
        plan.a().local[0].name,
        "private-subnet",
        "db-subnet comes first by name, but Porirua has none of that name"
    );
    assert_eq!(plan.half(Half::B).unwrap().local[0].name, "private-subnet");
    journey.esc();
}

fn the_region_offered_does_not_depend_on_which_answers_first() {
    let third = osvpn::cloud::RegionId::new("nz-wlg-2");
    let mut journey = Journey::signed_in(&[hamilton(), porirua(), third.clone()]);
    journey.discovered(&third, Ok(porirua_inventory())).enter().at(Screen::Region(Half::A));
    let offered = |journey: &Journey| match journey.model.content() {
        Content::List(picker) => picker.current().unwrap().choice.clone(),
        _ => panic!("a list of regions"),
    };
    assert_eq!(offered(&journey), Choice::Region(hamilton()));
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).enter().at(Screen::Region(Half::B));
    assert_eq!(offered(&journey), Choice::Region(porirua()), "still being read, and first all the same");
}
