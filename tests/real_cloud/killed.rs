//! A run that is killed in its middle, and finished by the next osvpn.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::as_in_the_guide::is_as_in_the_guide;
use super::cloud::{A, B, RealCloud, in_each};
use super::guide_commands::Profile;
use super::pty::Printed;
use super::wizard::plan_between;
use crate::support::command::{creations, under_way};

/// Runs `osvpn apply` until its journal knows that many objects, and kills it.
#[track_caller]
fn kill(cloud: &RealCloud, objects: usize) {
    let sides = [A, B].map(|region| (region, "border-router", &["private-subnet"][..]));
    let plan = cloud.plan("both", &plan_between("hlz-por", Profile::of(cloud.release), sides));
    let pty = cloud.osvpn(&["apply", &plan], &[]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while made(cloud) < objects {
        assert!(Instant::now() < deadline, "{}: {} objects in the journal", cloud.release, made(cloud));
        std::thread::sleep(Duration::from_millis(1));
    }
    pty.signal("KILL");
    drop(pty);
    assert!(made(cloud) < 12, "{}: killed too late", cloud.release);
}

/// How many objects the journal says exist; none without a journal.
pub fn made(cloud: &RealCloud) -> usize {
    creations(&state(cloud)).iter().map(|record| record.progress.objects().count()).sum()
}

/// How many requests the journal says are in progress.
pub fn intents(cloud: &RealCloud) -> usize {
    under_way(&state(cloud))
}

fn state(cloud: &RealCloud) -> PathBuf {
    cloud.home.path().join(".local/state/osvpn")
}

/// The journals there are.
pub fn journals(cloud: &RealCloud) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cloud.home.path().join(".local/state/osvpn")).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect()
}

/// The journal is gone, unless a request that was in progress when its process died may still be acted on.
#[track_caller]
fn forget(cloud: &RealCloud, said: &str) {
    let state = cloud.home.path().join(".local/state/osvpn");
    let left = journals(cloud).len();
    assert_eq!(left > 0, said.contains("may still appear"), "{} {left} journals: {said}", cloud.release);
    std::fs::remove_dir_all(state).unwrap();
}

#[test]
fn a_killed_run_is_finished_with_every_object_once() {
    in_each(|cloud| {
        // Among the services, among the parts, and before the second connection.
        for objects in [1, 5, 11] {
            kill(cloud, objects);
            let (code, Printed { said, .. }) = cloud.osvpn(&["resume"], &[]).end();
            assert_eq!(code, 0, "{} at {objects}: {said}", cloud.release);
            assert!(said.contains("is ACTIVE."), "{said}");
            is_as_in_the_guide(cloud, Profile::of(cloud.release));
            forget(cloud, &said);
            cloud.reset();
        }
    });
}
