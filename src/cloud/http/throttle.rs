//! What one host is asked at once, and when it may be asked again.
//!
//! At most [`IN_FLIGHT`] requests are in flight to a host; the others wait their turn. A request that takes long is not
//! counted any more: where one host serves several regions, one that hangs does not hold up the others. Once a host answers 429 nobody
//! asks it before the time it names, or, if it names none, before a back-off that grows with each refusal in a row. Then
//! one request goes first, and once as many are answered as may be in flight one more may. A host that stops answering does
//! not refuse: what waits for it goes on, and fails for itself.
//!
//! How often a host refuses in a row is counted for the host: all that wait for it give up together, and none of them gives
//! up as long as others are answered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Version;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Limits;
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::retry::{LONGEST_WAIT, Patience, Pause};

/// How many requests are in flight to one host. Neutron's API workers answer one request each; what is sent beyond them
/// waits there, each in a socket of its own.
pub(super) const IN_FLIGHT: usize = 16;

/// Between two requests to a host that goes on refusing and names no time: with two regions, at most twenty a minute.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(15);

/// A host that names a later time is asked again after this: its clock may be wrong.
const LONGEST_HOLD: Duration = Duration::from_secs(300);

/// A request that takes longer than this holds up no others: to be slow is not to refuse.
pub(super) const SLOW: Duration = Duration::from_secs(5);

/// A request that is held up for longer than this tells so.
pub(super) const WORTH_TELLING: Duration = Duration::from_secs(1);

/// The hosts of one sign-in.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
    /// Whether one of them speaks HTTP/2, as the others of the same cloud then may, too: to each of those one request goes
    /// first, whose connection the next ones share. Sent together, each would begin a connection of its own.
    shares_connections: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Host {
    slots: Semaphore,
    state: Mutex<Traffic>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Traffic {
    in_flight: usize,
    /// How many may be in flight since the host has refused, and how many were answered since that grew.
    window: Option<usize>,
    answered: usize,
    /// Whether one request goes first and has not ended yet.
    is_new: bool,
    /// How often the back-off is doubled: once more with each refusal, once less each time the window grows beyond four.
    doubled: u32,
    /// Refusals in a row, and the last of them.
    refusals: u32,
    refused: Option<(Error, Hold)>,
}

#[derive(Clone, Copy, Debug)]
struct Hold {
    since: Instant,
    until: Instant,
}

impl Throttle {
    pub(super) fn host(&self, name: &str, is_tls: bool) -> Arc<Host> {
        let is_shy = is_tls && self.shares_connections.load(Ordering::Relaxed);
        let new = || Arc::new(if is_shy { Host::shy() } else { Host::default() });
        Arc::clone(lock(&self.hosts).entry(name.to_owned()).or_insert_with(new))
    }

    /// What was found out by an answer.
    pub(super) fn note_version(&self, version: Version) {
        if version == Version::HTTP_2 {
            self.shares_connections.store(true, Ordering::Relaxed);
        }
    }
}

impl Default for Host {
    fn default() -> Self {
        Self { slots: Semaphore::new(IN_FLIGHT), state: Mutex::default(), changed: Notify::new() }
    }
}

impl Host {
    /// To which one request goes first.
    fn shy() -> Self {
        let state = Traffic { window: Some(1), is_new: true, ..Traffic::default() };
        Self { state: Mutex::new(state), ..Self::default() }
    }
}

/// How a request waits for its ticket.
pub(super) struct Ticket<'a> {
    host: &'a Host,
    patience: Option<&'a Patience>,
    limits: &'a Limits,
    /// Its place among those that may be in flight. It keeps it when it is refused: it goes first then.
    slot: Option<SemaphorePermit<'a>>,
    /// Whether a stop ends its wait; what only reads is needed to settle what was done.
    writes: bool,
    /// How often it has been refused itself.
    refused: u32,
    /// How many refusals in a row there were before it came.
    before: u32,
    /// Until when it has told that it waits.
    told: Option<Instant>,
}

/// A request in progress; its place is free again when this is dropped.
pub(super) struct InFlight<'a> {
    host: &'a Host,
    sent: Instant,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.host.state();
        state.in_flight -= 1;
        if std::mem::take(&mut state.is_new) {
            state.window = None;
        }
        drop(state);
        self.host.changed.notify_waiters();
    }
}

impl Host {
    fn state(&self) -> MutexGuard<'_, Traffic> {
        lock(&self.state)
    }

    pub(super) fn ticket<'a>(&'a self, writes: bool, patience: Option<&'a Patience>, limits: &'a Limits) -> Ticket<'a> {
        let before = self.state().refusals;
        Ticket { host: self, writes, patience, limits, slot: None, refused: 0, before, told: None }
    }
}

impl<'a> Ticket<'a> {
    /// Waits until the request may be sent. Its own time limit begins only then.
    /// Errors: the refusal that the host is left alone for, if that lasts too long or the user asked to stop.
    pub(super) async fn called(&mut self) -> Result<InFlight<'a>, Error> {
        let stop = self.patience.map_or_else(CancellationToken::new, |patience| patience.stop.clone());
        if self.slot.is_none() {
            self.slot = tokio::select! {
                biased;
                slot = self.host.slots.acquire() => slot.ok(),
                () = stop.cancelled(), if self.writes => return Err(self.unsent(Instant::now())),
            };
        }
        loop {
            let changed = self.host.changed.notified();
            let now = Instant::now();
            let until = self.held(now)?;
            match until {
                Some(until) => self.tell_of_others(now, until),
                None if self.enter() => return Ok(InFlight { host: self.host, sent: now }),
                None => {}
            }
            tokio::select! {
                () = changed => {}
                () = sleep_until(until.unwrap_or(now + SLOW)) => if until.is_none() { self.host.state().widen() },
                () = stop.cancelled(), if until.is_some() || self.writes => return Err(self.unsent(now)),
            }
        }
    }

    fn enter(&self) -> bool {
        let mut state = self.host.state();
        let is_free = state.window.is_none_or(|window| state.in_flight < window);
        state.in_flight += usize::from(is_free);
        is_free
    }

    /// Until when the host is left alone; an error if it is not worth waiting for that.
    fn held(&mut self, now: Instant) -> Result<Option<Instant>, Error> {
        let (until, refusals) = {
            let state = self.host.state();
            (state.refused.as_ref().map(|(_, hold)| hold.until).filter(|until| *until > now), state.refusals)
        };
        let is_long = until.is_some_and(|until| until - now > LONGEST_WAIT + self.limits.back_off);
        if is_long || self.failures(refusals) >= self.tries() { Err(self.unsent(now)) } else { Ok(until) }
    }

    fn tries(&self) -> u32 {
        self.patience.map_or(self.limits.tries, |patience| patience.tries)
    }

    /// Its own refusals, or those it was there for.
    fn failures(&mut self, refusals: u32) -> u32 {
        self.before = self.before.min(refusals);
        self.refused.max(refusals - self.before)
    }

    /// The host's last refusal, for a request that was not sent because of it.
    fn unsent(&self, now: Instant) -> Error {
        let state = self.host.state();
        let Some((error, hold)) = &state.refused else {
            return Error::new(ErrorKind::RateLimited, "The request was not sent: osvpn was asked to stop.");
        };
        let left = error.retry_after.map(|asked| asked.saturating_sub(now - hold.since));
        Error { retry_after: left, request_id: None, region: None, ..error.clone() }
    }

    /// The request takes long, and is not counted any more.
    pub(super) fn give_way(&mut self) {
        self.slot = None;
    }

    /// Any answer but 429.
    pub(super) fn accepted(&self, under_way: &InFlight<'_>) {
        self.host.accept(under_way.sent);
    }

    /// The connection failed, or no answer came in time.
    pub(super) fn unanswered(&self, under_way: &InFlight<'_>) {
        let mut state = self.host.state();
        if state.refused.as_ref().is_none_or(|(_, hold)| under_way.sent >= hold.since) {
            (state.window, state.refusals, state.refused) = (None, 0, None);
        }
    }

    /// Takes in a 429, and says whether there is a point in another try.
    pub(super) fn refused(&mut self, under_way: InFlight<'_>, error: &Error) -> bool {
        let (now, (refusals, until)) = (Instant::now(), self.host.refuse(under_way.sent, error, self.limits));
        drop(under_way);
        self.refused += 1;
        let is_long = error.retry_after.is_some_and(|asked| asked > LONGEST_WAIT);
        let failures = self.failures(refusals);
        let patience = self.patience.filter(|patience| failures < patience.tries && !patience.stop.is_cancelled());
        match patience {
            Some(patience) if !is_long => {
                self.tell(patience, now, until);
                true
            }
            _ => false,
        }
    }

    /// Tells of a wait that other requests have brought about, if it is worth it.
    fn tell_of_others(&mut self, now: Instant, until: Instant) {
        if let Some(patience) = self.patience
            && until - now >= WORTH_TELLING
            && self.told.is_none_or(|told| until > told + WORTH_TELLING)
        {
            self.tell(patience, now, until);
        }
    }

    fn tell(&mut self, patience: &Patience, now: Instant, until: Instant) {
        self.told = Some(until);
        let (refusals, error) = {
            let state = self.host.state();
            let Some((error, _)) = &state.refused else { return };
            (state.refusals, error.clone())
        };
        let attempt = self.failures(refusals) + 1;
        (patience.told)(Pause { error, wait: until - now, attempt, of: patience.tries });
    }
}

impl Host {
    /// A request was answered; one that was sent before the last refusal says nothing of now.
    fn accept(&self, sent: Instant) {
        let mut state = self.state();
        if state.refused.as_ref().is_none_or(|(_, hold)| sent >= hold.since) {
            (state.refusals, state.refused) = (0, None);
            state.answered += 1;
            if state.window.is_some_and(|window| state.answered >= window) {
                state.widen();
                state.doubled = state.doubled.saturating_sub(u32::from(state.window.is_none_or(|window| window > 4)));
            }
        }
    }

    /// A request was refused: how many refusals in a row these are, and until when nobody asks.
    fn refuse(&self, sent: Instant, error: &Error, limits: &Limits) -> (u32, Instant) {
        let now = Instant::now();
        let mut state = self.state();
        // Requests that were in progress together are refused together, which is one refusal.
        let together = state.refused.as_ref().map(|(_, hold)| *hold).filter(|hold| sent < hold.since);
        if together.is_none() {
            (state.refusals, state.doubled) = (state.refusals + 1, state.doubled + 1);
        }
        let until = now + hold(error.retry_after, state.doubled, limits);
        let hold = together.map_or(Hold { since: now, until }, |hold| Hold { until: until.max(hold.until), ..hold });
        state.is_new = false;
        (state.window, state.answered, state.refused) = (Some(1), 0, Some((error.clone(), hold)));
        (state.refusals, hold.until)
    }
}

impl Traffic {
    fn widen(&mut self) {
        (self.window, self.answered) = (self.window.map(|window| window + 1).filter(|window| *window < IN_FLIGHT), 0);
    }
}

/// For how long a host is left alone.
fn hold(asked: Option<Duration>, doubled: u32, limits: &Limits) -> Duration {
    // Several programs that are refused together must not come back together.
    let jitter = rand::random_range(0.75..=1.0);
    let back_off = limits.back_off_after(doubled).min(LONGEST_BACK_OFF).mul_f64(jitter);
    match asked {
        Some(asked) => (asked.min(LONGEST_HOLD) + limits.back_off.mul_f64(jitter)).max(back_off),
        None => back_off,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures::future::join_all;
    use tokio::time::{sleep, timeout};

    use super::*;

    fn refusal(retry_after: Option<u64>) -> Error {
        let mut error = Error::new(ErrorKind::RateLimited, "HTTP 429 Too Many Requests.");
        (error.status, error.retry_after) = (Some(429), retry_after.map(Duration::from_secs));
        error
    }

    /// A request that takes 10 ms, as often as it takes; `serve` says what the host answers.
    async fn ask(host: &Host, patience: &Patience, serve: impl Fn(Instant) -> Result<(), Error>) -> Result<(), Error> {
        let limits = Limits::default();
        let mut ticket = host.ticket(false, Some(patience), &limits);
        loop {
            let under_way = ticket.called().await?;
            let answer = serve(Instant::now());
            sleep(Duration::from_millis(10)).await;
            match answer {
                Ok(()) => {
                    ticket.accepted(&under_way);
                    return Ok(());
                }
                Err(error) if ticket.refused(under_way, &error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Requests that take all places of a host.
    async fn fill<'a>(host: &'a Host, patience: &'a Patience, limits: &'a Limits) -> Vec<(Ticket<'a>, InFlight<'a>)> {
        let mut held = Vec::new();
        for _ in 0..IN_FLIGHT {
            let mut ticket = host.ticket(false, Some(patience), limits);
            let in_flight = ticket.called().await.unwrap();
            held.push((ticket, in_flight));
        }
        held
    }

    fn counting() -> (Patience, Arc<Mutex<Vec<String>>>) {
        let told = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&told);
        let patience =
            Patience::telling(&Limits::default(), Arc::new(move |pause| lock(&heard).push(pause.to_string())));
        (patience, told)
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_sixteen_requests_are_under_way_to_a_host() {
        let (throttle, patience) = (Throttle::default(), Patience::quiet(&Limits::default()));
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let one = |name| {
            let host = throttle.host(name, false);
            let (now, most, patience) = (&now, &most, &patience);
            async move {
                let limits = Limits::default();
                let mut ticket = host.ticket(false, Some(patience), &limits);
                let under_way = ticket.called().await.unwrap();
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_secs(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                ticket.accepted(&under_way);
            }
        };
        let began = Instant::now();
        join_all((0..100).map(|_| one("a:443"))).await;
        assert_eq!((most.load(Ordering::SeqCst), began.elapsed().as_secs()), (16, 7), "in seven waves");
        join_all((0..64).map(|number| one(if number % 2 == 0 { "a:443" } else { "b:443" }))).await;
        assert_eq!(most.load(Ordering::SeqCst), 32, "each host has a bound of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn where_connections_are_shared_one_request_goes_first() {
        let patience = Patience::quiet(&Limits::default());
        for (version, at_first) in [(Version::HTTP_2, 1), (Version::HTTP_11, 6)] {
            let throttle = Throttle::default();
            throttle.note_version(version);
            let (host, began) = (throttle.host("region:443", true), Instant::now());
            let sent = Mutex::new(Vec::new());
            let serve = |now: Instant| {
                lock(&sent).push((now - began).as_millis());
                Ok(())
            };
            join_all((0..6).map(|_| ask(&host, &patience, serve))).await;
            let sent = lock(&sent).clone();
            assert_eq!(sent.iter().filter(|then| **then == 0).count(), at_first, "{version:?}: {sent:?}");
            assert!(sent.iter().all(|then| *then <= 11), "and then all others: {sent:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_up_makes_room() {
        let host = Host::default();
        let (patience, limits) = (Patience::quiet(&Limits::default()), Limits::default());
        for _ in 0..40 {
            let mut ticket = host.ticket(false, Some(&patience), &limits);
            let hangs = async {
                let _under_way = ticket.called().await.unwrap();
                std::future::pending::<()>().await;
            };
            assert!(timeout(Duration::from_secs(1), hangs).await.is_err());
        }
        assert_eq!(ask(&host, &patience, |_| Ok(())).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_nobody_asks_before_the_time_the_host_names_and_then_one_goes_first() {
        let (host, (patience, told)) = (Host::default(), counting());
        let (began, asked) = (Instant::now(), Mutex::new(Vec::new()));
        let serve = |now: Instant| {
            lock(&asked).push((now - began).as_secs());
            if (now - began).as_secs() < 7 { Err(refusal(Some(7))) } else { Ok(()) }
        };
        let answers = join_all((0..30).map(|_| ask(&host, &patience, serve))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let asked = lock(&asked).clone();
        assert_eq!(asked.iter().filter(|second| **second == 0).count(), 16, "what was in progress already");
        assert_eq!(asked.len(), 16 + 30, "and nobody is refused a second time: {asked:?}");
        let told = lock(&told).clone();
        assert!(told.iter().all(|pause| pause.starts_with("429 from the cloud; retrying in 7.")), "{told:?}");
        assert!(told.iter().all(|pause| pause.ends_with("(2 of 5)")), "{told:?}");
    }

    /// How often a host is asked within a minute that refuses everything: two polls that are repeated until then.
    async fn asked_in_a_minute(retry_after: Option<u64>) -> usize {
        let (host, patience) = (Host::default(), Patience::quiet(&Limits::default()));
        let asked = AtomicUsize::new(0);
        let poll = || async {
            loop {
                let serve = |_| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    Err(refusal(retry_after))
                };
                let _ = ask(&host, &patience, serve).await;
                sleep(Duration::from_secs(5)).await;
            }
        };
        let polls = async { tokio::join!(poll(), poll()) };
        let _ = timeout(Duration::from_secs(60), polls).await;
        asked.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_goes_on_refusing_is_asked_a_few_times_a_minute() {
        for (retry_after, most) in
            [(None, 11), (Some(0), 11), (Some(1), 11), (Some(7), 10), (Some(60), 3), (Some(200), 2)]
        {
            let asked = asked_in_a_minute(retry_after).await;
            println!("Retry-After {retry_after:?}: asked {asked} times in 60 s");
            assert!((1..=most).contains(&asked), "{retry_after:?}: {asked}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_wait_for_a_host_that_only_refuses_give_up_together() {
        let (host, patience) = (Host::default(), Patience::quiet(&Limits::default()));
        let began = Instant::now();
        let answers = join_all((0..40).map(|_| ask(&host, &patience, |_| Err(refusal(None))))).await;
        assert!(answers.iter().all(Result::is_err));
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_limit_of_twenty_a_second_everything_is_answered() {
        let (host, patience) = (Host::default(), Patience::quiet(&Limits::default()));
        let (asked, refused) = (Mutex::new(Vec::<Instant>::new()), AtomicUsize::new(0));
        let serve = |now: Instant| {
            let mut asked = lock(&asked);
            asked.retain(|then| now - *then < Duration::from_secs(1));
            if asked.len() >= 20 {
                refused.fetch_add(1, Ordering::SeqCst);
                return Err(refusal(None));
            }
            asked.push(now);
            Ok(())
        };
        let began = Instant::now();
        let answers = join_all((0..400).map(|_| ask(&host, &patience, serve))).await;
        let (refused, took) = (refused.load(Ordering::SeqCst), began.elapsed());
        println!("400 requests at 20 a second: {refused} refused, {took:?}");
        assert!(answers.iter().all(Result::is_ok), "{refused} refused");
        assert!(refused <= 120 && took < Duration::from_secs(40), "{refused} refused, {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_and_a_time_too_far_away_is_told_at_once() {
        let (host, patience) = (Host::default(), Patience::quiet(&Limits::default()));
        let stopping = async {
            sleep(Duration::from_secs(3)).await;
            patience.stop.cancel();
        };
        let refused = |_| Err(refusal(Some(60)));
        let later = async {
            sleep(Duration::from_secs(1)).await;
            ask(&host, &patience, |_| panic!("held")).await
        };
        let (first, second, ()) = tokio::join!(ask(&host, &patience, refused), later, stopping);
        assert!(first.is_err() && second.is_err());
        let (host, patience) = (Host::default(), Patience::quiet(&Limits::default()));
        assert!(ask(&host, &patience, |_| Err(refusal(Some(200)))).await.is_err());
        sleep(Duration::from_secs(50)).await;
        let error = ask(&host, &patience, |_| panic!("held")).await.unwrap_err();
        assert_eq!((error.status, error.retry_after.map(|left| left.as_secs())), (Some(429), Some(150)));
        sleep(Duration::from_secs(150)).await;
        assert_eq!(ask(&host, &patience, |_| Ok(())).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_hang_hold_up_no_others() {
        let (host, patience, limits) = (Host::default(), Patience::quiet(&Limits::default()), Limits::default());
        let mut hanging = fill(&host, &patience, &limits).await;
        let mut next = host.ticket(false, Some(&patience), &limits);
        assert!(timeout(SLOW, next.called()).await.is_err());
        hanging[0].0.give_way();
        assert!(next.called().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_refuses_and_then_stops_answering_is_not_asked_one_by_one() {
        let (host, patience, limits) = (Host::default(), Patience::quiet(&Limits::default()), Limits::default());
        let began = Instant::now();
        let one = async || {
            let mut ticket = host.ticket(false, Some(&patience), &limits);
            let first = ticket.called().await.unwrap();
            if began.elapsed().is_zero() {
                assert!(ticket.refused(first, &refusal(Some(1))));
                let second = ticket.called().await.unwrap();
                sleep(Duration::from_secs(60)).await;
                ticket.unanswered(&second);
            }
        };
        join_all((0..16).map(|_| one())).await;
        let took = began.elapsed().as_secs();
        assert!(took < 3 * 60, "{took} s: to be slow is not to refuse");
        let mut ticket = host.ticket(false, Some(&patience), &limits);
        let _in_flight = timeout(Duration::from_millis(1), ticket.called()).await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_of_a_write_for_its_place() {
        let (host, patience, limits) = (Host::default(), Patience::quiet(&Limits::default()), Limits::default());
        let mut held = fill(&host, &patience, &limits).await;
        let (mut read, mut write) =
            (host.ticket(false, Some(&patience), &limits), host.ticket(true, Some(&patience), &limits));
        patience.stop.cancel();
        assert!(write.called().await.is_err());
        assert!(
            timeout(Duration::from_secs(1), read.called()).await.is_err(),
            "what settles the work is read after a stop"
        );
        held.pop();
        assert!(read.called().await.is_ok());
    }
}
