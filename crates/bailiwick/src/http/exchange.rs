//! One request: is its head clear, does its body fit, what is the answer?
//!
//! Rules of framing: RFC 9112 sections 3.2, 6.1 and 6.3. What cannot be parsed hyper refuses before this is reached. Of a
//! request with both `Transfer-Encoding` and `Content-Length` it believes the first and drops the second, as the RFC
//! has it; a proxy in front may have believed the other. So a chunked request is always the last one of its connection, and
//! nothing that follows it is ever read as a request.
//!
//! An answer that has begun is finished even when nobody waits for it any more: whoever could break it off by hanging up could write
//! something and keep the event of it out of the audit trail.
use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{
    Method, Request, Response, StatusCode, Version,
    header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};

use super::{
    Answer, Head, Outgoing, Refusal,
    connection::{Alive, Vitals},
};

/// A body that is longer than this counts against [`Budget`].
const FREE_BODY: usize = 16 * 1024;

/// How many bytes of long bodies are being received at this moment, in all connections.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicUsize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Budget {
        Budget { left: AtomicUsize::new(bytes) }
    }
}

/// A share of the budget, given back when it is dropped.
struct Share<A> {
    shared: Arc<Shared<A>>,
    bytes: usize,
}

impl<A> Share<A> {
    /// Takes more; false where nothing is left.
    fn grow(&mut self, bytes: usize) -> bool {
        let left = &self.shared.budget.left;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok();
        if taken {
            self.bytes += bytes;
        }
        taken
    }
}

impl<A> Drop for Share<A> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.shared.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
        }
    }
}

/// What all exchanges of a server share.
pub(super) struct Shared<A> {
    pub(super) answer: Arc<A>,
    pub(super) body_timeout: Duration,
    pub(super) budget: Budget,
}

/// What all exchanges of a connection share.
pub(super) struct Line<A> {
    pub(super) shared: Arc<Shared<A>>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) peer: SocketAddr,
    pub(super) secure: bool,
    /// The connection's place among those that may be; an answer that outlives its connection keeps it.
    pub(super) _place: Option<OwnedSemaphorePermit>,
}

/// Answers one request.
pub(super) async fn exchange<A: Answer>(line: Arc<Line<A>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let alive = Alive::begin(&line.vitals, request.version() == Version::HTTP_2);
    let received = Instant::now();
    let (mut parts, body) = request.into_parts();
    let wrong = check(&mut parts).or_else(|| alive.are_too_many().then_some(Refusal::Busy));
    let version = parts.version;
    let head = Head { method: parts.method, uri: parts.uri, headers: parts.headers, peer: line.peer, secure: line.secure, received };
    if let Some(refusal) = wrong {
        return Ok(refuse(&line, &head, version, refusal));
    }
    if head.uri.path() == "/health" && matches!(head.method, Method::GET | Method::HEAD) {
        return Ok(into_response(Outgoing::text(StatusCode::OK, "ok\n"), is_last(&head)));
    }
    let (body, share) = match receive(&line, &head, body, version).await {
        Ok(received) => received,
        Err(refusal) => return Ok(refuse(&line, &head, version, refusal)),
    };
    let response = Finishing::new(async move {
        let response = match caught(line.shared.answer.answer(&head, body)).await {
            Some(outgoing) => into_response(outgoing, is_last(&head)),
            None => refuse(&line, &head, version, Refusal::Panicked),
        };
        drop((alive, share));
        response
    });
    Ok(response.await)
}

/// Whether nothing that follows this request is read as one.
fn is_last(head: &Head) -> bool {
    head.headers.contains_key(TRANSFER_ENCODING)
}

/// What is wrong with the head, if anything. Leaves one `host` header where the authority is known.
fn check(parts: &mut http::request::Parts) -> Option<Refusal> {
    if parts.method == Method::CONNECT {
        return Some(Refusal::NotAllowed);
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Some(Refusal::Ambiguous("A request has one Host header"));
    }
    match (host, parts.uri.authority()) {
        (Some(host), Some(authority)) if !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) => {
            Some(Refusal::Ambiguous("The Host header and the authority of the request differ"))
        }
        (Some(_), _) => None,
        (None, Some(authority)) => match HeaderValue::from_str(authority.as_str()) {
            Ok(value) => {
                parts.headers.insert(HOST, value);
                None
            }
            Err(_) => Some(Refusal::Ambiguous("The authority of the request is not a host")),
        },
        (None, None) if parts.version == Version::HTTP_11 => Some(Refusal::Ambiguous("A request has a Host header")),
        (None, None) => None,
    }
}

/// Reads the body, within its limit and in time.
async fn receive<A: Answer>(line: &Line<A>, head: &Head, body: Incoming, version: Version) -> Result<(Bytes, Share<A>), Refusal> {
    let share = Share { shared: Arc::clone(&line.shared), bytes: 0 };
    if body.is_end_stream() {
        return Ok((Bytes::new(), share));
    }
    let limit = line.shared.answer.body_limit(head);
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::TooLarge { limit });
    }
    let mut reading = pin!(collect(body, limit, share));
    // A body nearly always lies in the packet of its head, but HTTP/1 hands it out only when it is asked for a second time.
    // A timer before that would cost more than the reading. Should no more bytes come at all, the connection's own timer
    // asks again.
    let mut patience = if version == Version::HTTP_2 { 0 } else { 1 };
    let mut timer: Option<Pin<Box<tokio::time::Sleep>>> = None;
    std::future::poll_fn(|context| {
        if let Poll::Ready(body) = reading.as_mut().poll(context) {
            return Poll::Ready(body);
        }
        if patience > 0 {
            patience -= 1;
            return Poll::Pending;
        }
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(line.shared.body_timeout)));
        timer.as_mut().poll(context).map(|()| Err(Refusal::Slow))
    })
    .await
}

/// All bytes of a body. A body that came in one piece is not copied.
async fn collect<A>(mut body: Incoming, limit: usize, mut share: Share<A>) -> Result<(Bytes, Share<A>), Refusal> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Refusal::Broken) };
        let Ok(data) = frame.into_data() else { continue };
        let length = first.len().max(rest.len()) + data.len();
        if length > limit {
            return Err(Refusal::TooLarge { limit });
        }
        if length > FREE_BODY && !share.grow(data.len()) {
            return Err(Refusal::Busy);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok((if rest.is_empty() { first } else { rest.freeze() }, share))
}

/// The output of a future, or nothing where it panicked. It is not polled again after that.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // Unwind safety: what a half-done answer has left behind is its own future, which is dropped, and what it shares with
    // others, which sits behind locks that know poisoning or in the store, whose transaction ends with it.
    std::future::poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Some),
        Err(_panic) => Poll::Ready(None),
    })
    .await
}

/// A future that goes on as a task of its own when it is dropped before its end.
struct Finishing<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> Finishing<F> {
    fn new(future: F) -> Finishing<F> {
        Finishing(Some(Box::pin(future)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Finishing<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = self.0.as_mut() else { return Poll::Pending };
        let output = ready!(future.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Finishing<F> {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the store makes whole what was cut.
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}

fn refuse<A: Answer>(line: &Line<A>, head: &Head, version: Version, refusal: Refusal) -> Response<Full<Bytes>> {
    let outgoing = catch_unwind(AssertUnwindSafe(|| line.shared.answer.refuse(head, refusal)))
        .unwrap_or_else(|_panic| Outgoing::text(refusal.status(), refusal.to_string()));
    // HTTP/2 has no such header: a stream ends by itself.
    into_response(outgoing, (refusal.ends_connection() || is_last(head)) && version != Version::HTTP_2)
}

fn into_response(outgoing: Outgoing, close: bool) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(outgoing.body));
    *response.status_mut() = outgoing.status;
    *response.headers_mut() = outgoing.headers;
    if close {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
