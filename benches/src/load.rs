//! Load: so many connections, each with one request at a time, for so long. What it sends is made before the clock runs.

use crate::Problem;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    /// The slowest of all.
    pub most: Duration,
}

/// One connection, kept as long as the server keeps it.
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, Problem> {
        let stream = Some(connect(address).await?);
        Ok(Connection { address, stream, buffer: Vec::with_capacity(16 << 10) })
    }

    /// Sends a request and answers status and body.
    pub async fn call(&mut self, request: &[u8]) -> Result<(u16, &[u8]), Problem> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address).await?,
        };
        stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the connection ended within an answer".into());
            }
            if let Some(head) = head(&self.buffer)?.filter(|head| head.body.end <= self.buffer.len()) {
                self.stream = Some(stream).filter(|_| head.stays_open);
                return Ok((head.status, &self.buffer[head.body]));
            }
        }
    }

    /// The same, where anything but 200 is a problem.
    pub async fn succeed(&mut self, request: &[u8]) -> Result<&[u8], Problem> {
        let (status, body) = self.call(request).await?;
        if status == 200 { Ok(body) } else { Err(format!("{status}: {}", String::from_utf8_lossy(body)).into()) }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Problem> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The head of an answer.
struct Head {
    status: u16,
    body: Range<usize>,
    stays_open: bool,
}

/// The head, once it is whole.
fn head(bytes: &[u8]) -> Result<Option<Head>, Problem> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..end])?;
    let status = text.get(9..12).ok_or("no status")?.parse()?;
    let field = |wanted: &str| {
        text.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then(|| value.trim()))
    };
    let length: usize = field("content-length").ok_or("an answer without its length")?.parse()?;
    let stays_open = field("connection").is_none_or(|word| !word.eq_ignore_ascii_case("close"));
    Ok(Some(Head { status, body: end + 4..end + 4 + length, stays_open }))
}

/// What drives connections. One thread is enough for what is measured here, and leaves the processors to the server.
pub fn runtime() -> Result<Runtime, Problem> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Sends `requests` in turn over `connections`, for `time`, after a warm-up.
pub fn run(address: SocketAddr, connections: usize, time: Duration, requests: Vec<Vec<u8>>) -> Result<Outcome, Problem> {
    load(address, connections, time, time / 4, move |nth| requests[nth % requests.len()].clone())
}

/// The same, where every request is another one: `next` makes it from a number that no other call gets. Those that are likely to be needed,
/// `ahead`, are made before.
pub fn run_fresh(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    ahead: usize,
    next: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Outcome, Problem> {
    let made: Vec<Vec<u8>> = (0..ahead).map(&next).collect();
    load(address, connections, time, time / 8, move |nth| made.get(nth).cloned().unwrap_or_else(|| next(nth)))
}

fn load(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    warm_up: Duration,
    next: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Outcome, Problem> {
    let (next, numbers) = (Arc::new(next), Arc::new(AtomicUsize::new(0)));
    let mut latencies = runtime()?.block_on(async {
        let begin = Instant::now() + warm_up;
        let end = begin + time;
        let mut tasks = Vec::with_capacity(connections);
        for _ in 0..connections {
            let (next, numbers) = (next.clone(), numbers.clone());
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut latencies = Vec::with_capacity(100_000);
                loop {
                    let request = next(numbers.fetch_add(1, Ordering::Relaxed));
                    let sent = Instant::now();
                    if sent >= end {
                        return Ok::<_, Problem>(latencies);
                    }
                    connection.succeed(&request).await?;
                    if sent >= begin {
                        latencies.push(sent.elapsed());
                    }
                }
            }));
        }
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await??);
        }
        Ok::<_, Problem>(all)
    })?;
    latencies.sort_unstable();
    let at = |part: f64| latencies.get(((latencies.len() as f64 - 1.0) * part) as usize).copied().ok_or("nothing was answered");
    Ok(Outcome { per_second: latencies.len() as f64 / time.as_secs_f64(), p50: at(0.5)?, p99: at(0.99)?, most: at(1.0)? })
}
