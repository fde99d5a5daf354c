//! The journal of a change that was interrupted.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use osvpn::cloud::Limits;
use osvpn::engine::journal::unfinished;
use osvpn::engine::{Changing, commands};
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
    let changing = Changing::open(&path);
    assert_eq!(changing.is_ok(), record.is_ok());
    let said = match record {
        Ok(record) => {
            let progress = changing.unwrap().progress_resumed(&Limits::default());
            let removal = commands::removal(&progress.removable()).iter().map(ToString::to_string).collect::<String>();
            let plan = record.plan().map_or_else(|error| error.to_string(), |plan| format!("{:?}", plan.regions()));
            let _ = (progress.doubts(), progress.leftovers(), progress.is_settled(), progress.is_clean());
            let change = &record.change;
            format!("{} {change} {} {} {removal} {plan}", change.subject, record.auth_url, record.began)
        }
        Err(error) => error.to_string(),
    };
    assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
});
