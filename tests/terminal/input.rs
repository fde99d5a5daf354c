//! What a terminal sends, and what becomes of the terminal when somebody else has it.

use std::os::unix::process::CommandExt;

use super::*;

/// What arrives while a VPN is open, where many a letter is a command. None of it is a key: the screen stays as it is.
const NO_KEYS: [(&str, &[&str]); 12] = [
    ("a colour", &["\x1b]11;rgb:dddd/dddd/dddd\x1b\\"]),
    ("a colour, ended by BEL", &["\x1b]10;rgb:dddd/dddd/dddd\x07"]),
    ("a colour in two pieces", &["\x1b]11;rgb:dd", "dd/dddd/dddd\x1b\\"]),
    ("a colour torn after Esc ]", &["\x1b]", "11;rgb:dddd/dddd/dddd\x1b\\"]),
    ("its name", &["\x1bP>|tmux 3.5a\x1b\\"]),
    ("a graphics answer", &["\x1b_Gi=31;dnsma\x1b\\"]),
    ("what it can do", &["\x1b[?64;1;2;6;9;15;18;21;22c\x1b[>0;276;0c\x1b[?2026;2$y"]),
    ("where the cursor is", &["\x1b[12;40R"]),
    ("the focus", &["\x1b[I\x1b[O"]),
    ("the mouse", &["\x1b[<0;10;5M\x1b[<0;10;5m\x1b[M dd"]),
    ("an unknown keypad key", &["\x1bOd"]),
    ("a key with Alt", &["\x1bd"]),
];

#[test]
fn what_a_terminal_sends_by_itself_is_no_key() {
    let scene = Scene::new(SimulatorSettings::demo());
    let mut pty = scene.wizard(&[]);
    pty.wait_for(STEPS[0]);
    pty.send(YOUR_VPNS);
    pty.send("\r");
    pty.wait_for("2 VPNs.");
    pty.send("1");
    let lines = |screen: String| screen.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    let screen = lines(pty.wait_for("[ Fix ]"));
    for (what, pieces) in NO_KEYS {
        for piece in pieces {
            pty.send(piece);
            // Longer than a person needs between two keys.
            Pty::pause();
        }
        // A key that does something, and the key that ends it: whatever came before them has been taken by then.
        pty.send("?");
        let help = pty.wait_for("[ Close ]");
        assert!(help.contains("┌ Help"), "{what} opened something:\n{help}");
        pty.send("?");
        let now = pty.wait("the help to go", |screen| !screen.contains("[ Close ]"));
        assert_eq!(lines(now), screen, "{what}");
    }
    pty.signal("TERM");
    pty.end();
}

#[test]
fn enter_is_enter_however_it_arrives_and_once() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    pty.settled(STEPS[0]);
    pty.send(STEPWISE);
    for (enter, next) in ["\n", "\x1bOM", "\r\n", "\x1b[13u"].iter().zip(&STEPS[1..]) {
        pty.send(enter);
        pty.settled(next);
    }
    // A second Enter would have gone on from there.
    Pty::pause();
    pty.settled(STEPS[4]);
    pty.signal("TERM");
    pty.end();
}

#[test]
fn a_paste_without_an_end_freezes_nothing_and_ctrl_c_is_heard_in_it() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    enter_until(&mut pty, STEPS[2]);
    pty.send("/\x1b[200~border");
    pty.wait_for("/ border");
    pty.send(ESC);
    pty.wait("the filter to end", |screen| !screen.contains("/ border"));
    pty.send("\x1b[200~abc");
    pty.send(CTRL_C);
    pty.wait_for("Leave osvpn?");
    pty.send(CTRL_C);
    assert_eq!(pty.end().0, 130);
}

/// Waits until what was typed is taken, and the window then has that width.
fn taken_at(pty: &mut Pty, columns: u16) {
    Pty::pause();
    pty.resize(columns, 10);
    pty.wait_for(&format!("this is {columns}x10"));
}

#[test]
fn in_a_window_that_is_too_small_work_goes_on_and_no_key_confirms_anything() {
    let scene = Scene::new(SimulatorSettings { report_interval: Duration::MAX, ..SimulatorSettings::default() });
    let before = scene.objects();
    let mut pty = scene.wizard(&[]);
    enter_until(&mut pty, "creates");
    pty.resize(40, 10);
    pty.wait_for("this is 40x10");
    pty.confirm("\r");
    pty.send("?\x1b[A\r");
    taken_at(&mut pty, 41);
    pty.resize(80, 24);
    pty.wait_for("creates 12 objects");
    assert_eq!(scene.objects(), before);
    pty.confirm("\r");
    pty.wait_for("waiting for ACTIVE");
    pty.resize(40, 10);
    pty.wait("what goes on", |screen| {
        screen.contains("this is 40x10") && screen.contains("hlz-por: waiting for ACTIVE")
    });
    pty.send("q");
    pty.wait_for("Waiting for an answer: Stop ");
    pty.confirm("\t\t\r");
    taken_at(&mut pty, 42);
    pty.wait_for("Ctrl-C again stops and keeps");
    pty.send(CTRL_C);
    assert_eq!(pty.end().0, 130);
    assert_eq!(scene.objects(), before + 12);
}

#[test]
fn a_terminal_that_knows_no_size_is_taken_for_the_usual_one() {
    let home = tempfile::tempdir().unwrap();
    let size = [("LINES", "30".to_owned()), ("COLUMNS", "100".to_owned())];
    for (vars, columns, rows) in [(&[][..], 80, 24), (&size, 100, 30)] {
        let mut pty = Pty::start_sized((0, 0), home.path(), &["--demo"], vars);
        pty.settled(STEPS[0]);
        pty.wait("all of it", |screen| {
            let drawn = (screen.lines().nth(1).map(|line| line.chars().count()), screen.lines().count());
            drawn == (Some(columns), rows)
        });
        pty.resize(80, 24);
        pty.settled(STEPS[0]);
        pty.signal("TERM");
        pty.end();
    }
}

#[test]
fn a_terminal_that_somebody_else_had_is_taken_again() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::start(home.path(), &["--demo"], &[]);
    pty.settled(STEPS[0]);
    for (stop, gives_back) in [("TSTP", true), ("STOP", false)] {
        pty.signal(stop);
        pty.wait_stopped();
        if gives_back {
            pty.wait_alternate(false);
        }
        pty.cook();
        pty.signal("CONT");
        pty.wait_alternate(true);
        pty.wait_raw();
        pty.settled(STEPS[0]);
        pty.send("?");
        pty.wait_for("[ Close ]");
        pty.send("?");
        pty.wait("the help to go", |screen| !screen.contains("[ Close ]"));
    }
    pty.signal("TERM");
    pty.end();
}

#[test]
fn every_signal_that_ends_the_program_gives_the_terminal_back_first() {
    let home = tempfile::tempdir().unwrap();
    for signal in ["QUIT", "USR1", "USR2", "ALRM"] {
        let pty = Pty::start(home.path(), &["--demo"], &[]);
        pty.settled(STEPS[0]);
        pty.signal(signal);
        let (ended, Printed { said, .. }) = pty.end();
        assert_eq!((ended, said.trim()), (130, "Nothing was created."), "{signal}");
    }
}

#[test]
fn what_a_program_that_was_killed_has_left_on_the_screen_is_cleared() {
    let home = tempfile::tempdir().unwrap();
    let pty = Pty::start(home.path(), &["--demo"], &[]);
    pty.settled(STEPS[0]);
    pty.signal("TERM");
    let (_, Printed { everything, .. }) = pty.end();
    let entered = everything.find("\x1b[?1049h").unwrap();
    let cleared = everything.find("\x1b[2J").unwrap();
    let drawn = everything.find("osvpn  ").unwrap();
    assert!(entered < cleared && cleared < drawn);
}

#[test]
fn without_a_terminal_it_says_how_to_get_one_and_what_needs_none() {
    let output = |command: &str| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", command]).env_clear().env("OSVPN", env!("CARGO_BIN_EXE_osvpn")).env("HOME", "/nonexistent");
        // Not in the foreground of the terminal the tests may be run from.
        shell.process_group(0);
        shell.output().unwrap()
    };
    let piped = output("echo | \"$OSVPN\" --demo");
    assert_eq!(piped.status.code(), Some(2));
    assert!(piped.stdout.is_empty(), "no escape sequence goes into a pipe");
    let said = String::from_utf8(piped.stderr).unwrap();
    for part in ["ssh -t HOST osvpn", "osvpn apply PLAN.toml"] {
        assert!(said.contains(part), "{part:?} is missing from\n{said}");
    }
}
