//! The sheet for the owner of a far side: opened, for which system, with the key and without it.

use osvpn::wizard::sheet::SheetButton;
use secrecy::{ExposeSecret, SecretString};

use super::runs::Run;
use super::surveys::{healthy, regions, seen};
use super::vpns::{listed, opened};
use super::*;

in_both! {
    a_vpn_has_a_sheet_for_each_system_and_the_choice_is_kept,
    the_key_is_in_it_only_while_it_is_asked_for,
    each_half_of_a_pair_has_its_own,
    a_new_vpn_shows_what_its_peer_needs_while_it_waits_and_at_the_end,
    the_system_on_the_other_side_decides_what_is_suggested_and_refused,
    the_system_is_said_where_the_peer_is_without_a_step_of_its_own,
}

const SECRET: &str = "Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1";

fn system(word: &str) -> Choice {
    Choice::Word(osvpn::sheet::PeerFormat::all().unwrap().iter().find(|format| format.word == word).unwrap().word)
}

fn the_system_on_the_other_side_decides_what_is_suggested_and_refused() {
    let mut journey = Journey::discovered_on((80, 24));
    journey.at_peer();
    journey.answers("198.51.100.7").answers("").answers("192.168.7.0/24").at(Screen::Review);
    assert_eq!(journey.model.answer_text(Screen::System), "something else");
    let chooses = |journey: &mut Journey, word: &str| {
        journey.chooses("System");
        journey.at(Screen::System).goes_to(&system(word)).enter().at(Screen::Review);
    };
    // The guide's values are none of Google's.
    journey.chooses("Policy");
    journey.at(Screen::Policy).goes_to(&Choice::Profile(Profile::Catalyst)).enter().at(Screen::Review);
    chooses(&mut journey, "google");
    let refused = journey.plan().unwrap_err();
    assert!(refused[0].text.contains("IKEv1") && refused[0].text.contains("the policy modern would do"), "{refused:?}");
    journey.model.new_vpn.answers.profile = None;
    chooses(&mut journey, "google");
    assert_eq!(journey.plan().unwrap().profile(), Profile::Modern);
    // Its limits are kept where a key or ranges are typed.
    chooses(&mut journey, "aws");
    journey.chooses("Key");
    journey.at(Screen::Key).answers("0123456789abcdefghijk").at(Screen::Key);
    assert!(journey.model.problem(Field::Key).unwrap().contains("begins with 0"));
    journey.answers("k123456789abcdefghijk").at(Screen::Review);
    journey.chooses("Peer");
    journey.at(Screen::Peer).key(KeyCode::Tab).key(KeyCode::Tab);
    journey.answers("192.168.7.0/24, 192.168.9.0/24").at(Screen::Peer);
    assert!(journey.model.problem(Field::PeerCidrs).unwrap().contains("one range of each side"));
    journey.answers("192.168.7.0/24").at(Screen::Review).key(KeyCode::End);
    let mut run = Run::created_single(journey);
    run.journey.types("p").at(Screen::Sheet);
    assert!(run.journey.model.heading().contains("AWS"), "{}", run.journey.model.heading());
}

fn the_system_is_said_where_the_peer_is_without_a_step_of_its_own() {
    let mut journey = Journey::discovered_on((80, 24));
    journey.at_peer().control('d').at(Screen::System);
    assert!(drawn_text(&journey).contains("something else"), "{}", drawn_text(&journey));
    journey.esc().at(Screen::Peer).control('d').at(Screen::System);
    journey.goes_to(&system("aws")).enter().at(Screen::Peer);
    assert!(journey.model.heading().contains("AWS"), "{}", journey.model.heading());
    journey.answers("198.51.100.7").answers("").answers("192.168.7.0/24, 192.168.9.0/24").at(Screen::Peer);
    assert!(journey.model.problem(Field::PeerCidrs).unwrap().contains("one range of each side"));
    journey.answers("192.168.7.0/24").at(Screen::Review);
    assert_eq!(journey.plan().unwrap().peer().unwrap().system.unwrap().as_str(), "aws");
}

/// At the VPN to a peer outside, of which everything can be read.
fn opened_outside() -> Journey {
    let mut known = regions(Status::Active, Status::Active, "group14");
    let hamilton = known.get_mut(&hamilton()).unwrap();
    let policies = (hamilton.ike_policies[0].id.clone(), hamilton.ipsec_policies[0].id.clone());
    let office = hamilton.inventory.connections.iter_mut().find(|one| one.name.starts_with("office")).unwrap();
    (office.ike_policy, office.ipsec_policy) = policies;
    let mut journey = listed(seen(known, Vec::new()));
    journey.types("2").at(Screen::Vpn);
    journey
}

fn sheet(journey: &Journey) -> String {
    journey.model.sheet.sheet().unwrap_or_else(|why| panic!("{why:?}")).text().expose_secret().to_owned()
}

fn copied(journey: &mut Journey) -> String {
    journey.taken("a copy", |effect| match effect {
        Effect::Copy(text) => Some(text.expose_secret().to_owned()),
        _ => None,
    })
}

fn a_vpn_has_a_sheet_for_each_system_and_the_choice_is_kept() {
    let mut journey = opened_outside();
    journey.types("p").at(Screen::Sheet);
    assert!(sheet(&journey).contains("Connect to") && shows(&journey, "The far side of office", "Connect to"));
    journey.types("s").at(Screen::SheetFormat);
    journey.goes_to(&system("swanctl")).enter().at(Screen::Sheet);
    assert!(sheet(&journey).contains("connections {"), "{}", sheet(&journey));
    journey.types("y");
    assert_eq!(copied(&mut journey), sheet(&journey));
    journey.types("w");
    let (name, written) = journey.taken("a file", |effect| match effect {
        Effect::WriteSheet(name, sheet) => Some((name.clone(), sheet.text().expose_secret().to_owned())),
        _ => None,
    });
    assert_eq!((name.as_str(), written), ("office-swanctl", sheet(&journey)));
    journey.send(Message::SheetWritten(Ok("office-swanctl.txt".into())));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("only you can read"));
    journey.types("w");
    assert!(journey.model.shell.notice.as_ref().unwrap().text.contains("has this text already"));
    journey.esc().at(Screen::Vpn).types("p").at(Screen::Sheet);
    assert!(sheet(&journey).contains("connections {"), "what was chosen last stays");
}

fn the_key_is_in_it_only_while_it_is_asked_for() {
    let mut journey = opened_outside();
    journey.types("p").at(Screen::Sheet);
    assert!(!sheet(&journey).contains(SECRET) && sheet(&journey).contains("REPLACE-WITH-THE-KEY"));
    let reads = |journey: &mut Journey, answer: Result<SecretString, Error>| {
        journey.types("h");
        let request = journey.taken("the key", |effect| match effect {
            Effect::ReadKey(request, ..) => Some(*request),
            _ => None,
        });
        journey.send(Message::KeyRead(request, answer));
    };
    reads(&mut journey, Err(Error::new(ErrorKind::Forbidden, "not allowed")));
    assert!(shows(&journey, "The key could not be read", "The key could not be read"));
    assert!(sheet(&journey).contains("REPLACE-WITH-THE-KEY"));
    reads(&mut journey, Ok(SECRET.into()));
    assert!(sheet(&journey).contains(SECRET) && sheet(&journey).contains("Send it over a safe channel"));
    journey.types("y");
    assert!(copied(&mut journey).contains(SECRET));
    journey.types("h");
    assert!(!sheet(&journey).contains(SECRET), "hidden by the same key");
    reads(&mut journey, Ok(SECRET.into()));
    journey.esc().at(Screen::Vpn).types("p").at(Screen::Sheet);
    assert!(!sheet(&journey).contains(SECRET), "hidden when the page is left");
    reads(&mut journey, Ok(SECRET.into()));
    journey.on_a_screen(|journey| {
        journey.after(400.0);
        assert!(!sheet(journey).contains(SECRET), "hidden after a minute");
    });
    // One that no device could be given is refused, and can be hidden again.
    journey.esc().types("p");
    reads(&mut journey, Ok("a\"b'c$d e".into()));
    assert!(journey.model.sheet.sheet().unwrap_err()[0].contains("osvpn rotate-psk"));
    assert!(journey.model.sheet.buttons().contains(&SheetButton::Key));
    journey.types("h");
    assert!(sheet(&journey).contains("REPLACE-WITH-THE-KEY"));
}

fn each_half_of_a_pair_has_its_own() {
    let mut journey = opened(healthy());
    journey.types("p").at(Screen::Sheet);
    let first = sheet(&journey);
    assert!(journey.model.heading().contains("half A"), "{}", journey.model.heading());
    journey.types("o");
    assert!(journey.model.heading().contains("half B") && sheet(&journey) != first);
    journey.types("o");
    assert_eq!(sheet(&journey), first);
    journey.esc().at(Screen::Vpn);
}

fn a_new_vpn_shows_what_its_peer_needs_while_it_waits_and_at_the_end() {
    let mut journey = Journey::discovered_on((80, 24));
    journey.at_peer();
    journey.answers("198.51.100.7").answers("").answers("192.168.7.0/24").at(Screen::Review);
    let mut run = Run::created_single(journey);
    let journey = &mut run.journey;
    journey.types("p").at(Screen::Sheet);
    assert!(sheet(journey).contains("103.197.61.75") && sheet(journey).contains("192.168.7.0/24"));
    journey.types("h");
    let asked = journey.taken("the key", |effect| match effect {
        Effect::ReadKey(_, region, _) => Some(region.clone()),
        _ => None,
    });
    assert_eq!(asked, hamilton());
    journey.esc().at(Screen::Work);
    journey.after(330.0).send(Message::Watched(Watched::NotYet([(Half::A, Status::Down)].into())));
    assert!(buttons(journey).contains(&Button::Sheet));
    journey.chooses("Peer sheet");
    journey.at(Screen::Sheet).esc().at(Screen::Work);
}
