//! HTTP/1.1 and HTTP/2 on one port, over TCP or TLS, and the seam to what answers.
//!
//! Here are limits, time-outs, framing and stopping; no rule of AWS is. Whatever answers implements [`Answer`] and gets each
//! request whole: its head as it was sent, and its body, no longer than the answerer allows. The server is used by generic
//! parameter, so that the seam costs no allocation.
//!
//! - `exchange` is one request: its head checked, its body read, the answerer called, a panic caught.
//! - `connection` is one connection: its time-outs, how it is closed, how it is stopped.
//! - `server` accepts connections and stops.
//! - `tls` holds the certificate and loads it again.
mod connection;
mod exchange;
mod server;
mod tls;

use std::{future::Future, net::SocketAddr, time::Instant};

use bytes::Bytes;
use http::{
    HeaderMap, Method, StatusCode, Uri,
    header::{CONTENT_TYPE, HeaderValue},
};

pub use self::{
    connection::Limits,
    server::{Server, Stopped},
    tls::{Tls, TlsError},
};

/// The head of a request, as it was sent.
#[derive(Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The URI. [`Head::target`] is what a signature covers.
    pub uri: Uri,
    /// All headers; duplicates keep their order. HTTP/2's `:authority` stands here as `host`, and there is one `host` at most.
    pub headers: HeaderMap,
    /// The other end of the connection. An IPv4 address that came through an IPv6 socket is told as IPv4. What a header
    /// says about the caller's address is never believed.
    pub peer: SocketAddr,
    /// Whether it came over TLS.
    pub secure: bool,
    /// When the head was complete.
    pub received: Instant,
}

impl Head {
    /// Path and query, byte for byte as they were sent; a fragment, which no client sends, is cut off.
    #[must_use]
    pub fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }

    /// All headers as they were sent: names in lower case, values as bytes, duplicates in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

/// What goes out. `Date` and `Content-Length` are added to it.
#[derive(Debug)]
pub struct Outgoing {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Outgoing {
    /// A line of text.
    #[must_use]
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Outgoing {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        Outgoing { status, headers, body: body.into() }
    }
}

/// Why the HTTP layer could not let a request through, or could not get an answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is longer than [`Answer::body_limit`] says. It was not read; the connection ends with the answer.
    #[error("The request body is longer than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body did not come in time.
    #[error("The request body did not arrive in time")]
    Slow,
    /// The body ended early, or its framing is not HTTP.
    #[error("The request body could not be read")]
    Broken,
    /// The head can be understood in two ways, so that a proxy in front may have understood it in the other.
    #[error("{0}")]
    Ambiguous(&'static str),
    /// The method opens a tunnel, which this server never is.
    #[error("The method is not allowed")]
    NotAllowed,
    /// Too many bytes of bodies are being received at once.
    #[error("The server is busy")]
    Busy,
    /// The answerer panicked.
    #[error("The request could not be answered because of an internal failure")]
    Panicked,
}

impl Refusal {
    /// The HTTP status for it.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Slow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Broken | Refusal::Ambiguous(_) => StatusCode::BAD_REQUEST,
            Refusal::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the connection must end with the answer, because nobody can say where the next request would begin.
    fn ends_connection(self) -> bool {
        match self {
            Refusal::TooLarge { .. } | Refusal::Slow | Refusal::Broken | Refusal::Ambiguous(_) | Refusal::NotAllowed | Refusal::Busy => {
                true
            }
            Refusal::Panicked => false,
        }
    }
}

/// What answers requests.
///
/// An answer that has begun is finished, also when the client has hung up; only the end of the process cuts it.
pub trait Answer: Send + Sync + 'static {
    /// How many bytes the body of this request may have. Asked before any of it is read.
    fn body_limit(&self, head: &Head) -> usize;

    /// Answers a request. A panic in here is caught, told to [`Answer::refuse`], and hurts no other request.
    fn answer(&self, head: &Head, body: Bytes) -> impl Future<Output = Outgoing> + Send;

    /// Puts a refusal into the words of the protocol that the head speaks. Its status must be [`Refusal::status`].
    fn refuse(&self, head: &Head, refusal: Refusal) -> Outgoing;
}
