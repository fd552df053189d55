//! One connection: served until it ends, idles, dawdles or is told to stop.
//!
//! hyper's own timer for heads starts only after it knows the HTTP version, does not exist for HTTP/2, and is set anew for every
//! request. So a connection has one timer of its own, which now and then looks at counters that the traffic leaves behind.
use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::{
    rt::{Read, Write},
    service::service_fn,
};
use hyper_util::{rt::TokioExecutor, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Instant, Sleep, sleep},
};

use super::{
    Answer,
    exchange::{Line, exchange},
    server::Phase,
};

/// How much of what, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// A whole head, request line and headers, in bytes; beyond it is a 431 (a target beyond 65,534 bytes a 414).
    pub head_bytes: usize,
    /// From the first byte of a head (of a connection) to its last. Up to a quarter more may pass.
    pub head: Duration,
    /// From the head of a request to the end of its body.
    pub body: Duration,
    /// The TLS handshake.
    pub handshake: Duration,
    /// Without a request. Up to a quarter of `head` more may pass.
    pub idle: Duration,
    /// Bytes of bodies that are longer than 16 KiB and are being received, in all connections together.
    pub bodies_bytes: usize,
    /// From the signal to stop to the end of the last answer.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 4096,
            head_bytes: 64 * 1024,
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            bodies_bytes: 128 * 1024 * 1024,
            stop: Duration::from_secs(15),
        }
    }
}

/// Streams at once in one HTTP/2 connection.
const STREAMS: u32 = 100;
/// After a connection has been closed by us, what the client still sends is read and thrown away for this long and this
/// far. Otherwise the system would answer it with a reset, which may overtake the answer that says why.
const LINGER: (Duration, usize) = (Duration::from_secs(3), 32 * 1024 * 1024);
/// How long a connection on which no head is complete may live on after the signal to stop: what has arrived is still parsed.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// What a connection does at the moment, in counters that are cheap to keep.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    /// Heads that were complete.
    requests: AtomicU64,
    /// Of those, the ones whose answer is not yet handed out.
    in_flight: AtomicU32,
    /// Reads that brought bytes.
    reads: AtomicU64,
    /// `reads` when the last request began or ended: more reads are the beginning of the next head.
    accounted: AtomicU64,
    /// The client does not take what we write.
    write_blocked: AtomicBool,
    /// The client has said that it sends no more.
    read_ended: AtomicBool,
    /// The server stops: no lingering.
    stopping: AtomicBool,
    http2: AtomicBool,
}

impl Vitals {
    /// Whether a head has begun and is not complete. HTTP/2 sends frames at any time, so only its first head counts.
    fn head_begun(&self) -> bool {
        let requests = self.requests.load(Relaxed);
        requests == 0 || (!self.http2.load(Relaxed) && self.reads.load(Relaxed) != self.accounted.load(Relaxed))
    }
}

/// A request that is being answered.
pub(super) struct Alive(Arc<Vitals>);

impl Alive {
    /// Counts a request, until the value is dropped.
    pub(super) fn begin(vitals: &Arc<Vitals>, http2: bool) -> Alive {
        vitals.requests.fetch_add(1, Relaxed);
        vitals.in_flight.fetch_add(1, Relaxed);
        vitals.accounted.store(vitals.reads.load(Relaxed), Relaxed);
        if http2 {
            vitals.http2.store(true, Relaxed);
        }
        Alive(Arc::clone(vitals))
    }

    /// Whether the connection has begun far more than it may at once: HTTP/2 counts a stream that the client has reset as ended, we do not.
    pub(super) fn are_too_many(&self) -> bool {
        self.0.in_flight.load(Relaxed) > STREAMS * 2
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.accounted.store(self.0.reads.load(Relaxed), Relaxed);
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// Tells whether a connection has waited too long, when asked now and then.
struct Watch {
    requests: u64,
    quiet_since: Instant,
    head_since: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
enum Waiting {
    Fine,
    Idle,
    SlowHead,
}

impl Watch {
    fn new(now: Instant) -> Watch {
        Watch { requests: 0, quiet_since: now, head_since: Some(now) }
    }

    fn look(&mut self, vitals: &Vitals, limits: &Limits, now: Instant) -> Waiting {
        let requests = vitals.requests.load(Relaxed);
        if vitals.in_flight.load(Relaxed) > 0 || requests != self.requests {
            (self.requests, self.quiet_since, self.head_since) = (requests, now, None);
            return Waiting::Fine;
        }
        if vitals.head_begun() {
            let since = *self.head_since.get_or_insert(now);
            return if now - since >= limits.head { Waiting::SlowHead } else { Waiting::Fine };
        }
        self.head_since = None;
        if now - self.quiet_since >= limits.idle { Waiting::Idle } else { Waiting::Fine }
    }
}

/// Serves one connection to its end.
pub(super) async fn serve<A: Answer, I: Read + Write + Unpin + Send + 'static>(
    io: I,
    line: Arc<Line<A>>,
    limits: Limits,
    mut phase: watch::Receiver<Phase>,
) {
    let vitals = Arc::clone(&line.vitals);
    let builder = builder(&limits);
    let mut connection = pin!(builder.serve_connection(io, service_fn(move |request| exchange(Arc::clone(&line), request))));
    let tick = (limits.head / 4).max(Duration::from_millis(10));
    let mut timer = pin!(sleep(tick));
    let mut watch = Watch::new(Instant::now());
    let mut closing = false;
    {
        let mut stop = pin!(phase.wait_for(|phase| *phase != Phase::Serving));
        loop {
            tokio::select! {
                biased;
                _ended = connection.as_mut() => return,
                () = timer.as_mut() => {
                    let now = Instant::now();
                    match watch.look(&vitals, &limits, now) {
                        Waiting::Fine => {}
                        Waiting::Idle if !closing => {
                            closing = true;
                            connection.as_mut().graceful_shutdown();
                        }
                        Waiting::Idle | Waiting::SlowHead => return,
                    }
                    timer.as_mut().reset(now + tick);
                }
                _stopping = stop.as_mut() => break,
            }
        }
    }
    // What has begun is answered, nothing new begins, and what is only half a head is dropped.
    vitals.stopping.store(true, Relaxed);
    connection.as_mut().graceful_shutdown();
    let mut over = pin!(phase.wait_for(|phase| *phase == Phase::Over));
    loop {
        tokio::select! {
            biased;
            _ended = connection.as_mut() => return,
            _over = over.as_mut() => return,
            () = sleep(LAST_LOOK) => {
                if vitals.in_flight.load(Relaxed) == 0 && !vitals.write_blocked.load(Relaxed) {
                    return;
                }
            }
        }
    }
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .max_buf_size(limits.head_bytes)
        // A client that has sent all it wants may shut its side down and still be owed an answer.
        .half_close(true)
        .header_read_timeout(None)
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
    builder
}

/// A TCP stream that leaves traces in [`Vitals`] and lingers when it is closed.
pub(super) struct Watched {
    stream: TcpStream,
    vitals: Arc<Vitals>,
    lingering: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, vitals: Arc<Vitals>) -> Watched {
        Watched { stream, vitals, lingering: None }
    }

    fn noted<T>(&self, written: Poll<T>) -> Poll<T> {
        if written.is_pending() || self.vitals.write_blocked.load(Relaxed) {
            self.vitals.write_blocked.store(written.is_pending(), Relaxed);
        }
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.vitals.reads.fetch_add(1, Relaxed);
        } else if buffer.remaining() > 0 {
            self.vitals.read_ended.store(true, Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Says the end to the client, then reads on until it has seen it, for a while.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let (timer, left) = this.lingering.get_or_insert_with(|| (Box::pin(sleep(LINGER.0)), LINGER.1));
        let mut sink = [0; 16 * 1024];
        loop {
            if this.vitals.read_ended.load(Relaxed) || this.vitals.stopping.load(Relaxed) || *left == 0 {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut sink);
            match Pin::new(&mut this.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => *left = left.saturating_sub(buffer.filled().len()),
                Poll::Ready(_ended) => return Poll::Ready(Ok(())),
                Poll::Pending => return timer.as_mut().poll(context).map(Ok),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { head: Duration::from_secs(10), idle: Duration::from_secs(60), ..Limits::default() }
    }

    #[test]
    fn a_connection_that_never_completes_its_first_head_is_slow() {
        let (vitals, start) = (Arc::new(Vitals::default()), Instant::now());
        let mut watch = Watch::new(start);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(9)), Waiting::Fine);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(10)), Waiting::SlowHead);
    }

    #[test]
    fn a_head_that_begins_after_a_long_pause_has_its_whole_time() {
        let (vitals, start) = (Arc::new(Vitals::default()), Instant::now());
        let mut watch = Watch::new(start);
        drop(Alive::begin(&vitals, false));
        assert_eq!(watch.look(&vitals, &limits(), start), Waiting::Fine);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(55)), Waiting::Fine);
        vitals.reads.fetch_add(1, Relaxed);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(58)), Waiting::Fine);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(67)), Waiting::Fine);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(68)), Waiting::SlowHead);
    }

    #[test]
    fn a_connection_without_requests_is_idle_but_not_while_one_is_answered() {
        let (vitals, start) = (Arc::new(Vitals::default()), Instant::now());
        let mut watch = Watch::new(start);
        let alive = Alive::begin(&vitals, false);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(100)), Waiting::Fine);
        drop(alive);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(159)), Waiting::Fine);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(160)), Waiting::Idle);
    }

    #[test]
    fn frames_of_http_2_between_requests_are_no_head() {
        let (vitals, start) = (Arc::new(Vitals::default()), Instant::now());
        let mut watch = Watch::new(start);
        drop(Alive::begin(&vitals, true));
        watch.look(&vitals, &limits(), start);
        vitals.reads.fetch_add(3, Relaxed);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(30)), Waiting::Fine);
        assert_eq!(watch.look(&vitals, &limits(), start + Duration::from_secs(60)), Waiting::Idle);
    }
}
