//! The HTTP layer against a client that sends bytes as they are, and against HTTP/2 and TLS clients.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::string_slice, reason = "a test")]
mod answers;
mod framing;
mod http2;
mod limits;
mod patience;
mod stopping;
mod support;
mod tls;
