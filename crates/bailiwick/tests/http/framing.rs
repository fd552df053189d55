//! Smuggling: whatever a proxy in front may have made of it, nothing behind the first request is read as a second one.
use bailiwick::http::Limits;

use crate::support::{start, statuses};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn a_request_with_two_framings_is_the_last_of_its_connection() {
    let server = start(Limits::default()).await;
    for framings in ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"] {
        let said = server.talk(format!("POST / HTTP/1.1\r\nHost: x\r\n{framings}\r\n\r\n0\r\n\r\n{SMUGGLED}")).await;
        assert_eq!(statuses(&said).len(), 1, "{said}");
        assert!(!said.contains("smuggled") && said.to_ascii_lowercase().contains("connection: close"), "{said}");
    }
}

#[tokio::test]
async fn what_follows_a_chunked_request_is_not_read() {
    let server = start(Limits::default()).await;
    for path in ["/", "/health", "/panic"] {
        let said = server.talk(format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}")).await;
        assert_eq!(statuses(&said).len(), 1, "{said}");
        assert!(!said.contains("smuggled"), "{said}");
    }
}

#[tokio::test]
async fn lengths_and_codings_that_are_not_clear_are_refused() {
    let server = start(Limits::default()).await;
    for framing in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Content-Length: 0x5",
        "Content-Length: 5, 6",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: ",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Content-Length : 5",
        "Content-Length: 5\r\n Transfer-Encoding: chunked",
        "\u{b}Transfer-Encoding: chunked",
        "X: a\rContent-Length: 5",
        "X: a\0b",
    ] {
        let said = server.talk(format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\nabcde{SMUGGLED}")).await;
        assert_eq!(statuses(&said), [400], "{framing:?}: {said}");
    }
    let old = server.talk(format!("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}")).await;
    assert_eq!(statuses(&old), [400], "{old}");
}

#[tokio::test]
async fn chunks_that_are_not_clear_end_the_connection() {
    let server = start(Limits::default()).await;
    for chunks in ["xyz\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\na", "-3\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\n0\n\n"]
    {
        let said = server.talk(format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{SMUGGLED}")).await;
        assert_eq!(statuses(&said), [400], "{chunks:?}: {said}");
    }
    let extension = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(100_000));
    let said = server.talk(format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{extension}")).await;
    assert_eq!(statuses(&said), [400], "{said}");
}

#[tokio::test]
async fn a_request_has_one_host() {
    let server = start(Limits::default()).await;
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let said = server.talk(head).await;
        assert_eq!(statuses(&said), [400], "{head:?}: {said}");
    }
    let said = server.talk("GET http://a/p?q HTTP/1.1\r\nHost: A\r\nConnection: close\r\n\r\n").await;
    assert!(said.ends_with("GET /p?q host=A body=0 secure=false\n"), "{said}");
    assert_eq!(statuses(&server.talk("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").await), [405]);
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_the_server_serves_on() {
    let server = start(Limits::default()).await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"G\xffT / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ] {
        let said = server.talk(bytes).await;
        assert_eq!(statuses(&said), [400], "{bytes:?}: {said}");
    }
    assert_eq!(statuses(&server.get("/").await), [200]);
}
