//! The wizard begun with what the other side has sent.

use super::*;

const FORTIOS: &str = include_str!("../peer_sheets/samples/fortios.txt");
const KEY: &str = "Qb7nW2kd9Rt4Lm8Zc3Vx6Hs1";

/// For the border router of Hamilton, with a key that can be read.
fn fortios() -> String {
    let key = format!("psksecret \"{KEY}\"");
    let text =
        FORTIOS.replace("203.0.113.9", "203.0.113.20").replace("psksecret ENC aGVsbG8gdGhlcmUsIG5vdCByZWFs", &key);
    // The other subnet of that router.
    text.replace("10.0.1.0 255.255.255.0", "10.0.0.0 255.255.255.0")
}

#[test]
fn a_file_leads_to_the_review_with_its_values() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("fw.conf"), fortios()).unwrap();
    let mut pty = Pty::start(home.path(), &["--demo", "--from", "fw.conf"], &[]);
    let page = pty.wait("what was read", |screen| screen.contains("203.0.113.20 is border-router"));
    assert!(page.contains("line 16: not understood") && !page.contains(KEY), "{page}");
    pty.settled("Which end of the text is the peer?");
    pty.send("\r");
    let review = pty.settled("creates 6 objects");
    for value in ["198.51.100.7", "192.168.7.0/24", "FortiGate", "border-router"] {
        assert!(review.contains(value), "{value} is missing from\n{review}");
    }
    assert!(!review.contains(KEY), "{review}");
    pty.send("q");
    pty.settled("Leave osvpn?");
    pty.confirm(CTRL_C);
    let (_, Printed { everything, .. }) = pty.end();
    assert!(!everything.contains(KEY), "{everything}");
}

#[test]
fn a_file_that_is_none_is_refused_before_anything_else() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(home.path().join(name), content).unwrap();
    write("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01");
    write("long.conf", &vec![b'x'; 10 << 20]);
    write("key.pem", b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n");
    write("openrc", b"export OS_AUTH_URL=https://keystone\nexport OS_PASSWORD=Hunter2Hunter2\n");
    write("empty", b"");
    for (name, reason) in [
        ("picture.png", "no text"),
        ("long.conf", "too long"),
        ("key.pem", "a private key"),
        ("openrc", "an openrc file"),
        ("empty", "empty"),
        ("nowhere", "no such file"),
    ] {
        let pty = Pty::start(home.path(), &["--demo", "--from", name], &[]);
        let (code, Printed { everything, .. }) = pty.end();
        assert_eq!(code, 2, "{name}: {everything}");
        assert!(everything.contains(reason), "{name}: {everything}");
        assert!(!everything.contains("Hunter2") && !everything.contains("MIIEvQ"), "{everything}");
    }
}
