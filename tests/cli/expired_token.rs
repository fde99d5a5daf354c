//! Without a terminal nobody can be asked: a password that is missing, a token that expires.

use osvpn::simulator::{Gate, Seed};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_a_missing_password_is_named_and_an_expired_token_leaves_a_run_that_can_be_resumed() {
    let simulator =
        Simulator::start(SimulatorSettings { seed: Seed::Minimal, ..SimulatorSettings::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let plan = site_to_site(home.path());
    let apply = |arguments: &[&str]| {
        let mut apply = osvpn_in(home.path(), &simulator);
        apply.args(arguments).env_remove("OS_PASSWORD");
        apply
    };
    let ran = run(apply(&["apply", plan])).await;
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("lack OS_PASSWORD"), "{}", ran.err);

    let with_token = |arguments: &[&str], token: &str| {
        let mut apply = apply(arguments);
        apply.env("OS_AUTH_TYPE", "token").env("OS_TOKEN", token);
        apply
    };
    let first = token(&simulator);
    let gate = Gate::closed();
    simulator.inject(InjectedFault::new(FaultEffect::Held(gate.clone())).method("POST").path("ipsec-site-connections"));
    let expire = async {
        gate.arrived().await;
        simulator.expire_tokens();
        gate.open();
    };
    let (ran, ()) = tokio::join!(run(with_token(&["apply", plan], &first)), expire);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.split_whitespace().collect::<Vec<_>>().join(" ").contains("source your openrc again")
            && ran.out.contains("osvpn resume "),
        "{}",
        ran.out
    );
    let second = token(&simulator);
    let ran = run(with_token(&["resume"], &second)).await;
    assert_eq!(
        (ran.code, simulator.count("nz-hlz-1"), simulator.count("nz-por-1")),
        (0, 6, 6),
        "{}{}",
        ran.out,
        ran.err
    );
}
