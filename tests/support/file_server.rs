//! Files over HTTP on loopback.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is sent of a file: all of it, less than its length says, or where it is instead.
pub struct Served {
    bytes: Vec<u8>,
    sent: usize,
    moved_to: Option<String>,
}

impl Served {
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { sent: bytes.len(), bytes, moved_to: None }
    }

    pub fn cut(bytes: Vec<u8>) -> Self {
        Self { sent: bytes.len() / 2, bytes, moved_to: None }
    }

    pub fn moved(url: String) -> Self {
        Self { moved_to: Some(url), ..Self::whole(Vec::new()) }
    }
}

pub struct FileServer {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FileServer {
    /// `files` gets what stands between method and version of each request.
    pub fn start(files: impl Fn(&str) -> Option<Served> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (files, log) = (Arc::new(files), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, log) = (Arc::clone(&files), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &*files, &log));
            }
        });
        Self { url, asked }
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, files: &dyn Fn(&str) -> Option<Served>, log: &Mutex<Vec<String>>) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(path) = head.first().and_then(|first| first.split(' ').nth(1)) else { return };
    log.lock().unwrap().push(path.to_owned());
    let found = files(path);
    let status = match &found {
        Some(Served { moved_to: Some(url), .. }) => format!("302 Found\r\nlocation: {url}"),
        Some(_) => "200 OK".to_owned(),
        None => "404 Not Found".to_owned(),
    };
    let file = found.unwrap_or_else(|| Served::whole(b"none\n".to_vec()));
    // Who has read enough may go.
    let _ = write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", file.bytes.len());
    let _ = stream.write_all(&file.bytes[..file.sent]);
}
