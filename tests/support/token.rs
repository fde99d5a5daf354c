//! A token as a script has it that signed in on its own.

use std::io::{Read, Write};
use std::net::TcpStream;

use osvpn::simulator::{PASSWORD, Simulator};

/// Signs in by hand and takes the token.
pub fn token(cloud: &Simulator) -> String {
    let host = cloud.auth_url().replace("http://", "").replace("/v3", "");
    let body = format!(
        r#"{{"auth": {{"identity": {{"methods": ["password"], "password": {{"user": {{"name": "demo",
        "domain": {{"name": "Default"}}, "password": "{PASSWORD}"}}}}}},
        "scope": {{"project": {{"name": "demo", "domain": {{"name": "Default"}}}}}}}}}}"#
    );
    let mut stream = TcpStream::connect(&host).unwrap();
    let length = body.len();
    let head = format!("POST /v3/auth/tokens HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-subject-token").then(|| value.to_owned())
    };
    answer.lines().find_map(header).unwrap()
}
