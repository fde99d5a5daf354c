//! Questions that no broken VPN of `broken.rs` answers badly, each answered badly here.

use super::*;

const CONNECTION: &str = "hlz-por_vpn_site_connection";
const SERVICE: &str = "hlz-por_vpn_service";
const IKE: &str = "hlz-por_ike_policy";
const IPSEC: &str = "hlz-por_ipsec_policy";

/// What is done to a whole VPN behind the API's back, and what is then found first.
pub(super) struct Odd {
    what: &'static str,
    pub(super) happen: fn(&Ground),
    subject: Subject,
    weight: Weight,
    /// Words of what was seen.
    seen: &'static str,
    /// What it offers; `by hand` for commands.
    fix: &'static str,
}

macro_rules! odd {
    ($what:literal, |$ground:ident| $happen:expr, $subject:ident $weight:ident $seen:literal, $fix:literal) => {
        Odd {
            what: $what,
            happen: |$ground| $happen,
            subject: Subject::$subject,
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

pub(super) fn all() -> Vec<Odd> {
    vec![
        odd!("aggressive mode", |ground| {
            for region in [A, B] {
                ground.alter(region, "ikepolicies", IKE, json!({"ike_version": "v1", "phase1_negotiation_mode": "aggressive"}));
            }
        }, Negotiable Stops "aggressive", "Modernise"),
        odd!("GCM with IKEv1", |ground| {
            for region in [A, B] {
                ground.alter(region, "ikepolicies", IKE, json!({"ike_version": "v1", "encryption_algorithm": "aes-256-gcm-16"}));
            }
        }, Negotiable Stops "aes-256-gcm-16", "Modernise"),
        odd!("transport mode", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsecpolicies", IPSEC, json!({"encapsulation_mode": "transport"}));
            }
        }, Negotiable Hides "transport", "Modernise"),
        odd!("AH", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsecpolicies", IPSEC, json!({"transform_protocol": "ah"}));
            }
        }, Negotiable Warns "ah", "Modernise"),
        odd!("other lifetime", |ground| {
            ground.alter(A, "ikepolicies", IKE, json!({"lifetime": {"units": "seconds", "value": 86400}}));
        }, IkePolicy Warns "lifetime is 86400 in nz-hlz-1 and 14400 in nz-por-1", "Equalise"),
        odd!("a peer that is dead before it was asked", |ground| {
            ground.alter(B, "ipsec-site-connections", CONNECTION, json!({"dpd": {"action": "hold", "interval": 30, "timeout": 30}}));
        }, Dpd Hides "nz-por-1", "SetDpd"),
        odd!("who responds only clears a dead peer", |ground| {
            let change = json!({"initiator": "response-only", "dpd": {"action": "clear", "interval": 15, "timeout": 150}});
            ground.alter(A, "ipsec-site-connections", CONNECTION, change);
        }, Dpd Warns "only responds", "SetDpd"),
        odd!("a short key on both", |ground| {
            for region in [A, B] {
                ground.alter(region, "ipsec-site-connections", CONNECTION, json!({"psk": "short"}));
            }
        }, Key Warns "breaks the guide's rule", "RotateKey"),
        odd!("no outside address", |ground| {
            ground.alter(B, "vpnservices", SERVICE, json!({"external_v4_ip": null}));
        }, ServiceAddress Stops "has no outside address", "by hand"),
        odd!("a router without a gateway", |ground| {
            ground.alter(A, "routers", "border-router", json!({"external_gateway_info": null}));
        }, ServiceAddress Stops "no gateway any more", "by hand"),
        odd!("a router that is switched off", |ground| {
            ground.alter(A, "routers", "border-router", json!({"admin_state_up": false}));
        }, Routers Stops "border-router in nz-hlz-1 is switched off", "by hand"),
        odd!("a subnet that was taken off the router", |ground| {
            interface(ground, |port| port["device_id"] = json!("nobody"));
        }, Routers Hides "not attached", "by hand"),
        odd!("a subnet whose gateway is another router", |ground| {
            ground.alter(A, "subnets", "private-subnet", json!({"gateway_ip": "10.0.0.254"}));
        }, Routers Hides "sends its answers to 10.0.0.254", "by hand"),
        odd!("a second service that nobody uses", |ground| {
            let router = ground.id(A, "routers", "border-router");
            let second = json!({"name": "second", "description": "", "router_id": router, "subnet_id": null,
                "admin_state_up": true, "status": "ACTIVE", "external_v4_ip": "203.0.113.20", "external_v6_ip": null});
            ground.simulator.plant(A, "vpnservices", second);
        }, OneService Stops "holds 2 VPN services", "RemoveService"),
        odd!("a service in ERROR across one that is down for it", |ground| {
            ground.alter(A, "vpnservices", SERVICE, json!({"status": "DOWN"}));
            ground.alter(A, "ipsec-site-connections", CONNECTION, json!({"status": "DOWN"}));
            ground.alter(B, "vpnservices", SERVICE, json!({"status": "ERROR"}));
        }, Services Stops "nz-por-1 is in ERROR", "Rebuild"),
        odd!("a name where its address is expected", |ground| {
            ground.alter(B, "ipsec-site-connections", CONNECTION, json!({"local_id": "por.example"}));
        }, PeerId Stops "calls itself @por.example", "SetPeer"),
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
        let found = (seen.diagnosis.findings[0].subject, fault.weight, fix);
        let is_right = found == (odd.subject, odd.weight, odd.fix) && fault.seen.contains(odd.seen);
        (!is_right).then(|| format!("{}: {fix} for {:?}", odd.what, seen.told()))
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
        [Subject::PeerAddress, Subject::PeerId, Subject::Key, Subject::IkePolicy, Subject::IpsecPolicy, Subject::Ranges]
    {
        assert!(matches!(seen.verdict(subject), Verdict::Open(_)), "{subject:?}: {:?}", seen.verdict(subject));
    }
    assert_eq!(seen.told(), []);
    assert_eq!(seen.diagnosis.condition, Condition::NotActive);
    let unseen = seen.diagnosis.unseen.join("\n");
    for words in ["up to 60 s old", "UDP 500, UDP 4500 and ESP", "203.0.113.20 and 198.51.100.7", "5 to 20 minutes"] {
        assert!(unseen.contains(words), "no {words:?} in {unseen}");
    }
    assert!(seen.diagnosis.ping.contains("ADDRESS   (of a machine in 10.20.30.0/24)"), "{}", seen.diagnosis.ping);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_leaves_the_proof_open() {
    let ground = Ground::new(Release::V2026_1).await;
    ground.connected().await;
    let seen = ground.see().await;
    let error = osvpn::cloud::Error::new(osvpn::cloud::ErrorKind::Forbidden, "not shown");
    let keys = Keys::Unreadable(Box::new(error));
    let case = Case { vpn: &seen.vpn, surveys: &seen.inspection.surveys, unread: &[], keys: &keys };
    let diagnosis = diagnose(&case, &BTreeMap::new());
    assert_eq!((diagnosis.condition, diagnosis.findings.len()), (Condition::Unclear, 0));
}

#[tokio::test]
async fn policies_that_an_upgrade_rewrote_are_told_from_policies_that_somebody_chose() {
    let ground = Ground::new(Release::V2026_1).await;
    let site = ground.connected().await;
    let drifted = broken::all().into_iter().find(|breakage| breakage.name == "drifted policy").unwrap();
    site.suffer(&drifted).await;
    let mut seen = ground.see().await;
    let said = |seen: &Seen| {
        let keys = Keys::compare(&[]);
        let case = Case { vpn: &seen.vpn, surveys: &seen.inspection.surveys, unread: &[], keys: &keys };
        let checks = osvpn::inspect::proof::proof(&case);
        let of = |subject| checks.iter().find(|check| check.subject == subject).unwrap().fault().unwrap().clone();
        [of(Subject::IkePolicy), of(Subject::IpsecPolicy)]
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
    assert!(matches!(seen.verdict(Subject::Halves), Verdict::Open(_)), "{:?}", seen.told());
    assert!(seen.told().iter().any(|(_, _, seen)| seen.contains("is its own")), "{:?}", seen.told());
}
