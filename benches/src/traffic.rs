//! Requests a second of what is asked most, beside a hello-world on the same HTTP stack under the same load.

use crate::Problem;
use crate::client::{call, credentials, users};
use crate::load::{Connection, run, runtime};
use crate::report::Report;
use crate::rounds::{ROUNDS, Rounds};
use crate::server::{Server, root};
use crate::sign::{Key, Unsigned, bytes, headers, query};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(2);
const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const READS: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","bailiwick:Authorize"],"Resource":"*"}}"#;

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let server = Server::bailiwick(folder.path())?;
    let hello = Server::hello()?;
    let host = server.address.to_string();
    let callers = users(server.address, &root(), 1_000, READS)?;

    let identity = vec![query(&host, "sts", IDENTITY, &callers[0])];
    for connections in [8, 64] {
        beside(report, "GetCallerIdentity", 60.0, (&server, &hello), connections, &identity)?;
    }
    let asks: Vec<Vec<u8>> = callers.iter().map(|caller| question(&host, &callers[0], caller)).collect();
    for connections in [8, 64] {
        beside(report, "POST /authorize over 1000 callers", 45.0, (&server, &hello), connections, &asks)?;
    }

    let before = rates(&server, &identity)?;
    sessions(&server, &callers[0], 100_000)?;
    let after = rates(&server, &identity)?;
    let part = 100.0 * after.middle() / before.middle();
    let found = format!("{part:.0} % of before: {before:.0}/s before, {after:.0}/s after");
    report.line("GetCallerIdentity after 100,000 issued sessions", &found, "≥ 95 %", part >= 95.0);
    Ok(())
}

fn rates(server: &Server, requests: &[Vec<u8>]) -> Result<Rounds, Problem> {
    let mut rates = Rounds::default();
    for _ in 0..ROUNDS {
        rates.add(run(server.address, 8, TIME, requests.to_vec())?.per_second);
    }
    Ok(rates)
}

/// The same load on Bailiwick and on the hello-world, back to back.
fn beside(
    report: &mut Report,
    what: &str,
    target: f64,
    (server, hello): (&Server, &Server),
    connections: usize,
    requests: &[Vec<u8>],
) -> Result<(), Problem> {
    let (mut base, mut ours) = (Rounds::default(), Rounds::default());
    let (mut p50, mut p99) = (Rounds::default(), Rounds::default());
    let mut base_tail = Rounds::default();
    for _ in 0..ROUNDS {
        let outcome = run(hello.address, connections, TIME, requests.to_vec())?;
        base.add(outcome.per_second);
        base_tail.add(outcome.p99.as_secs_f64() / outcome.p50.as_secs_f64());
        let outcome = run(server.address, connections, TIME, requests.to_vec())?;
        ours.add(outcome.per_second);
        p50.add(outcome.p50.as_secs_f64() * 1e3);
        p99.add(outcome.p99.as_secs_f64() * 1e3);
    }
    let part = ours.over(&base).times(100.0);
    let found = format!("{part} %; {ours}/s, hello-world {base}/s");
    report.line(&format!("{what}, {connections} connections"), &found, &format!("≥ {target} %"), part.middle() >= target);
    let tail = p99.over(&p50);
    let found = format!("{tail:.1} ×; p50 {p50:.2} ms, p99 {p99:.2} ms; hello-world {base_tail:.1} ×");
    report.line("its latency", &found, "p99 ≤ 3 × p50", tail.middle() <= 3.0);
    Ok(())
}

/// A question about a request of `caller`'s, asked by `asker`.
fn question(host: &str, asker: &Key, caller: &Key) -> Vec<u8> {
    let captured = Unsigned {
        method: "GET",
        path: "/reports/q1.csv",
        host: "store.example.com",
        service: "s3",
        content_type: None,
        target: None,
        body: b"",
    };
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
            target: None,
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
