//! What the project's own client sends and what it makes of the answers: every request, every error it maps.

use osvpn::cloud::request::{
    DpdBody, EndpointGroupBody, IkePolicyBody, IpsecPolicyBody, Seconds, SiteConnectionBody, VpnServiceBody,
};
use osvpn::cloud::{Id, Kind, Region};
use secrecy::SecretString;
use serde_json::json;

use super::case::{Case, case};
use super::recorder::{A, NOBODY, NOWHERE, PSK, Stage};

pub fn cases() -> Vec<Case> {
    vec![
        case("client/signs in by every method", signs_in_by_every_method),
        case("client/makes and removes each kind of object", makes_and_removes_each_kind_of_object),
        case("client/refusals of a VPN service", refusals_of_a_vpn_service),
        case("client/refusals of policies", refusals_of_policies),
        case("client/refusals of endpoint groups", refusals_of_endpoint_groups),
        case("client/refusals of site connections", refusals_of_site_connections),
        case("client/over the quota", over_the_quota),
        case("client/as a reader", as_a_reader),
        case("client/with a token that is revoked meanwhile", with_a_token_that_is_revoked_meanwhile),
    ]
}

async fn signs_in_by_every_method(s: Stage) {
    let [id, name, secret] = s.ground.credential.clone();
    let (member, project, key) = (&s.ground.member, s.ground.project_id.as_str(), s.ground.member.password.as_str());
    let user = ("OS_USERNAME", member.name.as_str());
    let domain = ("OS_USER_DOMAIN_ID", "default");
    let by_id = ("OS_APPLICATION_CREDENTIAL_ID", id.as_str());
    for (what, variables) in [
        ("password", vec![user, domain, ("OS_PASSWORD", key), ("OS_PROJECT_ID", project)]),
        ("user id", vec![("OS_USER_ID", member.id.as_str()), ("OS_PASSWORD", key), ("OS_PROJECT_ID", project)]),
        ("token", vec![("OS_TOKEN", member.token.as_str())]),
        ("credential", vec![by_id, ("OS_APPLICATION_CREDENTIAL_SECRET", &secret)]),
        (
            "credential by name",
            vec![
                ("OS_APPLICATION_CREDENTIAL_NAME", &name),
                user,
                domain,
                ("OS_APPLICATION_CREDENTIAL_SECRET", &secret),
            ],
        ),
        ("wrong password", vec![user, domain, ("OS_PASSWORD", "wrong"), ("OS_PROJECT_ID", project)]),
        ("unknown project", vec![user, domain, ("OS_PASSWORD", key), ("OS_PROJECT_ID", NOBODY)]),
        ("wrong secret", vec![by_id, ("OS_APPLICATION_CREDENTIAL_SECRET", "wrong")]),
        ("made-up token", vec![("OS_TOKEN", "gAAAAABnonsense")]),
        ("no project", vec![user, domain, ("OS_PASSWORD", key)]),
    ] {
        let outcome = s.sign_in(&variables).await;
        let told = outcome.map(|cloud| {
            (
                cloud.user_name() == member.name,
                cloud.project_id().to_owned(),
                cloud.expires_at().is_some(),
                cloud.regions().iter().any(|region| region.id().as_str() == A),
            )
        });
        s.note_outcome(what, &told);
    }
}

async fn makes_and_removes_each_kind_of_object(s: Stage) {
    let region = s.client(A).await;
    let made = everything(&s, &region).await;
    let router = Id::from(s.ground.id(A, "border-router"));
    s.note(format!("{:?} {}", made.addresses, made.router == router));
    let fields = ["name", "description", "status", "psk", "peer_id", "lifetime", "dpd", "endpoints"];
    for (kind, id) in &made.objects {
        let outcome = region.show(*kind, id, &fields).await.map(|mut shown| {
            // How far the agents are is theirs to say.
            if shown.get("status").is_some() {
                shown["status"] = json!("<status>");
            }
            shown.to_string()
        });
        s.note_outcome(kind.label(), &outcome);
        let marked = region.marked(*kind, "osvpn:contract").await.map(|mut marked| {
            // A list comes in the order of the ids.
            marked.sort_by(|one, other| one.endpoints.cmp(&other.endpoints));
            marked
        });
        s.note_outcome("marked", &marked);
    }
    let connection = &made.objects[5].1;
    s.note_outcome(
        "key",
        &region.connection_psk(connection).await.map(|key| secrecy::ExposeSecret::expose_secret(&key) == PSK),
    );
    for (kind, id) in made.objects.iter().take(5) {
        s.note_outcome("deleted too early", &region.delete(*kind, id).await);
    }
    for (kind, id) in made.objects.iter().rev().chain(&made.objects) {
        s.note_outcome("deleted", &region.delete(*kind, id).await);
    }
    s.note_outcome("status", &region.connection_status(connection).await);
    s.note_outcome("shown", &region.show(Kind::IkePolicy, &made.objects[1].1, &["id"]).await);
}

async fn refusals_of_a_vpn_service(s: Stage) {
    let region = s.client(A).await;
    for router in [s.ground.id(A, "isolated-router"), NOBODY, "nonsense"] {
        let body = VpnServiceBody { name: "n", description: "d", router: &Id::from(router) };
        s.note_outcome(router, &region.create_service(&body).await.map(|service| service.name));
    }
    let long = "x".repeat(256);
    let body = VpnServiceBody { name: &long, description: "d", router: &Id::from(s.ground.id(A, "border-router")) };
    s.note_outcome("long name", &region.create_service(&body).await.map(|service| service.name));
}

async fn refusals_of_policies(s: Stage) {
    let region = s.client(A).await;
    let ike = |hash, version, seconds| IkePolicyBody {
        name: "n",
        description: "d",
        auth_algorithm: hash,
        encryption_algorithm: "aes-256",
        phase1_negotiation_mode: "main",
        ike_version: version,
        pfs: "group14",
        lifetime: Seconds { value: seconds },
    };
    for (hash, version, seconds) in
        [("md5", "v2", 3600), ("sha256", "v3", 3600), ("sha256", "v2", 30), ("sha1", "v2", 3600)]
    {
        s.note_outcome(hash, &region.create_ike_policy(&ike(hash, version, seconds)).await.map(drop));
    }
    let ipsec = |cipher, protocol| IpsecPolicyBody {
        name: "n",
        description: "d",
        transform_protocol: protocol,
        auth_algorithm: "sha256",
        encryption_algorithm: cipher,
        encapsulation_mode: "tunnel",
        pfs: "group14",
        lifetime: Seconds { value: 3600 },
    };
    for (cipher, protocol) in [("des", "esp"), ("3des", "esp"), ("aes-256-gcm-16", "esp"), ("aes-256", "gre")] {
        s.note_outcome(cipher, &region.create_ipsec_policy(&ipsec(cipher, protocol)).await.map(drop));
    }
}

async fn refusals_of_endpoint_groups(s: Stage) {
    let region = s.client(A).await;
    for (kind, endpoints) in [
        ("cidr", vec![]),
        ("cidr", vec!["10.0.0.0"]),
        ("cidr", vec!["10.0.0.0/24", "10.0.0.0/24"]),
        ("subnet", vec![NOBODY]),
        ("subnet", vec!["nonsense"]),
        ("host", vec!["10.0.0.1"]),
    ] {
        let endpoints: Vec<_> = endpoints.into_iter().map(str::to_owned).collect();
        let body = EndpointGroupBody { name: "n", description: "d", kind, endpoints: &endpoints };
        s.note_outcome(kind, &region.create_endpoint_group(&body).await.map(drop));
    }
}

async fn refusals_of_site_connections(s: Stage) {
    let region = s.client(A).await;
    let made = everything(&s, &region).await;
    let six = Id::new(s.group(A, "cidr", &["fd00::/64"]).await["id"].as_str().unwrap());
    let mixed = Id::new(s.group(A, "cidr", &["10.9.0.0/24", "fd00::/64"]).await["id"].as_str().unwrap());
    let lonely = Id::new(s.group(A, "subnet", &[s.ground.id(A, "lonely-subnet")]).await["id"].as_str().unwrap());
    let (key, nobody) = (SecretString::from(PSK), Id::from(NOBODY));
    let sound = made.connection(&key);
    let dpd = |interval, timeout| DpdBody { action: "restart", interval, timeout };
    for (what, body) in [
        ("no service", SiteConnectionBody { service: &nobody, ..sound.clone() }),
        ("no IKE policy", SiteConnectionBody { ike_policy: &nobody, ..sound.clone() }),
        ("no IPsec policy", SiteConnectionBody { ipsec_policy: &nobody, ..sound.clone() }),
        ("no local group", SiteConnectionBody { local_group: &nobody, ..sound.clone() }),
        ("no peer group", SiteConnectionBody { peer_group: &nobody, ..sound.clone() }),
        (
            "groups mixed up",
            SiteConnectionBody { local_group: sound.peer_group, peer_group: sound.local_group, ..sound.clone() },
        ),
        ("other family", SiteConnectionBody { peer_group: &six, ..sound.clone() }),
        ("both families", SiteConnectionBody { peer_group: &mixed, ..sound.clone() }),
        ("subnet elsewhere", SiteConnectionBody { local_group: &lonely, ..sound.clone() }),
        ("dpd", SiteConnectionBody { dpd: dpd(150, 150), ..sound.clone() }),
        ("dpd action", SiteConnectionBody { dpd: DpdBody { action: "sleep", ..dpd(15, 150) }, ..sound.clone() }),
        ("mtu", SiteConnectionBody { mtu: 60, ..sound.clone() }),
        ("no such name", SiteConnectionBody { peer_address: "not.a.host.invalid", ..sound.clone() }),
        ("initiator", SiteConnectionBody { initiator: "nobody", ..sound.clone() }),
    ] {
        s.note_outcome(what, &region.create_connection(&body).await.map(drop));
    }
}

async fn over_the_quota(s: Stage) {
    let region = s.client(A).await;
    s.ground.limit(A, "vpnservice", 0).await;
    let body = VpnServiceBody { name: "n", description: "d", router: &Id::from(s.ground.id(A, "border-router")) };
    s.note_outcome("service", &region.create_service(&body).await.map(drop));
    s.note(format!("{:?}", region.detail().await.unwrap().quotas));
}

async fn as_a_reader(s: Stage) {
    s.service(A).await;
    let reader = &s.ground.reader;
    let region = s.client_with(A, &[("OS_USERNAME", &reader.name), ("OS_PASSWORD", &reader.password)]).await;
    let inventory = region.inventory().await.unwrap();
    s.note(format!("{} routers, {} services", inventory.routers.len(), inventory.services.len()));
    let body = VpnServiceBody { name: "n", description: "d", router: &Id::from(s.ground.id(A, "border-router")) };
    s.note_outcome("service", &region.create_service(&body).await.map(drop));
}

async fn with_a_token_that_is_revoked_meanwhile(s: Stage) {
    let (token, _) = s.ground.sign_in(&s.ground.member.clone()).await;
    let cloud = s.sign_in(&[("OS_TOKEN", &token)]).await.unwrap();
    let region = cloud.regions().into_iter().find(|region| region.id().as_str() == A).unwrap();
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let own = [("X-Auth-Token", token.as_str()), ("X-Subject-Token", token.as_str())];
    s.exchange(reqwest::Method::DELETE, &url, &own, None).await;
    s.note_outcome("services", &region.services().await);
    // A Keystone says 401 or 404, as its cache will have it.
    let error = s.sign_in(&[("OS_TOKEN", &token)]).await.unwrap_err();
    s.note(format!("the token again: {:?}, {:?}", error.kind, error.hint()));
}

/// One of each, as the client makes them: service, two policies, two groups, connection.
struct Everything {
    objects: Vec<(Kind, Id)>,
    addresses: (bool, bool),
    router: Id,
}

impl Everything {
    fn connection<'a>(&'a self, psk: &'a SecretString) -> SiteConnectionBody<'a> {
        let [(_, service), (_, ike_policy), (_, ipsec_policy), (_, local_group), (_, peer_group), ..] =
            &self.objects[..]
        else {
            panic!("something was not made")
        };
        SiteConnectionBody {
            name: "n",
            description: "osvpn:contract",
            service,
            ike_policy,
            ipsec_policy,
            local_group,
            peer_group,
            peer_address: NOWHERE,
            peer_id: NOWHERE,
            psk,
            initiator: "bi-directional",
            mtu: 1500,
            dpd: DpdBody { action: "restart", interval: 15, timeout: 150 },
        }
    }
}

async fn everything(s: &Stage, region: &Region) -> Everything {
    let (name, description) = ("n", "osvpn:contract");
    let router = Id::from(s.ground.id(A, "border-router"));
    let service = region.create_service(&VpnServiceBody { name, description, router: &router }).await.unwrap();
    let ike = IkePolicyBody {
        name,
        description,
        auth_algorithm: "sha256",
        encryption_algorithm: "aes-256",
        phase1_negotiation_mode: "main",
        ike_version: "v2",
        pfs: "group14",
        lifetime: Seconds { value: 14400 },
    };
    let ike = region.create_ike_policy(&ike).await.unwrap();
    let ipsec = IpsecPolicyBody {
        name,
        description,
        transform_protocol: "esp",
        auth_algorithm: "sha256",
        encryption_algorithm: "aes-256",
        encapsulation_mode: "tunnel",
        pfs: "group14",
        lifetime: Seconds { value: 3600 },
    };
    let ipsec = region.create_ipsec_policy(&ipsec).await.unwrap();
    let mut groups = Vec::new();
    for (kind, endpoint) in [("subnet", s.ground.id(A, "private-subnet")), ("cidr", "10.77.0.0/24")] {
        let body = EndpointGroupBody { name, description, kind, endpoints: &[endpoint.to_owned()] };
        groups.push((Kind::EndpointGroup, region.create_endpoint_group(&body).await.unwrap()));
    }
    let addresses = (service.external_v4.is_some(), service.external_v6.is_some());
    let mut objects = vec![(Kind::VpnService, service.id), (Kind::IkePolicy, ike), (Kind::IpsecPolicy, ipsec)];
    objects.extend(groups);
    let mut made = Everything { objects, addresses, router: service.router };
    let key = SecretString::from(PSK);
    let connection = region.create_connection(&made.connection(&key)).await.unwrap();
    made.objects.push((Kind::SiteConnection, connection));
    made
}
