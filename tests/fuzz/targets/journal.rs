//! The journal of a run that was cut off.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use osvpn::cloud::Limits;
use osvpn::engine::commands;
use osvpn::engine::journal::{Journal, unfinished};
use tempfile::TempDir;

static HOME: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
});

fuzz_target!(|data: &[u8]| {
    let path = HOME.path().join("0badcafe.json");
    fs::write(&path, data).unwrap();
    let listed = unfinished(HOME.path()).unwrap();
    let [(_, record)] = &listed[..] else { panic!("one journal") };
    assert_eq!(Journal::open(&path).is_ok(), record.is_ok());
    let said = match record {
        Ok(record) => {
            let mut ledger = record.ledger.clone();
            ledger.take_over(&Limits::default());
            let removal = commands::removal(&ledger.removable()).iter().map(ToString::to_string).collect::<String>();
            let plan = record.plan().map_or_else(|error| error.to_string(), |plan| format!("{:?}", plan.regions()));
            let _ = (ledger.doubts(), ledger.leftovers(), ledger.is_settled(), ledger.is_clean());
            format!("{} {} {} {} {removal} {plan}", record.vpn, record.name, record.auth_url, record.began)
        }
        Err(error) => error.to_string(),
    };
    assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
});
