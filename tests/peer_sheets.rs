//! The sheets for the far side of a VPN: every format with every kind of VPN, and names that would do harm.

mod received;

use std::collections::BTreeMap;

use ipnet::IpNet;
use osvpn::cloud::{DeadPeerDetection, RegionId, Status};
use osvpn::plan::Half;
use osvpn::plan::peer::check_id;
use osvpn::plan::policy::IkeVersion;
use osvpn::sheet::{FarEnd, FarSide, KEY_PLACE, PeerFormat, Remedy, Sheet, Tier};
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use crate::support::surveys::{regions, seen};

const KEY: &str = "Zx9Kq2Lm5Tn8Rv4Wb7Hc3Jd6Fg1Ps0Yu";

fn formats() -> &'static [PeerFormat] {
    PeerFormat::all().unwrap()
}

fn format(word: &str) -> &'static PeerFormat {
    formats().iter().find(|format| format.word == word).unwrap()
}

fn ranges(words: &[&str]) -> Vec<IpNet> {
    words.iter().map(|word| word.parse().unwrap()).collect()
}

/// A VPN with the profile `modern` or `catalyst`, and one range on each side.
fn far_side(version: IkeVersion) -> FarSide {
    let hash = if version == IkeVersion::V2 { "sha256" } else { "sha1" };
    let policy = [("encryption_algorithm", "aes-256"), ("auth_algorithm", hash), ("pfs", "group14")];
    let mut words: Vec<(String, String)> = ["ike", "ipsec"]
        .iter()
        .flat_map(|of| policy.map(|(name, word)| (format!("{of}.{name}"), word.to_owned())))
        .collect();
    words.push(("ike.ike_version".to_owned(), version.to_string()));
    words.extend(
        [("ipsec.transform_protocol", "esp"), ("ipsec.encapsulation_mode", "tunnel")]
            .map(|(a, b)| (a.to_owned(), b.to_owned())),
    );
    let end = |address: &str, networks: &[&str]| FarEnd {
        address: address.to_owned(),
        id: address.to_owned(),
        is_named: false,
        networks: ranges(networks),
    };
    FarSide {
        vpn: "office".to_owned(),
        region: RegionId::new("nz-por-1"),
        local: end("198.51.100.7", &["192.168.7.0/24"]),
        remote: end("203.0.113.9", &["10.0.0.0/24"]),
        ike_version: version,
        mode: "main".to_owned(),
        words,
        ike_lifetime: 14400,
        ipsec_lifetime: 3600,
        dpd: DeadPeerDetection { action: "restart".to_owned(), interval: 15, timeout: 150 },
        mtu: 1500,
    }
}

fn text(format: &'static PeerFormat, side: &FarSide, key: Option<&str>) -> String {
    let key = key.map(SecretString::from);
    let sheet = Sheet::new(format, side, key.as_ref());
    sheet.unwrap_or_else(|refused| panic!("{}: {refused}", format.word)).text().expose_secret().to_owned()
}

#[test]
fn every_format_holds_every_value_of_a_modern_vpn_and_the_key_only_when_asked() {
    for format in formats() {
        let side = far_side(IkeVersion::V2);
        let plain = text(format, &side, None);
        for value in ["203.0.113.9", "198.51.100.7"] {
            assert!(plain.contains(value), "{}: {value} is missing from\n{plain}", format.word);
        }
        for network in ["192.168.7.0", "10.0.0.0"] {
            // What RouterOS, UniFi and others take from elsewhere is at least named.
            assert!(plain.contains(network), "{}: {network} is missing from\n{plain}", format.word);
        }
        assert!(plain.contains(KEY_PLACE) && plain.contains("Proof: ") && !plain.contains("{{"), "{plain}");
        assert!(plain.lines().all(|line| line.trim_end() == line), "{}: blanks at the end of a line", format.word);
        let with_key = text(format, &side, Some(KEY));
        assert!(with_key.contains(KEY) && !with_key.contains(KEY_PLACE), "{with_key}");
        assert!(with_key.contains("Send it over a safe channel"), "{with_key}");
    }
}

#[test]
fn what_cannot_work_is_refused_with_what_would() {
    let refused = |word: &str, side: &FarSide, key: Option<&str>| {
        let key = key.map(SecretString::from);
        let refused = Sheet::new(format(word), side, key.as_ref()).unwrap_err();
        assert!(key.is_none_or(|key| !refused.to_string().contains(key.expose_secret())));
        refused.reasons.iter().map(|reason| reason.instead).collect::<Vec<_>>()
    };
    let (old, new) = (far_side(IkeVersion::V1), far_side(IkeVersion::V2));
    assert_eq!(refused("google", &old, None), [Some(Remedy::Modern)]);
    let mut sha2 = old.clone();
    sha2.words
        .iter_mut()
        .filter(|(name, _)| name.ends_with("auth_algorithm"))
        .for_each(|(_, word)| *word = "sha256".to_owned());
    assert_eq!(refused("asa", &sha2, None), [Some(Remedy::Modern); 2], "phase 1 and phase 2");
    text(format("asa"), &old, None);
    let mut several = new.clone();
    several.remote.networks = ranges(&["10.0.0.0/24", "10.0.1.0/24"]);
    assert_eq!(refused("aws", &several, None), [Some(Remedy::Ranges)]);
    several.ike_version = IkeVersion::V1;
    for format in formats().iter().filter(|format| !["aws", "google", "openiked"].contains(&format.word)) {
        assert_eq!(refused(format.word, &several, None), [Some(Remedy::Modern)], "{}", format.word);
    }
    for (word, key) in [
        ("aws", "0123456789abcdefghij"),
        ("stackit", "short"),
        ("swanctl", "0sabcdefghijklmnopqr"),
        ("fortios", "0xabcdefghijklmnopqr"),
        ("values", "a\"b\nc"),
    ] {
        assert_eq!(refused(word, &new, Some(key)), [Some(Remedy::Key)], "{word}");
    }
    let mut rare = new.clone();
    rare.words.iter_mut().filter(|(name, _)| name == "ike.pfs").for_each(|(_, word)| *word = "group25".to_owned());
    assert_eq!(refused("azure", &rare, None), [Some(Remedy::Policy)]);
}

#[test]
fn a_pair_of_ranges_each_has_an_sa_of_its_own_where_the_system_wants_that() {
    let mut side = far_side(IkeVersion::V2);
    side.local.networks = ranges(&["192.168.7.0/24", "192.168.8.0/24"]);
    side.remote.networks = ranges(&["10.0.0.0/24", "10.0.1.0/24"]);
    let swanctl = text(format("swanctl"), &side, None);
    assert!(swanctl.contains("local_ts = 192.168.7.0/24, 192.168.8.0/24"), "{swanctl}");
    let fortios = text(format("fortios"), &side, None);
    assert_eq!(fortios.matches("set phase1name").count(), 4, "{fortios}");
    assert!(fortios.contains("Let it begin, not the cloud"), "{fortios}");
    let junos = text(format("junos"), &side, None);
    assert_eq!(junos.matches("remote-ip").count(), 4, "{junos}");
}

/// An identity that is compared as a name, and a cloud behind address translation.
#[test]
fn names_and_translated_addresses_are_told() {
    let mut side = far_side(IkeVersion::V2);
    side.local.id = "office.example".to_owned();
    side.local.is_named = true;
    side.remote.address = "100.64.3.9".to_owned();
    assert!(text(format("swanctl"), &side, None).contains("id = @office.example"));
    assert!(text(format("routeros"), &side, None).contains("my-id=fqdn:office.example"));
    let values = text(format("values"), &side, None);
    assert!(values.contains("office.example (FQDN)") && values.contains("behind address translation"), "{values}");
}

/// A sheet may say of itself only what was done.
#[test]
fn every_word_that_was_compared_is_one_that_the_maker_publishes() {
    type Published = BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<String>>>>;
    let published: Published = toml::from_str(include_str!("peer_sheets/published_words.toml")).unwrap();
    for format in formats() {
        let is_compared = published.contains_key(format.word);
        assert!(is_compared || format.proof().tier != Tier::Words, "{}", format.word);
        for (phase, what, _, word) in format.vocabulary().filter(|_| is_compared) {
            let choices = &published[format.word][phase][what];
            assert!(choices.iter().any(|choice| choice == word), "{} {phase} {what}: {word}", format.word);
        }
    }
}

/// How many VPNs are drawn: each has a sheet of every format, with the key and without it. CI draws 10,000.
fn drawn_vpns() -> ProptestConfig {
    let wanted = std::env::var("OSVPN_FUZZED_VPNS").ok().and_then(|count| count.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(300))
}

/// Identities as people give them, and as nobody should.
fn identities() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{1,20}(\\.[a-z0-9-]{1,20}){0,3}",
        "[A-Za-z0-9._-]{1,20}@[a-z0-9.-]{1,20}",
        any::<u128>().prop_map(|bits| std::net::Ipv6Addr::from_bits(bits).to_string()),
        any::<u32>().prop_map(|bits| std::net::Ipv4Addr::from_bits(bits).to_string()),
        "[ -~\n\r\"'$`\\\\{}#!;%]{0,40}",
        "[a-zA-Z0-9.@_:-]{200,255}",
        ".{0,20}",
    ]
}

/// The VPN to a peer outside that has such an identity.
fn outside(id: &str) -> osvpn::inspect::Vpn {
    let mut known = regions(Status::Active, Status::Active, "group14");
    let hamilton = known.get_mut(&RegionId::new("nz-hlz-1")).unwrap();
    let policies = (hamilton.ike_policies[0].id.clone(), hamilton.ipsec_policies[0].id.clone());
    let office = hamilton.inventory.connections.iter_mut().find(|one| one.name.starts_with("office")).unwrap();
    (office.ike_policy, office.ipsec_policy) = policies;
    id.clone_into(&mut office.peer_id);
    let vpns = seen(known, Vec::new()).inspection.vpns;
    vpns.into_iter().find(|vpn| vpn.name.starts_with("office")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// An identity is in the sheet as it is, or there is no sheet.
    #[test]
    fn an_identity_is_written_as_it_is_or_not_at_all(id in identities()) {
        match FarSide::of(&outside(&id), Half::A) {
            Ok(side) => {
                prop_assert!(check_id(&id).is_ok());
                for format in formats() {
                    let Ok(sheet) = Sheet::new(format, &side, None) else { continue };
                    // AWS, Google and others are not told who they are.
                    let is_told = !["aws", "azure", "google", "stackit", "unifi", "asa"].contains(&format.word);
                    let text = sheet.text().expose_secret();
                    prop_assert!(!is_told || text.contains(&id) || text.contains("isakmp"), "{}: {id}\n{text}", format.word);
                }
            }
            Err(problem) => {
                prop_assert!(check_id(&id).is_err(), "{}: {}", id, problem);
                let told = problem.to_string();
                prop_assert!(!told.contains(char::is_control), "{told:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(drawn_vpns())]

    #[test]
    fn no_name_breaks_out_of_its_line_and_no_key_gets_in(
        vpn in ".{0,90}",
        ids in proptest::array::uniform2(identities()),
        key in "[ -~]{0,70}",
        lifetime in 60_u32..100_000,
        mtu in 68_u32..9000,
        local in proptest::collection::vec((any::<u32>(), 8_u8..=32), 1..4),
        remote in proptest::collection::vec((any::<u32>(), 8_u8..=32), 1..4),
    ) {
        let nets = |list: &[(u32, u8)]| list.iter().map(|(bits, prefix)| IpNet::new((*bits).to_be_bytes().into(), *prefix).unwrap().trunc()).collect::<Vec<_>>();
        let mut side = FarSide { ike_lifetime: lifetime, ipsec_lifetime: lifetime, mtu, ..far_side(IkeVersion::V2) };
        side.local.networks = nets(&local);
        side.remote.networks = nets(&remote);
        let named = side.clone().named(&vpn);
        let with_ids = {
            let mut side = side.clone();
            for (end, id) in [&mut side.local, &mut side.remote].into_iter().zip(&ids).filter(|(_, id)| check_id(id).is_ok()) {
                end.is_named = id.parse::<std::net::IpAddr>().is_err();
                end.id.clone_from(id);
            }
            side
        };
        let secret = SecretString::from(key.as_str());
        for format in formats() {
            let (Ok(plain), Ok(odd)) = (Sheet::new(format, &side, None), Sheet::new(format, &named, None)) else { continue };
            let (plain, odd) = (plain.text().expose_secret(), odd.text().expose_secret());
            // What is said above the values is wrapped.
            let values = |text: &str| text.split_once("\n\n").unwrap().1.lines().count();
            prop_assert_eq!(values(plain), values(odd), "{}: {:?}", format.word, vpn);
            let harmless = |c: char| c == '\n' || (' '..='~').contains(&c);
            prop_assert!(odd.chars().all(harmless), "{}: {:?}", format.word, vpn);
            for sign in ['"', '\'', '$', '`', '\\'] {
                prop_assert_eq!(plain.matches(sign).count(), odd.matches(sign).count(), "{}: {:?}", format.word, vpn);
            }
            if let Ok(with_ids) = Sheet::new(format, &with_ids, None) {
                let with_ids = with_ids.text().expose_secret();
                prop_assert!(with_ids.chars().all(harmless), "{}: {:?}", format.word, ids);
                for sign in ['"', '\'', '$', '`', '\\'] {
                    prop_assert_eq!(plain.matches(sign).count(), with_ids.matches(sign).count(), "{}: {:?}", format.word, ids);
                }
            }
            if let Ok(with_key) = Sheet::new(format, &side, Some(&secret)) {
                prop_assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{}", format.word);
                prop_assert!(with_key.text().expose_secret().contains(&key));
            }
        }
    }
}
