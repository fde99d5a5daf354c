//! What `.ci/release` has made, in root file systems that have nothing for it: one that is empty but for the program and
//! `/etc/resolv.conf`, and a minimal Debian. `.ci/release` says where both are, and runs these tests; root is needed.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use osvpn::simulator::{Simulator, SimulatorSettings};
use tempfile::TempDir;

use crate::support::file_server::{FileServer, Served};
use crate::support::over_tls::over_tls;
use crate::support::pty::Pty;

const CHROOT: &str = "/usr/sbin/chroot";

fn directory(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable);
    PathBuf::from(value.unwrap_or_else(|| panic!("{variable} is not set: .ci/release runs these tests")))
}

fn released() -> PathBuf {
    directory("OSVPN_RELEASED")
}

#[track_caller]
fn succeeds(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

/// What is to be another machine, on this one's network.
struct Root {
    directory: TempDir,
    program: &'static str,
}

impl Root {
    /// Nothing but the program and `/etc/resolv.conf`, which names the name server of [`names`].
    fn empty() -> Self {
        Self::furnished(tempfile::tempdir().unwrap(), "/osvpn")
    }

    /// Debian, whose `/etc/nsswitch.conf` has modules look names up.
    fn debian() -> Self {
        let directory = tempfile::tempdir().unwrap();
        succeeds(Command::new("cp").arg("-aT").arg(directory_of_debian()).arg(directory.path()));
        fs::write(directory.path().join("etc/nsswitch.conf"), "hosts: mymachines resolve\npasswd: sss\n").unwrap();
        Self::furnished(directory, "/usr/bin/osvpn")
    }

    fn both() -> [Self; 2] {
        [Self::empty(), Self::debian()]
    }

    fn furnished(directory: TempDir, program: &'static str) -> Self {
        let root = Self { directory, program };
        fs::create_dir_all(root.path("/etc")).unwrap();
        fs::write(root.path("/etc/resolv.conf"), format!("nameserver {NAME_SERVER}\n")).unwrap();
        let archive = format!("osvpn-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
        let unpacked = tempfile::tempdir().unwrap();
        let packed = released().join(format!("{archive}.tar.gz"));
        succeeds(Command::new("tar").arg("-xzf").arg(packed).arg("-C").arg(unpacked.path()));
        fs::copy(unpacked.path().join(archive).join("osvpn"), root.path(program)).unwrap();
        root
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.directory.path().join(inside.trim_start_matches('/'))
    }

    /// Runs the program there to its end.
    fn run(&self, args: &[&str], vars: &[(&str, String)]) -> Output {
        let mut command = Command::new(CHROOT);
        command.arg(self.directory.path()).arg(self.program).args(args).env_clear().env("HOME", "/");
        command.envs(vars.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Starts a line of commands there on a terminal.
    fn start(&self, line: &str) -> Pty {
        let vars = [("ROOT", self.directory.path().display().to_string()), ("HOME", "/".to_owned())];
        Pty::start_shell_with(self.directory.path(), &format!("exec {CHROOT} \"$ROOT\" {line}"), &vars)
    }
}

fn directory_of_debian() -> PathBuf {
    directory("OSVPN_DEBIAN_ROOT")
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

const NAME_SERVER: &str = "127.53.53.53";

/// A name server that knows every name, as 127.0.0.1.
fn names() {
    let socket = UdpSocket::bind((NAME_SERVER, 53)).unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            // Header, name, type and class. Any name has an A record and no other.
            let end = 12 + query[12..length].iter().position(|byte| *byte == 0).unwrap() + 5;
            let is_a = query[end - 4..end - 2] == [0, 1];
            let mut answer = query[..end].to_vec();
            answer[2..4].copy_from_slice(&[0x81, 0x80]);
            answer[6..12].copy_from_slice(&[0, u8::from(is_a), 0, 0, 0, 0]);
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&answer, from);
        }
    });
}

#[test]
#[ignore = ".ci/release runs it"]
fn the_wizard_shows_its_first_page_and_makes_a_vpn_where_there_is_nothing_else() {
    for root in Root::both() {
        let mut pty = root.start(&format!("{} --demo", root.program));
        pty.wait_for("What should be connected?");
        println!("first frame in {}: {:?}", root.program, pty.started.elapsed());
        pty.send("q");
        pty.end();

        let mut pty = root.start(&format!("{} --demo --plain", root.program));
        for said in ["Name: hlz-por", "Create: 12 objects", "[1] Admit traffic", "carries traffic"] {
            pty.wait(said, |screen| screen.contains(said) && screen.trim_end().ends_with(':'));
            pty.confirm("\r");
        }
        let (code, printed) = pty.end();
        assert_eq!(code, 0, "{}", printed.everything);
        assert!(printed.everything.contains("VPN hlz-por is ACTIVE"), "{}", printed.everything);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = ".ci/release runs it"]
async fn names_proxies_and_certificates_need_nothing_of_the_machine() {
    names();
    let cloud = Simulator::start(SimulatorSettings::default()).await.unwrap();
    let vars = |changed: &[(&'static str, String)]| {
        let mut vars = cloud.environment();
        vars.retain(|(name, _)| changed.iter().all(|(other, _)| name != other));
        vars.extend_from_slice(changed);
        vars
    };
    let by_name = cloud.auth_url().replace("127.0.0.1", "cloud.example");
    let scratch = tempfile::tempdir().unwrap();
    let (https, authority) = over_tls(cloud.auth_url().trim_end_matches("/v3"), "tls.example", scratch.path());
    let https = format!("{https}/v3");
    let proxy = FileServer::start(|_| None);
    let port = proxy.url.rsplit(':').next().unwrap();
    let mut listed = Vec::new();
    for root in Root::both() {
        listed.push(said(&root.run(&["list"], &vars(&[])), 0));
        listed.push(said(&root.run(&["list"], &vars(&[("OS_AUTH_URL", by_name.clone())])), 0));

        let proxied = [("OS_AUTH_URL", by_name.clone()), ("http_proxy", format!("http://proxy.example:{port}"))];
        said(&root.run(&["list"], &vars(&proxied)), 1);
        let asked = proxy.asked();
        assert_eq!(asked.last(), Some(&format!("{by_name}/auth/tokens")), "{asked:?}");

        let untrusted = said(&root.run(&["list"], &vars(&[("OS_AUTH_URL", https.clone())])), 1);
        assert!(untrusted.contains("is not trusted") && untrusted.contains("OS_CACERT"), "{untrusted}");
        fs::copy(&authority, root.path("/authority.pem")).unwrap();
        let trusted = [("OS_AUTH_URL", https.clone()), ("OS_CACERT", "/authority.pem".to_owned())];
        listed.push(said(&root.run(&["list"], &vars(&trusted)), 0));
        // As a machine's own list of authorities.
        fs::create_dir_all(root.path("/etc/ssl/certs")).unwrap();
        fs::copy(&authority, root.path("/etc/ssl/certs/ca-certificates.crt")).unwrap();
        listed.push(said(&root.run(&["list"], &vars(&trusted[..1])), 0));
    }
    let without_warning = |text: &String| text.lines().filter(|line| !line.starts_with("warning:")).count();
    assert!(listed.iter().all(|text| without_warning(text) == without_warning(&listed[0])), "{listed:#?}");
}

#[test]
#[ignore = ".ci/release runs it"]
fn a_real_cloud_takes_a_sign_in_from_there() {
    let Ok(auth_url) = std::env::var("OSVPN_TEST_AUTH_URL") else {
        assert!(std::env::var_os("OSVPN_REQUIRE_REAL").is_none(), "OSVPN_TEST_AUTH_URL is not set");
        println!("skipped: OSVPN_TEST_AUTH_URL is not set (tests/openstack/env prints it)");
        return;
    };
    let known = [("OS_USERNAME", "demo"), ("OS_PASSWORD", "demo"), ("OS_PROJECT_NAME", "demo")];
    let mut vars = known.map(|(name, value)| (name, value.to_owned())).to_vec();
    vars.push(("OS_AUTH_URL", auth_url));
    for root in Root::both() {
        println!("{}: {}", root.program, said(&root.run(&["list"], &vars), 0));
    }
}

/// Types a command at the prompt, and waits for that to be said, once the line itself is.
#[track_caller]
fn at_the_prompt(shell: &mut Pty, line: &str, expected: &str) {
    shell.wait("the prompt", |screen| screen.trim_end().ends_with('#'));
    shell.send("clear\r");
    shell.wait("an empty screen", |screen| screen.trim() == "#");
    shell.send(line);
    shell.wait_for(expected);
}

#[test]
#[ignore = ".ci/release runs it"]
fn a_newcomer_installs_it_tries_it_completes_a_command_and_reads_a_manual_page() {
    let root = Root::debian();
    fs::remove_file(root.path(root.program)).unwrap();
    let directory = released();
    let files = directory.clone();
    let server = FileServer::start(move |path| fs::read(files.join(&path[1..])).ok().map(Served::whole));
    fs::copy(directory.join("install.sh"), root.path("/root/install.sh")).unwrap();
    let environment = "HOME=/root PATH=/root/.local/bin:/usr/sbin:/usr/bin:/sbin:/bin PS1='# ' TERM=xterm MANPAGER=cat";
    let mut shell = root.start(&format!("/usr/bin/env {environment} /bin/bash --norc -i"));
    at_the_prompt(&mut shell, &format!("cd; OSVPN_BASE_URL={} sh install.sh\r", server.url), "Try it: osvpn --demo");
    at_the_prompt(&mut shell, "osvpn --demo --plain\r", "Number [1]:");
    shell.confirm("q\r");
    let completions = ".local/share/bash-completion/completions";
    let lines = format!("mkdir -p {completions}; osvpn completions bash > {completions}/osvpn; echo do''ne\r");
    at_the_prompt(&mut shell, &lines, "done");
    at_the_prompt(&mut shell, ". /usr/share/bash-completion/bash_completion; echo do''ne\r", "done");
    at_the_prompt(&mut shell, "osvpn rot\t", "osvpn rotate-psk");
    // Deletes the line.
    shell.send("\x15");
    at_the_prompt(&mut shell, "osvpn man --output .local/share/man; echo do''ne\r", "done");
    at_the_prompt(&mut shell, "man osvpn-apply | head -n 12\r", "osvpn-apply(1)");
    at_the_prompt(&mut shell, "sh install.sh --uninstall\r", "Deleted /root/.local/bin/osvpn.");
    shell.send("exit\r");
    println!("{}", shell.end().1.everything);
}
