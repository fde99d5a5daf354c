//! Faults a test plants in the path of chosen requests.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Barrier, Semaphore};

use super::call::Call;

/// What happens to a request instead of, or on top of, its normal course.
#[derive(Clone, Debug)]
pub enum FaultEffect {
    /// It is answered like this and changes nothing.
    Answer(Scripted),
    /// It takes effect, and then is answered like this all the same.
    ActThenAnswer(Scripted),
    /// Its TCP connection is closed without an answer, and it changes nothing.
    CloseBefore,
    /// It takes effect, and its TCP connection is closed without an answer.
    CloseAfter,
    /// It takes effect, and half of the answer arrives before the TCP connection closes.
    CutAnswer,
    /// The cloud goes down: all connections are closed without an answer, this request changes nothing, and new
    /// connections are refused until `Simulator::come_back`.
    GoDown,
    /// It is never answered and changes nothing.
    Hang,
    /// It takes effect and is never answered.
    ActThenHang,
    /// It takes effect this much later, even if its sender no longer waits.
    Delay(Duration),
    /// It takes effect once the gate is opened, even if its sender no longer waits.
    Held(Gate),
    /// It takes effect once as many requests as the barrier counts wait for it together.
    Together(Arc<Barrier>),
    /// It makes a VPN service whose gateway cannot be built, and is answered like this: the service stays behind with the
    /// name and description it was sent with, in status `ERROR` and without addresses, until it is deleted. Only the OVN
    /// plugin does that. A request that makes no VPN service, or is refused anyway, takes its normal course.
    FailService(Scripted),
}

/// What holds requests back until a test lets them through, and tells how far they are.
#[derive(Clone, Debug)]
pub struct Gate {
    way: Arc<Semaphore>,
    arrived: Arc<Semaphore>,
    acted: Arc<Semaphore>,
}

impl Gate {
    #[must_use]
    pub fn closed() -> Self {
        let none = || Arc::new(Semaphore::new(0));
        Self { way: none(), arrived: none(), acted: none() }
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        self.way.close();
    }

    /// Waits until a request has come to it.
    pub async fn arrived(&self) {
        let _ = self.arrived.acquire().await;
    }

    /// Waits until a request that was let through has been acted upon, be it with a refusal.
    pub async fn acted(&self) {
        let _ = self.acted.acquire().await;
    }

    /// Waits until it is open.
    pub(super) async fn pass(&self) {
        self.arrived.add_permits(1);
        // Nothing is ever given out: the only answer is that it was closed, which opens the way.
        let _ = self.way.acquire().await;
    }

    pub(super) fn note_act(&self) {
        self.acted.add_permits(1);
    }
}

#[derive(Clone, Debug, Default)]
pub struct Scripted {
    pub status: u16,
    /// Headers besides `Content-Length`, the date and the request id.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl FaultEffect {
    /// An answer with that status and the body an OpenStack service would send with it.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer(Scripted::status(status))
    }

    /// 429 Too Many Requests, asking to wait that many seconds.
    #[must_use]
    pub fn too_many_requests(retry_after: u64) -> Self {
        let mut scripted = Scripted::status(429);
        scripted.headers.push(("Retry-After".to_owned(), retry_after.to_string()));
        Self::Answer(scripted)
    }

    /// A VPN service whose gateway is in error: 409 `VPNGatewayInError`, and [`Self::FailService`].
    #[must_use]
    pub fn gateway_in_error() -> Self {
        let message = "VPN gateway is in ERROR state. Please remove all errored VPN services and try again.";
        Self::FailService(Scripted::neutron(409, "VPNGatewayInError", message))
    }

    /// A VPN service in a region without a live VPN agent: 503 `NoVPNAgentAvailable`, and [`Self::FailService`].
    #[must_use]
    pub fn no_vpn_agent() -> Self {
        Self::FailService(Scripted::neutron(503, "NoVPNAgentAvailable", "No VPN agent available"))
    }

    /// How much later than usual it takes effect.
    pub(super) fn delay(&self) -> Duration {
        if let Self::Delay(delay) = self { *delay } else { Duration::ZERO }
    }

    pub(super) fn acts(&self) -> bool {
        !matches!(self, Self::Answer(_) | Self::Hang | Self::CloseBefore | Self::GoDown)
    }
}

impl Scripted {
    /// That status, with an error body in Neutron's form.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::neutron(status, "SimulatedFault", "This answer was planted by a test.")
    }

    /// That status, with Neutron's error body of that type and message.
    #[must_use]
    pub fn neutron(status: u16, class: &str, message: &str) -> Self {
        let answer = super::answer::neutron(status, class, message);
        Self { status, headers: answer.headers, body: answer.body }
    }
}

/// Which requests meet which effect. Everything not said matches everything.
#[derive(Clone, Debug)]
pub struct InjectedFault {
    method: Option<String>,
    path: Option<String>,
    region: Option<String>,
    token: Option<String>,
    skip: usize,
    times: usize,
    limit: Option<RateLimit>,
    effect: FaultEffect,
}

/// How many requests are answered within a time.
#[derive(Clone, Debug)]
struct RateLimit {
    count: usize,
    time: Duration,
    answered: VecDeque<Instant>,
}

impl RateLimit {
    fn allows(&mut self, now: Instant) -> bool {
        while self.answered.front().is_some_and(|then| now.duration_since(*then) >= self.time) {
            self.answered.pop_front();
        }
        let allows = self.answered.len() < self.count;
        if allows {
            self.answered.push_back(now);
        }
        allows
    }
}

impl InjectedFault {
    /// Strikes the first request there is.
    #[must_use]
    pub fn new(effect: FaultEffect) -> Self {
        Self { method: None, path: None, region: None, token: None, skip: 0, times: 1, limit: None, effect }
    }

    /// 429 for every request beyond that many within that time. Refused ones do not count.
    #[must_use]
    pub fn at_most(count: usize, time: Duration) -> Self {
        let limit = Some(RateLimit { count, time, answered: VecDeque::new() });
        Self { limit, ..Self::new(FaultEffect::status(429)).always() }
    }

    /// That many requests, each of which is answered only when all of them have been sent. A client that waits for the answer
    /// of one of them before it sends another waits in vain: so it shows that they go at once, on a machine of any speed.
    #[must_use]
    pub fn together(count: usize) -> Self {
        Self::new(FaultEffect::Together(Arc::new(Barrier::new(count)))).times(count)
    }

    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Only requests whose path and query contain that text.
    #[must_use]
    pub fn path(mut self, fragment: &str) -> Self {
        self.path = Some(fragment.to_owned());
        self
    }

    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Only requests with that token: those of one of several clients.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Only from the `n`th matching request on, counted from 1 and from the moment the fault is injected.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    /// That many matching requests in a row; 1 unless said otherwise.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Counts a request and says whether, and how, this fault strikes it.
    pub(super) fn strike(&mut self, call: &Call, path: &str) -> Option<FaultEffect> {
        let matches = self.method.as_deref().is_none_or(|wanted| wanted == call.method)
            && self.path.as_deref().is_none_or(|fragment| path.contains(fragment))
            && self.region.as_deref().is_none_or(|wanted| call.region() == Some(wanted))
            && self.token.as_deref().is_none_or(|wanted| call.token.as_deref() == Some(wanted));
        if !matches {
            return None;
        }
        if self.limit.as_mut().is_some_and(|limit| limit.allows(Instant::now())) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times = self.times.checked_sub(1)?;
        Some(self.effect.clone())
    }

    pub(super) fn is_spent(&self) -> bool {
        self.times == 0
    }
}
