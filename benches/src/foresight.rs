//! A week of recorded decisions, made again under a change: how long that takes, and how much memory.

use crate::Problem;
use crate::client::users;
use crate::load::{Connection, runtime};
use crate::report::Report;
use crate::server::{Server, bailiwick, root};
use crate::sign::{Key, Unsigned, bytes, headers};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const ASKS: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","bailiwick:Authorize"],"Resource":"*"}}"#;
/// A change that concerns every decision and turns a tenth of them.
const CHANGE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*7.csv"}]}"#;

const CALLERS: usize = 1_000;
/// Checks of one question.
const CHECKS: usize = 1_000;

/// `what-if` on a million recorded decisions, while the server serves.
pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = Server::bailiwick(&data)?;
    let callers = users(server.address, &root(), CALLERS, ASKS)?;
    record(&server, callers)?;
    let (before, change) = (server.peak()?, folder.path().join("change.json"));
    std::fs::write(&change, CHANGE)?;
    let began = Instant::now();
    let done = Command::new(bailiwick())
        .args(["what-if", "--resource", "arn:aws:s3:::reports", "--since", "7d", "--format", "json", "--document"])
        .arg(&change)
        .arg("--data-dir")
        .arg(&data)
        .output()?;
    let seconds = began.elapsed().as_secs_f64();
    let forecast: serde_json::Value =
        serde_json::from_slice(&done.stdout).map_err(|_| String::from_utf8_lossy(&done.stderr).into_owned())?;
    let number = |name: &str| forecast.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let decisions = (CALLERS * CHECKS) as u64;
    let right = number("concerned") >= decisions && number("lost") == decisions / 10;
    let found = format!("{seconds:.1} s for {} checks, {} concerned, {} lost", number("checks"), number("concerned"), number("lost"));
    report.line("what-if on 1,000,000 recorded decisions", &found, "≤ 20 s, a tenth of them lost", seconds <= 20.0 && right);
    let grown = server.peak()?.saturating_sub(before) as f64 / 1e6;
    report.line("memory that it takes", &format!("{grown:.0} MB"), "≤ 200 MB", grown <= 200.0);
    Ok(())
}

/// Asks about every caller once, with many checks each.
fn record(server: &Server, callers: Vec<Key>) -> Result<(), Problem> {
    let (host, address) = (server.address.to_string(), server.address);
    let (callers, next) = (Arc::new(callers), Arc::new(AtomicUsize::new(0)));
    let checks: Vec<_> = (0..CHECKS)
        .map(|nth| serde_json::json!({"action": "s3:GetObject", "resource": format!("arn:aws:s3:::reports/{nth}.csv")}))
        .collect();
    let checks = Arc::new(checks);
    runtime()?.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let (callers, next, checks, host) = (callers.clone(), next.clone(), checks.clone(), host.clone());
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                while let Some(caller) = callers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    connection.succeed(&question(&host, caller, &checks)).await?;
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

fn question(host: &str, caller: &Key, checks: &[serde_json::Value]) -> Vec<u8> {
    let captured = Unsigned {
        method: "GET",
        path: "/reports/q1.csv",
        host: "store.example.com",
        service: "s3",
        content_type: None,
        target: None,
        body: b"",
    };
    let request = serde_json::json!({"method": "GET", "uri": "/reports/q1.csv", "headers": headers(&captured, caller), "sourceIp": "203.0.113.9", "secureTransport": true});
    let body = serde_json::json!({"request": request, "checks": checks}).to_string();
    let content_type = Some("application/json");
    bytes(
        &Unsigned { method: "POST", path: "/authorize", host, service: "bailiwick", content_type, target: None, body: body.as_bytes() },
        caller,
    )
}
