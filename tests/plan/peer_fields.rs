//! What is typed about an external peer: in the wizard's fields and in plan files, through the same two functions.

use super::*;
use osvpn::plan::checks;
use osvpn::plan::peer::check_id;
use proptest::prelude::*;

const SINGLE: &str = r#"
version = 1
name = "office"
mode = "single"
[[half]]
region = "nz-hlz-1"
router = "border-router"
subnets = ["private-subnet"]
[peer]
address = "ADDRESS"
cidrs = ["CIDRS"]
"#;

#[track_caller]
fn unreadable(address: &str, cidrs: &str, key: &str, words: &str) {
    let text = SINGLE.replace("ADDRESS", address).replace("CIDRS", cidrs);
    let error = PlanFile::parse(&text).expect_err("must be refused");
    assert!(error.is_unreadable());
    let error = error.to_string();
    assert!(error.starts_with(key) && error.contains(words), "no {words:?} in {error}");
    assert!(error.len() < 160, "two lines of a small screen: {error}");
}

#[test]
fn an_address_no_peer_can_have_is_refused_where_it_is_typed() {
    for (text, words) in [
        ("", "IPv4, IPv6 or a host name"),
        ("not an ip", "without blanks"),
        ("198.51.100.7, 198.51.100.8", "one address"),
        ("a..b", "neither"),
        ("1.2.3", "four numbers"),
        ("300.1.1.1", "up to 255"),
        ("127.1", "four numbers"),
        ("198.051.100.007", "without leading zeros"),
        ("fw.example.org:500", "leave out the port"),
        ("[2001:db8::7]:500", "leave out the port"),
        ("[2001:db8::7]", "leave out the brackets"),
        ("fe80::1%eth0", "leave out the zone"),
        ("https://fw.example.org/", "this is a URL"),
        ("fw.example.org/vpn", "follows the slash"),
        ("vpn@example.org", "before the @"),
        ("büro.example.org", "xn--"),
        ("0x7f000001", "neither"),
        ("10.0.0.0/8", "one address"),
        ("0.0.0.0", "is unspecified; type the address"),
        ("0.1.2.3", "is unspecified"),
        ("::", "is unspecified"),
        ("127.0.0.1", "is loopback; type the address"),
        ("::1", "is loopback"),
        ("::ffff:127.0.0.1", "is loopback"),
        ("169.254.169.254", "is link-local"),
        ("fe80::1", "is link-local"),
        ("224.0.0.1", "is multicast"),
        ("ff02::1", "is multicast"),
        ("240.0.0.1", "is reserved"),
        ("255.255.255.255", "is the broadcast address"),
        ("localhost", "cloud's own machine; type the address"),
        ("LocalHost.", "cloud's own machine"),
        ("vpn.localhost", "cloud's own machine"),
        ("localhost.localdomain", "cloud's own machine"),
    ] {
        unreadable(text, "192.168.7.0/24", "peer.address", words);
    }
    for (text, read) in [
        ("198.51.100.7", "198.51.100.7"),
        (" 10.1.2.3 ", "10.1.2.3"),
        ("223.255.255.255", "223.255.255.255"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("fd00::7", "fd00::7"),
        ("vpn.example.net", "vpn.example.net"),
        ("localhost.example.net", "localhost.example.net"),
        ("fw.example.org.", "fw.example.org"),
        ("vpn_gw.example.org", "vpn_gw.example.org"),
    ] {
        assert_eq!(PeerAddress::parse(text).unwrap().to_string(), read);
    }
}

#[test]
fn an_identity_that_stands_for_any_is_none() {
    for any in ["0.0.0.0", "::", "0::0", "0:0:0:0:0:0:0:0", "%any", "%any6", "*"] {
        assert!(check_id(any).unwrap_err().to_string().contains("any identity"), "{any}");
    }
    for other in ["CN=fw, O=Acme", "@#6f66", "fw example", "$user", ""] {
        assert!(check_id(other).is_err(), "{other}");
    }
    for right in ["198.51.100.7", "2001:db8::4", "xxx_yyy_001", "@fw.example.org", "vpn@example.org"] {
        assert_eq!(check_id(right), Ok(()));
    }
}

#[test]
fn ranges_no_peer_can_have_behind_it_are_refused_where_they_are_typed() {
    for (text, words) in [
        (" ", "at least one range"),
        ("banana", "banana is not a range"),
        ("192.168.7.1", "192.168.7.1/32"),
        ("192.168.7.9/24", "type the network, 192.168.7.0/24"),
        ("10.1.0.0/16 fd00:7::1/64", "type the network, fd00:7::/64"),
        ("10.0.0.0/8 fd00::/8", "different IP versions"),
        ("0.0.0.0/8", "is unspecified; type the network"),
        ("127.0.0.0/16", "is loopback"),
        ("169.254.0.0/16", "is link-local"),
        ("10.1.0.0/16, 224.0.0.0/4", "is multicast"),
        ("224.0.0.0/3", "is multicast and reserved"),
        ("255.255.255.255/32", "is the broadcast address"),
        ("::/128", "is unspecified"),
        ("::1/128", "is loopback"),
        ("fe80::/64", "is link-local"),
        ("ff00::/8", "is multicast"),
        ("10.1.0.0/16, 10.2.0.0/16, 10.1.0.0/16", "10.1.0.0/16 is listed twice; type it once"),
        ("10.1.0.0/16, 10.1.2.0/24", "10.1.0.0/16 contains 10.1.2.0/24; leave 10.1.2.0/24 out"),
        ("10.1.2.0/24, 10.0.0.0/8", "10.0.0.0/8 contains 10.1.2.0/24; leave 10.1.2.0/24 out"),
        ("0.0.0.0/0, 10.0.0.0/8", "0.0.0.0/0 contains 10.0.0.0/8"),
    ] {
        unreadable("198.51.100.7", text, "peer.cidrs", words);
    }
    let read = |text: &str| cidr::parse_list(text).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(read("192.168.7.0/24,10.1.0.0/16  10.2.0.7/32;"), ["192.168.7.0/24", "10.1.0.0/16", "10.2.0.7/32"]);
    assert_eq!(read("0.0.0.0/0"), ["0.0.0.0/0"]);
    assert_eq!(read("128.0.0.0/1"), ["128.0.0.0/1"]);
}

#[test]
fn an_address_of_our_own_is_no_peer_s() {
    let mut world = World::new();
    world.refused(single("103.197.61.75", "192.168.7.0/24"), Place::PeerAddress, "own router border-router; type");
    let used = PlanDraft { a: side(hamilton(), "h-used", &["h-shared"]), ..single("103.197.61.99", "192.168.7.0/24") };
    world.refused(used, Place::PeerAddress, "own router used-router");
    world.refused(
        single("10.0.0.77", "192.168.7.0/24"),
        Place::PeerAddress,
        "is in 10.0.0.0/24, a subnet on this side",
    );
    world.warned(single("10.0.1.77", "192.168.7.0/24"), Place::PeerAddress, "private address");
    let there = world.porirua.1.routers.iter_mut().find(|router| router.id == Id::new("p-border")).unwrap();
    there.external_v4 = vec!["10.0.0.77".parse().unwrap()];
    world.refused(site_to_site(), Place::Router(Half::B), "is in 10.0.0.0/24");
}

#[test]
fn what_else_a_range_takes_into_the_tunnel_is_said() {
    let mut world = World::new();
    let to = |cidrs: &str| single("198.51.100.7", cidrs);
    world.warned(to("103.197.61.0/24"), Place::PeerCidrs, "holds 103.197.61.75, the outside of border-router itself");
    world.warned(to("198.51.100.0/24"), Place::PeerCidrs, "holds the peer's own address 198.51.100.7");
    world.silent(to("192.168.7.0/24"), "holds 1");
    world.warned(to("0.0.0.0/0"), Place::PeerCidrs, "all traffic of the subnets");
    world.silent(to("0.0.0.0/0"), "holds 1");
    let everything = PlanDraft { a: side(hamilton(), "h-border", &["h-six"]), ..to("::/0") };
    world.warned(everything, Place::PeerCidrs, "::/0 takes all traffic");
    let private = Id::new("p-private");
    world.porirua.1.subnets.iter_mut().find(|own| own.id == private).unwrap().cidr = "150.242.0.0/16".parse().unwrap();
    world.warned(site_to_site(), Place::Subnets(Half::B), "holds the peer's own address 150.242.40.137");
}

#[test]
fn every_command_in_a_reason_names_the_region() {
    let mut world = World::new();
    let inventory = &mut world.hamilton.1;
    inventory.services.retain(|service| service.id == Id::new("s-used"));
    let mut off = service("s-off", "h-border", None);
    off.admin_state_up = false;
    let mut failed = service("s-failed", "h-legacy", None);
    failed.status = Status::Error;
    inventory.services.extend([off, failed]);
    inventory.routers.iter_mut().find(|router| router.id == Id::new("h-used")).unwrap().admin_state_up = false;
    let known = &world.known()[0];
    let routers = &known.inventory.routers;
    let mut findings: Vec<Finding> = routers.iter().flat_map(|router| checks::router(known, router, Half::A)).collect();
    findings.extend(checks::subnet(known, &routers[0], known.inventory.subnet(&Id::new("h-lonely")).unwrap(), Half::A));
    let commands: Vec<&str> = findings.iter().flat_map(|finding| finding.text.split("openstack ").skip(1)).collect();
    assert_eq!(commands.len(), 5, "{findings:#?}");
    for command in commands {
        assert!(command.starts_with("--os-region-name nz-hlz-1 "), "{command}");
    }
}

proptest::proptest! {
    #[test]
    fn ranges_that_are_accepted_are_networks_of_their_own(nets in proptest::collection::vec((0u32.., 1u8..=32), 1..5)) {
        let nets: Vec<ipnet::IpNet> =
            nets.into_iter().map(|(bits, prefix)| ipnet::Ipv4Net::new(bits.into(), prefix).unwrap().trunc().into()).collect();
        let text = nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let apart = |i: usize, j: usize| i == j || !cidr::overlap(&nets[i], &nets[j]);
        let all = 0..nets.len();
        let apart = all.clone().all(|i| all.clone().all(|j| apart(i, j)));
        let usable = nets.iter().all(|net| cidr::unusable(net).is_none());
        match cidr::parse_list(&text) {
            Ok(read) => proptest::prop_assert!(apart && usable && read == nets),
            Err(_) => proptest::prop_assert!(!apart || !usable),
        }
    }
}

/// Pieces of what people paste: ranges, addresses, and what stands between them.
fn pasted() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "10.0.0.0/8",
        "192.168.7.0/24",
        "192.168.7.9/24",
        "10.1.0.0/33",
        "010.0.0.0/8",
        "1.2.3.4",
        "1.2.3",
        "0x0a.0.0.1",
        "0.0.0.0/0",
        "0.0.0.0/8",
        "::/0",
        "fd00:7::/64",
        "fd00::1/64",
        "::ffff:10.0.0.0/104",
        "::ffff:198.51.100.7",
        "fe80::1%eth0",
        "fe80::%1/64",
        "2001:DB8::/32",
        "255.255.255.255/32",
        "10.0.0.0/08",
        "10.0.0.0/",
        "/24",
        "١٠.٠.٠.٠/٨",
        "１０.0.0.0/8",
        "localhost",
        "vpn.example.net.",
        "-a.b",
        "a_b.example",
        "xn--bcher-kva.example",
        "bücher.example",
        "jo@example.net",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0-10.0.0.9",
        "\u{1b}[31m",
        "\u{202e}",
        "'",
        "\"",
        "[::1]",
        "1e3",
    ]);
    let between =
        proptest::sample::select(vec![",", " ", ";", "\n", "\t", ", ", "\u{a0}", "、", "|", "", "\r\n", " and "]);
    let whole = proptest::collection::vec((pieces, between), 0..6);
    let pieces =
        whole.prop_map(|parts| parts.into_iter().flat_map(|(piece, between)| [piece, between]).collect::<String>());
    prop_oneof![3 => pieces, 1 => "\\PC{0,80}", 1 => any::<String>(), 1 => "[0-9a-f.:/%]{1,45}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_pasted_about_a_peer_is_taken_as_it_is_meant_or_refused_with_a_reason(text in pasted()) {
        hold::ranges(&text);
        hold::address(&text);
        hold::identity(&text);
    }

    #[test]
    fn a_file_that_is_no_plan_is_refused_in_one_line(text in prop_oneof![pasted(), "[a-z\\[\\]=\"\n ]{0,200}"]) {
        let whole = SINGLE.replace("CIDRS", &text.replace(['"', '\\'], ""));
        for text in [text, whole] {
            if let Err(error) = PlanFile::parse(&text) {
                let message = error.to_string();
                prop_assert!(!message.is_empty() && message.chars().count() < 400, "{}", message);
                prop_assert!(!message.contains(|c: char| c.is_control()), "{message:?}");
            }
        }
    }
}

#[test]
fn digits_that_are_none_and_noughts_before_numbers_are_refused_and_not_guessed() {
    for text in ["١٠.٠.٠.٠/٨", "１０.0.0.0/8", "010.0.0.0/8", "fe80::1%eth0/64", "10.0.0.0/255.0.0.0", "10.0.0.0/+8"]
    {
        unreadable("198.51.100.7", text, "peer.cidrs", "is not a range");
    }
    for (text, words) in [
        ("١٠.٠.٠.١", "neither"),
        ("010.0.0.1", "leading zeros"),
        ("198.51.100.7/32x", "slash"),
        ("198.51.100.7:500", "port"),
    ] {
        unreadable(text, "192.168.7.0/24", "peer.address", words);
    }
    // As it is written it would be stored, and no agent takes it for the IPv4 network it stands for.
    unreadable("198.51.100.7", "::ffff:10.0.0.0/104", "peer.cidrs", "10.0.0.0/8");
}

#[test]
fn thousands_of_ranges_are_read_and_a_double_among_them_is_found() {
    let range = |n: usize| format!("10.{}.{}.0/24", n / 256, n % 256);
    let mut all: Vec<String> = (0..5000).map(range).collect();
    assert_eq!(cidr::parse_list(&all.join("\n")).unwrap().len(), 5000);
    all.push(range(17));
    assert!(cidr::parse_list(&all.join(", ")).unwrap_err().to_string().contains("10.0.17.0/24 is listed twice"));
    let message = cidr::parse_list(&"x".repeat(100_000)).unwrap_err().to_string();
    assert!(message.len() < 160, "{message}");
}
