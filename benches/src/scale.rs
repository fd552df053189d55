//! Many users: memory, pages, and how long a start takes.

use crate::Problem;
use crate::client::{call, element, encoded, users};
use crate::load::{Connection, run, run_fresh, runtime};
use crate::report::Report;
use crate::server::{ACCOUNT, Server, root};
use crate::sign::{Key, query};
use arn::{IdKind, UniqueId};
use identities::{Tags, UserRecord};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Record, Store, StoreError, Who};

const IDENTITY: &str = "Action=GetUser&Version=2010-05-08";
const OWN: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}"#;

/// Resident memory after each of 100,000 users, with one key and one policy each, has called once.
pub fn memory(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let server = Server::bailiwick(folder.path())?;
    let callers = users(server.address, &root(), 100_000, OWN)?;
    call_once(&server, callers)?;
    let resident = server.resident()? as f64 / 1e6;
    report.line("resident memory after 100,000 users called", &format!("{resident:.0} MB"), "≤ 300 MB", resident <= 300.0);
    Ok(())
}

fn call_once(server: &Server, callers: Vec<Key>) -> Result<(), Problem> {
    let (host, address) = (server.address.to_string(), server.address);
    let callers = Arc::new(callers);
    runtime()?.block_on(async {
        let mut tasks = Vec::new();
        for first in 0..16 {
            let (callers, host) = (callers.clone(), host.clone());
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                for caller in callers.iter().skip(first).step_by(16) {
                    connection.succeed(&query(&host, "iam", IDENTITY, caller)).await?;
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

const MILLION: usize = 1_000_000;
/// Where the page lies that is deep in the list.
const DEEP: usize = 900_000;
const TIME: Duration = Duration::from_secs(2);

/// A page of users among a million, and starts on that store.
pub fn million(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    drop(Server::bailiwick(folder.path())?);
    fill(&folder.path().join("bailiwick.db"))?;

    let server = Server::bailiwick(folder.path())?;
    let start = server.started_in.as_secs_f64() * 1e3;
    report.line("a start on a store with 1,000,000 users", &format!("{start:.0} ms"), "≤ 1000 ms", start <= 1_000.0);
    pages(report, &server)?;
    // What it wrote just now is in the log only, and has to be found again.
    let host = server.address.to_string();
    let create = move |nth| query(&host, "iam", &format!("Action=CreateUser&Version=2010-05-08&UserName=late-{nth}"), &root());
    run_fresh(server.address, 16, Duration::from_secs(1), 0, create)?;
    server.kill()?;
    let server = Server::bailiwick(folder.path())?;
    let start = server.started_in.as_secs_f64() * 1e3;
    report.line("the same after kill -9", &format!("{start:.0} ms"), "≤ 1000 ms", start <= 1_000.0);
    Ok(())
}

fn pages(report: &mut Report, server: &Server) -> Result<(), Problem> {
    let host = server.address.to_string();
    let list = |most: usize, marker: Option<&str>| {
        let marker = marker.map_or_else(String::new, |marker| format!("&Marker={}", encoded(marker)));
        format!("Action=ListUsers&Version=2010-05-08&MaxItems={most}{marker}")
    };
    let first = run(server.address, 1, TIME, vec![query(&host, "iam", &list(100, None), &root())])?;
    let marker = runtime()?.block_on(async {
        let mut connection = Connection::open(server.address).await?;
        let mut marker = None;
        for _ in 0..DEEP / 1_000 {
            let answer = call(&mut connection, &host, "iam", &list(1_000, marker.as_deref()), &root()).await?;
            marker = Some(element(&answer, "Marker")?);
        }
        Ok::<_, Problem>(marker)
    })?;
    let deep = run(server.address, 1, TIME, vec![query(&host, "iam", &list(100, marker.as_deref()), &root())])?;
    let (first, deep) = (first.p50.as_secs_f64() * 1e3, deep.p50.as_secs_f64() * 1e3);
    report.line("ListUsers, a page of 100 among 1,000,000", &format!("{first:.2} ms"), "≤ 2 ms", first <= 2.0);
    report.line(
        "the same after 900,000",
        &format!("{deep:.2} ms, {:.2} × of the first", deep / first),
        "≤ 1.5 ×",
        deep <= 1.5 * first && deep <= 2.0,
    );
    Ok(())
}

/// A million users, written to the store itself.
fn fill(file: &Path) -> Result<(), Problem> {
    let began = Instant::now();
    let store = Store::open(file)?;
    runtime()?.block_on(async {
        let who = Who { account: ACCOUNT.into(), caller: "bench".into(), at_millis: 0 };
        for batch in 0..MILLION / 1_000 {
            store
                .write(&who, |tx| async move {
                    for nth in 0..1_000 {
                        let nth = batch * 1_000 + nth;
                        let mut entropy = [0; 11];
                        entropy[..8].copy_from_slice(&(nth as u64).to_be_bytes());
                        let user = UserRecord {
                            id: UniqueId::from_entropy(IdKind::User, entropy),
                            name: format!("user-{nth:07}").parse().map_err(|_| StoreError::Conflict)?,
                            path: identities::Path::default(),
                            created: 1_700_000_000,
                            permissions_boundary: None,
                            groups: Vec::new(),
                            attached: Vec::new(),
                            tags: Tags::default(),
                        };
                        if tx.insert(&user).await? == store::Stored::Taken {
                            return Err(StoreError::Conflict);
                        }
                    }
                    Ok::<_, StoreError>(())
                })
                .await?;
        }
        store.close().await
    })?;
    println!("       {MILLION} {}s written in {:.0} s", UserRecord::KIND, began.elapsed().as_secs_f64());
    Ok(())
}
