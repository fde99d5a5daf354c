//! TLS in front of a server that has none.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// An https address of what is at the http one, under that name, and the authority that has signed the server's certificate.
/// It needs the command `openssl`.
pub fn over_tls(http: &str, name: &str, scratch: &Path) -> (String, PathBuf) {
    let openssl = |more: &str| {
        let line =
            format!("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 {more} 2>/dev/null");
        let status = Command::new("sh").args(["-c", &line]).current_dir(scratch).status().unwrap();
        assert!(status.success(), "{line}");
    };
    openssl("-subj /CN=authority -keyout authority.key -out authority.pem");
    openssl(&format!(
        "-subj /CN=server -keyout server.key -out server.pem -CA authority.pem -CAkey authority.key \
         -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:{name}"
    ));
    let certificate = CertificateDer::from_pem_file(scratch.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(scratch.join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let url = format!("https://{name}:{}", listener.local_addr().unwrap().port());
    let behind = http.trim_start_matches("http://").to_owned();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let mut server = TcpStream::connect(behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (url, scratch.join("authority.pem"))
}
