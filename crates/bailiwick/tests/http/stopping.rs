//! The end of a server.
use std::time::{Duration, Instant};

use bailiwick::http::Limits;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};

use crate::support::{GET, LARGE, ask, rest, short, start, statuses};

#[tokio::test]
async fn a_stop_answers_what_has_begun_and_drops_half_heads() {
    let mut server = start(short()).await;
    let address = server.address;
    let mut asked = server.connect().await;
    asked.write_all(b"GET /sleep/600 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut sending = server.connect().await;
    sending.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na").await.unwrap();
    let mut idle = server.connect().await;
    ask(&mut idle, GET).await;
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\nHos").await.unwrap();
    let mut silent = server.connect().await;
    sleep(Duration::from_millis(100)).await;
    server.begin_to_stop();
    sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(address).await.is_err(), "no more is accepted");
    sending.write_all(b"bc").await.unwrap();
    assert!(rest(&mut sending).await.ends_with("body=3 secure=false\n"));
    assert_eq!((rest(&mut idle).await, rest(&mut half).await, rest(&mut silent).await), Default::default());
    let said = rest(&mut asked).await;
    assert_eq!(statuses(&said), [200]);
    assert!(said.to_ascii_lowercase().contains("connection: close"), "{said}");
    assert_eq!(server.ended().await.cut, 0);
}

#[tokio::test]
async fn a_stop_cuts_what_takes_too_long() {
    let mut server = start(short()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /sleep/60000 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    server.begin_to_stop();
    assert_eq!(server.ended().await.cut, 1);
    assert!((Duration::from_millis(1400)..Duration::from_secs(4)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_stop_of_an_idle_server_takes_no_time() {
    let mut server = start(Limits::default()).await;
    let mut idle = server.connect().await;
    ask(&mut idle, GET).await;
    let start = Instant::now();
    server.begin_to_stop();
    assert_eq!(server.ended().await.cut, 0);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_answer_that_has_begun_is_finished_though_the_client_hangs_up() {
    let mut server = start(short()).await;
    let stream = server.connect().await;
    // Without lingering, closing sends a reset.
    stream.set_zero_linger().unwrap();
    let mut stream = stream;
    stream.write_all(b"GET /sleep/600 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(stream);
    sleep(Duration::from_millis(100)).await;
    assert_eq!((server.begun(), server.finished()), (1, 0));
    let start = Instant::now();
    server.begin_to_stop();
    let finished = server.counts();
    assert_eq!(server.ended().await.cut, 0);
    assert_eq!(finished.1.load(std::sync::atomic::Ordering::SeqCst), 1, "a stop waits for it too");
    assert!(start.elapsed() < Duration::from_millis(1200), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_stop_waits_for_a_client_that_still_takes_its_answer() {
    let mut server = start(Limits { stop: Duration::from_secs(8), ..short() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(300)).await;
    server.begin_to_stop();
    sleep(Duration::from_millis(700)).await;
    let said = rest(&mut stream).await;
    assert!(said.len() > LARGE, "{}", said.len());
    assert_eq!(server.ended().await.cut, 0);
}
