//! One fault at a time, and what must not come of it.

use jiff::{SignedDuration, Timestamp};

use super::*;

/// Requests are given up soon, and can take effect for long after that.
async fn impatient() -> Site {
    let limits = Limits { total: Duration::from_secs(1), settling: Duration::from_secs(600), ..site::limits() };
    Site::limited(SimulatorSettings { seed: Seed::Minimal, ..SimulatorSettings::default() }, limits).await
}

fn post(effect: FaultEffect, path: &str) -> InjectedFault {
    InjectedFault::new(effect).method("POST").path(path).region("nz-hlz-1")
}

/// Waits until the cloud holds that many objects.
async fn landed(site: &Site, expected: (usize, usize)) {
    let landed = async {
        while counts(site) != expected {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), landed).await.unwrap();
}

#[tokio::test]
async fn what_a_request_given_up_makes_after_a_retry_is_found_and_deleted() {
    let site = impatient().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let gate = Gate::closed();
    site.simulator.inject(post(FaultEffect::Held(gate.clone()), "ikepolicies"));
    let mut run = Run::new();
    let (task, _) = run.fails(&site, &plan).await;
    run.create(&site, &plan).await.unwrap();
    assert_eq!(counts(&site), (6, 6));
    gate.open();
    landed(&site, (7, 6)).await;
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
    assert_eq!(counts(&site), (6, 6), "the twin is gone, and nothing else");
    assert!(site.simulator.collection("nz-hlz-1", "ikepolicies")[0]["id"] == run.id(task));
    assert!(run.progress().is_settled() && run.progress().leftovers().is_empty());
}

#[tokio::test]
async fn an_undo_is_not_clean_while_a_request_may_still_take_effect() {
    let site = impatient().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let gate = Gate::closed();
    site.simulator.inject(post(FaultEffect::Held(gate.clone()), "ipsec-site-connections"));
    let mut run = Run::new();
    let (task, _) = run.fails(&site, &plan).await;
    // The connection is not there yet, the other half's is; the server checks what it refers to only when it acts.
    assert!(matches!(run.progress().doubts()[..], [Doubt { task: open, until: Some(_) }] if open == task));
    gate.open();
    landed(&site, (6, 6)).await;
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));

    let gate = Gate::closed();
    site.simulator.inject(post(FaultEffect::Held(gate.clone()), "ikepolicies"));
    let mut run = Run::new();
    run.fails(&site, &plan).await;
    assert!(matches!(run.undo(&site, &plan).await, Ok(Changed::Unsettled(_, None))));
    assert!(counts(&site) == (0, 0) && !run.progress().is_clean());
    gate.open();
    landed(&site, (1, 0)).await;
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));
}

#[tokio::test]
async fn only_what_was_sent_is_taken_for_what_a_lost_request_made() {
    for (path, object, changes) in [
        ("ikepolicies", "ike_policy", json!({ "name": "company_ike_policy" })),
        ("endpoint-groups", "local_endpoint_group", json!({ "type": "subnet", "endpoints": ["another"] })),
        (
            "ipsec-site-connections",
            "vpn_site_connection",
            json!({ "peer_address": "198.51.100.99", "vpnservice_id": "x", "ikepolicy_id": "x", "ipsecpolicy_id": "x" }),
        ),
    ] {
        let site = impatient().await;
        let plan = site.site_to_site(Profile::Modern).await;
        let mut copy = json!({ "name": plan.name().of(object), "description": plan.id().mark(Half::A) });
        copy.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let gate = Gate::closed();
        site.simulator.inject(post(FaultEffect::Held(gate.clone()), path));
        let mut run = Run::new();
        run.fails(&site, &plan).await;
        let copy = site.simulator.plant("nz-hlz-1", path, copy).unwrap();
        run.create(&site, &plan).await.unwrap();
        assert!(run.progress().objects().all(|made| made.id.as_str() != copy), "{path}: it is not adopted");
        assert!(matches!(run.undo(&site, &plan).await, Ok(Changed::Unsettled(_, None))), "{path}");
        assert_eq!(counts(&site), (1, 0), "{path}: it stays, and nothing else");
        assert!(matches!(run.progress().left_alone(), [left] if left.id.as_str() == copy), "{path}: it is named");
    }
}

#[tokio::test]
async fn a_look_that_fails_settles_nothing() {
    let site = impatient().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::CloseAfter, "ikepolicies"));
    let unreadable =
        || InjectedFault::new(FaultEffect::status(403)).method("GET").path("ikepolicies").region("nz-hlz-1").always();
    site.simulator.inject(unreadable());
    let mut run = Run::new();
    let (task, _) = run.fails(&site, &plan).await;
    let Ok(Changed::Unsettled(_, Some(error))) = run.undo(&site, &plan).await else { panic!("it cannot be known") };
    assert_eq!(error.status, Some(403));
    assert_eq!(run.progress().doubts(), [Doubt { task, until: None }]);
    site.simulator.clear_faults();
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));
}

#[tokio::test]
async fn a_service_left_in_error_is_not_lost_if_the_look_for_it_fails() {
    let site = Site::start(SimulatorSettings { seed: Seed::Minimal, ovn: true, ..SimulatorSettings::default() }).await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::gateway_in_error(), "vpnservices"));
    site.simulator.inject(
        InjectedFault::new(FaultEffect::status(403)).method("GET").path("vpnservices").region("nz-hlz-1").nth(2),
    );
    let mut run = Run::new();
    let (task, error) = run.fails(&site, &plan).await;
    assert_eq!((task.step, error.status), (Step::Service, Some(409)));
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));
}

#[tokio::test]
async fn a_service_left_in_error_is_replaced_by_a_retry_and_listed_no_more() {
    let site = Site::start(SimulatorSettings { seed: Seed::Minimal, ovn: true, ..SimulatorSettings::default() }).await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::gateway_in_error(), "vpnservices"));
    let mut run = Run::new();
    run.fails(&site, &plan).await;
    assert_eq!(run.progress().removable().len(), counts(&site).0 + counts(&site).1);
    run.create(&site, &plan).await.unwrap();
    assert_eq!((run.progress().removable().len(), counts(&site)), (12, (6, 6)));
}

#[tokio::test]
async fn of_two_services_of_its_own_a_retry_keeps_one() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let ours = json!({
        "name": "hlz-por_vpn_service", "description": plan.id().mark(Half::A), "router_id": plan.a().router.id.as_str(),
        "status": "PENDING_CREATE", "admin_state_up": true, "subnet_id": null, "external_v4_ip": "203.0.113.10",
    });
    for _ in 0..2 {
        site.simulator.plant("nz-hlz-1", "vpnservices", ours.clone()).unwrap();
    }
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(counts(&site), (6, 6));
}

#[tokio::test]
async fn a_service_found_before_it_had_an_address_is_asked_for_it_again() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let unfinished = json!({
        "name": "hlz-por_vpn_service", "description": plan.id().mark(Half::A), "router_id": plan.a().router.id.as_str(),
        "status": "PENDING_CREATE", "admin_state_up": true, "subnet_id": null, "external_v4_ip": null,
    });
    let id = site.simulator.plant("nz-hlz-1", "vpnservices", unfinished).unwrap();
    let mut run = Run::new();
    let (task, _) = run.fails(&site, &plan).await;
    assert!(task.step == Step::Connection && run.progress().is_settled(), "nothing was sent that could be in doubt");
    let address = plan.a().router.external_v4[0].to_string();
    site.simulator.alter("nz-hlz-1", "vpnservices", &id, json!({ "external_v4_ip": address }));
    run.create(&site, &plan).await.unwrap();
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn what_the_cloud_defers_is_done_after_the_wait_it_asks_for() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::too_many_requests(0), "vpnservices").times(3));
    let mut busy = Scripted::status(503);
    busy.headers.push(("Retry-After".to_owned(), "0".to_owned()));
    site.simulator.inject(post(FaultEffect::Answer(busy), "ikepolicies").times(2));
    site.simulator.inject(post(FaultEffect::ActThenAnswer(Scripted::status(504)), "ipsecpolicies"));
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(counts(&site), (6, 6));
    run.received.close();
    while let Some(event) = run.received.recv().await {
        if let Event::Waiting(step, pause) = event {
            run.pauses.push((run.task(step), *pause));
        }
    }
    let waits = |step: Step, status: u16| {
        let of = |(task, pause): &&(Task, Pause)| task.step == step && pause.error.status == Some(status);
        run.pauses.iter().filter(of).count()
    };
    let told = [waits(Step::Service, 429), waits(Step::IkePolicy, 503), waits(Step::IpsecPolicy, 504)];
    assert_eq!(told, [3, 2, 1]);
    for (_, pause) in &run.pauses {
        let asked = pause.error.status != Some(504);
        assert_eq!(pause.error.retry_after.is_some(), asked, "{pause}");
    }
}

#[tokio::test]
async fn a_wait_too_long_to_sit_out_is_left_to_the_user() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::too_many_requests(600), "ikepolicies"));
    let mut run = Run::new();
    let (_, error) = run.fails(&site, &plan).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(600)));
    site.simulator.clear_requests();
    let (_, error) = run.fails(&site, &plan).await;
    assert!(error.status == Some(429) && site.simulator.requests().is_empty(), "nobody asks meanwhile: {error:?}");
    // A host that asks for so much is asked again after five minutes, because its clock may be wrong.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(302)).await;
    tokio::time::resume();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(counts(&site), (6, 6));
}

#[tokio::test]
async fn a_connection_in_error_is_watched_on_and_told() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    let task = Task { half: Half::B, step: Step::Connection };
    site.simulator.alter("nz-por-1", "ipsec_site_connections", &run.id(task), json!({ "status": "ERROR" }));
    let Watched::NotYet(standing) = run.watch(&site, BRIEF).await else { panic!("it never gets up") };
    assert_eq!(standing[&Half::B], osvpn::cloud::Status::Error);
}

#[tokio::test]
async fn a_plain_500_is_not_tried_again() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::status(500), "ikepolicies"));
    site.simulator.clear_requests();
    let mut run = Run::new();
    let (_, error) = run.fails(&site, &plan).await;
    assert!(error.hint().unwrap().contains("profile modern"), "{error:?}");
    let is_post = |request: &&osvpn::simulator::LoggedRequest| {
        request.method == "POST"
            && request.path.contains("ikepolicies")
            && request.region.as_deref() == Some("nz-hlz-1")
    };
    assert_eq!(site.simulator.requests().iter().filter(is_post).count(), 1);
    assert!(run.progress().is_settled(), "what a server has not done by its last word it never does");
}

#[tokio::test]
async fn a_stop_cuts_a_pause_short() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::too_many_requests(30), "ikepolicies"));
    let mut run = Run::new();
    let (stop, mut received) = (run.stop.clone(), std::mem::replace(&mut run.received, unbounded_channel().1));
    let stopper = tokio::spawn(async move {
        while !matches!(received.recv().await, Some(Event::Waiting(..))) {}
        stop.cancel();
    });
    let created = tokio::time::timeout(Duration::from_secs(15), run.create(&site, &plan)).await.unwrap();
    stopper.await.unwrap();
    assert_eq!(created, Err(ChangeError::Stopped));
    run.stop = CancellationToken::new();
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));
}

#[tokio::test]
async fn an_undo_gives_a_connection_time_to_be_torn_down() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    let delete = |status, class, path: &str| {
        InjectedFault::new(FaultEffect::Answer(Scripted::neutron(status, class, "still in use")))
            .method("DELETE")
            .path(path)
    };
    site.simulator.inject(delete(409, "VPNServiceInUse", "vpnservices").times(3));
    site.simulator.inject(delete(400, "EndpointGroupInUse", "endpoint-groups").times(2));
    site.simulator.inject(InjectedFault::new(FaultEffect::CloseAfter).method("DELETE").path("ikepolicies"));
    site.simulator.inject(InjectedFault::new(FaultEffect::status(503)).method("DELETE").path("ipsecpolicies").times(2));
    assert_eq!(run.undo(&site, &plan).await, Ok(Changed::Done));
    assert_eq!(counts(&site), (0, 0));
}

#[tokio::test]
async fn a_service_that_another_vpn_uses_by_now_stays_and_the_reason_is_told() {
    let site = Site::start(SimulatorSettings::default()).await;
    let first = site.single(HAMILTON, "203.0.113.200", "192.168.7.0/24").await;
    let mut run = Run::new();
    run.create(&site, &first).await.unwrap();
    let second = site.single(HAMILTON, "203.0.113.201", "192.168.8.0/24").await;
    Run::new().create(&site, &second).await.unwrap();
    assert!(matches!(run.undo(&site, &first).await, Err(ChangeError::Failed(..))), "the service is in use");
    let left = run.not_deleted();
    assert!(left.len() == 1 && left[0].1.hint().unwrap().contains("another VPN's"), "{left:?}");
    while let Ok(event) = run.received.try_recv() {
        assert!(!matches!(event, Event::Waiting(..)), "no wait would help");
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_leaves_no_doubt_about_what_it_was_for() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::status(401), "ikepolicies"));
    let page = Scripted { status: 200, headers: Vec::new(), body: "<html>back soon</html>".to_owned() };
    site.simulator.inject(InjectedFault::new(FaultEffect::Answer(page)).path("auth/tokens"));
    site.simulator.inject(InjectedFault::new(FaultEffect::status(403)).method("GET").path("ikepolicies"));
    let mut run = Run::new();
    run.fails(&site, &plan).await;
    assert!(run.progress().is_settled(), "{:?}", run.progress().doubts());
    site.simulator.clear_faults();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(counts(&site), (6, 6));
}

#[tokio::test]
async fn a_404_that_is_not_neutron_s_does_not_end_the_watch() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    run.create(&site, &plan).await.unwrap();
    let page = Scripted { status: 404, headers: Vec::new(), body: "<html>no such site</html>".to_owned() };
    site.simulator
        .inject(InjectedFault::new(FaultEffect::Answer(page)).method("GET").path("ipsec-site-connections/").times(3));
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn two_runs_at_once_end_with_one_service_on_the_router() {
    let latency = Duration::from_millis(15);
    let site = Site::start(SimulatorSettings { seed: Seed::Minimal, latency, ..SimulatorSettings::default() }).await;
    for round in 0..4 {
        let first = site.site_to_site(Profile::Modern).await;
        let second = site.single(HAMILTON, "203.0.113.201", "192.168.8.0/24").await;
        let (mut one, mut two) = (Run::new(), Run::new());
        if round % 2 == 1 {
            // As `apply` does, which makes its services right behind its reading.
            let read = vec![site.region("nz-hlz-1").await];
            for (run, plan) in [(&mut one, &first), (&mut two, &second)] {
                let changing = Changing::unkept_creation(plan);
                run.changing = Some(changing.just_read(tokio::time::Instant::now(), read.clone()));
            }
        }
        let (one_made, two_made) = tokio::join!(one.create(&site, &first), two.create(&site, &second));
        one_made.and(two_made).unwrap();
        let services = site.simulator.collection("nz-hlz-1", "vpnservices");
        assert_eq!(services.len(), 1, "round {round}");
        let connections = site.simulator.collection("nz-hlz-1", "ipsec_site_connections");
        assert!(connections.len() == 2 && connections.iter().all(|one| one["vpnservice_id"] == services[0]["id"]));
        let origins = [&one, &two].map(|run| run.progress().get(Half::A, Step::Service).unwrap().origin);
        assert!(origins.contains(&Origin::Reused) && origins.contains(&Origin::Created), "{origins:?}");
        let (user, owner) = if origins[0] == Origin::Reused { (0, 1) } else { (1, 0) };
        for at in [user, owner] {
            let (run, plan) = if at == 0 { (&mut one, &first) } else { (&mut two, &second) };
            assert_eq!(run.undo(&site, plan).await, Ok(Changed::Done));
        }
        assert_eq!(counts(&site), (0, 0));
    }
}

#[tokio::test]
async fn an_object_that_has_vanished_is_made_again_by_a_retry() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    let mut run = Run::new();
    site.simulator.inject(post(FaultEffect::status(403), "ipsec-site-connections"));
    run.fails(&site, &plan).await;
    for (step, collection) in [(Step::Service, "vpnservices"), (Step::PeerGroup, "endpoint_groups")] {
        site.simulator.uproot("nz-hlz-1", collection, &run.id(Task { half: Half::A, step }));
    }
    let (_, error) = run.fails(&site, &plan).await;
    assert_eq!(error.status, Some(404));
    run.create(&site, &plan).await.unwrap();
    assert_eq!((run.watch(&site, QUICK).await, counts(&site)), (Watched::Active, (6, 6)));
}

#[tokio::test]
async fn a_service_that_carries_another_vpn_already_does_not_withdraw() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(post(FaultEffect::status(403), "ipsec-site-connections"));
    let mut run = Run::new();
    run.fails(&site, &plan).await;
    let other = site.single(HAMILTON, "203.0.113.201", "192.168.8.0/24").await;
    Run::new().create(&site, &other).await.unwrap();
    let rival = json!({
        "id": "00000000-0000-4000-8000-000000000000", "name": "rival", "description": "", "admin_state_up": true,
        "router_id": plan.a().router.id.as_str(), "status": "PENDING_CREATE", "subnet_id": null,
        "external_v4_ip": "203.0.113.20",
    });
    site.simulator.plant("nz-hlz-1", "vpnservices", rival).unwrap();
    run.create(&site, &plan).await.unwrap();
    assert_eq!(run.progress().get(Half::A, Step::Service).unwrap().origin, Origin::Created);
    assert_eq!(run.watch(&site, QUICK).await, Watched::Active);
}

#[tokio::test]
async fn a_second_look_that_fails_does_not_make_a_service_look_unmade() {
    let site = site().await;
    let plan = site.site_to_site(Profile::Modern).await;
    site.simulator.inject(
        InjectedFault::new(FaultEffect::status(403)).method("GET").path("vpnservices").region("nz-hlz-1").nth(2),
    );
    let mut run = Run::new();
    let (task, error) = run.fails(&site, &plan).await;
    assert!(task.step == Step::Service && error.message.contains("alone on its router"), "{error:?}");
    run.create(&site, &plan).await.unwrap();
    while let Ok(event) = run.received.try_recv() {
        assert!(!matches!(event, Event::Failed(..)), "{event:?}");
    }
    assert_eq!(counts(&site), (6, 6));
}

#[tokio::test]
async fn a_request_that_the_cloud_held_back_counts_from_when_it_was_sent() {
    let (site, directory) = (site().await, tempfile::tempdir().unwrap());
    let plan = site.site_to_site(Profile::Modern).await;
    let gate = Gate::closed();
    site.simulator.inject(post(FaultEffect::too_many_requests(1), "ikepolicies"));
    site.simulator.inject(post(FaultEffect::Held(gate.clone()), "ikepolicies"));
    let mut run = Run::kept_in(directory.path());
    tokio::select! {
        created = run.create(&site, &plan) => panic!("it is held: {created:?}"),
        () = gate.arrived() => {}
    }
    let requests = site.simulator.requests();
    let refused = requests.iter().find(|request| request.status == Some(429)).and_then(|request| request.finished);
    let refused = Timestamp::now() - SignedDuration::try_from(refused.unwrap().elapsed()).unwrap();
    let (path, _) = unfinished(directory.path()).unwrap().pop().unwrap();
    let journal: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let steps = journal["progress"]["steps"].as_array().unwrap();
    let sent = steps.iter().find_map(|step| step["stand"]["sent"][1].as_str()).unwrap();
    assert!(sent.parse::<Timestamp>().unwrap() > refused, "it was announced before {refused}, and sent at {sent}");
}
