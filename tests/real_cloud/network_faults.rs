//! A network that fails at a request, or a process that does: what is made is finished with every object once, or undone.

use hyper::Method;

use super::as_in_the_guide::is_as_in_the_guide;
use super::cloud::{A, B, RealCloud, in_each, say};
use super::guide_commands::Profile;
use super::killed::{intents, journals, made};
use super::proxy::{Proxy, Trouble};
use super::pty::{Printed, Pty};
use super::wizard::plan_between;

const POSTS: [(&str, usize); 6] = [
    ("vpn/vpnservices", 2),
    ("vpn/ikepolicies", 2),
    ("vpn/ipsecpolicies", 2),
    ("vpn/endpoint-groups", 4),
    ("vpn/ipsec-site-connections", 2),
    ("vpn/endpoint-groups", 1),
];
const TROUBLES: [Trouble; 6] = [
    Trouble::Status(502),
    Trouble::Status(503),
    Trouble::Status(429),
    Trouble::ResetBefore,
    Trouble::ResetAfter,
    Trouble::Cut,
];

fn osvpn(cloud: &RealCloud, proxy: &Proxy, args: &[&str]) -> Pty {
    cloud.osvpn(args, &[("OS_AUTH_URL", &proxy.before(cloud.auth_url()))])
}

fn plan(cloud: &RealCloud) -> String {
    let sides = [A, B].map(|region| (region, "border-router", &["private-subnet"][..]));
    cloud.plan("both", &plan_between("hlz-por", Profile::of(cloud.release), sides))
}

#[test]
fn whatever_a_network_does_to_a_request_there_is_one_vpn_in_the_end() {
    in_each(|cloud| {
        let (proxy, plan) = (Proxy::start(), plan(cloud));
        let (mut cases, mut resumed) = (0, 0);
        // Every request that makes something with half of the troubles; the other release has the other half.
        let turn = usize::from(cloud.release == "2026.1");
        for (at, (path, nth)) in POSTS.into_iter().enumerate() {
            for trouble in TROUBLES.into_iter().skip((at + turn) % 2).step_by(2) {
                let what = format!("{}: {trouble:?} at POST {nth} to {path}", cloud.release);
                proxy.trap(Method::POST, path, nth, trouble);
                let (mut code, mut printed) = osvpn(cloud, &proxy, &["apply", &plan]).end();
                assert!(!proxy.is_set(), "{what}: the request never came");
                if code != 0 {
                    assert_eq!((code, trouble), (1, Trouble::ResetBefore), "{what}: {}", printed.said);
                    assert!(printed.last_line().contains("osvpn resume "), "{what}: {}", printed.said);
                    resumed += 1;
                    (code, printed) = osvpn(cloud, &proxy, &["resume"]).end();
                }
                assert_eq!(code, 0, "{what}: {}", printed.said);
                is_as_in_the_guide(cloud, Profile::of(cloud.release));
                cases += 1;
                forget(cloud);
            }
        }
        say(&format!("{}: {cases} requests met trouble, {resumed} runs resumed; 0 lost, 0 doubled", cloud.release));
    });
}

/// What is left of a case: the cloud's objects, and the journal of a run whose request may still be acted on.
fn forget(cloud: &RealCloud) {
    cloud.reset();
    let _ = std::fs::remove_dir_all(cloud.home.path().join(".local/state/osvpn"));
}

#[test]
fn a_killed_run_is_undone_and_so_is_one_whose_undoing_fails_in_between() {
    in_each(|cloud| {
        let (proxy, plan) = (Proxy::start(), plan(cloud));
        for trouble in [None, Some(Trouble::Status(503)), Some(Trouble::ResetBefore), Some(Trouble::ResetAfter)] {
            // The look at the connections, while the policies and groups are made: after them nothing is in progress.
            proxy.trap(Method::GET, "vpn/ipsec-site-connections", 3, Trouble::Held);
            let pty = osvpn(cloud, &proxy, &["apply", &plan]);
            proxy.sprung();
            while intents(cloud) > 0 || made(cloud) < 10 {
                std::thread::yield_now();
            }
            pty.signal("KILL");
            drop(pty);
            if let Some(trouble) = trouble {
                proxy.trap(Method::DELETE, "vpn/", 4, trouble);
            }
            let (mut code, mut printed) = osvpn(cloud, &proxy, &["rollback", "--yes"]).end();
            if code != 0 {
                assert!(printed.last_line().contains("osvpn rollback "), "{}", printed.said);
                (code, printed) = osvpn(cloud, &proxy, &["rollback", "--yes"]).end();
            }
            assert_eq!(code, 0, "{} {trouble:?}: {}", cloud.release, printed.said);
            assert!(cloud.objects().is_empty() && journals(cloud).is_empty(), "{trouble:?}: {:?}", cloud.objects());
        }
    });
}

/// A request that the cloud has not acted on yet may be acted on for minutes. Whoever does not want to wait for that may
/// leave: what exists is gone by then.
#[test]
fn a_rollback_that_waits_for_a_lost_request_has_deleted_the_rest_and_can_be_left() {
    in_each(|cloud| {
        let (proxy, plan) = (Proxy::start(), plan(cloud));
        proxy.trap(Method::POST, "vpn/ipsec-site-connections", 1, Trouble::ResetBefore);
        assert_eq!(osvpn(cloud, &proxy, &["apply", &plan]).end().0, 1);
        assert_eq!(cloud.objects().len(), 11, "the other connection is made");
        let pty = osvpn(cloud, &proxy, &["rollback", "--yes"]);
        pty.wait_for("what exists is deleted; waiting until");
        assert!(cloud.objects().is_empty(), "{:?}", cloud.objects());
        pty.signal("TERM");
        let (code, printed) = pty.end();
        assert_eq!((code, journals(cloud).len()), (130, 1), "{}", printed.said);
        assert!(printed.last_line().contains("osvpn rollback "), "{}", printed.said);
        let Printed { said, .. } = printed;
        assert!(said.contains("may still appear"), "{said}");
        forget(cloud);
    });
}
