//! What the other side has sent, from a paste or a file to the plan.

use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};
use osvpn::plan::Place;
use osvpn::sheet::received::TextSide;
use secrecy::ExposeSecret;

use super::*;

in_both! {
    a_text_that_is_pasted_fills_in_the_peer_the_policy_and_the_key,
    a_text_for_a_known_router_leads_to_the_review_at_once,
    where_both_ends_are_possible_it_is_asked,
    what_this_cloud_does_not_take_is_told_and_stays_open,
    what_is_no_such_text_is_refused_and_pasted_once_more,
    a_text_is_taken_where_it_is_pasted_and_as_it_is_typed_by_a_terminal,
    what_the_device_leaves_open_or_expects_otherwise_is_warned_of_at_the_review,
}

const FORTIOS: &str = include_str!("../peer_sheets/samples/fortios.txt");
const SWANCTL: &str = include_str!("../peer_sheets/samples/swanctl.txt");
const IOS: &str = include_str!("../peer_sheets/samples/ios.txt");
const HAMILTON: &str = "103.197.61.75";
const SECRET: &str = "Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1";

/// Both regions are read.
fn begun_from(text: &str) -> Journey {
    let mut journey = Journey::begun_from(text);
    journey.answer_sign_in(Ok(Session { regions: vec![hamilton(), porirua()], ..session() })).at(Screen::Received);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory()));
    journey
}

/// At the question for the peer, where a text can be read.
fn reading() -> Journey {
    let mut journey = Journey::discovered_on((80, 24));
    journey.at_peer().control('t').at(Screen::Paste);
    journey
}

fn cidrs(plan: &osvpn::plan::Plan) -> Vec<String> {
    plan.peer().unwrap().cidrs.iter().map(ToString::to_string).collect()
}

fn a_text_that_is_pasted_fills_in_the_peer_the_policy_and_the_key() {
    let text = SWANCTL.replace("Gq7#rT2{wN9}mK4=x", SECRET);
    let mut journey = reading();
    journey.pastes(&text).at(Screen::Received).is_told_nothing_of(SECRET);
    assert!(shows(&journey, "vips = 0.0.0.0", "line 10: not understood: vips = 0.0.0.0"), "{}", drawn_text(&journey));
    journey.enter().at(Screen::Review);
    let plan = journey.plan().unwrap();
    let peer = plan.peer().unwrap();
    assert_eq!((peer.address.to_string().as_str(), peer.id.as_str()), ("198.51.100.7", "office@example.net"));
    assert_eq!(cidrs(&plan), ["192.168.7.0/24", "192.168.8.0/24"]);
    assert_eq!(plan.psk().secret().expose_secret(), SECRET);
    assert_eq!(plan.profile(), Profile::Custom);
    assert_eq!((plan.policy().ike.auth_algorithm.as_str(), plan.policy().dpd.interval), ("sha384", 20));
    assert_eq!(journey.model.answer_text(Screen::System), "strongSwan (swanctl.conf)");
    // What the user chooses since is the user's.
    journey.chooses("Policy");
    journey.at(Screen::Policy).goes_to(&Choice::Profile(Profile::Modern)).enter().at(Screen::Review);
    assert_eq!(journey.plan().unwrap().profile(), Profile::Modern);
}

fn a_text_for_a_known_router_leads_to_the_review_at_once() {
    let mut journey = begun_from(&SWANCTL.replace("203.0.113.9", HAMILTON).replace("Gq7#rT2{wN9}mK4=x", SECRET));
    assert!(
        shows(&journey, "103.197.61.75 is", "103.197.61.75 is border-router in Hamilton"),
        "{}",
        drawn_text(&journey)
    );
    journey.enter().at(Screen::Review).details();
    let plan = journey.plan().unwrap();
    assert_eq!((plan.a().region.clone(), plan.a().router.name.as_str()), (hamilton(), "border-router"));
    assert_eq!(plan.a().local_ranges().iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/24"]);
    journey.chooses("Create");
    journey.at(Screen::Work);
}

fn where_both_ends_are_possible_it_is_asked() {
    let sheet = "\
strongSwan (swanctl.conf): the far side of the VPN lab, whose other half is in nz-xyz-1
Your address, as the cloud has it: 198.51.100.7

connections {
  lab {
    version = 2
    remote_addrs = 203.0.113.9
    local {
      id = 198.51.100.7
    }
    children {
      lab {
        local_ts = 192.168.7.0/24
        remote_ts = 172.16.5.0/24
      }
    }
  }
}
";
    let mut journey = begun_from(sheet);
    assert!(!drawn_text(&journey).contains("Because"), "{}", drawn_text(&journey));
    journey.goes_to(&Choice::Peer(TextSide::Far)).enter().to(Screen::Review);
    let plan = journey.plan().unwrap();
    assert_eq!(
        (plan.peer().unwrap().address.to_string().as_str(), cidrs(&plan)),
        ("203.0.113.9", vec!["172.16.5.0/24".to_owned()])
    );
    assert_eq!(journey.model.answer_text(Screen::System), "something else", "the text is no configuration of that end");
}

fn what_this_cloud_does_not_take_is_told_and_stays_open() {
    let text = IOS.replace("203.0.113.9", HAMILTON).replace("hash sha\n", "hash md5\n").replace(SECRET, "short.key");
    let mut journey = begun_from(&text);
    journey.is_told("the text has md5");
    journey.enter().at(Screen::Review).details();
    let refused = journey.plan().unwrap_err();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].place == Place::Key && refused[0].text.contains("neither a letter"), "{refused:?}");
    assert!(refused[1].text.contains("the text has md5") && !refused[0].text.contains("short.key"), "{refused:?}");
    journey.chooses("Key");
    journey.at(Screen::Key).answers(SECRET).at(Screen::Review);
    journey.chooses("Policy");
    journey.at(Screen::Policy).goes_to(&Choice::Profile(Profile::Modern)).enter().at(Screen::Review);
    assert!(journey.plan().is_ok(), "{:?}", journey.plan());
}

fn what_the_device_leaves_open_or_expects_otherwise_is_warned_of_at_the_review() {
    let text = include_str!("../peer_sheets/samples/fortios-vdom.txt")
        .replace("set authmethod signature", "set local-gw 198.51.100.7\n        set peerid \"cloud.example\"");
    let mut journey = reading();
    journey.pastes(&text).at(Screen::Received).enter().to(Screen::Review);
    let plan = journey.plan().unwrap();
    assert_eq!(plan.policy().ike.ike_version.as_str(), "v1", "the maker's default");
    let told: Vec<String> = plan.findings().iter().map(ToString::to_string).collect();
    for doubt in ["not in the text: IKE version", "connects to 203.0.113.9", "call itself cloud.example"] {
        assert!(told.iter().any(|text| text.contains(doubt)), "{doubt}: {told:?}");
    }
    journey.chooses("Policy");
    journey.at(Screen::Policy).goes_to(&Choice::Profile(Profile::Modern)).enter().at(Screen::Review);
    let plan = journey.plan().unwrap();
    assert!(!plan.findings().iter().any(|finding| finding.text.contains("not in the text")), "{:?}", plan.findings());
}

fn what_is_no_such_text_is_refused_and_pasted_once_more() {
    let mut journey = reading();
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
    journey.pastes(pem).at(Screen::Paste).is_told_nothing_of("MIIEvQ");
    assert!(
        shows(&journey, "a certificate or a private key", "a certificate or a private key"),
        "{}",
        drawn_text(&journey)
    );
    assert!(!drawn_text(&journey).contains("MIIEvQ"), "{}", drawn_text(&journey));
    journey.pastes(FORTIOS).at(Screen::Received);
    journey.esc().at(Screen::Paste).esc().at(Screen::Peer);
}

fn a_text_is_taken_where_it_is_pasted_and_as_it_is_typed_by_a_terminal() {
    let mut journey = Journey::discovered_on((80, 24));
    journey.at_peer().on_a_screen(|journey| {
        // What is refused is in no field either: it may have a key in it.
        let refused = format!("conn a\n right=1.2.3.4\nconn b\n right=1.2.3.5\n: PSK \"{SECRET}\"\n");
        journey.send(Message::Paste(refused.into())).at(Screen::Paste).is_told_nothing_of(SECRET);
        assert!(journey.model.new_vpn.answers.peer_address.value().is_empty());
        journey.esc().at(Screen::Peer);
        journey.send(Message::Paste(FORTIOS.into())).at(Screen::Received);
        journey.esc().at(Screen::Paste);
        let pasted_enter =
            || Message::Key(KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Repeat));
        for line in FORTIOS.lines() {
            journey.types(line).send(pasted_enter());
        }
        let drawn = drawn_text(journey);
        assert!(drawn.contains("set dst-subnet 10.0.1.0") && !drawn.contains("aGVsbG8"), "{drawn}");
        journey.enter().at(Screen::Received);
    });
}
