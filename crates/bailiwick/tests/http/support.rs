//! A server of the crate's own HTTP layer with a double that answers, and a client that sends bytes as they are.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bailiwick::http::{Answer, Head, Limits, Outgoing, Refusal, Server, Stopped, Tls};
use bytes::Bytes;
use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

/// A plain request.
pub(crate) const GET: &str = "GET /a?b=%2F HTTP/1.1\r\nHost: x\r\n\r\n";

/// Says what it was asked. `/panic` panics, `/sleep/MILLIS` takes its time, `/large` answers [`LARGE`] bytes, `/small` takes 1,000 bytes, all others 1 MiB.
#[derive(Default)]
pub(crate) struct Double {
    counts: Counts,
}

/// More than the system's buffers hold for a client that does not read.
pub(crate) const LARGE: usize = 40_000_000;

/// How many answers have begun, and how many have come to their end.
pub(crate) type Counts = Arc<(AtomicUsize, AtomicUsize)>;

impl Answer for Double {
    fn body_limit(&self, head: &Head) -> usize {
        if head.target() == "/small" { 1000 } else { 1 << 20 }
    }

    async fn answer(&self, head: &Head, body: Bytes) -> Outgoing {
        self.counts.0.fetch_add(1, SeqCst);
        if let Some(millis) = head.target().strip_prefix("/sleep/") {
            tokio::time::sleep(Duration::from_millis(millis.parse().unwrap())).await;
        }
        assert_ne!(head.target(), "/panic", "as asked");
        if head.target() == "/large" {
            return Outgoing::text(StatusCode::OK, vec![b'a'; LARGE]);
        }
        let host = head.headers.get("host").map(|host| host.to_str().unwrap());
        let said = format!("{} {} host={} body={} secure={}\n", head.method, head.target(), host.unwrap_or("-"), body.len(), head.secure);
        self.counts.1.fetch_add(1, SeqCst);
        Outgoing::text(StatusCode::OK, said)
    }

    fn refuse(&self, _head: &Head, refusal: Refusal) -> Outgoing {
        Outgoing::text(refusal.status(), format!("refused: {refusal}\n"))
    }
}

/// Limits that a test can wait for.
pub(crate) fn short() -> Limits {
    Limits {
        head: Duration::from_millis(400),
        body: Duration::from_millis(400),
        handshake: Duration::from_millis(400),
        idle: Duration::from_millis(1500),
        stop: Duration::from_millis(1500),
        ..Limits::default()
    }
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Stopped>,
    counts: Counts,
}

pub(crate) async fn start(limits: Limits) -> Running {
    start_with(limits, None).await
}

pub(crate) async fn start_with(limits: Limits, tls: Option<Arc<Tls>>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(listener, tls, limits);
    let double = Double::default();
    let counts = Arc::clone(&double.counts);
    let task = tokio::spawn(server.run(Arc::new(double), async move { drop(stopped.await) }));
    Running { address, stop: Some(stop), task, counts }
}

impl Running {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) fn counts(&self) -> Counts {
        Arc::clone(&self.counts)
    }

    pub(crate) fn begun(&self) -> usize {
        self.counts.0.load(SeqCst)
    }

    pub(crate) fn finished(&self) -> usize {
        self.counts.1.load(SeqCst)
    }

    /// Asks the server to stop, and does not wait.
    pub(crate) fn begin_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(self) -> Stopped {
        timeout(Duration::from_secs(10), self.task).await.expect("the server stops").unwrap()
    }

    /// Sends bytes on a connection of their own and reads all that comes back until the server closes it.
    pub(crate) async fn talk(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        rest(&mut stream).await
    }

    /// Sends a whole request with `Connection: close`, and reads its answer.
    pub(crate) async fn get(&self, path: &str) -> String {
        self.talk(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    }
}

/// All that comes until the other end closes.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    timeout(Duration::from_secs(10), stream.read_to_end(&mut all)).await.expect("the server closes the connection").unwrap();
    String::from_utf8(all).unwrap()
}

/// One answer whose body ends with a line end, on a connection that stays.
pub(crate) async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let whole = async {
        loop {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "closed after {:?}", String::from_utf8_lossy(&all));
            all.push(byte[0]);
            let text = String::from_utf8_lossy(&all);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .to_ascii_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
                if body.len() == length {
                    return text.into_owned();
                }
            }
        }
    };
    timeout(Duration::from_secs(10), whole).await.expect("an answer comes")
}

/// Sends a request and reads its answer, on a connection that stays.
pub(crate) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(stream).await
}

/// The statuses of all answers in what a server sent.
pub(crate) fn statuses(text: &str) -> Vec<u16> {
    text.match_indices("HTTP/1.1 ").map(|(at, start)| text[at + start.len()..][..3].parse().unwrap()).collect()
}
