//! An organization of 10,000 accounts, made by its API: what changes at its root cost the decisions in all of them, when they act, and how its
//! accounts are listed.

use crate::Problem;
use crate::client::{call, credentials, encoded};
use crate::load::{Connection, Outcome, run, runtime};
use crate::report::Report;
use crate::rounds::{ROUNDS, Rounds};
use crate::server::{ACCOUNT, Server, root};
use crate::sign::{Key, Unsigned, bytes, headers, organizations};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const ACCOUNTS: usize = 10_000;
/// Units under the root, and units under each of those. Every other account stands in one of the latter, the rest under the root.
const UNITS: usize = 10;
const CLIENTS: usize = 64;
const TIME: Duration = Duration::from_millis(1_500);
const PAGE_TIME: Duration = Duration::from_millis(300);
/// Between two changes at the root: as no organization makes them for long, and so that they do not measure how a machine that is full serves
/// more. Nearly every decision between two of them is the first one of its account after a change.
const PACE: Duration = Duration::from_millis(50);
/// What the load asks for.
const ASKED: &str = "s3:GetObject";
/// What the policy denies that comes and goes at the root.
const DENIED: &str = "s3:DeleteObject";

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let server = Server::bailiwick(folder.path())?;
    let began = Instant::now();
    let organization = Arc::new(Organization::new(server.address)?);
    println!("       an organization of {} accounts made in {:.0} s", organization.members.len() + 1, began.elapsed().as_secs_f64());
    changes(report, &server, &organization)?;
    pages(report, &server, &organization)
}

/// The organization, as its clients know it.
struct Organization {
    host: String,
    root: String,
    /// The policy that comes and goes.
    policy: String,
    /// Who asks: a user of the management account.
    asker: Key,
    /// A role's session in each member account.
    members: Vec<Member>,
}

struct Member {
    account: String,
    session: Key,
}

/// One connection that calls with one key.
struct Client {
    connection: Connection,
    host: String,
    key: Key,
}

impl Client {
    async fn open(address: SocketAddr, key: &Key) -> Result<Client, Problem> {
        Ok(Client { connection: Connection::open(address).await?, host: address.to_string(), key: key.clone() })
    }

    async fn organizations(&mut self, operation: &str, body: Value) -> Result<Value, Problem> {
        let request = organizations(&self.host, operation, &body, &self.key);
        let answer = self.connection.succeed(&request).await.map_err(|problem| format!("{operation} {body}: {problem}"))?;
        if answer.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(answer)?) }
    }

    async fn query(&mut self, service: &str, body: &str) -> Result<String, Problem> {
        call(&mut self.connection, &self.host, service, body, &self.key).await
    }
}

/// The text at this place of an answer.
fn text(answer: &Value, pointer: &str) -> Result<String, Problem> {
    Ok(answer.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer} in {answer}"))?.to_owned())
}

impl Organization {
    fn new(address: SocketAddr) -> Result<Organization, Problem> {
        runtime()?.block_on(async {
            let mut client = Client::open(address, &root()).await?;
            client.organizations("CreateOrganization", json!({"FeatureSet": "ALL"})).await?;
            let root = text(&client.organizations("ListRoots", json!({})).await?, "/Roots/0/Id")?;
            let kind = "SERVICE_CONTROL_POLICY";
            let content = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": DENIED, "Resource": "*"}}).to_string();
            let policy = json!({"Name": "comes-and-goes", "Description": "", "Type": kind, "Content": content});
            let policy = text(&client.organizations("CreatePolicy", policy).await?, "/Policy/PolicySummary/Id")?;
            let mut leaves = Vec::new();
            for nth in 0..UNITS {
                let unit = unit(&mut client, &root, nth).await?;
                for nth in 0..UNITS {
                    leaves.push(self::unit(&mut client, &unit, nth).await?);
                }
            }
            let asker = asker(&mut client).await?;
            each(address, &asker, ACCOUNTS - 1, |client, nth| {
                Box::pin(async move {
                    let account = json!({"AccountName": format!("member {nth}"), "Email": format!("member-{nth}@example.com")});
                    client.organizations("CreateAccount", account).await
                })
            })
            .await?;
            let accounts = Arc::new(accounts(&mut client).await?);
            let (leaves, from, accounts_there) = (Arc::new(leaves), root.clone(), accounts.clone());
            let members = each(address, &asker, accounts.len(), move |client, nth| {
                let (leaves, from, account) = (leaves.clone(), from.clone(), accounts_there[nth].clone());
                Box::pin(async move {
                    if nth % 2 == 0 {
                        let to = &leaves[nth / 2 % leaves.len()];
                        let place = json!({"AccountId": account, "SourceParentId": from, "DestinationParentId": to});
                        client.organizations("MoveAccount", place).await?;
                    }
                    let role = encoded(&format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole"));
                    let assume = format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=bench&RoleArn={role}");
                    Ok(Member { session: credentials(&client.query("sts", &assume).await?)?, account })
                })
            })
            .await?;
            Ok(Organization { host: address.to_string(), root, policy, asker, members })
        })
    }

    /// A question about a request of this member's.
    fn question(&self, member: &Member, action: &str) -> Vec<u8> {
        let content_type = Some("application/json");
        let captured = Unsigned {
            method: "GET",
            path: "/reports/q1.csv",
            host: "store.example.com",
            service: "s3",
            content_type: None,
            target: None,
            body: b"",
        };
        let body = json!({
            "request": {"method": "GET", "uri": "/reports/q1.csv", "headers": headers(&captured, &member.session), "sourceIp": "203.0.113.9", "secureTransport": true},
            "checks": [{"action": action, "resource": "arn:aws:s3:::reports/q1.csv", "resourceAccount": member.account}],
        });
        let body = body.to_string();
        let (method, path, host, service) = ("POST", "/authorize", self.host.as_str(), "bailiwick");
        bytes(&Unsigned { method, path, host, service, content_type, target: None, body: body.as_bytes() }, &self.asker)
    }
}

async fn unit(client: &mut Client, parent: &str, nth: usize) -> Result<String, Problem> {
    let unit = json!({"ParentId": parent, "Name": format!("unit {nth}")});
    text(&client.organizations("CreateOrganizationalUnit", unit).await?, "/OrganizationalUnit/Id")
}

/// A user of the management account who may do everything: root cannot assume roles.
async fn asker(client: &mut Client) -> Result<Key, Problem> {
    let everything = encoded(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
    let user = "UserName=asker&Version=2010-05-08";
    client.query("iam", &format!("Action=CreateUser&{user}")).await?;
    client.query("iam", &format!("Action=PutUserPolicy&{user}&PolicyName=p&PolicyDocument={everything}")).await?;
    credentials(&client.query("iam", &format!("Action=CreateAccessKey&{user}")).await?)
}

/// The accounts of all members but the management account's.
async fn accounts(client: &mut Client) -> Result<Vec<String>, Problem> {
    let mut pages = Pages::new("ListAccounts", json!({}));
    let mut accounts = Vec::with_capacity(ACCOUNTS);
    while let Some(page) = pages.next(client).await? {
        for account in page["Accounts"].as_array().ok_or("no accounts")? {
            accounts.push(text(account, "/Id")?);
        }
    }
    if accounts.len() != ACCOUNTS {
        return Err(format!("{} accounts are listed", accounts.len()).into());
    }
    accounts.retain(|account| account != ACCOUNT);
    Ok(accounts)
}

type Doing<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

/// Does something for each number below `count`, with many clients at once.
async fn each<T: Send + 'static>(
    address: SocketAddr,
    key: &Key,
    count: usize,
    act: impl for<'a> Fn(&'a mut Client, usize) -> Doing<'a, T> + Send + Sync + 'static,
) -> Result<Vec<T>, Problem> {
    let (act, numbers) = (Arc::new(act), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let (act, numbers, key) = (act.clone(), numbers.clone(), key.clone());
        tasks.push(tokio::spawn(async move {
            let (mut client, mut made) = (Client::open(address, &key).await?, Vec::new());
            loop {
                let nth = numbers.fetch_add(1, Ordering::Relaxed);
                if nth >= count {
                    return Ok::<_, Problem>(made);
                }
                made.push(act(&mut client, nth).await?);
            }
        }));
    }
    let mut all = Vec::with_capacity(count);
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(all)
}

/// Decisions in all accounts, while the root is quiet and while a policy comes and goes there.
fn changes(report: &mut Report, server: &Server, organization: &Arc<Organization>) -> Result<(), Problem> {
    let asks: Vec<Vec<u8>> = organization.members.iter().map(|member| organization.question(member, ASKED)).collect();
    let load = || run(server.address, 8, TIME, asks.clone());
    load()?;
    let (mut quiet, mut busy) = (Rounds::default(), Rounds::default());
    let (mut slowest_quiet, mut slowest_busy) = (Duration::ZERO, Duration::ZERO);
    let mut changed = Changed::default();
    let milliseconds = |outcome: &Outcome| outcome.p99.as_secs_f64() * 1e3;
    for round in 0..ROUNDS {
        let outcome = load()?;
        quiet.add(milliseconds(&outcome));
        slowest_quiet = slowest_quiet.max(outcome.most);
        let changing = Changing::begin(server.address, organization, round);
        let outcome = load();
        changed.add(changing.end()?);
        let outcome = outcome?;
        busy.add(milliseconds(&outcome));
        slowest_busy = slowest_busy.max(outcome.most);
    }
    let slower = busy.over(&quiet);
    let found = format!("{slower:.1} ×; p99 {quiet:.2} ms quiet, {busy:.2} ms with");
    let what = format!("decisions in {ACCOUNTS} accounts while a policy comes and goes at the root");
    report.line(&what, &found, "p99 ≤ 2 ×", slower.middle() <= 2.0);
    report.beside(
        "the slowest decision",
        &format!("{:.1} ms quiet, {:.1} ms with", slowest_quiet.as_secs_f64() * 1e3, slowest_busy.as_secs_f64() * 1e3),
    );
    let found = format!("{} of {} changes; it was answered in {}", changed.at_once, changed.changes.len(), spread(&mut changed.first));
    report.line("a change at the root acts on the very next decision", &found, "all of them", changed.at_once == changed.changes.len());
    report.beside("AttachPolicy and DetachPolicy at the root meanwhile", &spread(&mut changed.changes));
    Ok(())
}

/// The middle and the greatest.
fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |at: usize| times.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, at most {:.2} ms", at(times.len() / 2), at(times.len().saturating_sub(1)))
}

/// What changes took, and how soon they acted.
#[derive(Default)]
struct Changed {
    /// From sending a change to its answer.
    changes: Vec<Duration>,
    /// How many were obeyed by the first decision that was asked for after their answer.
    at_once: usize,
    /// How long that decision took.
    first: Vec<Duration>,
}

impl Changed {
    fn add(&mut self, other: Changed) {
        self.changes.extend(other.changes);
        self.at_once += other.at_once;
        self.first.extend(other.first);
    }
}

/// Changes at the root that go on until they are ended.
struct Changing {
    ended: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Result<Changed, Problem>>,
}

impl Changing {
    fn begin(address: SocketAddr, organization: &Arc<Organization>, round: usize) -> Changing {
        let ended = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (organization, ended) = (organization.clone(), ended.clone());
            move || runtime()?.block_on(change(address, &organization, round, &ended))
        });
        Changing { ended, thread }
    }

    fn end(self) -> Result<Changed, Problem> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the changes panicked")?
    }
}

/// Attaches and detaches the policy at the root, and asks some member's decision after each.
async fn change(address: SocketAddr, organization: &Organization, round: usize, ended: &AtomicBool) -> Result<Changed, Problem> {
    let mut client = Client::open(address, &organization.asker).await?;
    let mut changed = Changed::default();
    let mut members = organization.members.iter().cycle().skip(round * 1_000);
    let both = json!({"PolicyId": organization.policy, "TargetId": organization.root});
    while !ended.load(Ordering::Relaxed) {
        for (operation, obeyed) in [("AttachPolicy", "ExplicitlyDenied"), ("DetachPolicy", "Allowed")] {
            let question = organization.question(members.next().ok_or("no member")?, DENIED);
            let request = organizations(&organization.host, operation, &both, &organization.asker);
            let began = Instant::now();
            client.connection.succeed(&request).await?;
            let answered = Instant::now();
            let answer: Value = serde_json::from_slice(client.connection.succeed(&question).await?)?;
            changed.first.push(answered.elapsed());
            changed.changes.push(answered - began);
            changed.at_once += usize::from(text(&answer, "/decisions/0/decision")? == obeyed);
            tokio::time::sleep(PACE).await;
        }
    }
    Ok(changed)
}

/// A list, page by page.
struct Pages {
    operation: &'static str,
    body: Option<Value>,
}

impl Pages {
    fn new(operation: &'static str, body: Value) -> Pages {
        Pages { operation, body: Some(body) }
    }

    /// What the next page is asked for with.
    fn asks(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    async fn next(&mut self, client: &mut Client) -> Result<Option<Value>, Problem> {
        let Some(mut body) = self.body.take() else { return Ok(None) };
        let page = client.organizations(self.operation, body.clone()).await?;
        if let Some(token) = page.get("NextToken").filter(|token| !token.is_null()) {
            body["NextToken"] = token.clone();
            self.body = Some(body);
        }
        Ok(Some(page))
    }
}

/// Pages of accounts at the head, in the middle and at the end.
fn pages(report: &mut Report, server: &Server, organization: &Organization) -> Result<(), Problem> {
    let lists = [("ListAccounts", json!({}), ACCOUNTS), ("ListAccountsForParent", json!({"ParentId": organization.root}), ACCOUNTS / 2)];
    for (operation, body, count) in lists {
        let asks = runtime()?.block_on(async {
            let mut client = Client::open(server.address, &organization.asker).await?;
            let mut pages = Pages::new(operation, body);
            let mut asks = Vec::new();
            while let Some(ask) = pages.asks().cloned() {
                asks.push(ask);
                pages.next(&mut client).await?;
            }
            Ok::<_, Problem>(asks)
        })?;
        let (mut head, mut middle, mut end) = (Rounds::default(), Rounds::default(), Rounds::default());
        // The last page may hold few accounts: the one before it is full.
        let places = [0, asks.len() / 2, asks.len().saturating_sub(2)];
        for _ in 0..ROUNDS {
            for (place, rounds) in places.into_iter().zip([&mut head, &mut middle, &mut end]) {
                let ask = asks.get(place).ok_or("there is no such page")?;
                let request = organizations(&organization.host, operation, ask, &organization.asker);
                rounds.add(run(server.address, 1, PAGE_TIME, vec![request])?.p50.as_secs_f64() * 1e3);
            }
        }
        let (to_middle, to_end) = (middle.over(&head), end.over(&head));
        let found = format!("{to_middle:.2} × and {to_end:.2} × of the first; {head:.2} ms, {middle:.2} ms, {end:.2} ms");
        let what = format!("{operation}, the pages in the middle and at the end of {count}");
        report.line(&what, &found, "≤ 1.5 ×", to_middle.middle() <= 1.5 && to_end.middle() <= 1.5);
    }
    Ok(())
}
