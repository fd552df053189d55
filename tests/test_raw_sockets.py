"""Bytes on a socket: smuggling, framing, oversized heads, half requests. Each is refused or answered once; nothing hidden is carried out."""

import re
import socket
import time

import pytest

from harness.principals import fresh
from harness.signing import query


def talk(server, data, timeout=5, half_close=False):
    """Everything that the server sends until it closes or falls silent."""
    with socket.create_connection(server.address, timeout=timeout) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        got = b""
        connection.settimeout(1.0)
        try:
            while chunk := connection.recv(65536):
                got += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def answers(got):
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", got)]


@pytest.fixture(autouse=True)
def still_serving(server):
    yield
    assert server.healthy() and server.process.poll() is None


def head(server, method="POST", target="/", *headers):
    return f"{method} {target} HTTP/1.1\r\nHost: {server.listen}\r\n".encode() + b"".join(line + b"\r\n" for line in headers)


SMUGGLED = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("lines", [
    (b"Content-Length: 4", b"Transfer-Encoding: chunked"), (b"Transfer-Encoding: chunked", b"Content-Length: 40"), (b"Content-Length: 0", b"Content-Length: 40"), (b"Content-Length: 0, 40",),
    (b"Transfer-Encoding: xchunked",), (b"Transfer-Encoding : chunked",), (b"Transfer-Encoding:\x0bchunked",), (b"Transfer-Encoding: chunked, identity",), (b"Transfer-Encoding: identity, chunked, chunked",),
    (b"X: y\r\n Transfer-Encoding: chunked",), (b"Content-Length: +4",), (b"Content-Length: 0x4",), (b"Content-Length: -1",), (b"Content-Length: 4 4",), (b"Content-Length:",), (b"Content-Length: 99999999999999999999",),
    (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
])
def test_ambiguous_framing_is_refused_and_nothing_after_it_is_served(server, lines):
    got = talk(server, head(server, "POST", "/", *lines) + b"\r\n0\r\n\r\n" + SMUGGLED)
    assert all(status >= 400 for status in answers(got)), got[:300]
    assert len(answers(got)) <= 1, got[:600]


@pytest.mark.parametrize("chunks", [b"5\r\nhello\r\nZ\r\n", b"-1\r\n", b"FFFFFFFFFFFFFFFFF\r\n", b"5;ext=\x00\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"3\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5 \r\nhell"])
def test_bad_chunks(server, chunks):
    got = talk(server, head(server, "POST", "/", b"Transfer-Encoding: chunked") + b"\r\n" + chunks, half_close=True)
    assert all(status >= 400 for status in answers(got)), got[:300]
    assert len(answers(got)) <= 1


@pytest.mark.parametrize("data", [b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage-garbage-garbage", b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: x\r\nA\x00B: c\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
                                  b"GET / HTTP/1.1\nHost: x\n\n", b"G" * 100_000, b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 2_000_000 + b"\r\n\r\n",
                                  b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: v\r\n" % number for number in range(20_000)) + b"\r\n"])
def test_what_is_no_request(server, data):
    got = talk(server, data, half_close=True)
    assert all(400 <= status < 500 or status == 505 for status in answers(got)), got[:300]


@pytest.mark.parametrize("hosts", [[], [b"Host: a", b"Host: b"], [b"Host: a, b"], [b"Host:"]])
def test_a_request_has_one_host(server, hosts):
    got = talk(server, b"POST / HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in hosts) + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    assert answers(got) and all(400 <= status < 500 for status in answers(got)), got[:300]


def test_two_hosts_around_a_signed_one_are_refused(account):
    signed = query(account.root, "sts", "GetCallerIdentity")
    for extra in (("Host", "evil.example"), ("host", account.server.listen)):
        data = b"POST / HTTP/1.1\r\n"
        for name, value in [*signed.headers, extra]:
            data += f"{name}: {value}\r\n".encode()
        data += f"Content-Length: {len(signed.data)}\r\nConnection: close\r\n\r\n".encode() + signed.data
        assert all(status >= 400 for status in answers(talk(account.server, data)))


def request_bytes(signed, *extra, close=True):
    lines = [f"{name}: {value}" for name, value in signed.headers if name.lower() != "content-length"]
    lines += [f"Content-Length: {len(signed.data)}", *extra, *(["Connection: close"] if close else [])]
    return f"{signed.method} {signed.target} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + signed.data


def test_pipelined_requests_are_answered_in_order(account):
    name = fresh("pipelined")
    first, second = query(account.root, "iam", "CreateUser", {"UserName": name}), query(account.root, "iam", "GetUser", {"UserName": name})
    got = talk(account.server, request_bytes(first, close=False) + request_bytes(second))
    assert answers(got) == [200, 200]
    assert got.index(b"CreateUserResponse") < got.index(b"GetUserResponse")


def test_expect_100_continue_is_answered(account):
    signed = query(account.root, "sts", "GetCallerIdentity")
    whole = request_bytes(signed, "Expect: 100-continue")
    boundary = whole.index(b"\r\n\r\n") + 4
    with socket.create_connection(account.server.address, timeout=5) as connection:
        connection.sendall(whole[:boundary])
        assert connection.recv(1024).startswith(b"HTTP/1.1 100")
        connection.sendall(whole[boundary:])
        got = b""
        while chunk := connection.recv(65536):
            got += chunk
    assert answers(got) == [200] and account.id.encode() in got


def test_a_body_in_chunks_is_a_body(account):
    signed = query(account.root, "sts", "GetCallerIdentity")
    lines = [f"{name}: {value}" for name, value in signed.headers if name.lower() != "content-length"] + ["Transfer-Encoding: chunked", "Connection: close"]
    data = b"POST / HTTP/1.1\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n"
    half = len(signed.data) // 2
    for piece in (signed.data[:half], signed.data[half:]):
        data += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    assert answers(talk(account.server, data + b"0\r\n\r\n")) == [200]


def test_a_body_shorter_than_promised_does_nothing(account):
    name = fresh("short")
    signed = query(account.root, "iam", "CreateUser", {"UserName": name})
    data = request_bytes(signed)[:-3]
    got = talk(account.server, data, half_close=True)
    assert all(status >= 400 for status in answers(got))
    assert name not in {user["UserName"] for user in account.iam.list_users()["Users"]}


def test_bytes_after_the_body_are_not_the_body(account):
    """A signed body followed by more parameters: the length decides, and the rest is no request."""
    signed = query(account.root, "iam", "GetUser", {"UserName": "x"})
    got = talk(account.server, request_bytes(signed, close=False) + b"&UserName=y\r\n\r\n")
    assert answers(got)[0] == 404 and b"name x" in got


def test_two_hundred_half_heads_hold_up_nobody(server, account):
    slow = [socket.create_connection(server.address, timeout=5) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        started = time.monotonic()
        assert account.root.identity()["Account"] == account.id
        assert time.monotonic() - started < 2
    finally:
        for connection in slow:
            connection.close()


def test_an_absolute_target_and_a_foreign_host_are_no_way_in(server):
    for target in ("http://169.254.169.254/latest/meta-data/", "http://evil.example/", "*"):
        got = talk(server, f"GET {target} HTTP/1.1\r\nHost: {server.listen}\r\nConnection: close\r\n\r\n".encode())
        assert all(400 <= status < 500 for status in answers(got)), got[:300]
