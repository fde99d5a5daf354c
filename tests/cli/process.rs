//! What the program does as a process: with files that keep it waiting, with output that cannot be written, with signals.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::*;

fn fifo(home: &Path, name: &str) -> PathBuf {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// The code it ends with after SIGTERM, while it reads from a pipe to which nobody writes.
fn terminated(mut command: Command, pipe: &Path) -> Option<i32> {
    let mut child = command.spawn().unwrap();
    // This waits until the other end is opened.
    let writer = File::options().write(true).open(pipe).unwrap();
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let code = child.wait().unwrap().code();
    drop(writer);
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_keeps_it_waiting_can_be_left() {
    let scene = Scene::new().await;
    let home = scene.home.path();
    let pipe = fifo(home, "pipe");
    let name = pipe.to_str().unwrap();
    site_to_site(home);
    assert_eq!(terminated(scene.apply(name, &["--dry-run"]), &pipe), Some(130));
    assert_eq!(terminated(scene.apply("plan.toml", &["--psk-file", name]), &pipe), Some(130));
    let mut rotate = osvpn_in(home, &scene.cloud);
    rotate.args(["rotate-psk", "test-vpn", "--psk-file", name]);
    assert_eq!(terminated(rotate, &pipe), Some(130));
    let mut list = osvpn(home);
    list.arg("list").env("OS_CLIENT_CONFIG_FILE", name);
    assert_eq!(terminated(list, &pipe), Some(130));
    assert_eq!(scene.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_from_a_pipe_is_taken() {
    let scene = Scene::new().await;
    let home = scene.home.path();
    let pipe = fifo(home, "pipe");
    site_to_site(home);
    let child = scene.apply("plan.toml", &["--dry-run", "--psk-file", pipe.to_str().unwrap()]).spawn().unwrap();
    std::fs::write(&pipe, format!("{KEY}\n")).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Neither another file nor another user's is to be written, and none that keeps the program waiting to be read.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_the_place_of_a_state_file_is_left_alone() {
    let scene = Scene::new().await;
    let home = scene.home.path();
    let precious = home.join("precious");
    std::fs::write(&precious, "precious").unwrap();
    let state = home.join(".local/state/osvpn");
    fifo(home, ".local/state/osvpn/0badcafe.json");
    let resume = || {
        let mut command = osvpn_in(home, &scene.cloud);
        command.args(["resume", "0badcafe"]);
        command
    };
    let ran = run(resume()).await;
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("no regular file"), "{}", ran.err);
    std::fs::remove_file(state.join("0badcafe.json")).unwrap();
    std::os::unix::fs::symlink(&precious, state.join("0badcafe.lock")).unwrap();
    std::os::unix::fs::symlink(&precious, state.join("osvpn.log")).unwrap();
    let mut logging = resume();
    logging.env("OSVPN_LOG", "debug");
    run(logging).await;
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
    // The directory itself.
    let elsewhere = home.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let mode = elsewhere.metadata().unwrap().mode();
    std::fs::remove_dir_all(&state).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &state).unwrap();
    let ran = run(scene.apply(site_to_site(home), &[])).await;
    assert!(ran.code != 0 && ran.err.contains("it is a link"), "{}{}", ran.out, ran.err);
    assert_eq!((elsewhere.metadata().unwrap().mode(), std::fs::read_dir(&elsewhere).unwrap().count()), (mode, 0));
    assert_eq!(scene.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_written_is_an_error() {
    let scene = Scene::new().await;
    for json in [&["--json"][..], &[]] {
        let mut command = osvpn_in(scene.home.path(), &scene.cloud);
        command.arg("list").args(json).stdout(File::options().write(true).open("/dev/full").unwrap());
        let ran = run(command).await;
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("could not be written"), "{}", ran.err);
    }
}

#[test]
fn its_memory_is_neither_dumped_nor_read_by_another() {
    let home = tempfile::tempdir().unwrap();
    let mut child = osvpn(home.path()).arg("demo-cloud").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let limits = std::fs::read_to_string(process.join("limits")).unwrap();
    // It is the user's own where other processes of that user may read the memory.
    let owner = process.join("environ").metadata().unwrap().uid();
    child.kill().unwrap();
    child.wait().unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!((&words[4..6], owner), (&["0", "0"][..], 0), "{core}");
}

#[test]
fn the_demo_cloud_listens_where_only_this_machine_reaches_it() {
    let home = tempfile::tempdir().unwrap();
    let output = osvpn(home.path()).args(["demo-cloud", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("loopback address"));
}
