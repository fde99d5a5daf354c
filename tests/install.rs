//! `assets/install.sh` against a server on loopback, with no more commands than are named here.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::file_server::{FileServer, Served};
use crate::support::over_tls::over_tls;

const NEEDED: [&str; 14] =
    ["sh", "cat", "chmod", "cp", "cut", "grep", "gzip", "mkdir", "mktemp", "mv", "rm", "tail", "tar", "uname"];

/// A home, and a PATH of its own.
struct Machine {
    home: TempDir,
    commands: TempDir,
}

impl Machine {
    fn with(more: &[&str]) -> Self {
        let commands = tempfile::tempdir().unwrap();
        for name in NEEDED.iter().chain(more) {
            let found =
                ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name)).into_iter().find(|path| path.exists());
            symlink(found.unwrap_or_else(|| panic!("{name} is needed")), commands.path().join(name)).unwrap();
        }
        Self { home: tempfile::tempdir().unwrap(), commands }
    }

    fn usual() -> Self {
        Self::with(&["curl", "sha256sum"])
    }

    /// Whose `uname` says that.
    fn called(kernel: &str, processor: &str) -> Self {
        let machine = Self::usual();
        let uname = machine.commands.path().join("uname");
        fs::remove_file(&uname).unwrap();
        program(&uname, &format!("[ $1 = -s ] && echo {kernel} || echo {processor}"));
        machine
    }

    fn command(&self, base: &str, args: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/install.sh")).args(args);
        command.env_clear().env("HOME", self.home.path()).env("PATH", self.commands.path());
        command.env("TMPDIR", self.home.path()).env("OSVPN_BASE_URL", base).current_dir(self.home.path());
        command
    }

    #[track_caller]
    fn installs(&self, base: &str, args: &[&str]) -> String {
        said(&self.command(base, args).output().unwrap(), 0)
    }

    #[track_caller]
    fn refuses(&self, base: &str, args: &[&str], why: &str) {
        let text = said(&self.command(base, args).output().unwrap(), 1);
        assert!(text.contains(why), "{why:?} is missing from\n{text}");
    }

    /// Every file below the home.
    fn files(&self) -> Vec<PathBuf> {
        fn below(dir: &Path) -> Vec<PathBuf> {
            let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
            entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
        }
        below(self.home.path())
    }

    fn program(&self) -> PathBuf {
        self.home.path().join(".local/bin/osvpn")
    }
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

fn program(path: &Path, line: &str) {
    fs::write(path, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// This machine's platform, as archives name it.
fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, if cfg!(target_os = "macos") { "darwin" } else { "linux" })
}

fn archive_of(version: &str) -> String {
    format!("osvpn-{version}-{}.tar.gz", platform())
}

/// An archive with a program that is this line.
fn archive(version: &str, line: &str) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let name = archive_of(version).replace(".tar.gz", "");
    fs::create_dir(scratch.path().join(&name)).unwrap();
    program(&scratch.path().join(&name).join("osvpn"), line);
    let packed = Command::new("tar").args(["-czf", "-", &name]).current_dir(&scratch).output().unwrap();
    assert!(packed.status.success());
    packed.stdout
}

fn works(version: &str) -> Vec<u8> {
    archive(version, &format!("echo osvpn {version}"))
}

fn sum(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A version that is published: its archive, what of it is sent, and the sum that is said of it.
struct Published {
    version: &'static str,
    archive: Vec<u8>,
    sent: fn(Vec<u8>) -> Served,
    sum: String,
}

fn published(releases: Vec<Published>) -> FileServer {
    let line = |release: &Published| format!("{}  {}\n", release.sum, archive_of(release.version));
    let of_others = format!("{}  osvpn-0.0.9-sparc-solaris.tar.gz\n", sum(b""));
    let sums: String = std::iter::once(of_others).chain(releases.iter().map(line)).collect();
    FileServer::start(move |path| {
        if path == "/SHA256SUMS" {
            return Some(Served::whole(sums.clone().into_bytes()));
        }
        let found = releases.iter().find(|release| path == format!("/{}", archive_of(release.version)));
        found.map(|release| (release.sent)(release.archive.clone()))
    })
}

fn good(versions: &[&'static str]) -> FileServer {
    let release = |version: &&'static str| {
        let archive = works(version);
        Published { version, sum: sum(&archive), archive, sent: Served::whole }
    };
    published(versions.iter().map(release).collect())
}

#[test]
fn one_file_is_installed_with_curl_or_wget_and_what_was_done_is_said() {
    let server = good(&["1.2.3"]);
    for downloader in ["curl", "wget"] {
        let machine = Machine::with(&[downloader, "sha256sum"]);
        let said = machine.installs(&server.url, &[]);
        assert_eq!(machine.files(), [machine.program()], "{said}");
        let mode = fs::metadata(machine.program()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        let bin = machine.home.path().join(".local/bin");
        let path = format!("export PATH=\"{}:$PATH\"", bin.display());
        for part in ["Installed osvpn 1.2.3 as ", "is right", "is not in PATH", &path, "--uninstall"] {
            assert!(said.contains(part), "{part:?} is missing from\n{said}");
        }
        let mut again = machine.command(&server.url, &[]);
        again.env("PATH", format!("{}:{}", machine.commands.path().display(), bin.display()));
        let said = self::said(&again.output().unwrap(), 0);
        assert!(said.contains("in place of osvpn 1.2.3") && said.contains("Try it: osvpn --demo"), "{said}");
        assert_eq!(machine.files(), [machine.program()], "{said}");
    }
}

#[test]
fn the_newest_version_or_the_one_that_is_named_replaces_what_is_there_until_it_is_uninstalled() {
    let server = good(&["1.2.3", "1.10.0"]);
    let machine = Machine::usual();
    assert!(machine.installs(&server.url, &["--version", "1.2.3"]).contains("Installed osvpn 1.2.3"));
    assert!(machine.installs(&server.url, &[]).contains("Installed osvpn 1.10.0"), "the last line is the newest");
    machine.refuses(&server.url, &["--version", "3.0.0"], "there is no osvpn 3.0.0 for");
    for wrong in [&["--version"][..], &["--version", "1.*"], &["--upgrade"]] {
        machine.refuses(&server.url, wrong, if wrong[0] == "--version" { "takes a version" } else { "usage" });
    }
    let journal = machine.home.path().join(".local/state/osvpn/journal");
    fs::create_dir_all(journal.parent().unwrap()).unwrap();
    fs::write(&journal, "").unwrap();
    let said = machine.installs("", &["--uninstall"]);
    assert!(said.contains("Deleted") && said.contains(".local/state/osvpn"), "{said}");
    assert_eq!(machine.files(), [journal]);
    machine.refuses("", &["--uninstall"], "there is no ");
}

#[test]
fn what_is_not_whole_right_or_running_leaves_everything_as_it_was() {
    let right = works("2.0.0");
    let broken = archive("2.0.0", "exit 1");
    let sums = format!("{}  {}\n", sum(&right), archive_of("2.0.0"));
    let version_2 = |archive: &[u8], sent, sum| {
        published(vec![Published { version: "2.0.0", archive: archive.to_vec(), sent, sum }])
    };
    let servers = [
        (version_2(&right, Served::whole, sum(b"another")), "is not the one in SHA256SUMS"),
        (version_2(&right, Served::cut, sum(&right)), "cannot be downloaded"),
        (version_2(&broken, Served::whole, sum(&broken)), "does not run on this machine"),
        (
            FileServer::start(move |path| (path == "/SHA256SUMS").then(|| Served::whole(sums.clone().into_bytes()))),
            "cannot be downloaded",
        ),
        (FileServer::start(|_| None), "SHA256SUMS cannot be downloaded"),
    ];
    let before = good(&["1.0.0"]);
    for downloader in ["curl", "wget"] {
        for (server, why) in &servers {
            let machine = Machine::with(&[downloader, "sha256sum"]);
            machine.refuses(&server.url, &[], why);
            assert!(machine.files().is_empty(), "{:?}", machine.files());
            machine.installs(&before.url, &[]);
            machine.refuses(&server.url, &[], why);
            assert_eq!(machine.files(), [machine.program()]);
            let version = Command::new(machine.program()).output().unwrap();
            assert_eq!(said(&version, 0), "osvpn 1.0.0\n");
        }
    }
}

#[test]
fn a_line_of_the_sums_that_is_none_or_leads_elsewhere_is_not_followed() {
    let right = works("1.0.0");
    let (sum, end) = (sum(&right), format!("{}.tar.gz", platform()));
    for line in [
        format!("  osvpn-1.0.0-{end}"),
        format!("{}  osvpn-1.0.0-{end}", &sum[1..]),
        format!("{sum}  osvpn-1/../../osvpn-{end}"),
        format!("{sum}  osvpn-1 0-{end}"),
    ] {
        let right = right.clone();
        let server = FileServer::start(move |path| {
            Some(Served::whole(if path == "/SHA256SUMS" { format!("{line}\n").into_bytes() } else { right.clone() }))
        });
        for args in [&[][..], &["--version", "1.0.0"]] {
            Machine::usual().refuses(&server.url, args, "there is no osvpn ");
        }
        assert_eq!(server.asked(), ["/SHA256SUMS", "/SHA256SUMS"]);
    }
    // The dots are dots.
    Machine::usual().refuses(&good(&["1x0.0"]).url, &["--version", "1.0.0"], "there is no osvpn 1.0.0");
}

#[test]
fn a_hang_up_leaves_nothing_behind() {
    let (arrived, arrival) = std::sync::mpsc::channel();
    let (_go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let server = FileServer::start(move |_| {
        arrived.send(()).unwrap();
        let _ = wait.lock().unwrap().recv();
        None
    });
    let machine = Machine::usual();
    let mut started = machine.command(&server.url, &[]).process_group(0).spawn().unwrap();
    arrival.recv().unwrap();
    let group = format!("-{}", started.id());
    assert!(Command::new("kill").args(["-HUP", "--", &group]).status().unwrap().success());
    assert_eq!(started.wait().unwrap().code(), Some(129));
    assert!(machine.files().is_empty(), "{:?}", machine.files());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = ".ci/release runs it: openssl is needed"]
async fn what_is_asked_for_with_https_is_never_taken_in_clear_text() {
    let release = works("1.0.0");
    let sums = format!("{}  {}\n", sum(&release), archive_of("1.0.0"));
    let content = move |file: &str| {
        Some(Served::whole(if file == "SHA256SUMS" { sums.clone().into_bytes() } else { release.clone() }))
    };
    let served = content.clone();
    let clear = FileServer::start(move |path| served(&path[1..]));
    let url = clear.url.clone();
    let behind = FileServer::start(move |path| match path[1..].split_once('/').unwrap() {
        ("none", file) => Some(Served::moved(format!("{url}/{file}"))),
        ("sums", file) if file != "SHA256SUMS" => Some(Served::moved(format!("{url}/{file}"))),
        ("all", file) => Some(Served::moved(format!("/there/{file}"))),
        (_, file) => content(file),
    });
    let scratch = tempfile::tempdir().unwrap();
    let (https, authority) = over_tls(&behind.url, "localhost", scratch.path());
    let wgetrc = scratch.path().join("wgetrc");
    fs::write(&wgetrc, format!("ca_certificate = {}\n", authority.display())).unwrap();
    for downloader in ["curl", "wget"] {
        let machine = Machine::with(&[downloader, "sha256sum"]);
        let install = |over_tls: &str, code| {
            let mut command = machine.command(&format!("{https}/{over_tls}"), &[]);
            command.env("CURL_CA_BUNDLE", &authority).env("WGETRC", &wgetrc);
            said(&command.output().unwrap(), code)
        };
        for (over_tls, refused) in [("none", "SHA256SUMS"), ("sums", ".tar.gz")] {
            let text = install(over_tls, 1);
            assert!(text.contains(&format!("{refused} cannot be downloaded")), "{text}");
            assert!(machine.files().is_empty(), "{:?}", machine.files());
        }
        if downloader == "curl" {
            assert_eq!(clear.asked(), [""; 0]);
        }
        assert!(install("all", 0).contains("Installed osvpn 1.0.0"));
    }
}

#[test]
fn a_machine_that_cannot_do_it_is_told_why_before_anything_is_downloaded() {
    let server = good(&["1.0.0"]);
    Machine::with(&["sha256sum"]).refuses(&server.url, &[], "curl or wget is needed");
    Machine::with(&["curl"]).refuses(&server.url, &[], "sha256sum or shasum is needed");
    Machine::usual().refuses("", &[], "set OSVPN_BASE_URL");
    Machine::called("SunOS", "sun4u").refuses(&server.url, &[], "no archive for SunOS");
    Machine::called("Linux", "riscv64").refuses(&server.url, &[], "no archive for riscv64");
    Machine::called("MINGW64_NT", "x86_64").refuses(&server.url, &[], "WSL");
    let machine = Machine::usual();
    // Root may write to any directory, but not to that one.
    for place in ["/proc/osvpn", "/dev/null/bin"] {
        let mut command = machine.command(&server.url, &[]);
        let text = said(&command.env("OSVPN_BIN_DIR", place).output().unwrap(), 1);
        assert!(text.contains("cannot be written to"), "{text}");
    }
    assert_eq!(server.asked(), [""; 0]);
    let other = if std::env::consts::ARCH == "x86_64" { "aarch64" } else { "x86_64" };
    Machine::called("Linux", other).refuses(&server.url, &[], &format!("there is no osvpn for {other}-linux"));
}
