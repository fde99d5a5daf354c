//! What the other side sends: each kind of text, its sheets read back, and what is no such text.

use std::net::IpAddr;

use osvpn::plan::fields::PolicyField;
use osvpn::plan::policy::{AuthAlgorithm, DhGroup, EncryptionAlgorithm, Profiles};
use osvpn::plan::{Place, Policy};
use osvpn::sheet::received::{LONGEST_RECEIVED, Received, ReceivedKind, ReceivedProblem, TextSide};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn read(text: &str) -> Received {
    Received::read(text).unwrap_or_else(|problem| panic!("{problem}\n{text}"))
}

fn notes(received: &Received) -> Vec<String> {
    received.notes.iter().map(ToString::to_string).collect()
}

fn modern() -> Policy {
    Profiles::built_in().unwrap().modern
}

/// The policy on a cloud that stores every word, but for those.
fn agreed(received: &Received, but: &[&str]) -> Policy {
    let agreed = received.policy(&modern(), &|_, word| !but.contains(&word));
    assert!(agreed.refusals.is_empty(), "{:?}", agreed.refusals);
    agreed.policy
}

fn ends(received: &Received) -> [String; 2] {
    [&received.own, &received.far].map(|end| {
        let networks = end.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        format!("{} {} {networks}", word(&end.address), word(&end.id))
    })
}

fn key(received: &Received) -> &str {
    received.key.as_ref().map_or("", ExposeSecret::expose_secret)
}

#[test]
fn a_download_of_aws_is_for_this_cloud_and_its_first_tunnel_is_taken() {
    let aws = read(include_str!("samples/aws-generic.txt"));
    assert_eq!((aws.kind, key(&aws)), (ReceivedKind::AwsDownload, "dT7wQ2xN9vB4kL8mR3yH6pZ1"));
    assert_eq!(ends(&aws), ["203.0.113.9 203.0.113.9 ", "198.51.100.7 198.51.100.7 "]);
    let policy = agreed(&aws, &[]);
    assert_eq!((policy.ike.lifetime, policy.ipsec.lifetime), (28800, 3600));
    assert_eq!((policy.dpd.interval, policy.dpd.timeout), (10, 30));
    assert_eq!(
        notes(&aws),
        [
            "line 52: not understood: - Colour of the cable : blue",
            "line 54: the second tunnel is not taken: a VPN here has one peer"
        ]
    );
    let (peer, why) = aws.peer(|_| None).unwrap();
    assert_eq!((peer, why.contains("AWS writes")), (TextSide::Far, true));
    assert_eq!(aws.system(peer).unwrap().word, "aws");
}

#[test]
fn of_several_proposals_the_best_is_taken_that_the_cloud_stores() {
    let office = read(include_str!("samples/swanctl.txt"));
    assert_eq!(key(&office), "Gq7#rT2{wN9}mK4=x");
    assert_eq!(
        ends(&office),
        ["198.51.100.7 office@example.net 192.168.7.0/24 192.168.8.0/24", "203.0.113.9 203.0.113.9 10.0.0.0/24"]
    );
    assert_eq!(notes(&office), ["line 10: not understood: vips = 0.0.0.0"]);
    let best = agreed(&office, &[]).ike;
    assert_eq!(best.encryption_algorithm, EncryptionAlgorithm::Aes256Gcm16);
    assert_eq!((best.auth_algorithm, best.pfs), (AuthAlgorithm::Sha384, DhGroup::Group20));
    // An old cloud has none of that.
    let old = agreed(&office, &["aes-256-gcm-16", "group16"]).ike;
    assert_eq!((old.encryption_algorithm, old.auth_algorithm), (EncryptionAlgorithm::Aes256, AuthAlgorithm::Sha512));
    assert_eq!((old.pfs, old.lifetime), (DhGroup::Group14, 14400));
    assert_eq!(office.peer(|_| None).unwrap().0, TextSide::Own);
}

#[test]
fn an_ipsec_conf_with_its_secrets_and_what_it_inherits() {
    let office = read(include_str!("samples/ipsec-conf.txt"));
    assert_eq!(ends(&office), ["198.51.100.7 - 192.168.7.0/24", "203.0.113.9 - 10.0.0.0/24"]);
    assert_eq!(key(&office), "Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1");
    let policy = agreed(&office, &[]);
    assert_eq!((policy.ike.ike_version.as_str(), policy.ike.lifetime), ("v1", 28800));
    assert_eq!((policy.ike.auth_algorithm, policy.ipsec.auth_algorithm), (AuthAlgorithm::Sha1, AuthAlgorithm::Sha256));
    assert_eq!(policy.ipsec.lifetime, 3600);
    assert_eq!(
        (office.policy.own_begins, notes(&office)),
        (Some(false), vec!["line 21: not understood: modecfgpull=yes".to_owned()])
    );
}

#[test]
fn a_part_of_fortios_whose_key_is_encrypted_and_whose_ranges_are_not_all_pairs() {
    let office = read(include_str!("samples/fortios.txt"));
    assert_eq!(
        ends(&office),
        ["198.51.100.7 - 192.168.7.0/24 192.168.8.0/24", "203.0.113.9 - 10.0.0.0/24 10.0.1.0/24"]
    );
    let told = notes(&office);
    assert!(key(&office).is_empty() && told[0].contains("line 15: the key is encrypted"), "{told:?}");
    assert_eq!(told[1], "line 16: not understood: set monitor-min 3");
    assert!(told[2].starts_with("it carries 2 of the 4 pairs"), "{told:?}");
    let policy = agreed(&office, &["sha1"]);
    assert_eq!((policy.ike.encryption_algorithm, policy.ike.pfs), (EncryptionAlgorithm::Aes256, DhGroup::Group14));
    assert_eq!((policy.dpd.interval, policy.dpd.timeout), (10, 30));
    assert_eq!(office.system(TextSide::Own).unwrap().word, "fortios");
    let unsaid = office.policy(&modern(), &|_, _| true).unsaid;
    assert_eq!(unsaid, ["IKE lifetime"], "no vendor's default is guessed");
}

#[test]
fn a_part_of_ios_with_an_address_on_the_interface_of_the_map() {
    let office = read(include_str!("samples/ios.txt"));
    assert_eq!(ends(&office), ["198.51.100.7 - 192.168.7.0/24", "203.0.113.9 - 10.0.0.0/24"]);
    assert_eq!((key(&office), office.policy.ike.len()), ("Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1", 2));
    let policy = agreed(&office, &[]);
    assert_eq!(
        (policy.ike.auth_algorithm, policy.ike.pfs, policy.ike.lifetime),
        (AuthAlgorithm::Sha1, DhGroup::Group14, 14400)
    );
    assert_eq!(notes(&office), ["line 21: not understood: set security-association idle-time 600"]);
    // On a cloud that no longer stores sha1, nothing is left.
    let refusals = office.policy(&modern(), &|_, word| word != "sha1").refusals;
    assert_eq!(refusals[0].place, Place::Policy(Some(PolicyField::IkeAuth)));
    assert!(refusals[0].text.contains("the text has sha1"), "{refusals:?}");
}

#[test]
fn of_a_device_with_several_vpns_only_what_this_one_uses_is_taken() {
    let office = read(include_str!("samples/ios-several.txt"));
    assert_eq!(ends(&office), ["- - 192.168.7.0/24", "203.0.113.9 203.0.113.9 10.0.0.0/24"]);
    assert_eq!(key(&office), "Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1");
    let policy = agreed(&office, &[]);
    let ike = &policy.ike;
    assert_eq!(
        (ike.ike_version, ike.encryption_algorithm, ike.auth_algorithm, ike.pfs),
        (IkeVersion::V2, EncryptionAlgorithm::Aes256Gcm16, AuthAlgorithm::Sha384, DhGroup::Group20),
        "the policies of IKEv1 are not this VPN's, and the PRF is that of the text"
    );
    assert_eq!(policy.ipsec.encryption_algorithm, EncryptionAlgorithm::Aes128, "the map names the set OLD");
    let told = notes(&office);
    assert!(told[0].contains("the key is encrypted") && told[1].contains("fqdn domain"), "{told:?}");
    assert!(told[2].contains("takes a pre-shared key") && told.len() == 3, "{told:?}");
}

#[test]
fn a_part_of_fortios_within_a_vdom_that_leaves_the_defaults_out() {
    let office = read(include_str!("samples/fortios-vdom.txt"));
    assert_eq!(ends(&office), ["- - 192.168.7.0/24", "203.0.113.9 - 10.0.0.0/24"]);
    let policy = agreed(&office, &[]);
    assert_eq!((policy.ike.ike_version, policy.ipsec.lifetime), (IkeVersion::V1, 3600));
    let told = notes(&office);
    assert_eq!(told[0], "line 7: authmethod is signature, and this cloud takes a pre-shared key");
    assert!(told[1].contains("ike-version is not in the text") && told.len() == 2, "{told:?}");
}

#[test]
fn an_ipsec_conf_whose_far_side_may_come_from_anywhere_and_whose_parts_are_elsewhere() {
    let office = read(include_str!("samples/ipsec-also.txt"));
    assert_eq!(ends(&office), ["198.51.100.7 - 192.168.7.0/24", "- cloud.example 10.0.0.0/24"]);
    assert_eq!(office.peer(|_| None).unwrap().0, TextSide::Own);
    let policy = agreed(&office, &[]);
    assert_eq!((policy.ike.ike_version, policy.ike.lifetime), (IkeVersion::V1, 28800));
    assert_eq!((key(&office), notes(&office)), ("Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1", Vec::new()));
    let other = include_str!("samples/ipsec-also.txt").replace("@cloud.example :PSK", "192.0.2.45 :PSK");
    assert_eq!(key(&read(&other)), "", "a key for another end is none of this VPN");
}

#[test]
fn a_swanctl_conf_in_one_line_with_a_lifetime_said_twice_and_a_key_with_a_brace() {
    let text = "connections { office { version = 2\nremote_addrs = 203.0.113.9\nrekey_time = 4h\nreauth_time = 0\n} }\n\
                secrets { ike-1 { secret = abc{rest\n} }\n";
    let office = read(text);
    assert_eq!((office.kind, office.policy.ike_lifetime), (ReceivedKind::Swanctl, Some(14400)));
    assert!(!format!("{:?}", notes(&office)).contains("rest"), "{:?}", notes(&office));
}

#[test]
fn the_cloud_s_own_addresses_say_which_end_is_the_peer() {
    let office = read(include_str!("samples/swanctl.txt"));
    let at = |ours: &[&str]| {
        let ours: Vec<IpAddr> = ours.iter().map(|one| one.parse().unwrap()).collect();
        office.peer(|address| ours.contains(&address).then(|| "border-router".to_owned())).map(|(side, _)| side)
    };
    assert_eq!(at(&["203.0.113.9"]), Some(TextSide::Own));
    assert_eq!(at(&["198.51.100.7"]), Some(TextSide::Far));
    assert_eq!(at(&["198.51.100.7", "203.0.113.9"]), None, "both ends are in this cloud");
    let side = far_side(IkeVersion::V2);
    let sheet = |word: &str| read(&text(format(word), &side, None)).peer(|_| None).map(|(side, _)| side);
    assert_eq!(sheet("values"), Some(TextSide::Far));
    assert_eq!(sheet("swanctl"), None, "it may come from either end");
}

#[test]
fn what_contradicts_itself_and_what_is_of_several_vpns_is_refused() {
    let swanctl = include_str!("samples/swanctl.txt");
    let twice = swanctl.replace("version = 2", "version = 2\nremote_addrs = 192.0.2.5");
    let Err(ReceivedProblem::Contradicts(why)) = Received::read(&twice) else { panic!() };
    assert!(why[0].contains("line 7: remote_addrs is 203.0.113.9, and 192.0.2.5 before that"), "{why:?}");
    let fortios = include_str!("samples/fortios.txt");
    let other = fortios.replacen(
        "set proposal aes256-sha256\n        set dhgrp 14\n",
        "set proposal aes128-sha256\n        set dhgrp 14\n",
        1,
    );
    assert!(Received::read(&other).unwrap_err().to_string().contains("voice has other algorithms"));
    let two = "conn one\n left=192.0.2.1\n right=198.51.100.7\nconn two\n left=192.0.2.1\n right=198.51.100.8\n";
    assert_eq!(Received::read(two).unwrap_err(), ReceivedProblem::Several("one, two".to_owned()));
}

#[test]
fn what_is_no_such_text_is_refused_with_what_it_is() {
    let long = "x".repeat(LONGEST_RECEIVED + 1);
    for (text, reason) in [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("\u{89}PNG\r\n\u{1a}\n\0\0\0", "no text"),
        ("c\0o\0n\0n\0", "UTF-16"),
        (long.as_str(), "too long"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n", "a private key"),
        ("#!/bin/bash\nexport OS_AUTH_URL=https://x\nexport OS_PASSWORD=Hunter2\n", "openrc"),
        ("version = 1\n[[half]]\nregion = \"x\"\n", "--plan"),
        ("Dear colleague, please find attached", "none of"),
        ("crypto key generate rsa\n", "says nothing of a VPN"),
    ] {
        let refused = Received::read(text).unwrap_err().to_string();
        assert!(refused.contains(reason) && !refused.contains("Hunter2"), "{reason}: {refused}");
    }
}

/// The words of one system for one VPN, and what may be written of it.
fn drawn(random: &mut StdRng, format: &'static PeerFormat) -> FarSide {
    let mut side = far_side(if random.random() { IkeVersion::V2 } else { IkeVersion::V1 });
    let words: Vec<_> = format.vocabulary().collect();
    let mut pick = |of: &str, what: &str| {
        let fit: Vec<&str> =
            words.iter().filter(|(phase, kind, ..)| (*phase, *kind) == (of, what)).map(|(.., api, _)| *api).collect();
        fit[random.random_range(0..fit.len())].to_owned()
    };
    for (name, word) in &mut side.words {
        let (of, attribute) = name.split_once('.').unwrap();
        let what = match attribute {
            "encryption_algorithm" => "encryption",
            "auth_algorithm" => "auth",
            "pfs" => "group",
            _ => continue,
        };
        *word = pick(of, what);
    }
    let ids = ["198.51.100.7", "office.example.net", "fw@example.net", "2001:db8::7", "Office_7"];
    ids[random.random_range(0..ids.len())].clone_into(&mut side.local.id);
    side.local.is_named = side.local.id.parse::<IpAddr>().is_err();
    let several = if side.ike_version == IkeVersion::V1 { 1 } else { 3 };
    let mut networks = |first: u8| {
        let count = random.random_range(1..=several);
        (0..count).map(|at| IpNet::new([first, at, 0, 0].into(), 24).unwrap()).collect::<Vec<_>>()
    };
    (side.local.networks, side.remote.networks) = (networks(172), networks(10));
    (side.ike_lifetime, side.ipsec_lifetime) = (random.random_range(900..=28800), random.random_range(900..=3600));
    side.dpd.interval = random.random_range(5..60);
    side.dpd.timeout = side.dpd.interval * random.random_range(2..9);
    side
}

/// What a kind of sheet has no place for.
fn unsaid(word: &str, is_v1: bool) -> &'static [&'static str] {
    match word {
        "values" | "ipsec-conf" => &[],
        "swanctl" | "libreswan" if is_v1 => &[],
        "fortios" => &["far id"],
        "ios-xe" if is_v1 => &["far id", "own id", "dpd timeout"],
        "ios-xe" | "swanctl" | "libreswan" => &["dpd timeout"],
        _ => &["own id", "dpd interval", "dpd timeout"],
    }
}

#[test]
fn every_sheet_of_two_hundred_vpns_is_read_back_as_it_was_written() {
    let mut random = StdRng::seed_from_u64(16);
    for word in ["values", "swanctl", "ipsec-conf", "libreswan", "fortios", "ios-xe", "aws"] {
        let format = format(word);
        let mut count = 0;
        while count < 200 {
            let side = drawn(&mut random, format);
            let secret = SecretString::from(KEY);
            let Ok(sheet) = Sheet::new(format, &side, Some(&secret)) else { continue };
            let cipher = side.words.iter().find(|(name, _)| name == "ike.encryption_algorithm");
            if side.ike_version == IkeVersion::V1
                && cipher.is_some_and(|(_, word)| word.contains("cm-") || word.ends_with("ctr"))
            {
                continue;
            }
            count += 1;
            let sheet = sheet.text().expose_secret();
            let received = read(sheet);
            assert!(received.is_sheet && received.notes.is_empty(), "{word}: {:?}\n{sheet}", notes(&received));
            let said = |what: &str| !unsaid(word, side.ike_version == IkeVersion::V1).contains(&what);
            let of = |end: &FarEnd, id: bool, address: bool| {
                (
                    Some(end.address.clone()).filter(|_| address),
                    Some(end.id.clone()).filter(|_| id),
                    end.networks.clone(),
                )
            };
            let read_of =
                |end: &osvpn::sheet::received::ReceivedEnd| (end.address.clone(), end.id.clone(), end.networks.clone());
            assert_eq!(read_of(&received.own), of(&side.local, said("own id"), true), "{word}\n{sheet}");
            assert_eq!(read_of(&received.far), of(&side.remote, said("far id"), true), "{word}\n{sheet}");
            assert_eq!(key(&received), KEY);
            let policy = agreed(&received, &[]);
            for field in PolicyField::of_policies() {
                let of = if field.kind() == osvpn::cloud::Kind::IkePolicy { "ike" } else { "ipsec" };
                let name = format!("{of}.{}", field.attribute());
                let written = side.words.iter().find(|(one, _)| *one == name).map(|(_, word)| word.clone());
                let encryption =
                    side.words.iter().find(|(one, _)| *one == format!("{of}.encryption_algorithm")).unwrap();
                // Such a cipher has an integrity of its own, which is not written.
                let is_open = field.attribute() == "auth_algorithm"
                    && encryption.1.contains("cm-")
                    && !(of == "ike" && word != "aws");
                if let Some(written) = written.filter(|_| !is_open) {
                    assert_eq!(field.get(&policy), written, "{word} {name}\n{sheet}");
                }
            }
            assert_eq!(
                (policy.ike.lifetime, policy.ipsec.lifetime),
                (side.ike_lifetime, side.ipsec_lifetime),
                "{word}\n{sheet}"
            );
            assert_eq!(
                received.policy.dpd_interval,
                Some(side.dpd.interval).filter(|_| said("dpd interval")),
                "{word}\n{sheet}"
            );
            assert_eq!(
                received.policy.dpd_timeout,
                Some(side.dpd.timeout).filter(|_| said("dpd timeout")),
                "{word}\n{sheet}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Texts, and real ones in which something is another; none shows a key.
    #[test]
    fn no_text_breaks_the_reader(
        noise in "\\PC{0,200}",
        sample in 0_usize..8,
        at in 0_usize..2000,
        cut in 0_usize..40,
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = Received::read(&noise);
        let _ = Received::read(&String::from_utf8_lossy(&bytes));
        let samples = [
            include_str!("samples/aws-generic.txt"), include_str!("samples/swanctl.txt"), include_str!("samples/ipsec-conf.txt"),
            include_str!("samples/fortios.txt"), include_str!("samples/ios.txt"), include_str!("samples/ios-several.txt"),
            include_str!("samples/fortios-vdom.txt"), include_str!("samples/ipsec-also.txt"),
        ];
        let lines: Vec<&str> = samples[sample].lines().collect();
        let place = at % lines.len();
        let mut changed: Vec<&str> = lines[..place].to_vec();
        changed.push(&noise);
        changed.extend(lines.iter().skip(place + cut % 3));
        let told = match Received::read(&changed.join("\n")) {
            Ok(received) => {
                let _ = received.policy(&modern(), &|_, _| true);
                format!("{:?} {received:?}", notes(&received))
            }
            Err(problem) => problem.to_string(),
        };
        for key in ["dT7wQ2xN9vB4kL8mR3yH6pZ1", "zZ9yY8xX7wW6vV5uU4tT3sS2", "Gq7#rT2", "Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1", "OtherBranchKeyOf2019"] {
            prop_assert!(!told.contains(key), "{}", told);
        }
    }
}
