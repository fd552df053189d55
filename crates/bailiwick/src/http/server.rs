//! Accepts connections, and stops.
use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;

use super::{
    Answer, Limits, Tls,
    connection::{Vitals, Watched, serve},
    exchange::{Budget, Line, Shared},
};

/// How far the stopping has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    /// What has begun is answered.
    Stopping,
    /// The time for that is over.
    Over,
}

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections whose answers were not out in time, and which were cut.
    pub cut: usize,
}

/// A listener with all that its connections need.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    limits: Limits,
}

impl Server {
    /// A server on a listener that is bound already; with `tls`, it speaks nothing but TLS.
    #[must_use]
    pub fn new(listener: TcpListener, tls: Option<Arc<Tls>>, limits: Limits) -> Server {
        Server { listener, tls, limits }
    }

    /// Serves until `stop` is done. Then it accepts no more, answers what has begun, and returns.
    pub async fn run<A: Answer>(self, answer: Arc<A>, stop: impl Future<Output = ()>) -> Stopped {
        let Server { listener, tls, limits } = self;
        let shared = Arc::new(Shared { answer, body_timeout: limits.body, budget: Budget::new(limits.bodies_bytes) });
        let permits = Arc::new(Semaphore::new(limits.connections));
        let (phase, phases) = watch::channel(Phase::Serving);
        let mut stop = pin!(stop);
        loop {
            let accepted = async {
                // A closed semaphore is not possible: nobody closes it.
                let permit = Arc::clone(&permits).acquire_owned().await.ok();
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                biased;
                () = stop.as_mut() => break,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let (shared, tls, phases) = (Arc::clone(&shared), tls.clone(), phases.clone());
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    let vitals = Arc::new(Vitals::default());
                    let line = Arc::new(Line { shared, vitals, peer, secure: tls.is_some(), _place: permit });
                    tokio::spawn(connect(stream, line, tls, limits, phases));
                }
                Err(error) => hesitate(&error).await,
            }
        }
        drop(listener);
        let deadline = Instant::now() + limits.stop;
        phase.send_replace(Phase::Stopping);
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        if timeout_at(deadline, permits.acquire_many(all)).await.is_ok() {
            return Stopped { cut: 0 };
        }
        let cut = limits.connections.saturating_sub(permits.available_permits());
        phase.send_replace(Phase::Over);
        // They end as soon as they are polled; a handler that blocks its thread is not waited for.
        let _ = timeout(Duration::from_millis(500), permits.acquire_many(all)).await;
        Stopped { cut }
    }
}

/// After an accept that failed: a connection that broke before it was accepted costs nothing; where the process or
/// the system is out of something, trying again at once would only burn time.
async fn hesitate(error: &io::Error) {
    if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    sleep(Duration::from_millis(100)).await;
}

async fn connect<A: Answer>(stream: TcpStream, line: Arc<Line<A>>, tls: Option<Arc<Tls>>, limits: Limits, phases: watch::Receiver<Phase>) {
    // Answers are small and whole: waiting for more to send would only delay them. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let peer = line.peer;
    let stream = Watched::new(stream, Arc::clone(&line.vitals));
    let Some(tls) = tls else { return serve(TokioIo::new(stream), line, limits, phases).await };
    let mut stopping = phases.clone();
    let handshake = timeout(limits.handshake, TlsAcceptor::from(tls.current()).accept(stream));
    let shaken = tokio::select! {
        _stopping = stopping.wait_for(|phase| *phase != Phase::Serving) => return,
        shaken = handshake => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => serve(TokioIo::new(stream), line, limits, phases).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_late) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}
