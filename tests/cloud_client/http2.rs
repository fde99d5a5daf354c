//! Hosts that speak HTTP/2, and how many connections they get.

use futures::future::join_all;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A host behind TLS, and how many connections it was asked for.
struct Host {
    listener: TcpListener,
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Host {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        Self { listener, url, connections: Arc::default() }
    }

    /// Answers with that token, or with an empty list of whatever is asked for.
    fn serve(self, protocols: &[&str], token: Value) -> Arc<AtomicUsize> {
        let mut tls = tls_of_a_server();
        tls.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let (tls, connections) = (TlsAcceptor::from(Arc::new(tls)), Arc::clone(&self.connections));
        tokio::spawn(async move {
            while let Ok((socket, _)) = self.listener.accept().await {
                self.connections.fetch_add(1, Ordering::SeqCst);
                let (tls, token) = (tls.clone(), token.clone());
                tokio::spawn(async move {
                    let stream = tls.accept(socket).await.unwrap();
                    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let answer = service_fn(move |request| answered(request, token.clone()));
                    let stream = TokioIo::new(stream);
                    let _ = if is_http2 {
                        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                            .serve_connection(stream, answer)
                            .await
                    } else {
                        hyper::server::conn::http1::Builder::new().serve_connection(stream, answer).await
                    };
                });
            }
        });
        connections
    }
}

async fn answered(request: hyper::Request<Incoming>, token: Value) -> Result<Response, Infallible> {
    // Long enough for requests that are sent together to be in progress together.
    tokio::time::sleep(Duration::from_millis(20)).await;
    if request.uri().path() == "/v3/auth/tokens" {
        return Ok((StatusCode::CREATED, [("x-subject-token", "t")], axum::Json(token)).into_response());
    }
    Ok(empty(&request.map(Body::new)))
}

/// How many connections Keystone and each of three regions get by whoever reads all regions at once, twice.
async fn connections(protocols: &[&str]) -> Vec<usize> {
    let keystone = Host::new().await;
    let regions = join_all([Host::new(), Host::new(), Host::new()]).await;
    let mut token = catalogue("");
    token["token"]["catalog"][0]["endpoints"] = regions
        .iter()
        .map(|host| json!({"interface": "public", "region_id": host.url.rsplit(':').next(), "url": host.url}))
        .collect();
    let mut credentials = credentials(&keystone.url);
    credentials.tls.insecure = true;
    let hosts = std::iter::once(keystone).chain(regions);
    let counts: Vec<_> = hosts.map(|host| host.serve(protocols, token.clone())).collect();
    let SignIn::Done(cloud) = Cloud::begin(&credentials, limits()).await.unwrap() else { panic!() };
    let regions = cloud.regions();
    for _ in 0..2 {
        for read in join_all(regions.iter().map(Region::inventory)).await {
            read.unwrap();
        }
    }
    counts.iter().map(|count| count.load(Ordering::SeqCst)).collect()
}

#[tokio::test]
async fn a_host_that_speaks_http_2_gets_one_connection() {
    assert_eq!(connections(&["h2", "http/1.1"]).await, [1; 4]);
    let of_http_1 = connections(&["http/1.1"]).await;
    assert!(
        of_http_1[1..].iter().all(|count| (2..=5).contains(count)),
        "one for each request in progress: {of_http_1:?}"
    );
}
