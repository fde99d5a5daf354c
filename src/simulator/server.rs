//! The HTTP side: one listener, hyper underneath, because a fault has to be able to drop a connection without a word.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::{Answer, no_such_path};
use super::call::{Call, parse_query};
use super::faults::{FaultEffect, InjectedFault, Scripted};
use super::log::LoggedRequest;
use super::world::World;
use super::{keystone, neutron, vpnaas};

pub(super) struct Shared {
    world: Mutex<World>,
    faults: Mutex<Vec<InjectedFault>>,
    log: Mutex<Vec<LoggedRequest>>,
    /// The most connections that were open at once.
    most_connections: AtomicUsize,
    down: watch::Sender<bool>,
}

impl Shared {
    pub fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            faults: Mutex::default(),
            log: Mutex::default(),
            most_connections: AtomicUsize::new(0),
            down: watch::Sender::new(false),
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.world);
        world.catch_up();
        world
    }

    #[cfg(feature = "faults")]
    pub fn most_connections(&self) -> usize {
        self.most_connections.load(Ordering::Relaxed)
    }

    /// Refuses all requests, or accepts them again.
    pub fn set_down(&self, down: bool) {
        self.down.send_replace(down);
    }

    pub fn faults(&self) -> MutexGuard<'_, Vec<InjectedFault>> {
        lock(&self.faults)
    }

    pub fn log(&self) -> MutexGuard<'_, Vec<LoggedRequest>> {
        lock(&self.log)
    }
}

/// A test that failed while it held a lock must not fail others in its turn.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until the task is aborted; the connections end with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut down = shared.down.subscribe();
    let address = listener.local_addr();
    let mut listener = Some(listener);
    loop {
        if *down.borrow_and_update() {
            listener = None;
            connections.shutdown().await;
            let _ = down.wait_for(|down| !down).await;
        }
        let Some(listener) = (match (listener.take(), &address) {
            (Some(listener), _) => Some(listener),
            (None, Ok(address)) => TcpListener::bind(address).await.ok(),
            (None, Err(_)) => None,
        })
        .map(|bound| &*listener.insert(bound)) else {
            return;
        };
        tokio::select! {
            _ = down.changed() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                // Many small answers follow one another on a connection.
                let _ = stream.set_nodelay(true);
                let served = Arc::clone(&shared);
                connections.spawn(async move {
                    let service = service_fn(move |request| handle(Arc::clone(&served), request));
                    // An error here is a client that went away, or a fault that did what it should.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
                while connections.try_join_next().is_some() {}
                shared.most_connections.fetch_max(connections.len(), Ordering::Relaxed);
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn handle(shared: Arc<Shared>, request: HttpRequest<Incoming>) -> Result<Response<Pieces>, Cut> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let whole = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let value = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let call = Call {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(parse_query).unwrap_or_default(),
        token: value("X-Auth-Token"),
        subject: value("X-Subject-Token"),
        receipt: value("Openstack-Auth-Receipt"),
        body,
    };
    let sequence = arrive(&shared, &call, &whole);
    let effect = shared.faults().iter_mut().find_map(|fault| fault.strike(&call, &whole));
    shared.faults().retain(|fault| !fault.is_spent());
    let latency = lock(&shared.world).settings.latency;
    let pause = latency + effect.as_ref().map_or(Duration::ZERO, FaultEffect::delay);
    let answer = if effect.as_ref().is_none_or(FaultEffect::acts) {
        work(&shared, call, pause, effect.clone()).await
    } else {
        wait(pause).await;
        None
    };
    let cut = matches!(effect, Some(FaultEffect::CutAnswer));
    let answer = match (effect, answer) {
        (Some(FaultEffect::Answer(scripted) | FaultEffect::ActThenAnswer(scripted)), _) => play(&scripted),
        (Some(FaultEffect::Hang | FaultEffect::ActThenHang), _) => std::future::pending().await,
        (Some(FaultEffect::GoDown), _) => {
            shared.set_down(true);
            return Err(leave(&shared, sequence));
        }
        (Some(FaultEffect::CloseBefore | FaultEffect::CloseAfter), _) | (_, None) => {
            return Err(leave(&shared, sequence));
        }
        (_, Some(answer)) => answer,
    };
    if let Some(entry) = shared.log().get_mut(sequence) {
        entry.status = Some(answer.status);
        entry.finished = Some(Instant::now());
    }
    let id = lock(&shared.world).uuid();
    Ok(respond(answer, &id, cut))
}

fn arrive(shared: &Shared, call: &Call, path: &str) -> usize {
    let mut log = shared.log();
    let sequence = log.len();
    log.push(LoggedRequest {
        sequence,
        method: call.method.clone(),
        path: path.to_owned(),
        region: call.region().map(str::to_owned),
        status: None,
        started: Instant::now(),
        finished: None,
        authenticated: call.token.is_some(),
    });
    sequence
}

fn leave(shared: &Shared, sequence: usize) -> Cut {
    if let Some(entry) = shared.log().get_mut(sequence) {
        entry.finished = Some(Instant::now());
    }
    Cut
}

/// Lets a request take effect after a pause, whether or not its sender still waits by then: a server that is busy with a
/// request does not notice. None if the simulator was stopped meanwhile.
async fn work(shared: &Arc<Shared>, call: Call, pause: Duration, effect: Option<FaultEffect>) -> Option<Answer> {
    let shared = Arc::downgrade(shared);
    let task = tokio::spawn(async move {
        wait(pause).await;
        match &effect {
            Some(FaultEffect::Held(gate)) => gate.pass().await,
            Some(FaultEffect::Together(barrier)) => {
                barrier.wait().await;
            }
            _ => {}
        }
        let shared = shared.upgrade()?;
        let mut world = shared.world();
        let answer = act(&mut world, &call);
        if let Some(FaultEffect::Held(gate)) = &effect {
            gate.note_act();
        }
        match effect {
            Some(FaultEffect::FailService(scripted)) if fail_service(&mut world, &call, &answer) => {
                Some(play(&scripted))
            }
            _ => Some(answer),
        }
    });
    task.await.ok().flatten()
}

async fn wait(pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}

/// Whether a VPN service was just made, which then is one without a gateway.
fn fail_service(world: &mut World, call: &Call, answer: &Answer) -> bool {
    let made = serde_json::from_str::<Value>(&answer.body).ok().filter(|_| answer.status == 201);
    let id = made.as_ref().and_then(|body| body["vpnservice"]["id"].as_str());
    let region = call.region().and_then(|region| world.region_mut(region));
    id.zip(region).map(|(id, region)| vpnaas::fail_service(region, id)).is_some()
}

fn act(world: &mut World, call: &Call) -> Answer {
    let segments = call.segments();
    let answer = if let ["network", region, path @ ..] = segments.as_slice() {
        match world.regions.iter().position(|found| found.id == *region) {
            Some(at) => neutron::answer(world, at, path, call),
            None => Err(no_such_path()),
        }
    } else {
        keystone::answer(world, &segments, call).map(|answer| answer.with("Vary", "X-Auth-Token"))
    };
    world.is_changed |= call.method != "GET";
    answer.unwrap_or_else(|refusal| refusal)
}

fn play(scripted: &Scripted) -> Answer {
    Answer { status: scripted.status, headers: scripted.headers.clone(), body: scripted.body.clone() }
}

fn respond(answer: Answer, id: &str, cut: bool) -> Response<Pieces> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_LENGTH, answer.body.len().into());
    let request_id = ("x-openstack-request-id".to_owned(), format!("req-{id}"));
    for (name, value) in answer.headers.iter().chain([&request_id]) {
        if let (Ok(name), Ok(value)) = (name.parse::<hyper::header::HeaderName>(), value.parse()) {
            headers.append(name, value);
        }
    }
    if answer.status == 204 {
        headers.remove(CONTENT_LENGTH);
    }
    let body = Bytes::from(answer.body);
    let pieces = if cut {
        // The headers promise the whole answer; half of it comes, and then the connection ends.
        VecDeque::from([Ok(body.slice(..body.len() / 2)), Err(Cut)])
    } else {
        VecDeque::from([Ok(body)])
    };
    let mut response = Response::new(Pieces(pieces));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or_default();
    *response.headers_mut() = headers;
    response
}

async fn read(mut body: Incoming) -> Result<Bytes, Cut> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.map_err(|_| Cut)?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.into())
}

/// A body that can end before it is whole.
struct Pieces(VecDeque<Result<Bytes, Cut>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        Poll::Ready(self.0.pop_front().map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Makes hyper drop the connection where it stands.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulator dropped this connection on purpose")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
