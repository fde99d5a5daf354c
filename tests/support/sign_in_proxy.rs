//! A door before the simulated Keystone, so that a test can sign in with a password and a passcode that stand nowhere
//! else: the simulated ones are words that do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use osvpn::simulator::{PASSCODE, PASSWORD, Simulator};

pub const KNOWN_PASSWORD: &str = "Kn0wnPassw0rd-That-Stands-Nowhere-Else";
pub const KNOWN_PASSCODE: &str = "Kn0wnPasscode987654";

/// The Keystone behind it takes the known password and passcode. Its address.
pub fn doorman(cloud: &Simulator) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v3", listener.local_addr().unwrap());
    let rest = cloud.auth_url();
    let host = rest.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let host = host.clone();
            std::thread::spawn(move || pass_on(stream.unwrap(), &host));
        }
    });
    url
}

fn pass_on(mut client: TcpStream, host: &str) {
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    let (head, body) = loop {
        let Ok(read @ 1..) = client.read(&mut chunk) else { return };
        received.extend_from_slice(&chunk[..read]);
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0_usize);
        if received.len() >= end + 4 + length {
            break (String::from_utf8_lossy(&received[..end]).into_owned(), received[end + 4..].to_vec());
        }
    };
    let body = String::from_utf8(body).unwrap().replace(KNOWN_PASSWORD, PASSWORD).replace(KNOWN_PASSCODE, PASSCODE);
    let kept = head.lines().filter(|line| !line.to_lowercase().starts_with("content-length:"));
    let head = kept.collect::<Vec<_>>().join("\r\n");
    let mut server = TcpStream::connect(host).unwrap();
    let request = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    server.write_all(request.as_bytes()).unwrap();
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}
