//! What a request gets.
use bailiwick::http::Limits;
use tokio::io::AsyncWriteExt as _;

use crate::support::{GET, ask, rest, start, statuses};

#[tokio::test]
async fn a_connection_serves_many_requests_each_with_a_date() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        let said = ask(&mut stream, GET).await;
        assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
        assert!(said.to_ascii_lowercase().contains("\r\ndate: "), "{said}");
        assert!(said.ends_with("GET /a?b=%2F host=x body=0 secure=false\n"), "{said}");
    }
}

#[tokio::test]
async fn health_is_answered_before_the_answerer() {
    let server = start(Limits::default()).await;
    assert!(server.get("/health").await.ends_with("ok\n"));
    assert!(server.get("/healthy").await.ends_with("GET /healthy host=x body=0 secure=false\n"));
    let head = server.talk("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let server = start(Limits::default()).await;
    let said = server.talk("GET / HTTP/1.0\r\n\r\n").await;
    assert!(said.contains("200 OK") && said.ends_with("GET / host=- body=0 secure=false\n"), "{said}");
}

#[tokio::test]
async fn a_client_that_has_shut_its_side_down_gets_its_answer() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /sleep/100 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(statuses(&rest(&mut stream).await), [200]);
}

#[tokio::test]
async fn bodies_arrive_whole_by_length_and_by_chunks() {
    let server = start(Limits::default()).await;
    let by_length = format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n{}", "a".repeat(300_000));
    assert!(server.talk(by_length).await.ends_with("body=300000 secure=false\n"));
    let by_chunks = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert!(server.talk(by_chunks).await.ends_with("body=5 secure=false\n"));
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_same_connection_is_served_on() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    assert!(ask(&mut stream, "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await.starts_with("HTTP/1.1 500 "));
    assert!(ask(&mut stream, GET).await.starts_with("HTTP/1.1 200 "));
}
