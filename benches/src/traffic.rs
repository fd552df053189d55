//! Requests a second of what is asked most, beside a hello-world on the same HTTP stack under the same load.

use crate::Problem;
use crate::client::{call, credentials, users};
use crate::load::{Connection, run, runtime};
use crate::report::Report;
use crate::server::{Server, root};
use crate::sign::{Key, Unsigned, bytes, headers, query};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(4);
const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const READS: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","bailiwick:Authorize"],"Resource":"*"}}"#;

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let server = Server::bailiwick(folder.path())?;
    let hello = Server::hello()?;
    let host = server.address.to_string();
    let callers = users(server.address, &root(), 1_000, READS)?;

    let identity = || vec![query(&host, "sts", IDENTITY, &callers[0])];
    for connections in [8, 64] {
        let base = run(hello.address, connections, TIME, identity())?;
        let ours = run(server.address, connections, TIME, identity())?;
        let part = 100.0 * ours.per_second / base.per_second;
        let found = format!("{:.0}/s, hello-world {:.0}/s, {part:.0} %", ours.per_second, base.per_second);
        report.line(&format!("GetCallerIdentity, {connections} connections"), &found, "≥ 60 %", part >= 60.0);
        let (p50, p99) = (ours.p50.as_secs_f64() * 1e3, ours.p99.as_secs_f64() * 1e3);
        report.line(
            &format!("its latency, {connections} connections"),
            &format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
            "p99 ≤ 3 × p50",
            p99 <= 3.0 * p50,
        );
    }

    let asks: Vec<Vec<u8>> = callers.iter().map(|caller| question(&host, &callers[0], caller)).collect();
    for connections in [8, 64] {
        let base = run(hello.address, connections, TIME, asks.clone())?;
        let ours = run(server.address, connections, TIME, asks.clone())?;
        let part = 100.0 * ours.per_second / base.per_second;
        let found = format!("{:.0}/s, hello-world {:.0}/s, {part:.0} %", ours.per_second, base.per_second);
        report.line(&format!("POST /authorize over 1000 callers, {connections} connections"), &found, "≥ 45 %", part >= 45.0);
        let (p50, p99) = (ours.p50.as_secs_f64() * 1e3, ours.p99.as_secs_f64() * 1e3);
        report.line(
            &format!("its latency, {connections} connections"),
            &format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
            "p99 ≤ 3 × p50",
            p99 <= 3.0 * p50,
        );
    }

    let before = run(server.address, 8, TIME, identity())?;
    sessions(&server, &callers[0], 100_000)?;
    let after = run(server.address, 8, TIME, identity())?;
    let part = 100.0 * after.per_second / before.per_second;
    report.line("GetCallerIdentity after 100,000 issued sessions", &format!("{part:.0} % of before"), "≥ 95 %", part >= 95.0);
    Ok(())
}

/// A question about a request of `caller`'s, asked by `asker`.
fn question(host: &str, asker: &Key, caller: &Key) -> Vec<u8> {
    let captured =
        Unsigned { method: "GET", path: "/reports/q1.csv", host: "store.example.com", service: "s3", content_type: None, body: b"" };
    let body = serde_json::json!({
        "request": {"method": "GET", "uri": "/reports/q1.csv", "headers": headers(&captured, caller), "sourceIp": "203.0.113.9", "secureTransport": true},
        "checks": [{"action": "s3:GetObject", "resource": "arn:aws:s3:::reports/q1.csv"}],
    });
    let body = body.to_string();
    bytes(
        &Unsigned {
            method: "POST",
            path: "/authorize",
            host,
            service: "bailiwick",
            content_type: Some("application/json"),
            body: body.as_bytes(),
        },
        asker,
    )
}

/// Issues sessions, and uses some of them.
fn sessions(server: &Server, key: &Key, count: usize) -> Result<(), Problem> {
    let host = server.address.to_string();
    let request = query(&host, "sts", "Action=GetSessionToken&Version=2011-06-15", key);
    runtime()?.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..16 {
            let (request, host, address) = (request.clone(), host.clone(), server.address);
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                for nth in 0..count / 16 {
                    let answer = String::from_utf8(connection.succeed(&request).await?.to_vec())?;
                    if nth % 10 == 0 {
                        call(&mut connection, &host, "sts", IDENTITY, &credentials(&answer)?).await?;
                    }
                }
                Ok::<_, Problem>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}
