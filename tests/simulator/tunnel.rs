//! The table of what real strongSwan made of two halves, under Neutron's driver.

use osvpn::simulator::tunnel::{Negotiation, Reason, TunnelHalf, negotiate};

use super::cloud::PSK;

fn half(own: &str, peer: &str, local: &[&str], remote: &[&str]) -> TunnelHalf {
    let nets = |nets: &[&str]| nets.iter().map(|net| net.parse().unwrap()).collect();
    TunnelHalf {
        addresses: vec![own.parse().unwrap()],
        peer_address: peer.parse().ok(),
        peer_id: peer.to_owned(),
        local_id: String::new(),
        psk: PSK.into(),
        ike_v2: true,
        aggressive: false,
        ike_cipher: "aes-256".to_owned(),
        esp_tunnel: true,
        local: nets(local),
        remote: nets(remote),
        running: true,
    }
}

#[test]
fn halves_negotiate_as_real_strongswan_did() {
    type Change = fn(&mut TunnelHalf, &mut TunnelHalf);
    let both =
        |change: fn(&mut TunnelHalf)| move |a: &mut TunnelHalf, b: &mut TunnelHalf| [a, b].into_iter().for_each(change);
    let pairs = |change: &dyn Fn(&mut TunnelHalf, &mut TunnelHalf)| {
        let mut a = half("203.0.113.1", "198.51.100.1", &["10.0.0.0/24"], &["10.20.30.0/24"]);
        let mut b = half("198.51.100.1", "203.0.113.1", &["10.20.30.0/24"], &["10.0.0.0/24"]);
        change(&mut a, &mut b);
        assert_eq!(matches!(negotiate(&a, &b), Negotiation::Up(_)), matches!(negotiate(&b, &a), Negotiation::Up(_)));
        negotiate(&a, &b)
    };
    let fails: [(Reason, Change); 13] = [
        (Reason::Key, |a, _| a.psk = "wrong".into()),
        (Reason::IkeVersion, |a, _| a.ike_v2 = false),
        (Reason::Identity, |_, b| b.peer_id = "192.0.2.1".into()),
        (Reason::Identity, |a, _| a.local_id = "vpn.example".into()),
        (Reason::PeerAddress, |_, b| b.peer_address = "192.0.2.1".parse().ok()),
        (Reason::Selectors, |a, _| a.remote = vec!["10.99.0.0/24".parse().unwrap()]),
        (Reason::NotRunning, |_, b| b.running = false),
        (Reason::AggressiveMode, |a, b| (a.ike_v2, b.ike_v2, a.aggressive, b.aggressive) = (false, false, true, true)),
        (Reason::Split, |a, _| a.remote = vec!["10.20.30.0/25".parse().unwrap(), "10.20.30.128/25".parse().unwrap()]),
        (Reason::Transform, |a, _| a.esp_tunnel = false),
        (Reason::Transform, |a, b| (a.esp_tunnel, b.esp_tunnel) = (false, false)),
        (Reason::Cipher, |a, b| (a.ike_v2, b.ike_v2, a.ike_cipher) = (false, false, "aes-256-gcm-16".into())),
        // A name on one side turns the peer's address beside it into a name, which the peer's own address does not equal.
        (Reason::Identity, |a, b| (a.local_id, b.peer_id) = ("vpn.example".into(), "vpn.example".into())),
    ];
    for (reason, change) in fails {
        assert_eq!(pairs(&change), Negotiation::Down(reason));
    }
    let net = |text: &str| text.parse().unwrap();
    let pair = |a: &str, b: &str| (net(a), net(b));
    let plain = vec![pair("10.0.0.0/24", "10.20.30.0/24")];
    assert_eq!(pairs(&|_, _| ()), Negotiation::Up(plain.clone()));
    assert_eq!(pairs(&both(|half| half.ike_v2 = false)), Negotiation::Up(plain.clone()));
    assert_eq!(
        pairs(&|a, _| a.ike_cipher = "aes-128".into()),
        Negotiation::Up(plain.clone()),
        "proposals are not strict"
    );
    assert_eq!(pairs(&|a, _| a.remote = vec![net("10.20.0.0/16")]), Negotiation::Up(plain.clone()), "narrowed");
    assert_eq!(
        pairs(&|_, b| b.remote.push(net("10.0.1.0/24"))),
        Negotiation::Up(plain.clone()),
        "only what is offered"
    );
    let names = |a: &mut TunnelHalf, b: &mut TunnelHalf| {
        (a.local_id, a.peer_id) = ("a.example".into(), "b.example".into());
        (b.local_id, b.peer_id) = ("b.example".into(), "a.example".into());
    };
    assert_eq!(pairs(&names), Negotiation::Up(plain.clone()), "names on both sides agree");
    let cased = |a: &mut TunnelHalf, b: &mut TunnelHalf| {
        names(a, b);
        a.local_id = "A.Example".into();
    };
    assert_eq!(pairs(&cased), Negotiation::Up(plain.clone()), "names have no case");
    let several = |a: &mut TunnelHalf, b: &mut TunnelHalf| {
        a.local.push(net("10.0.1.0/24"));
        b.remote.push(net("10.0.1.0/24"));
    };
    let all = vec![plain[0], pair("10.0.1.0/24", "10.20.30.0/24")];
    assert_eq!(pairs(&several), Negotiation::Up(all));
    let several_v1 = |a: &mut TunnelHalf, b: &mut TunnelHalf| {
        several(a, b);
        (a.ike_v2, b.ike_v2) = (false, false);
    };
    assert_eq!(
        pairs(&several_v1),
        Negotiation::Up(plain),
        "IKEv1 tunnels only the first pair, and is ACTIVE all the same"
    );
}
