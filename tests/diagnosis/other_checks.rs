//! Questions that no broken VPN of `broken_vpns.rs` answers badly, each answered badly here.

use super::*;

const CONNECTION: &str = "hlz-por_vpn_site_connection";
const SERVICE: &str = "hlz-por_vpn_service";
const IKE: &str = "hlz-por_ike_policy";
const IPSEC: &str = "hlz-por_ipsec_policy";

/// What is done to a whole VPN behind the API's back, and what is then found first.
pub(super) struct Odd {
    what: &'static str,
    pub(super) happen: fn(&Ground),
    check: Check,
    weight: Weight,
    /// Words of what was seen.
    seen: &'static str,
    /// What it offers; `by hand` for commands.
    fix: &'static str,
}

macro_rules! odd {
    ($what:literal, |$ground:ident| $happen:expr, $check:ident $weight:ident $seen:literal, $fix:literal) => {
        Odd {
            what: $what,
            happen: |$ground| $happen,
            check: checks::$check,
            weight: Weight::$weight,
            seen: $seen,
            fix: $fix,
        }
    };
}

fn interface(ground: &Ground, change: impl Fn(&mut Value)) {
    let router = ground.id(A, "routers", "border-router");
    let subnet = ground.id(A, "subnets", "private-subnet");
    for port in ground.simulator.collection(A, "ports") {
        let of_router = port["device_id"] == router.as_str() && port["fixed_ips"][0]["subnet_id"] == subnet.as_str();
        if of_router {
            let mut changed = Value::Object(port.clone());
            change(&mut changed);
            ground.simulator.alter(A, "ports", port["id"].as_str().unwrap(), changed);
        }
    }
}

/// No tunnel is up, and nothing else is reported.
fn down(ground: &Ground) {
    for region in [A, B] {
        ground.report(region, Kind::SiteConnection, "DOWN");
    }
}

#[expect(clippy::too_many_lines, reason = "a table, a row each")]
pub(super) fn all() -> Vec<Odd> {
    vec![
        odd!("aggressive mode", |ground| {
            for region in [A, B] {
                ground.alter(region, "ikepolicies", IKE, json!({"ike_version": "v1", "phase1_negotiation_mode": "aggressive"}));
            }
        }, NEGOTIABLE Stops "aggressive", "Modernise"),
        odd!("GCM with IKEv1", |ground| {
            for region in [A, B] {
                ground.alter(region, "ikepolicies", IKE, json!({"ike_version": "v1", "encryption_algorithm": "aes-256-gcm-16"}));
            }
        }, NEGOTIABLE Warns "aes-256-gcm-16", "Modernise"),
        odd!("GCM with IKEv1 of a tunnel that is down", |ground| {
            down(ground);
            for region in [A, B] {
                ground.alter(region, "ikepolicies", IKE, json!({"ike_version": "v1", "encryption_algorithm": "aes-256-gcm-16"}));
            }
        }, NEGOTIABLE Stops "aes-256-gcm-16", "Modernise"),
        odd!("transport mode", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsecpolicies", IPSEC, json!({"encapsulation_mode": "transport"}));
            }
        }, NEGOTIABLE Hides "transport", "Modernise"),
        odd!("AH", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsecpolicies", IPSEC, json!({"transform_protocol": "ah"}));
            }
        }, NEGOTIABLE Exposes "ah", "Modernise"),
        odd!("AH against ESP", |ground| {
            ground.alter(A, "ipsecpolicies", IPSEC, json!({"transform_protocol": "ah"}));
        }, NEGOTIABLE Exposes "the IPsec policy in nz-hlz-1 is ah", "Modernise"),
        odd!("weak algorithms", |ground| {
            ground.alter(A, "ikepolicies", IKE, json!({"pfs": "group2"}));
            ground.alter(B, "ikepolicies", IKE, json!({"pfs": "group2"}));
            for region in [A, B] {
                ground.alter(region, "ipsecpolicies", IPSEC, json!({"encryption_algorithm": "3des"}));
            }
        }, STRENGTH Warns "group2 in the IKE policy of nz-hlz-1, 3des in the IPsec policy of nz-hlz-1, group2 in the IKE policy of nz-por-1", "Modernise"),
        odd!("lifetimes that leave gaps", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsecpolicies", IPSEC, json!({"lifetime": {"units": "seconds", "value": 60}}));
            }
        }, LIFETIMES Warns "60 s in the IPsec policy of nz-hlz-1, 60 s in the IPsec policy of nz-por-1", "Modernise"),
        odd!("other MTU", |ground| {
            ground.alter(B, "ipsec-site-connections", CONNECTION, json!({"mtu": "1400"}));
        }, MTU Warns "1500 in nz-hlz-1 and 1400 in nz-por-1", "by hand"),
        odd!("the same addresses in other pieces", |ground| {
            let peer = ground.id(A, "endpoint-groups", "hlz-por_peer_endpoint_group");
            ground.simulator.alter(A, "endpoint-groups", &peer, json!({"endpoints": ["10.20.30.0/25", "10.20.30.128/25"]}));
        }, RANGES Warns "10.20.30.0/25, 10.20.30.128/25", "MirrorRanges"),
        odd!("other lifetime", |ground| {
            ground.alter(A, "ikepolicies", IKE, json!({"lifetime": {"units": "seconds", "value": 86400}}));
        }, IKE_POLICY Warns "lifetime is 86400 in nz-hlz-1 and 14400 in nz-por-1", "Equalise"),
        odd!("a peer that is dead before it was asked", |ground| {
            ground.alter(B, "ipsec-site-connections", CONNECTION, json!({"dpd": {"action": "hold", "interval": 30, "timeout": 30}}));
        }, DPD Hides "nz-por-1", "SetDpd"),
        odd!("who responds only clears a dead peer", |ground| {
            let change = json!({"initiator": "response-only", "dpd": {"action": "clear", "interval": 15, "timeout": 150}});
            ground.alter(A, "ipsec-site-connections", CONNECTION, change);
        }, DPD Warns "only responds", "SetDpd"),
        odd!("a short key on both", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsec-site-connections", CONNECTION, json!({"psk": "short"}));
            }
        }, KEY_SECRECY Warns "short: 5 characters", "RotateKey"),
        odd!("a word of a guide for a key", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsec-site-connections", CONNECTION, json!({"psk": "My-Secret"}));
            }
        }, KEY_SECRECY Exposes "public", "RotateKey"),
        odd!("no key at all", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsec-site-connections", CONNECTION, json!({"psk": ""}));
            }
        }, KEY_SECRECY Exposes "empty", "RotateKey"),
        odd!("a service that is being deleted under a tunnel that is up", |ground| {
            ground.report(B, Kind::VpnService, "PENDING_DELETE");
        }, SERVICES Hides "the VPN service in nz-por-1 is being deleted", "by hand"),
        odd!("a connection that is being deleted", |ground| {
            ground.report(B, Kind::SiteConnection, "PENDING_DELETE");
        }, SERVICES Stops "the connection in nz-por-1 is being deleted", "by hand"),
        odd!("a service that is being changed", |ground| {
            for region in [A, B] {
                ground.report(region, Kind::VpnService, "PENDING_UPDATE");
            }
        }, SERVICES Warns "the VPN service in nz-hlz-1 and nz-por-1 is PENDING_UPDATE", "by hand"),
        odd!("nothing was reported on yet", |ground| {
            for region in [A, B] {
                ground.report(region, Kind::VpnService, "PENDING_CREATE");
                ground.report(region, Kind::SiteConnection, "PENDING_CREATE");
            }
        }, SERVICES Stops "neither service nor connection in nz-hlz-1 and nz-por-1", "by hand"),
        odd!("switched off on both sides", |ground| {
            down(ground);
            ground.alter(A, "vpnservices", SERVICE, json!({"admin_state_up": false}));
            ground.alter(B, "ipsec-site-connections", CONNECTION, json!({"admin_state_up": false}));
        }, ADMIN_STATE Stops "the VPN service in nz-hlz-1, and the connection in nz-por-1", "SwitchOn"),
        odd!("no outside address", |ground| {
            down(ground);
            ground.alter(B, "vpnservices", SERVICE, json!({"external_v4_ip": null}));
        }, SERVICE_ADDRESS Stops "has no outside address", "by hand"),
        odd!("a router without a gateway", |ground| {
            ground.alter(A, "routers", "border-router", json!({"external_gateway_info": null}));
        }, SERVICE_ADDRESS Stops "no gateway any more", "by hand"),
        odd!("a router that is switched off", |ground| {
            ground.alter(A, "routers", "border-router", json!({"admin_state_up": false}));
        }, ROUTERS Stops "border-router in nz-hlz-1 is switched off", "by hand"),
        odd!("a subnet that was taken off the router", |ground| {
            interface(ground, |port| port["device_id"] = json!("nobody"));
        }, ROUTERS Hides "not attached", "by hand"),
        odd!("a subnet that stands on another router", |ground| {
            let other = ground.id(A, "routers", "legacy-router");
            interface(ground, |port| port["device_id"] = json!(other));
        }, ROUTERS Hides "its gateway is the router legacy-router", "by hand"),
        odd!("a subnet whose gateway is another router", |ground| {
            ground.alter(A, "subnets", "private-subnet", json!({"gateway_ip": "10.0.0.254"}));
        }, ROUTERS Hides "sends its answers to 10.0.0.254", "by hand"),
        odd!("a second service that nobody uses", |ground| {
            let router = ground.id(A, "routers", "border-router");
            let second = json!({"name": "second", "description": "", "router_id": router, "subnet_id": null,
                "admin_state_up": true, "status": "ACTIVE", "external_v4_ip": "203.0.113.20", "external_v6_ip": null});
            ground.simulator.plant(A, "vpnservices", second);
        }, ONE_SERVICE Warns "holds 2 VPN services", "RemoveService"),
        odd!("a service in ERROR across one that is down for it", |ground| {
            ground.alter(A, "vpnservices", SERVICE, json!({"status": "DOWN"}));
            ground.alter(A, "ipsec-site-connections", CONNECTION, json!({"status": "DOWN"}));
            ground.alter(B, "vpnservices", SERVICE, json!({"status": "ERROR"}));
        }, SERVICES Stops "nz-por-1 is in ERROR", "Rebuild"),
        odd!("a name where its address is expected", |ground| {
            ground.alter(B, "ipsec-site-connections", CONNECTION, json!({"local_id": "por.example"}));
        }, PEER_ID Stops "calls itself @por.example", "SetPeer"),
    ]
}

#[tokio::test]
async fn each_question_is_answered_badly_when_it_should_be() {
    let played = all().into_iter().map(|odd| async move {
        let ground = Ground::new(Release::V2026_1).await;
        ground.connected().await;
        (odd.happen)(&ground);
        let seen = ground.see().await;
        let Some(fault) = seen.diagnosis.findings.first().and_then(|check| check.fault()) else {
            return Some(format!("{}: nothing is found", odd.what));
        };
        let fix = format!("{:?}", fault.fix);
        let fix = if fault.fix.is_ours() { fix.split([' ', '{', '(']).next().unwrap() } else { "by hand" };
        let found = (seen.diagnosis.findings[0].check, fault.weight, fix);
        // Beside something that is wrong no exit code says that all is well, and none cries wolf.
        let wrong =
            seen.diagnosis.checks.iter().filter_map(|check| check.fault()).any(|fault| fault.weight.fails_traffic());
        let code = osvpn::report::ExitStatus::from(seen.diagnosis.condition).code();
        let expected = if seen.vpn.is_active() { if wrong { 5 } else { 0 } } else { 3 };
        let is_right = found == (odd.check, odd.weight, odd.fix) && fault.seen.contains(odd.seen) && code == expected;
        (!is_right).then(|| format!("{}: {fix}, {code} for {:?}", odd.what, seen.told()))
    });
    let wrong: Vec<String> = futures::future::join_all(played).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_service_that_nobody_uses_is_removed_and_the_other_goes_on() {
    let ground = Ground::new(Release::V2026_1).await;
    let site = ground.connected().await;
    let second = all().into_iter().find(|odd| odd.fix == "RemoveService").unwrap();
    (second.happen)(&ground);
    let seen = ground.see().await;
    let fix = seen.diagnosis.findings[0].fault().unwrap().fix.clone();
    assert_eq!(ground.mend(&seen, &fix).await, "remove-service");
    site.until("a tunnel", async || site.statuses().await == ["ACTIVE", "ACTIVE"]).await;
    assert_eq!(ground.see().await.told(), []);
    assert!(ground.simulator.collection(A, "vpnservices").iter().all(|service| service["name"] != "second"));
}

#[tokio::test]
async fn of_a_vpn_with_a_peer_outside_what_only_its_owner_can_see_is_open() {
    let ground = Ground::new(Release::V2026_1).await;
    ground.connected().await;
    ground.alter(
        A,
        "ipsec-site-connections",
        CONNECTION,
        json!({"peer_address": "198.51.100.7", "peer_id": "198.51.100.7"}),
    );
    let b = ground.id(B, "ipsec-site-connections", CONNECTION);
    ground.simulator.uproot(B, "ipsec-site-connections", &b);
    let seen = ground.see_late().await;
    for subject in
        [checks::PEER_ADDRESS, checks::PEER_ID, checks::KEY, checks::IKE_POLICY, checks::IPSEC_POLICY, checks::RANGES]
    {
        assert!(matches!(seen.verdict(subject), Verdict::Open(_)), "{subject:?}: {:?}", seen.verdict(subject));
    }
    // That it does not answer comes first, with everything its owner has to compare.
    let [first] = seen.diagnosis.findings.as_slice() else { panic!("{:?}", seen.told()) };
    let fault = first.fault().unwrap();
    assert_eq!((first.check, fault.seen.as_str()), (checks::PEER, "the peer 198.51.100.7 does not answer"));
    let Fix::Compare(values) = &fault.fix else { panic!("{:?}", fault.fix) };
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    for words in [
        "address: it is at 198.51.100.7, and connects to 203.0.113.20",
        "identity: it calls itself 198.51.100.7, and expects 203.0.113.20",
        "IKE policy: IKEv2, main, sha256, aes-256, group14, 14400 s",
        "ranges: local 10.20.30.0/24; remote 10.0.0.0/24",
        "firewall: UDP 500, UDP 4500 and ESP (IP protocol 50) pass, both ways",
    ] {
        assert!(values.iter().any(|value| value == words), "no {words:?} in {values:?}");
    }
    assert!(!values.join(" ").contains("0123456789abcdefghij"), "no key is shown");
    assert_eq!(seen.diagnosis.condition, Condition::NotActive);
    let unseen = seen.diagnosis.unseen.join("\n");
    for words in ["up to 60 s old", "5 to 20 minutes"] {
        assert!(unseen.contains(words), "no {words:?} in {unseen}");
    }
    assert!(seen.diagnosis.ping.contains("ADDRESS   (of a machine in 10.20.30.0/24)"), "{}", seen.diagnosis.ping);
}

#[tokio::test]
async fn of_a_tunnel_that_is_down_what_counts_once_it_is_up_stands_apart_and_is_not_mended_first() {
    let ground = Ground::new(Release::V2026_1).await;
    // Instances of the demo admit nobody from across, and that is left so.
    ground.site().await.connect().await;
    down(&ground);
    for region in [A, B] {
        ground.alter(region, "ipsec-site-connections", CONNECTION, json!({"psk": "secret"}));
    }
    let seen = ground.see().await;
    let later: Vec<Check> = seen.diagnosis.once_up.iter().map(|check| check.check).collect();
    assert_eq!((seen.told(), later), (vec![], vec![checks::KEY_SECRECY, checks::SECURITY_GROUPS]));
    assert_eq!(seen.diagnosis.first_fixable(), None);
    // Once it is up, they are what is found, and who else has the key comes first.
    for region in [A, B] {
        ground.report(region, Kind::SiteConnection, "ACTIVE");
    }
    let up = ground.see().await.diagnosis;
    let found: Vec<Check> = up.findings.iter().map(|check| check.check).collect();
    assert_eq!((found, up.once_up.len()), (vec![checks::KEY_SECRECY, checks::SECURITY_GROUPS], 0));
}

#[tokio::test]
async fn another_connection_to_the_same_peer_with_another_key_is_why_it_is_down() {
    let ground = Ground::new(Release::V2026_1).await;
    ground.connected().await;
    for region in [A, B] {
        let all = ground.simulator.collection(region, "ipsec-site-connections");
        let mut second = Value::Object(all.into_iter().find(|one| one["name"] == CONNECTION).unwrap().clone());
        let group = json!({"name": "far", "type": "cidr", "endpoints": ["10.77.0.0/24"], "description": ""});
        let far = ground.simulator.plant(region, "endpoint-groups", group);
        second.as_object_mut().unwrap().remove("id");
        second["name"] = json!("second");
        second["peer_ep_group_id"] = json!(far);
        ground.simulator.plant(region, "ipsec-site-connections", second);
    }
    // With the key of the first both come up.
    assert_eq!(ground.see().await.told(), []);
    down(&ground);
    for region in [A, B] {
        ground.alter(region, "ipsec-site-connections", CONNECTION, json!({"psk": "Another0Key4711Another0Key4711"}));
    }
    let seen = ground.see().await;
    let first = &seen.diagnosis.findings[0];
    let fault = first.fault().unwrap();
    assert_eq!((first.check, fault.weight), (checks::NEIGHBOURS, Weight::Stops), "{:?}", seen.told());
    assert!(
        fault.seen.starts_with("connection second (") && fault.seen.ends_with("with another key"),
        "{}",
        fault.seen
    );
    let Fix::ByHand(steps) = &fault.fix else { panic!("{:?}", fault.fix) };
    let second = ground.id(A, "ipsec-site-connections", "second");
    let command = format!(
        "openstack --os-region-name {A} vpn ipsec site connection show -f value -c 'Pre-shared Key' {second} | osvpn rotate-psk \
         hlz-por --renew --yes --psk-file -"
    );
    assert_eq!(steps[1].to_string(), command);
}

#[tokio::test]
async fn names_are_compared_as_ike_compares_them_and_both_ends_are_told_of_addresses_instead() {
    let ground = Ground::new(Release::V2026_1).await;
    ground.connected().await;
    let names = |local: &str, peer: &str| json!({"local_id": local, "peer_id": peer});
    ground.alter(A, "ipsec-site-connections", CONNECTION, names("hlz.example", "POR.Example"));
    ground.alter(B, "ipsec-site-connections", CONNECTION, names("por.example", "Hlz.example"));
    assert_eq!(ground.see().await.told(), []);
    // One has a name and the other none: both are called by their addresses, and both are told.
    ground.alter(B, "ipsec-site-connections", CONNECTION, names("", "hlz.example"));
    let seen = ground.see().await;
    let Fix::ByHand(steps) = &seen.diagnosis.findings[0].fault().unwrap().fix else { panic!("{:?}", seen.told()) };
    let [a, b] = [A, B].map(|region| ground.id(region, "ipsec-site-connections", CONNECTION));
    let [own, other] = [seen.vpn.a.address().unwrap(), seen.vpn.b().unwrap().address().unwrap()];
    let set = "vpn ipsec site connection set";
    let expected = [
        format!("openstack --os-region-name {A} {set} --local-id {own} --peer-id {other} {a}"),
        format!("openstack --os-region-name {B} {set} --peer-id {own} {b}"),
    ];
    assert_eq!(steps[1..].iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_status_that_says_nothing_is_neither_active_nor_well() {
    for word in ["", "N/A", "active"] {
        let ground = Ground::new(Release::V2026_1).await;
        ground.connected().await;
        ground.report(A, Kind::SiteConnection, word);
        let seen = ground.see().await;
        assert_eq!(seen.diagnosis.condition, Condition::Unclear, "{word}");
        assert!(
            matches!(seen.verdict(checks::SERVICES), Verdict::Open(_)),
            "{word}: {:?}",
            seen.verdict(checks::SERVICES)
        );
        assert!(!seen.vpn.status().to_string().is_empty());
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_leaves_the_proof_open() {
    let ground = Ground::new(Release::V2026_1).await;
    ground.connected().await;
    let seen = ground.see().await;
    let error = osvpn::cloud::Error::new(osvpn::cloud::ErrorKind::Forbidden, "not shown");
    let keys = Keys::Unreadable(Box::new(error));
    let diagnosis = seen.inspection.diagnose(&seen.vpn, &keys, &BTreeMap::new());
    assert_eq!((diagnosis.condition, diagnosis.findings.len()), (Condition::Unclear, 0));
}

#[tokio::test]
async fn policies_that_an_upgrade_rewrote_are_told_from_policies_that_somebody_chose() {
    let ground = Ground::new(Release::V2026_1).await;
    let site = ground.connected().await;
    let drifted = broken_vpns::all().into_iter().find(|breakage| breakage.name == "drifted policy").unwrap();
    site.suffer(&drifted).await;
    let mut seen = ground.see().await;
    let said = |seen: &Seen| {
        let keys = Keys::compare(&[]);
        let results = seen.inspection.diagnose(&seen.vpn, &keys, &BTreeMap::new()).checks;
        let of = |check| results.iter().find(|result| result.check == check).unwrap().fault().unwrap().clone();
        [of(checks::IKE_POLICY), of(checks::IPSEC_POLICY)]
    };
    // Both regions store sha1 still: nobody rewrote it.
    assert!(said(&seen).iter().all(|fault| !fault.means.contains("was upgraded")), "{:?}", said(&seen));
    let upgraded = seen.inspection.surveys.get_mut(&osvpn::cloud::RegionId::new(A)).unwrap();
    let aliases: Vec<String> = upgraded.inventory.extensions.aliases().map(str::to_owned).collect();
    upgraded.inventory.extensions =
        osvpn::cloud::Extensions::new(aliases.into_iter().chain(["filter-validation".to_owned()]));
    for fault in said(&seen) {
        assert!(fault.means.starts_with("nz-hlz-1 was upgraded"), "{}", fault.means);
        assert!(matches!(&fault.fix, Fix::Equalise(of) if of.is_had_by(Half::A) && !of.is_had_by(Half::B)));
        assert_eq!(fault.weight, Weight::Hides);
    }
}

#[tokio::test]
async fn who_looks_for_the_peer_at_its_own_address_is_not_told_to_make_the_other_half() {
    let ground = Ground::new(Release::V2026_1).await;
    ground.connected().await;
    let b = ground.id(B, "ipsec-site-connections", CONNECTION);
    ground.simulator.uproot(B, "ipsec-site-connections", &b);
    let services = ground.simulator.collection(A, "vpnservices");
    let own = services.iter().find(|service| service["name"] == SERVICE).unwrap()["external_v4_ip"].clone();
    ground.alter(A, "ipsec-site-connections", CONNECTION, json!({"peer_address": own, "peer_id": own}));
    // As a script leaves it that has made the pieces of both halves in one region.
    let router = ground.id(A, "routers", "border-router");
    let second = json!({"name": "second", "description": "", "router_id": router, "subnet_id": null,
        "admin_state_up": true, "status": "ACTIVE", "external_v4_ip": own, "external_v6_ip": null});
    ground.simulator.plant(A, "vpnservices", second);
    let seen = ground.see_late().await;
    assert!(seen.vpn.is_missing_a_half());
    assert!(matches!(seen.verdict(checks::HALVES), Verdict::Open(_)), "{:?}", seen.told());
    assert!(seen.told().iter().any(|(_, _, seen)| seen.contains("is its own")), "{:?}", seen.told());
}
