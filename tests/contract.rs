//! The contract between the client and a cloud: every request the client makes, every answer and error it maps, asked of
//! the simulator and of real clouds in the same way.
//!
//! A case asks a cloud for something and records what was said, with ids and moments taken out. What the real clouds
//! said stands in `tests/contract/observed/`. A plain `cargo test` holds the simulator against that, for both releases; with
//! `OSVPN_CONTRACT_2026_2` or `OSVPN_CONTRACT_2026_1` (the address of a Keystone, ending in `/v3`) that cloud is asked
//! too, and both the record and the simulator are held against what it says. `OSVPN_CONTRACT_ADMIN_PASSWORD` is the
//! password of its user `admin`. The cases work in projects they make and remove. Its Keystone must know the method
//! `totp`, share this machine's clock, and let receipts end within seconds (`[receipt] expiration`). `OSVPN_CONTRACT_NEGOTIATES=1` says that
//! the cloud's VPN agents run real daemons, without which the cases under `tunnel/` are left out there.
//!
//! `OSVPN_CONTRACT_UPDATE=1` rewrites the record from the clouds asked; `OSVPN_CONTRACT_ONLY=text` takes only cases
//! whose name begins with it.

mod case;
mod changes_of_live_tunnels;
mod client;
mod compare;
mod connections;
mod discovery;
mod endpoint_groups;
mod known_differences;
mod lifecycle;
mod mask;
mod operator;
mod paging;
mod policies;
mod quotas;
mod recorder;
mod roles;
mod second_factor;
mod security_groups;
mod services;
mod sign_in;
mod test_project;
mod tunnel;

use crate::support::passcode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use osvpn::simulator::Release;

use case::Case;
use compare::{Observations, Recorded, Row};
use recorder::Stage;
use test_project::Ground;

/// The releases there are real clouds of: the simulator's, the name, the variable with the cloud's address.
const RELEASES: [(Release, &str, &str); 2] =
    [(Release::V2026_2, "2026.2", "OSVPN_CONTRACT_2026_2"), (Release::V2026_1, "2026.1", "OSVPN_CONTRACT_2026_1")];

/// In how many projects of a real cloud cases wait for daemons at once.
const WAITING_LANES: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_and_real_clouds_say_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let only = set("OSVPN_CONTRACT_ONLY").unwrap_or_default();
    let cases: Vec<Case> = case::all().into_iter().filter(|case| case.name.starts_with(&only)).collect();
    let cases = Arc::new(cases);
    let negotiates = set("OSVPN_CONTRACT_NEGOTIATES").is_some();
    // The clouds are asked side by side, each in its own time.
    let asked = RELEASES.map(|(_, name, variable)| {
        let (url, cases) = (set(variable), Arc::clone(&cases));
        let recorded = Recorded::read(name).observations;
        (name, tokio::spawn(async move { Some(ask(&url?, &cases, negotiates, &recorded).await) }))
    });
    let mut rows: BTreeMap<&str, BTreeMap<String, Row>> = BTreeMap::new();
    for ((release, ..), (name, asked)) in RELEASES.into_iter().zip(asked) {
        let simulated = simulate(release, &cases).await;
        let live = asked.await.unwrap();
        let mut recorded = Recorded::read(name);
        if let (Some(live), Some(_)) = (&live, set("OSVPN_CONTRACT_UPDATE")) {
            recorded.update(live, &case::all());
        }
        let names = cases.iter().map(|case| case.name.clone());
        let row = |case: String| {
            let row = Row::new(name, &case, &simulated, &recorded.observations, live.as_ref());
            (case, row)
        };
        rows.insert(name, names.map(row).collect());
    }
    compare::report(&cases, &rows, only.is_empty());
}

/// Every case in a simulated cloud of its own, all at once.
async fn simulate(release: Release, cases: &[Case]) -> Observations {
    let see = async |case: &Case| {
        let ground = tokio::spawn(Ground::simulated(release)).await.unwrap();
        (case.name.clone(), observe(case, Arc::new(ground)).await)
    };
    join_all(cases.iter().map(see)).await.into_iter().collect()
}

/// Every case in one real cloud, which is left as it was found. Cases that wait for daemons are played side by side, each
/// lane of them in a project of its own; the last come first, because they take the longest.
async fn ask(url: &str, cases: &[Case], negotiates: bool, recorded: &Observations) -> Observations {
    let password = std::env::var("OSVPN_CONTRACT_ADMIN_PASSWORD").unwrap_or_default();
    let (waiting, plain): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.negotiates);
    let queue = Mutex::<Vec<&Case>>::new;
    let (waiting, plain) = (queue(if negotiates { waiting } else { Vec::new() }), queue(plain));
    let lanes = std::iter::once(&plain).chain(std::iter::repeat_n(&waiting, WAITING_LANES));
    let mut grounds = Vec::new();
    for queue in lanes {
        if !queue.lock().unwrap().is_empty() {
            // One after the other: each first removes what runs that were killed have left.
            grounds.push((queue, Arc::new(Ground::real(url, &password).await)));
        }
    }
    let play = async |(queue, ground): &(&Mutex<Vec<&Case>>, Arc<Ground>)| {
        let mut seen = Observations::new();
        loop {
            let Some(case) = queue.lock().unwrap().pop() else { break };
            seen.insert(case.name.clone(), ask_until_sure(url, case, ground, recorded.get(&case.name)).await);
        }
        ground.leave().await;
        seen
    };
    join_all(grounds.iter().map(play)).await.into_iter().flatten().collect()
}

/// A difference counts if it is there twice: what else runs on the machine can hold up an agent or a daemon for longer than
/// a case waits.
async fn ask_until_sure(url: &str, case: &Case, ground: &Arc<Ground>, before: Option<&Vec<String>>) -> Vec<String> {
    let lines = ask_one(case, ground).await;
    let Some(before) = before.filter(|before| **before != lines) else { return lines };
    println!("{url}: {} was asked twice; new the first time:", case.name);
    lines.iter().filter(|line| !before.contains(line)).for_each(|line| println!("  {line}"));
    ask_one(case, ground).await
}

async fn ask_one(case: &Case, ground: &Arc<Ground>) -> Vec<String> {
    let lines = observe(case, Arc::clone(ground)).await;
    ground.clear().await;
    if case.negotiates {
        // Agents look at what changed once a second, and reload a daemon whose connection was replaced in between; that
        // one then answers with the old connection's ranges. Nothing shows when they have looked.
        for _ in 0..12 {
            ground.tick().await;
        }
    }
    lines
}

/// What a case saw. A case that cannot go on has seen that, and takes no other case with it.
async fn observe(case: &Case, ground: Arc<Ground>) -> Vec<String> {
    let stage = Stage::new(ground);
    let outcome = tokio::spawn((case.run)(stage.clone())).await;
    let mut lines = stage.lines();
    if let Err(failure) = outcome {
        let panic = failure.into_panic();
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        lines.push(format!("could not go on: {}", text.unwrap_or_default()));
    }
    lines
}
