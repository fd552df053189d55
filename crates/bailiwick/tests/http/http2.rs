//! The same over HTTP/2.
use std::time::{Duration, Instant};

use bailiwick::http::Limits;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{io::AsyncWriteExt as _, time::sleep};

use crate::support::{Running, rest, short, start};

async fn client(server: &Running) -> SendRequest<Full<Bytes>> {
    let stream = TokioIo::new(server.connect().await);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn post(path: &str, length: usize) -> Request<Full<Bytes>> {
    Request::post(format!("http://host.example{path}")).body(Full::new(Bytes::from(vec![b'a'; length]))).unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn the_authority_is_the_host() {
    let server = start(Limits::default()).await;
    let mut client = client(&server).await;
    let response = client.send_request(post("/a?b=%2F", 70_000)).await.unwrap();
    assert!(response.headers().contains_key("date"));
    assert_eq!(text(response).await, "POST /a?b=%2F host=host.example body=70000 secure=false\n");
}

#[tokio::test]
async fn an_authority_and_a_host_that_differ_are_refused() {
    let server = start(Limits::default()).await;
    let mut client = client(&server).await;
    let request = |host: &str| Request::get("http://host.example/").header("host", host).body(Full::default()).unwrap();
    assert_eq!(client.send_request(request("host.example")).await.unwrap().status(), 200);
    assert_eq!(client.send_request(request("other.example")).await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_refusal_or_a_panic_hurts_no_other_stream() {
    let server = start(Limits::default()).await;
    let mut client = client(&server).await;
    let slow = tokio::spawn(client.send_request(post("/sleep/300", 1)));
    assert_eq!(client.send_request(post("/panic", 1)).await.unwrap().status(), 500);
    let refused = client.send_request(post("/", 2 << 20)).await.unwrap();
    assert_eq!(refused.status(), 413);
    assert!(!refused.headers().contains_key("connection"));
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(client.send_request(post("/", 3)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn too_many_header_bytes_are_a_431() {
    let server = start(Limits::default()).await;
    let mut client = client(&server).await;
    let request = (0..8).fold(Request::get("http://x/"), |request, n| request.header(format!("x{n}"), "a".repeat(10_000)));
    assert_eq!(client.send_request(request.body(Full::default()).unwrap()).await.unwrap().status(), 431);
}

#[tokio::test]
async fn a_stop_answers_the_streams_that_have_begun() {
    let mut server = start(short()).await;
    let mut client = client(&server).await;
    let slow = tokio::spawn(client.send_request(post("/sleep/600", 1)));
    sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    server.begin_to_stop();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(server.ended().await.cut, 0);
    assert!(start.elapsed() < Duration::from_millis(1200), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    // Preface and empty SETTINGS: the connection stands, but no request comes.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let start = Instant::now();
    drop(tokio::time::timeout(Duration::from_secs(10), tokio::io::copy(&mut stream, &mut tokio::io::sink())).await.unwrap());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn an_answer_that_has_begun_is_finished_though_its_stream_is_reset() {
    let server = start(Limits::default()).await;
    let mut client = client(&server).await;
    let reset = client.send_request(post("/sleep/300", 1));
    assert!(tokio::time::timeout(Duration::from_millis(100), reset).await.is_err());
    assert_eq!(client.send_request(post("/", 1)).await.unwrap().status(), 200);
    assert_eq!((server.begun(), server.finished()), (2, 1));
    sleep(Duration::from_millis(500)).await;
    assert_eq!(server.finished(), 2);
}

#[tokio::test]
async fn streams_that_are_reset_count_until_they_are_finished() {
    let server = start(Limits::default()).await;
    let mut client = client(&server).await;
    for _ in 0..5000 {
        let reset = client.send_request(post("/sleep/30000", 1));
        if tokio::time::timeout(Duration::from_millis(2), reset).await.is_ok() || server.begun() >= 200 {
            break;
        }
    }
    assert_eq!(client.send_request(post("/", 1)).await.unwrap().status(), 503);
    assert_eq!((server.begun(), server.finished()), (200, 0));
    assert!(server.get("/").await.starts_with("HTTP/1.1 200 "), "another connection is served");
}
