//! Which connections are the halves of one VPN, and what no connection uses: pure, from what a region would show.

use crate::support::drawn_vpns;
use std::collections::{BTreeMap, BTreeSet};

use osvpn::cloud::{Error, ErrorKind, Id, RegionId};
use osvpn::inspect::Exposures;
use osvpn::inspect::{EqualKeys, Inspection, Keys, OtherHalf, Unselected};
use osvpn::plan::Half;
use proptest::prelude::*;
use proptest::sample::select;
use secrecy::SecretString;

mod agreement;
use drawn_vpns::{Drawn, HLZ, POR, WLG, drawn, surveys};

/// The first half of the VPN most tests begin with.
fn a() -> Drawn {
    drawn("a", HLZ, "hr", "203.0.113.1").to("203.0.113.2").tunnels(&["10.0.0.0/24"], &["10.20.0.0/24"])
}

/// The second.
fn b() -> Drawn {
    drawn("b", POR, "pr", "203.0.113.2").to("203.0.113.1").tunnels(&["10.20.0.0/24"], &["10.0.0.0/24"])
}

/// The first half of another VPN, between other routers.
fn c() -> Drawn {
    drawn("c", WLG, "wr", "203.0.113.3").to("203.0.113.12").tunnels(&["10.30.0.0/24"], &["10.40.0.0/24"])
}

/// The second.
fn d() -> Drawn {
    drawn("d", POR, "pr2", "203.0.113.12").to("203.0.113.3").tunnels(&["10.40.0.0/24"], &["10.30.0.0/24"])
}

/// Three regions, each connected with both others: two connections on each router.
fn ring() -> Vec<Drawn> {
    let (ha, pa, wa) = ("203.0.113.1", "203.0.113.2", "203.0.113.3");
    let (h, p, w): (&'static [&str], &'static [&str], &'static [&str]) =
        (&["10.0.0.0/24"], &["10.20.0.0/24"], &["10.30.0.0/24"]);
    vec![
        drawn("a", HLZ, "hr", ha).to(pa).tunnels(h, p),
        drawn("a2", HLZ, "hr", ha).to(wa).tunnels(h, w),
        drawn("b", POR, "pr", pa).to(wa).tunnels(p, w),
        drawn("b2", POR, "pr", pa).to(ha).tunnels(p, h),
        drawn("c", WLG, "wr", wa).to(ha).tunnels(w, h),
        drawn("c2", WLG, "wr", wa).to(pa).tunnels(w, p),
    ]
}

/// The same, where these connections have these keys.
fn keyed(all: &[Drawn], keys: &[(&str, &str)]) -> Inspection {
    let keys: Vec<_> = keys.iter().map(|(id, key)| (Id::new(*id), SecretString::from(*key))).collect();
    Inspection::knowing(EqualKeys::compare(&keys), surveys(all), Vec::new())
}

fn of(all: &[Drawn]) -> Inspection {
    Inspection::of(surveys(all), Vec::new())
}

/// Every VPN in a word: `a<->b`, `a->outside`, `a->missing in nz-por-1`.
fn told(seen: &Inspection) -> Vec<String> {
    let told = seen.vpns.iter().map(|vpn| {
        let across = match &vpn.other_half {
            OtherHalf::Found(side) => return format!("{}<->{}", vpn.a.connection.id, side.connection.id),
            OtherHalf::Outside => "outside".to_owned(),
            OtherHalf::Missing { region: Some(region), .. } => format!("missing in {region}"),
            OtherHalf::Missing { region: None, .. } => "missing".to_owned(),
            OtherHalf::Ambiguous(candidates) => {
                candidates.iter().map(|one| one.id.to_string()).collect::<Vec<_>>().join("|")
            }
        };
        format!("{}->{across}", vpn.a.connection.id)
    });
    told.collect()
}

#[test]
fn halves_are_matched_by_what_they_say_of_each_other() {
    let mirrored_elsewhere = |one: Drawn| one.to("198.51.100.77");
    let cases: [(&str, Vec<Drawn>, &[&str]); 21] = [
        ("crossed addresses", vec![a(), b()], &["a<->b"]),
        ("crossed, whatever they tunnel", vec![a().tunnels(&["10.9.0.0/24"], &["10.8.0.0/24"]), b()], &["a<->b"]),
        ("one looks where the other was", vec![a().to("203.0.113.99"), b()], &["a<->b"]),
        ("one looks at itself", vec![a().to("203.0.113.1"), b()], &["a<->b"]),
        ("both astray, ranges mirrored", vec![mirrored_elsewhere(a()), mirrored_elsewhere(b())], &["a<->b"]),
        (
            "both astray, ranges of somebody else",
            vec![mirrored_elsewhere(a()), mirrored_elsewhere(b()).tunnels(&["10.20.0.0/24"], &["10.7.0.0/24"])],
            &["a->outside", "b->outside"],
        ),
        (
            "its peer's service has nothing back",
            vec![a(), b().to("203.0.113.1").unconnected()],
            &["a->missing in nz-por-1"],
        ),
        ("its peer is a router without a service", vec![a(), b().without_service()], &["a->missing in nz-por-1"]),
        ("outside", vec![a().to("198.51.100.77")], &["a->outside"]),
        ("a host name", vec![a().to("vpn.example.org")], &["a->outside"]),
        ("of the old kind", vec![a().legacy(), b().legacy()], &["a<->b"]),
        ("only one of the old kind", vec![a().legacy(), b()], &["a<->b"]),
        ("in one region", vec![a(), Drawn { region: HLZ, ..b() }], &["a<->b"]),
        (
            "on one router",
            vec![a().to("203.0.113.1"), Drawn { id: "c", ..a().to("203.0.113.1") }],
            &["a->missing", "c->missing"],
        ),
        (
            "a third that points at a half of a pair",
            vec![
                a(),
                b(),
                drawn("c", WLG, "wr", "203.0.113.3").to("203.0.113.1").tunnels(&["10.30.0.0/24"], &["10.0.0.0/24"]),
            ],
            &["a<->b", "c->missing in nz-hlz-1"],
        ),
        (
            "one looks at a router with another VPN, and is looked for by the other",
            vec![a().to("203.0.113.3").down(), b().down(), c(), d()],
            &["a<->b", "d<->c"],
        ),
        (
            "the same, where the other VPN ends at the first one's router, too",
            vec![
                a().to("203.0.113.3").down(),
                b().down(),
                c().to("203.0.113.1"),
                Drawn { id: "d", ..a() }.to("203.0.113.3").tunnels(&["10.40.0.0/24"], &["10.30.0.0/24"]),
            ],
            &["a<->b", "d<->c"],
        ),
        (
            "three around a ring, each pointing at the next, two of them with each other's ranges",
            vec![
                a(),
                b().to("203.0.113.3"),
                drawn("c", WLG, "wr", "203.0.113.3").to("203.0.113.1").tunnels(&["10.30.0.0/24"], &["10.0.0.0/24"]),
            ],
            &["a<->b", "c->missing in nz-hlz-1"],
        ),
        (
            "three around a ring, each pointing at the next",
            vec![
                a(),
                b().to("203.0.113.3").tunnels(&["10.20.0.0/24"], &["10.30.0.0/24"]),
                drawn("c", WLG, "wr", "203.0.113.3").to("203.0.113.1").tunnels(&["10.30.0.0/24"], &["10.0.0.0/24"]),
            ],
            &["a->missing in nz-por-1", "b->missing in nz-wlg-2", "c->missing in nz-hlz-1"],
        ),
        ("three VPNs around a ring", ring(), &["a<->b2", "a2<->c", "b<->c2"]),
        (
            "marked for each other, and somebody's in the same place",
            vec![
                a().marked("aaaaaaaa", Half::A),
                b().marked("aaaaaaaa", Half::B),
                Drawn { id: "z", ..a() }.to("198.51.100.99").marked("aaaaaaaa", Half::A),
            ],
            &["a<->b", "z->outside"],
        ),
    ];
    for (what, drawn, expected) in cases {
        assert_eq!(told(&of(&drawn)), expected, "{what}");
    }
}

#[test]
fn two_vpns_between_the_same_routers_are_told_apart_by_their_ranges_and_else_by_their_names() {
    let (a2, b2) = (
        Drawn { id: "a2", name: "two", ..a() }.tunnels(&["10.1.0.0/24"], &["10.21.0.0/24"]),
        Drawn { id: "b2", name: "two", ..b() }.tunnels(&["10.21.0.0/24"], &["10.1.0.0/24"]),
    );
    assert_eq!(told(&of(&[a(), a2.clone(), b2.clone(), b()])), ["a<->b", "a2<->b2"]);
    // Doubled: they say the same of each other but for their names.
    let double = |one: &Drawn| Drawn { local: a().local, remote: a().remote, ..one.clone() };
    let back = |one: &Drawn| Drawn { local: b().local, remote: b().remote, ..one.clone() };
    assert_eq!(told(&of(&[a(), double(&a2), back(&b2), b()])), ["a<->b", "a2<->b2"]);
    // One half of the second is gone.
    assert_eq!(told(&of(&[a(), double(&a2), b()])), ["a<->b", "a2->missing in nz-por-1"]);
}

#[test]
fn twins_that_nothing_tells_apart_are_paired_by_their_keys_and_never_by_chance() {
    let twins = [a(), Drawn { id: "a2", ..a() }, b(), Drawn { id: "b2", ..b() }];
    let unclear = ["a->b|b2", "a2->b|b2", "b->a|a2", "b2->a|a2"];
    assert_eq!(told(&of(&twins)), unclear);
    let crossed = keyed(&twins, &[("a", "one"), ("a2", "two"), ("b", "two"), ("b2", "one")]);
    assert_eq!(told(&crossed), ["a<->b2", "a2<->b"]);
    // Equal in everything: whichever is taken, it is the right one.
    let equal = keyed(&twins, &[("a", "one"), ("a2", "one"), ("b", "one"), ("b2", "one")]);
    assert_eq!(told(&equal), ["a<->b", "a2<->b2"]);
    let strangers = keyed(&twins, &[("a", "one"), ("a2", "two"), ("b", "three"), ("b2", "four")]);
    assert_eq!(told(&strangers), unclear);
    // A key goes before a marker, which anybody can copy, and a marker before a name.
    let marked = |one: &Drawn, half| one.clone().marked("aaaaaaaa", half);
    let [first, second, third, fourth] = &twins;
    let marked = [marked(first, Half::A), second.clone(), marked(third, Half::B), fourth.clone()];
    assert_eq!(told(&of(&marked)), ["a<->b", "a2<->b2"]);
    assert_eq!(
        told(&keyed(&marked, &[("a", "one"), ("a2", "two"), ("b", "two"), ("b2", "one")])),
        ["a<->b2", "a2<->b"]
    );
    let up = [first.clone(), second.clone().down(), third.clone().down(), fourth.clone()];
    assert_eq!(told(&of(&up)), ["a<->b2", "a2<->b"]);
    // What cannot be told is not changed, and can be deleted by its own id.
    let seen = of(&twins);
    let vpn = seen.select_to_change("a").unwrap();
    assert!(seen.changeable(vpn).unwrap_err().to_string().contains("(b2) in nz-por-1"), "{:?}", seen.changeable(vpn));
    assert_eq!(seen.deletable(vpn), Ok(()));
}

#[test]
fn what_connections_say_comes_before_markers() {
    // Two sound pairs with their markers mixed up.
    let (a, b) = (a().marked("aaaaaaaa", Half::A), b().marked("bbbbbbbb", Half::B));
    let (c, d) = (c().marked("bbbbbbbb", Half::A), d().marked("aaaaaaaa", Half::B));
    assert_eq!(told(&of(&[a.clone(), b, c, d])), ["a<->b", "c<->d"]);
    // Where they say nothing of each other, or are behind NAT, the markers tell.
    let b = self::b().marked("aaaaaaaa", Half::B);
    let apart = |one: &Drawn| one.clone().to("198.51.100.77");
    assert_eq!(told(&of(&[apart(&a), apart(&b)])), ["a<->b"]);
    let other = |one: Drawn| one.to("198.51.100.77").tunnels(&["10.9.0.0/24"], &["10.8.0.0/24"]);
    assert_eq!(told(&of(&[other(a.clone()), other(b.clone())])), ["a<->b"]);
    // Half A is the marked one, whichever region comes first.
    let turned = [Drawn { region: POR, ..a.clone() }, Drawn { region: HLZ, ..b.clone() }];
    assert_eq!(told(&of(&turned)), ["a<->b"]);
    // Renamed by somebody: the marker still tells.
    let seen = of(&[Drawn { name: "renamed by hand", ..a }, Drawn { name: "", ..b }]);
    assert_eq!(told(&seen), ["a<->b"]);
    assert_eq!(seen.vpns[0].name, "renamed by hand");
    assert_eq!(seen.select("aaaaaaaa").unwrap(), &seen.vpns[0]);
    assert_eq!(seen.select("osvpn:aaaaaaaa:B").unwrap(), &seen.vpns[0]);
}

#[test]
fn a_marked_half_knows_that_it_is_not_alone() {
    let outside = |half| a().to("198.51.100.77").marked("aaaaaaaa", half);
    assert_eq!(told(&of(&[outside(Half::A)])), ["a->outside"], "a VPN to an external peer has a half A only");
    assert_eq!(told(&of(&[outside(Half::B)])), ["a->missing"]);
    let left = b().unconnected().marked("aaaaaaaa", Half::B);
    assert_eq!(told(&of(&[outside(Half::A), left])), ["a->missing in nz-por-1"], "its objects are there");
    let of_another = b().unconnected().marked("bbbbbbbb", Half::B);
    assert_eq!(told(&of(&[outside(Half::A), of_another])), ["a->outside"]);
}

#[test]
fn a_half_that_is_there_twice_is_said_and_changed_by_a_connections_id_alone() {
    let (a, b) = (a().marked("aaaaaaaa", Half::A), b().marked("aaaaaaaa", Half::B));
    let copied = Drawn { id: "0-colleague", name: "production", ..a.clone() }.to("198.51.100.99");
    let seen = of(&[a.clone(), copied, b]);
    assert_eq!(told(&seen), ["a<->b", "0-colleague->outside"], "whatever the ids are");
    assert_eq!(seen.select("aaaaaaaa").unwrap().a.connection.id.as_str(), "a");
    for wanted in ["aaaaaaaa", "osvpn:aaaaaaaa:A", "hlz-por", "production"] {
        let Err(Unselected::Doubled { doubled }) = seen.select_to_change(wanted) else { panic!("{wanted}") };
        for part in ["osvpn:aaaaaaaa:A", "hlz-por_vpn_site_connection (a)", "production (0-colleague)"] {
            assert!(doubled.contains(part), "{part}: {doubled}");
        }
    }
    let vpn = seen.select("a").unwrap();
    let unclear = seen.diagnose(vpn, &Keys::Unread, &Exposures::new()).conclusion(vpn);
    assert!(unclear.contains("half A exists more than once; name a connection by its id"), "{unclear}");
    for (id, handle) in [("a", "a"), ("b", "a"), ("0-colleague", "0-colleague")] {
        assert_eq!(seen.select_to_change(id).unwrap().handle(), handle);
    }
    // Two whole VPNs with one marker: neither has the id.
    let seen = of(&[
        a.clone(),
        self::b().marked("aaaaaaaa", Half::B),
        c().marked("aaaaaaaa", Half::A),
        d().marked("aaaaaaaa", Half::B),
    ]);
    assert_eq!(told(&seen), ["a<->b", "c<->d"]);
    let Err(Unselected::Several { ids, .. }) = seen.select("aaaaaaaa") else { panic!("{:?}", seen.vpns) };
    assert_eq!(ids, ["a", "c"]);
}

#[test]
fn a_marker_on_one_half_alone_names_no_vpn() {
    let seen = of(&[a().marked("aaaaaaaa", Half::A), b()]);
    assert_eq!((told(&seen), seen.vpns[0].id.as_ref()), (vec!["a<->b".to_owned()], None));
    for wanted in ["aaaaaaaa", "osvpn:aaaaaaaa:A"] {
        let Err(Unselected::HalfMarked { half_marked }) = seen.select(wanted) else { panic!("{wanted}") };
        assert!(half_marked.contains("(a)") && half_marked.contains("(b)"), "{half_marked}");
    }
    for wanted in ["a", "b"] {
        assert_eq!(seen.select_to_change(wanted).unwrap().handle(), "a");
    }
}

#[test]
fn an_id_goes_before_a_name_and_nothing_is_called_nothing() {
    let named = Drawn { name: "aaaaaaaa", ..c() };
    let seen =
        of(&[a().marked("aaaaaaaa", Half::A), b().marked("aaaaaaaa", Half::B), named, Drawn { name: "", ..d() }]);
    assert_eq!(seen.select("aaaaaaaa").unwrap().a.connection.id.as_str(), "a");
    for nothing in ["", " "] {
        assert!(matches!(seen.select(nothing), Err(Unselected::Empty { .. })));
    }
    let seen = of(&[a(), b(), Drawn { name: "a", ..c() }, d()]);
    assert_eq!(seen.select("a").unwrap().a.connection.id.as_str(), "a");
}

#[test]
fn a_region_that_could_not_be_read_leaves_a_half_that_looks_alone_and_says_so() {
    let unread = vec![(RegionId::new(POR), Error::new(ErrorKind::Unreachable, "no answer"))];
    let seen = Inspection::of(surveys(&[a().marked("aaaaaaaa", Half::A)]), unread);
    assert_eq!(told(&seen), ["a->outside"]);
    assert!(seen.may_lack_a_half(&seen.vpns[0]), "nobody may think that it has an external peer");
    assert!(!of(&[a().to("198.51.100.77")]).may_lack_a_half(&of(&[a().to("198.51.100.77")]).vpns[0]));
}

#[test]
fn what_no_connection_uses_is_a_stray_in_the_order_of_deletion() {
    let seen = of(&[a(), b().unconnected().marked("aaaaaaaa", Half::B)]);
    let strays: Vec<(String, &str)> =
        seen.unused.iter().map(|stray| (stray.kind.label().to_owned(), stray.id.as_str())).collect();
    let strays: Vec<(&str, &str)> = strays.iter().map(|(kind, id)| (kind.as_str(), *id)).collect();
    assert_eq!(
        strays,
        [
            ("endpoint group", "b-local"),
            ("endpoint group", "b-peer"),
            ("IPsec policy", "b-ipsec"),
            ("IKE policy", "b-ike"),
            ("VPN service", "b-service"),
        ]
    );
    assert!(seen.unused.iter().all(|stray| stray.mark.as_ref().is_some_and(|(id, _)| id.to_string() == "aaaaaaaa")));
    assert!(seen.unused.iter().all(|stray| stray.region.as_str() == POR));
    assert!(of(&[a(), b()]).unused.is_empty());
    let shared = Drawn { groups_of: Some("a"), ..Drawn { id: "c", ..a() } };
    assert!(of(&[a(), shared]).unused.iter().all(|stray| !stray.id.as_str().starts_with("a-")), "used twice is used");
}

#[test]
fn a_name_that_several_have_is_refused_with_the_ids_that_tell_them_apart() {
    let other =
        Drawn { name: "hlz-por_vpn_site_connection", ..drawn("c", WLG, "wr", "203.0.113.3").to("198.51.100.7") };
    let seen = of(&[a(), b(), other]);
    let Err(several @ Unselected::Several { .. }) = seen.select("hlz-por") else { panic!("{:?}", told(&seen)) };
    let said = several.to_string();
    assert!(said.contains(WLG) && said.contains("198.51.100.7"), "what tells them apart: {said}");
    let Unselected::Several { ids, .. } = several else { unreachable!() };
    assert_eq!(ids, ["a", "c"]);
    for id in ids {
        assert_eq!(seen.select(&id).unwrap().handle(), id);
    }
    let Err(Unselected::None { names, .. }) = seen.select("hlz-porr") else { panic!("no such VPN") };
    assert_eq!(names, ["hlz-por"]);
}

/// Connections on a few routers, which point, tunnel and are marked however they like.
fn anything() -> impl Strategy<Value = Vec<Drawn>> {
    const IDS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
    const ROUTERS: [(&str, &str, &str); 5] = [
        (HLZ, "hr", "203.0.113.1"),
        (HLZ, "hr2", "203.0.113.11"),
        (POR, "pr", "203.0.113.2"),
        (POR, "pr2", "203.0.113.12"),
        (WLG, "wr", "203.0.113.3"),
    ];
    let peers = [
        "203.0.113.1",
        "203.0.113.11",
        "203.0.113.2",
        "203.0.113.12",
        "203.0.113.3",
        "198.51.100.7",
        "x.example",
        "",
        "::1",
    ];
    let ranges: [&[&'static str]; 4] = [&["10.0.0.0/24"], &["10.20.0.0/24"], &["10.0.0.0/24", "10.1.0.0/24"], &[]];
    let mark = proptest::option::of((select(vec!["aaaaaaaa", "bbbbbbbb"]), select(vec![Half::A, Half::B])));
    let names = select(vec!["hlz-por_vpn_site_connection", "two", ""]);
    let one = (
        select(ROUTERS.to_vec()),
        select(peers.to_vec()),
        select(ranges.to_vec()),
        select(ranges.to_vec()),
        mark,
        names,
        0..8_u8,
    );
    proptest::collection::vec(one, 0..IDS.len()).prop_map(|all| {
        let draw = |(id, ((region, router, address), peer, local, remote, mark, name, odd)): (&&'static str, _)| {
            let one: Drawn = drawn(id, region, router, address).to(peer).tunnels(local, remote);
            let one = Drawn { name, mark, ..one };
            match odd {
                0 => one.legacy(),
                1 => one.unconnected(),
                2 => one.without_service(),
                _ => one,
            }
        };
        IDS.iter().zip(all).map(draw).collect()
    })
}

/// The pairs and the single ones, whichever way round.
fn parts(seen: &Inspection) -> BTreeSet<Vec<String>> {
    let parts = seen.vpns.iter().map(|vpn| {
        let mut ids: Vec<String> = vpn.sides().map(|(_, side)| side.connection.id.to_string()).collect();
        ids.sort();
        ids
    });
    parts.collect()
}

proptest! {
    #[test]
    fn any_connections_are_each_part_of_one_vpn(all in anything()) {
        let seen = of(&all);
        let mut found: Vec<String> = parts(&seen).into_iter().flatten().collect();
        found.sort();
        let connected = all.iter().filter(|one| one.is_connected).map(|one| one.id.to_owned());
        prop_assert_eq!(found, connected.collect::<Vec<_>>());
        // Whatever the word, each can be asked for by the one that names it.
        for vpn in &seen.vpns {
            prop_assert_eq!(seen.select(&vpn.handle()), Ok(vpn));
        }
    }

    #[test]
    fn ids_decide_nothing(all in anything()) {
        let turned: Vec<&'static str> = all.iter().rev().map(|one| one.id).collect();
        let renamed: Vec<Drawn> = all.iter().zip(&turned).map(|(one, id)| Drawn { id, ..one.clone() }).collect();
        let named: BTreeMap<String, String> =
            all.iter().zip(turned).map(|(one, id)| (id.to_owned(), one.id.to_owned())).collect();
        let back = |part: Vec<String>| {
            let mut part: Vec<String> = part.iter().map(|id| named[id].clone()).collect();
            part.sort();
            part
        };
        prop_assert_eq!(parts(&of(&renamed)).into_iter().map(back).collect::<BTreeSet<_>>(), parts(&of(&all)));
    }

    #[test]
    fn no_stranger_takes_a_half_of_a_sound_pair(all in anything(), marks in any::<[bool; 2]>(), key in 0..3_usize) {
        let mark = |one: Drawn, half, is_marked| if is_marked { one.marked("aaaaaaaa", half) } else { one };
        let a = mark(Drawn { id: "x", ..a() }, Half::A, marks[0]);
        let b = mark(Drawn { id: "y", ..b() }, Half::B, marks[1]);
        let mut keys: Vec<(&str, &str)> = all.iter().map(|one| (one.id, ["one", "two", "three"][key])).collect();
        keys.extend([("x", "ours"), ("y", "ours")]);
        let all: Vec<Drawn> = all.iter().cloned().chain([a, b]).collect();
        prop_assert!(parts(&keyed(&all, &keys)).contains(&vec!["x".to_owned(), "y".to_owned()]));
    }

    #[test]
    fn neither_the_order_of_regions_nor_of_lists_matters(all in anything()) {
        let renamed = BTreeMap::from([(HLZ, "r3"), (POR, "r2"), (WLG, "r1")]);
        let mut turned: Vec<Drawn> = all.iter().map(|one| Drawn { region: renamed[one.region], ..one.clone() }).collect();
        turned.reverse();
        prop_assert_eq!(parts(&of(&all)), parts(&of(&turned)));
    }
}
