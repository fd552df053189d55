//! How much of what.
use std::time::Duration;

use bailiwick::http::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{sleep, timeout},
};

use crate::support::{GET, answer, ask, rest, start, statuses};

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_cleanly() {
    let server = start(Limits::default()).await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(70_000));
    assert_eq!(statuses(&server.talk(long).await), [431]);
    let endless = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "a".repeat(2_000_000));
    assert_eq!(statuses(&server.talk(endless).await), [431]);
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: a\r\n".repeat(200));
    assert_eq!(statuses(&server.talk(many).await), [431]);
    let target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(66_000));
    let said = server.talk(target).await;
    assert!(matches!(statuses(&said).as_slice(), [414 | 431]), "{said}");
    let fits = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {}\r\n\r\n", "a".repeat(60_000));
    assert_eq!(statuses(&server.talk(fits).await), [200]);
}

#[tokio::test]
async fn a_body_of_10_megabytes_is_refused_and_a_client_that_sends_it_all_still_reads_why() {
    let server = start(Limits::default()).await;
    for framing in ["Content-Length: 10000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n989680\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}").as_bytes()).await.unwrap();
        let body = vec![b'a'; 1_000_000];
        for _ in 0..10 {
            stream.write_all(&body).await.expect("the server takes what is sent");
        }
        let said = rest(&mut stream).await;
        assert_eq!(statuses(&said), [413], "{said}");
        assert!(said.ends_with("refused: The request body is longer than 1048576 bytes\n"), "{said}");
    }
}

#[tokio::test]
async fn the_limit_of_a_body_is_the_answerers() {
    let server = start(Limits::default()).await;
    let post = |path: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{}", "a".repeat(length))
    };
    assert_eq!(statuses(&server.talk(post("/small", 1000)).await), [200]);
    assert_eq!(statuses(&server.talk(post("/small", 1001)).await), [413]);
    assert_eq!(statuses(&server.talk(post("/", 1 << 20)).await), [200]);
    assert_eq!(statuses(&server.talk(post("/", (1 << 20) + 1)).await), [413]);
}

#[tokio::test]
async fn a_body_is_asked_for_only_if_it_fits() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n").await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 100 "));
    assert!(ask(&mut stream, "abc").await.ends_with("body=3 secure=false\n"));
    let said = server.talk("POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n").await;
    assert_eq!(statuses(&said), [413], "{said}");
}

#[tokio::test]
async fn bodies_of_all_connections_together_are_bounded() {
    let server = start(Limits { bodies_bytes: 300_000, ..Limits::default() }).await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 250000\r\n\r\n";
    let mut first = server.connect().await;
    first.write_all(head.as_bytes()).await.unwrap();
    first.write_all(&vec![b'a'; 200_000]).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    let whole = format!("{head}{}", "a".repeat(250_000));
    assert_eq!(statuses(&server.talk(&whole).await), [503]);
    first.write_all(&vec![b'a'; 50_000]).await.unwrap();
    assert_eq!(statuses(&rest(&mut first).await), [200]);
    assert_eq!(statuses(&server.talk(&whole).await), [200]);
}

#[tokio::test]
async fn beyond_the_most_connections_the_next_one_waits() {
    let server = start(Limits { connections: 2, ..Limits::default() }).await;
    let mut held = [server.connect().await, server.connect().await];
    for stream in &mut held {
        ask(stream, GET).await;
    }
    let mut third = server.connect().await;
    third.write_all(GET.as_bytes()).await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), third.read(&mut byte)).await.is_err());
    drop(held);
    assert!(answer(&mut third).await.starts_with("HTTP/1.1 200 "));
}
