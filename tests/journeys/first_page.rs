//! Whole VPNs are proposed on the first page.

use osvpn::cloud::{Interfaces, Inventory, RegionId, Router};
use osvpn::inspect::{Exposures, Keys, Vpn, Weakness};
use osvpn::wizard::VpnsMessage;
use osvpn::wizard::picker::{Line, Picker};

use super::journey::{current_line, drawn_text, session, shows, wellington, without_vpn};
use super::*;

in_both! {
    an_untouched_cursor_leaves_a_connected_pair_for_what_can_be_made,
    reading_one_region_can_be_stopped_and_begun_again,
    the_best_vpn_is_proposed_with_all_that_goes_with_it_and_enter_opens_its_review,
    what_is_proposed_needs_one_request_a_region_for_its_few_likely_routers,
    a_slow_region_keeps_nobody_from_taking_the_others,
    the_cursor_goes_to_the_first_proposal_and_stays_there_when_a_better_one_comes,
    a_region_that_fails_or_has_no_vpnaas_leaves_the_others_and_r_reads_it_again,
    an_enter_before_anything_is_known_opens_the_review_of_the_best_once_it_is,
    a_pair_that_is_connected_shows_that_vpn_and_enter_opens_its_page,
    where_nothing_can_be_connected_the_page_says_why_and_what_helps,
    routers_without_subnets_do_not_make_the_first_page_read_them_all,
    the_first_page_says_how_many_vpns_have_the_key_that_everybody_knows,
    a_pair_that_an_interrupted_creation_is_on_is_not_proposed_anew_and_asks_what_to_do,
}

on_a_screen! {
    a_digit_is_for_the_line_that_had_it_a_moment_ago: "a number in lines is for what was said with it",
}

fn pair() -> Choice {
    Choice::Proposal(hamilton(), porirua())
}

fn list(journey: &Journey) -> &Picker {
    let Content::List(picker) = journey.model.content() else { panic!("a list") };
    picker
}

fn current(journey: &Journey) -> Line {
    current_line(journey)
}

fn choices(journey: &Journey) -> Vec<Choice> {
    list(journey).lines().iter().map(|line| line.choice.clone()).collect()
}

fn asked_for_interfaces(journey: &Journey) -> Vec<(RegionId, usize)> {
    let asked = journey.effects.iter().filter_map(|effect| match effect {
        Effect::ReadInterfaces(_, region, routers) => Some((region.clone(), routers.len())),
        _ => None,
    });
    asked.collect()
}

/// An inventory as discovery reads it: nothing is known of where routers stand.
fn bare(mut inventory: Inventory) -> Inventory {
    inventory.routers.iter_mut().for_each(|router| router.interfaces = None);
    inventory
}

fn the_best_vpn_is_proposed_with_all_that_goes_with_it_and_enter_opens_its_review() {
    let mut journey = Journey::proposing();
    let line = current(&journey);
    assert_eq!((line.choice.clone(), line.title.as_str()), (pair(), "Hamilton <-> Porirua"));
    assert_eq!(line.aside, "border-router 10.0.0.0/24 <-> border-router 10.20.30.0/24");
    let said: Vec<String> = journey.model.detail(&line).iter().map(|(name, what)| format!("{name}: {what}")).collect();
    assert_eq!(
        said,
        [
            "Chosen: both sides have a router and a subnet of these names",
            "Name: hlz-por",
            "Key: generated, 32 characters",
            "Policy: catalyst: the guide's values",
            "Creates: 12 objects; Enter shows them first"
        ]
    );
    journey.enter().at(Screen::Review);
    journey.detailed(&hamilton(), Ok(hamilton_detail())).detailed(&porirua(), Ok(porirua_detail()));
    let proposed = journey.plan().unwrap();
    let stepwise = Journey::at_review().plan().unwrap();
    assert_eq!(proposed, stepwise, "each question offers the same");
    // Each answer can be changed, and Esc leads back to the proposals.
    journey.key(KeyCode::Home).enter().at(Screen::Mode).esc().at(Screen::Review).esc().at(Screen::Mode);
    assert_eq!(current(&journey).choice, pair());
}

fn what_is_proposed_needs_one_request_a_region_for_its_few_likely_routers() {
    let mut journey = Journey::on_first_page(&[hamilton(), porirua()]);
    journey.keeps_interfaces = true;
    journey.discovered(&hamilton(), Ok(bare(hamilton_inventory())));
    assert_eq!(asked_for_interfaces(&journey), [], "a region alone has nothing to be connected with");
    journey.discovered(&porirua(), Ok(bare(porirua_inventory())));
    assert_eq!(asked_for_interfaces(&journey), [(hamilton(), 2), (porirua(), 3)], "not those that cannot hold a VPN");
    assert!(current(&journey).pending && current(&journey).choice == pair());
    journey.interfaces_read(&hamilton(), Ok(&hamilton_inventory()));
    journey.interfaces_read(&porirua(), Ok(&porirua_inventory()));
    assert!(!current(&journey).pending);
    journey.enter().at(Screen::Review);
    assert_eq!(asked_for_interfaces(&journey), [], "they are known");
}

fn a_slow_region_keeps_nobody_from_taking_the_others() {
    let (auckland, inventory) = auckland(old_release());
    let mut journey = Journey::on_first_page(&[hamilton(), porirua(), auckland.clone()]);
    assert!(current(&journey).choice == Choice::Best && current(&journey).pending);
    journey.discovered(&porirua(), Ok(porirua_inventory()));
    assert_eq!(choices(&journey).len(), 4, "nothing can be connected with one");
    journey.discovered(&hamilton(), Ok(hamilton_inventory()));
    assert_eq!(choices(&journey)[..2], [pair(), Choice::Region(auckland.clone())]);
    assert!(list(&journey).lines()[1].pending && shows(&journey, "reading", "(being read)"));
    journey.goes_to(&Choice::Mode(Mode::Single)).discovered(&auckland, Ok(inventory));
    assert_eq!(current(&journey).choice, Choice::Mode(Mode::Single), "lines come in, the cursor stays");
    let pairs = |a: &RegionId, b: &RegionId| Choice::Proposal(a.clone(), b.clone());
    assert_eq!(
        choices(&journey)[..3],
        [pair(), pairs(&hamilton(), &auckland), pairs(&porirua(), &auckland)],
        "every pair is there, the user's own region first"
    );
}

fn the_cursor_goes_to_the_first_proposal_and_stays_there_when_a_better_one_comes() {
    let (auckland, inventory) = auckland(old_release());
    let mut journey = Journey::on_first_page(&[hamilton(), porirua(), auckland.clone()]);
    journey.discovered(&porirua(), Ok(porirua_inventory())).discovered(&auckland, Ok(inventory));
    let first = current(&journey).choice;
    assert_eq!(first, Choice::Proposal(porirua(), auckland));
    journey.discovered(&hamilton(), Ok(hamilton_inventory()));
    assert_eq!((choices(&journey)[0].clone(), current(&journey).choice), (pair(), first));
}

fn an_untouched_cursor_leaves_a_connected_pair_for_what_can_be_made() {
    let (auckland, inventory) = auckland(old_release());
    let seen = surveys::regions(Status::Active, Status::Active, "group14");
    let first = |is_touched: bool| {
        let mut journey = Journey::on_first_page(&[hamilton(), porirua(), auckland.clone()]);
        for (region, survey) in &seen {
            journey.discovered(region, Ok(survey.inventory.clone()));
        }
        assert!(matches!(current(&journey).choice, Choice::Vpn(_)), "{:?}", current(&journey));
        if is_touched {
            journey.key(KeyCode::Down).key(KeyCode::Up);
        }
        journey.discovered(&auckland, Ok(inventory.clone()));
        current(&journey).choice
    };
    assert_eq!(first(false), Choice::Proposal(hamilton(), auckland.clone()));
    assert!(matches!(first(true), Choice::Vpn(_)), "who has moved stays there");
}

fn reading_one_region_can_be_stopped_and_begun_again() {
    let wellington = wellington();
    let mut journey = Journey::on_first_page(&[hamilton(), porirua(), wellington.clone()]);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
    let late = journey.taken("wellington", |effect| match effect {
        Effect::Discover(request, asked) if *asked == wellington => Some(*request),
        _ => None,
    });
    journey.on_a_screen(|journey| {
        journey.types("x");
        assert!(
            journey.model.new_vpn.region(&wellington).unwrap().is_loading(),
            "the cursor is on a pair that was read"
        );
    });
    journey.goes_to(&Choice::Region(wellington.clone()));
    assert!(shows(&journey, "x stop reading", "x stops reading"), "{}", drawn_text(&journey));
    journey.types("x");
    let stopped = journey.taken("stopping", |effect| match effect {
        Effect::StopReading(region) => Some(region.clone()),
        _ => None,
    });
    assert_eq!(stopped, wellington);
    assert!(
        drawn_text(&journey).contains("was not read, because you stopped it; r reads it"),
        "{}",
        drawn_text(&journey)
    );
    journey.send(Message::Discovered(wellington.clone(), late, Ok(without_vpn())));
    assert!(journey.model.new_vpn.region(&wellington).unwrap().inventory.error().is_some(), "the answer is late");
    journey.types("r").discovered(&wellington, Ok(without_vpn()));
    assert!(drawn_text(&journey).contains("has no VPN service"), "{}", drawn_text(&journey));
    // What was known before stays known.
    journey.goes_to(&pair()).types("r").types("x");
    // In lines all of them were read again. Of one that has nothing, nothing stays known.
    let in_lines = journey.is_in_lines();
    for region in journey.model.new_vpn.regions.iter().filter(|region| !in_lines || region.id != wellington) {
        assert!(!region.is_loading() && region.known().is_some(), "{}", region.id);
    }
    assert_eq!(current(&journey).choice, pair());
}

fn a_region_that_fails_or_has_no_vpnaas_leaves_the_others_and_r_reads_it_again() {
    let mut journey = Journey::on_first_page(&[hamilton(), porirua(), wellington()]);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
    journey.discovered(&wellington(), Err(Error::new(ErrorKind::Timeout, "no answer within 60 s")));
    assert_eq!(current(&journey).choice, pair());
    let last = list(&journey).lines().last().unwrap().clone();
    assert!(!last.is_open() && journey.reason(&last).contains("no answer within 60 s"), "{last:?}");
    journey.types("r").discovered(&wellington(), Ok(without_vpn()));
    let last = list(&journey).lines().last().unwrap().clone();
    assert_eq!(journey.reason(&last), "has no VPN service (VPNaaS)");
    let empty = Inventory { extensions: old_release(), ..Inventory::default() };
    journey.goes_to(&last.choice).types("r").discovered(&wellington(), Ok(empty));
    let last = current(&journey);
    assert!(!last.is_open() && journey.reason(&last) == "has no router", "{last:?}");
    assert!(journey.model.detail(&last).iter().any(|(_, what)| what.contains("router create NAME")), "{last:?}");
    assert_eq!(choices(&journey)[0], pair());
}

fn an_enter_before_anything_is_known_opens_the_review_of_the_best_once_it_is() {
    let mut journey = Journey::begin();
    journey.enter().at(Screen::Mode).answer_sign_in(Ok(Session {
        home: Some(hamilton()),
        regions: vec![hamilton(), porirua()],
        ..session()
    }));
    journey.discovered(&porirua(), Ok(porirua_inventory())).at(Screen::Mode);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).at(Screen::Review);
    assert_eq!(journey.model.new_vpn.answers.region.a, Some(hamilton()));
    // Where there is nothing to connect, it was for nothing.
    let mut alone = Journey::on_first_page(&[hamilton()]);
    alone.enter().discovered(&hamilton(), Ok(hamilton_inventory())).at(Screen::Mode);
}

fn a_pair_that_is_connected_shows_that_vpn_and_enter_opens_its_page() {
    let seen = surveys::regions(Status::Active, Status::Down, "group14");
    let mut journey = Journey::on_first_page(&[hamilton(), porirua()]);
    for (region, survey) in &seen {
        journey.discovered(region, Ok(survey.inventory.clone()));
    }
    let line = current(&journey);
    assert_eq!((line.title.as_str(), line.aside.as_str()), ("Hamilton <-> Porirua", "hlz-por is DOWN"));
    let vpns = list(&journey).lines().iter().find(|line| line.choice == Choice::Vpns).unwrap();
    assert_eq!(vpns.aside, "1 up, 1 down", "the one between the regions, and one to a peer outside");
    journey.enter().at(Screen::Vpn).inspected(surveys::seen(seen, Vec::new()));
    journey.diagnosed(Exposures::default());
    assert!(drawn_text(&journey).contains("DOWN") && journey.model.vpns.vpn().is_some());
    journey.esc().at(Screen::Vpns).esc().at(Screen::Mode);
}

fn where_nothing_can_be_connected_the_page_says_why_and_what_helps() {
    let said = |regions: &[(RegionId, Inventory)]| {
        let ids: Vec<RegionId> = regions.iter().map(|(id, _)| id.clone()).collect();
        let mut journey = Journey::on_first_page(&ids);
        for (id, inventory) in regions {
            assert!(journey.model.new_vpn.nothing_to_connect(&journey.model.shell.labels).is_empty(), "not yet known");
            journey.discovered(id, Ok(inventory.clone()));
        }
        assert_eq!(current(&journey).choice, Choice::Mode(Mode::SiteToSite));
        let text = drawn_text(&journey);
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let lacks = journey.model.new_vpn.nothing_to_connect(&journey.model.shell.labels);
        let lacks = lacks
            .iter()
            .map(|lack| lack.text.clone())
            .chain(lacks.iter().flat_map(|lack| lack.commands.iter().map(ToString::to_string)));
        let lacks: Vec<String> = lacks.collect();
        assert!(lacks.iter().all(|lack| joined.contains(lack.as_str())), "{lacks:?}\n{text}");
        lacks.join("\n")
    };
    let one = said(&[(hamilton(), hamilton_inventory())]);
    assert!(one.contains("Hamilton (nz-hlz-1) is the only region"), "{one}");
    let none = said(&[(hamilton(), hamilton_inventory()), (wellington(), without_vpn())]);
    assert!(none.contains("has no VPN service (VPNaaS)"), "{none}");
    let mut closed = porirua_inventory();
    closed.routers.iter_mut().for_each(|router| router.external_network = None);
    let closed = said(&[(hamilton(), hamilton_inventory()), (porirua(), closed)]);
    assert!(closed.contains("openstack --os-region-name nz-por-1 router set --external-gateway"), "{closed}");
    let empty = Inventory { routers: vec![], ..porirua_inventory() };
    let empty = said(&[(hamilton(), hamilton_inventory()), (porirua(), empty)]);
    assert!(empty.contains("has no router") && empty.contains("router create NAME"), "{empty}");
    let mut same = porirua_inventory();
    same.subnets.iter_mut().for_each(|subnet| subnet.cidr = "10.0.0.0/8".parse().unwrap());
    let same = said(&[(hamilton(), hamilton_inventory()), (porirua(), same)]);
    assert!(same.contains("overlaps") && same.contains("subnet create --network NETWORK --subnet-range"), "{same}");
}

fn a_digit_is_for_the_line_that_had_it_a_moment_ago() {
    let (auckland, inventory) = auckland(old_release());
    let mut journey = Journey::on_first_page(&[hamilton(), porirua(), auckland.clone()]);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
    journey.passes(5000).discovered(&auckland, Ok(inventory));
    journey.at_once(KeyCode::Char('3')).at(Screen::Mode);
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("press 3 again"));
    journey.passes(1000).at_once(KeyCode::Char('3')).at(Screen::Review);
}

fn routers_without_subnets_do_not_make_the_first_page_read_them_all() {
    let bare = |mut inventory: Inventory, prefix: &str| {
        let first = inventory.routers[0].clone();
        inventory.routers = (0..200)
            .map(|number| Router {
                id: Id::new(format!("{prefix}-{number:03}")),
                name: format!("{prefix}-{number:03}"),
                interfaces: Some(Interfaces::default()),
                ..first.clone()
            })
            .collect();
        inventory.services.clear();
        inventory.connections.clear();
        inventory
    };
    let mut journey = Journey::on_first_page(&[hamilton(), porirua()]);
    journey.keeps_interfaces = true;
    let (a, b) = (bare(hamilton_inventory(), "a"), bare(porirua_inventory(), "b"));
    let listed = |mut inventory: Inventory| {
        inventory.routers.iter_mut().for_each(|router| router.interfaces = None);
        Ok(inventory)
    };
    journey.discovered(&hamilton(), listed(a.clone())).discovered(&porirua(), listed(b.clone()));
    for _ in 0..2 {
        journey.interfaces_read(&hamilton(), Ok(&a));
        journey.interfaces_read(&porirua(), Ok(&b));
    }
    assert_eq!(asked_for_interfaces(&journey), [], "two requests a region are enough");
    assert!(drawn_text(&journey).contains("choose step by step"), "{}", drawn_text(&journey));
}

fn the_first_page_says_how_many_vpns_have_the_key_that_everybody_knows() {
    let mut journey = Journey::proposing();
    let (request, vpns) = journey.taken("the keys", |effect| match effect {
        Effect::CompareKeys(request, vpns) => Some((*request, vpns.clone())),
        _ => None,
    });
    let public = |vpn: &Vpn| {
        let weakness = Some(Weakness::Public);
        (vpn.handle(), Keys::Read { equal: Some(true), weakness, rivals: Vec::new() })
    };
    let keys = vpns.iter().map(public).collect();
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(request, keys)));
    assert!(drawn_text(&journey).contains("with the public key"), "{}", drawn_text(&journey));
}

fn a_pair_that_an_interrupted_creation_is_on_is_not_proposed_anew_and_asks_what_to_do() {
    let mut cut_off = cut_off_creation("hlz-por", "0badcafe", (0, 0), State::Interrupted);
    let subject = cut_off.course.change.subject.clone();
    cut_off.course.change = running().model.work.creation().unwrap().change().clone();
    cut_off.course.change.subject = subject;
    let mut journey = Journey::begin();
    let regions = vec![hamilton(), porirua()];
    journey.answer_sign_in(Ok(Session { home: Some(hamilton()), regions, interruptions: vec![cut_off], ..session() }));
    journey.esc();
    assert!(journey.model.shell.dialog.is_none(), "it was asked at the start, and left for later");
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));

    let creation = Choice::Creation("0badcafe".to_owned());
    assert!(!choices(&journey).contains(&pair()), "{:?}", choices(&journey));
    assert_eq!(
        (current(&journey).choice, current(&journey).aside.as_str()),
        (creation.clone(), "hlz-por: creation was interrupted")
    );
    assert!(drawn_text(&journey).contains("1 interrupted"));
    journey.enter();
    let dialog = journey.model.shell.dialog.as_ref().unwrap();
    assert_eq!(dialog.title, "Creating hlz-por was interrupted");
    journey.esc();

    let mut stepwise = journey;
    stepwise.stepwise().enter().at(Screen::Router(Half::A));
    let said = drawn_text(&stepwise);
    assert!(said.contains("is part of hlz-por, whose creation"), "{said}");
    while stepwise.model.screen() != Screen::Mode {
        stepwise.esc();
    }
    stepwise.goes_to(&creation).enter();
    for _ in 0..3 {
        stepwise.key(KeyCode::Right);
    }
    stepwise.enter();
    assert!(stepwise.effects.iter().any(|effect| matches!(effect, Effect::Forget(_))));
    assert!(choices(&stepwise).contains(&pair()), "what is forgotten keeps nothing from being made");
}
