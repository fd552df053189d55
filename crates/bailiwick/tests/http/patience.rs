//! For how long.
use std::time::{Duration, Instant};

use bailiwick::http::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{GET, LARGE, ask, rest, short, start, statuses};

/// Sends a byte now and then until the server closes, and says after how long.
async fn dribble(mut stream: TcpStream, bytes: &[u8]) -> (Duration, String) {
    let start = Instant::now();
    let (mut reading, mut writing) = stream.split();
    let mut all = Vec::new();
    let send = async {
        for byte in bytes.iter().cycle() {
            if writing.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = send => {}
        _ = timeout(Duration::from_secs(10), reading.read_to_end(&mut all)) => {}
    }
    (start.elapsed(), String::from_utf8_lossy(&all).into_owned())
}

#[tokio::test]
async fn slow_heads_are_dropped_however_they_begin() {
    let server = start(short()).await;
    for bytes in ["G", "GET / HTTP/1.1\r\nHost: x\r\nX: a", "PRI * HTTP/2.0\r\n\r\n"] {
        let (took, _) = dribble(server.connect().await, bytes.as_bytes()).await;
        assert!(took < Duration::from_secs(5), "{bytes:?}: {took:?}");
    }
    let start = Instant::now();
    rest(&mut server.connect().await).await;
    assert!(start.elapsed() < Duration::from_secs(5), "a connection that sends nothing");
}

#[tokio::test]
async fn a_slow_second_head_is_dropped_before_the_idle_time() {
    let server = start(Limits { idle: Duration::from_secs(60), ..short() }).await;
    let mut stream = server.connect().await;
    ask(&mut stream, GET).await;
    let (took, said) = dribble(stream, b"G").await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_slow_body_is_a_408() {
    let server = start(short()).await;
    let (_, said) = dribble(server.connect().await, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na").await;
    assert!(said.is_empty(), "its head is slow too: {said}");
    let mut stream = server.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
    let (took, said) = dribble(stream, b"a").await;
    assert_eq!(statuses(&said), [408], "{said}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let mut silent = server.connect().await;
    silent.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
    assert_eq!(statuses(&rest(&mut silent).await), [408]);
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    for _ in 0..4 {
        ask(&mut stream, GET).await;
        sleep(Duration::from_millis(700)).await;
    }
    ask(&mut stream, "GET /sleep/2500 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let start = Instant::now();
    assert_eq!(rest(&mut stream).await, "");
    assert!((Duration::from_secs(1)..Duration::from_secs(5)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut_and_a_slow_one_is_not() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(600)).await;
    // Within the idle time all of it is still there to be had.
    let mut all = vec![0; LARGE];
    timeout(Duration::from_secs(10), stream.read_exact(&mut all)).await.unwrap().unwrap();

    let mut stream = server.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(3500)).await;
    let mut got = Vec::new();
    drop(timeout(Duration::from_secs(10), stream.read_to_end(&mut got)).await.expect("the connection has ended"));
    assert!(got.len() < LARGE, "{}", got.len());
}
