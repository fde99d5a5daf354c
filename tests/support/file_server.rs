//! Files over HTTP on loopback.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is sent of a file: all of it, or less than its length says.
pub struct Served {
    pub bytes: Vec<u8>,
    pub sent: usize,
}

impl Served {
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { sent: bytes.len(), bytes }
    }

    pub fn cut(bytes: Vec<u8>) -> Self {
        Self { sent: bytes.len() / 2, bytes }
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
    let (status, file) = match files(path) {
        Some(file) => ("200 OK", file),
        None => ("404 Not Found", Served::whole(b"none\n".to_vec())),
    };
    // Who has read enough may go.
    let _ = write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", file.bytes.len());
    let _ = stream.write_all(&file.bytes[..file.sent]);
}
