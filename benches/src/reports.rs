//! Reports on 100,000 users: the credential report, and when they last used a service. And what noting a use costs a decision.

use crate::Problem;
use crate::client::{call, element, encoded};
use crate::load::{Connection, runtime};
use crate::report::Report;
use crate::server::{ACCOUNT, Server, root};
use arn::{IdKind, UniqueId};
use identities::{AccessKeyRecord, UserRecord};
use operation::{Access, Accessed};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use store::{Mark, SHARED, Store, StoreError, Who};

const USERS: usize = 100_000;
const BATCH: usize = 1_000;
const POLICY: &str = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
const MOST: Duration = Duration::from_secs(5);

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    note(report)?;
    let folder = tempfile::tempdir()?;
    drop(Server::bailiwick(folder.path())?);
    fill(&folder.path().join("bailiwick.db"))?;
    let server = Server::bailiwick(folder.path())?;
    let before = server.resident()?;
    let (credentials, accessed) = runtime()?.block_on(async {
        let mut connection = Connection::open(server.address).await?;
        Ok::<_, Problem>((credentials(&mut connection, &server).await?, last_accessed(&mut connection, &server).await?))
    })?;
    let grown = (server.resident()?.saturating_sub(before)) as f64 / 1e6;
    let line = |report: &mut Report, name: &str, time: Duration| {
        report.line(name, &format!("{:.2} s", time.as_secs_f64()), "≤ 5 s", time <= MOST);
    };
    line(report, "the credential report of 100,000 users, made and fetched", credentials);
    line(report, "when 100,000 users last used a service, made and fetched", accessed);
    report.line("resident memory that both added", &format!("{grown:.0} MB"), "≤ 200 MB", grown <= 200.0);
    Ok(())
}

/// What a decision pays for a use that was noted in the same minute.
fn note(report: &mut Report) -> Result<(), Problem> {
    const NOTES: u32 = 2_000_000;
    let (accessed, entity) = (Accessed::default(), id(0));
    let access =
        Access { account: ACCOUNT.parse()?, entity: entity.as_str(), service: "s3", action: "GetObject", region: "us-east-1", at: 6_000 };
    let began = Instant::now();
    for _ in 0..NOTES {
        accessed.note(black_box(&access));
    }
    let each = began.elapsed().as_nanos() as f64 / f64::from(NOTES);
    report.line("noting which action a principal used", &format!("{each:.0} ns"), "≤ 100 ns", each <= 100.0);
    Ok(())
}

async fn ask(connection: &mut Connection, server: &Server, action: &str) -> Result<String, Problem> {
    call(connection, &server.address.to_string(), "iam", &format!("Action={action}&Version=2010-05-08"), &root()).await
}

async fn credentials(connection: &mut Connection, server: &Server) -> Result<Duration, Problem> {
    let began = Instant::now();
    while element(&ask(connection, server, "GenerateCredentialReport").await?, "State")? != "COMPLETE" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let content = element(&ask(connection, server, "GetCredentialReport").await?, "Content")?;
    if content.len() < USERS * 200 {
        return Err(format!("the report has {} characters only", content.len()).into());
    }
    Ok(began.elapsed())
}

async fn last_accessed(connection: &mut Connection, server: &Server) -> Result<Duration, Problem> {
    let began = Instant::now();
    let policy = encoded(POLICY);
    let job = element(
        &ask(connection, server, &format!("GenerateServiceLastAccessedDetails&Granularity=ACTION_LEVEL&Arn={policy}")).await?,
        "JobId",
    )?;
    let details = loop {
        let details = ask(connection, server, &format!("GetServiceLastAccessedDetails&JobId={job}")).await?;
        if element(&details, "JobStatus")? != "IN_PROGRESS" {
            break details;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    if !details.contains(&format!("<TotalAuthenticatedEntities>{USERS}</TotalAuthenticatedEntities>")) {
        return Err(format!("not everybody is counted: {details}").into());
    }
    ask(connection, server, &format!("GetServiceLastAccessedDetailsWithEntities&ServiceNamespace=s3&MaxItems=1000&JobId={job}")).await?;
    Ok(began.elapsed())
}

fn id(nth: usize) -> UniqueId {
    let mut entropy = [0; 11];
    // The order of ids is not that of names.
    entropy[..8].copy_from_slice(&(nth as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    UniqueId::from_entropy(IdKind::User, entropy)
}

/// Users with a key and a policy each, who used both, written to the store itself.
fn fill(file: &Path) -> Result<(), Problem> {
    let store = Store::open(file)?;
    let account: arn::AccountId = ACCOUNT.parse()?;
    let now = crate::sign::now();
    runtime()?.block_on(async {
        let who = Who { account: ACCOUNT.into(), caller: "bench".into(), at_millis: 0 };
        for batch in 0..USERS / BATCH {
            let of_batch = batch * BATCH..(batch + 1) * BATCH;
            let key = |nth: usize| arn::AccessKeyId::long_term(account, nth as u64);
            let unreadable = |error| StoreError::Unreadable("bench", error);
            store
                .write(&who, |tx| {
                    let of_batch = of_batch.clone();
                    async move {
                        for nth in of_batch {
                            let user = format!(
                                r#"{{"id":"{}","name":"user-{nth:07}","path":"/","created":1700000000,"attached":["{POLICY}"]}}"#,
                                id(nth)
                            );
                            let owner = format!(r#"{{"account":"{account}","user":"{}"}}"#, id(nth));
                            let of_key =
                                format!(r#"{{"id":"{}","owner":{owner},"secret":"1:AAAA","active":true,"created":1700000000}}"#, key(nth));
                            let user = serde_json::from_str::<UserRecord>(&user).map_err(unreadable)?;
                            let of_key = serde_json::from_str::<AccessKeyRecord>(&of_key).map_err(unreadable)?;
                            let stored = [tx.insert(&user).await?, tx.in_account(SHARED).insert(&of_key).await?];
                            if stored.contains(&store::Stored::Taken) {
                                return Err(StoreError::Conflict);
                            }
                        }
                        Ok::<_, StoreError>(())
                    }
                })
                .await?;
            let marks = of_batch.flat_map(|nth| {
                let used =
                    Mark { kind: "last-used", account: SHARED.into(), key: key(nth).to_string(), value: format!("{now} us-east-1 s3") };
                let value = format!("{now} us-east-1 \n{now} us-east-1 GetObject\n{now} us-east-1 PutObject\n");
                [used, Mark { kind: "accessed", account: ACCOUNT.into(), key: format!("{} s3", id(nth)), value }]
            });
            store.put_marks(marks.collect()).await?;
        }
        store.close().await
    })?;
    Ok(())
}
