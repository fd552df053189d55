//! Signing in under attack: how long others wait while somebody guesses codes of an MFA device and passwords as fast as answers come.

use crate::Problem;
use crate::client::{call, element, users};
use crate::load::{Connection, run, runtime};
use crate::report::Report;
use crate::rounds::{ROUNDS, Rounds};
use crate::server::{Server, root};
use crate::sign::{Key, query};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use totp_rs::{Builder, Secret};

const TIME: Duration = Duration::from_secs(2);
const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const CHANGES: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ChangePassword","Resource":"*"}}"#;
/// Connections that guess passwords: as many as hashes run and wait. A guess of a code costs next to nothing: those are paced, for else they
/// would measure how a machine that is full serves more.
const PASSWORDS: usize = 66;
const CODES: usize = 8;
const PACE: Duration = Duration::from_millis(20);

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let server = Server::bailiwick(folder.path())?;
    let host = server.address.to_string();
    let callers = users(server.address, &root(), 2, CHANGES)?;
    let (alice, victim) = (&callers[0], &callers[1]);
    let attack = prepared(server.address, &host, victim)?;
    let identity = vec![query(&host, "sts", IDENTITY, alice)];
    let (mut calm, mut storm) = (Rounds::default(), Rounds::default());
    let (mut passwords, mut codes) = (0, 0);
    for _ in 0..ROUNDS {
        calm.add(run(server.address, 8, TIME, identity.clone())?.p99.as_secs_f64() * 1e3);
        let raging = Storm::begin(server.address, &attack);
        let outcome = run(server.address, 8, TIME, identity.clone());
        let guessed = raging.end()?;
        storm.add(outcome?.p99.as_secs_f64() * 1e3);
        (passwords, codes) = (passwords + guessed.0, codes + guessed.1);
    }
    let slower = storm.over(&calm);
    let found = format!("{slower:.1} ×; p99 {calm:.2} ms without, {storm:.2} ms with");
    report.line("GetCallerIdentity under a storm of wrong codes and passwords", &found, "p99 ≤ 2 ×", slower.middle() <= 2.0);
    report.beside("the storm", &format!("{passwords} passwords and {codes} codes were guessed in {ROUNDS} rounds, all of them wrong"));
    Ok(())
}

/// The requests of the attack: a wrong password, and a wrong code of a device.
struct Attack {
    password: Vec<u8>,
    code: Vec<u8>,
}

/// Gives the victim a password and a device.
fn prepared(address: SocketAddr, host: &str, victim: &Key) -> Result<Attack, Problem> {
    const USER: &str = "UserName=caller-1&Version=2010-05-08";
    runtime()?.block_on(async {
        let mut connection = Connection::open(address).await?;
        call(&mut connection, host, "iam", &format!("Action=CreateLoginProfile&{USER}&Password=Right-Horse-1"), &root()).await?;
        let make = "Action=CreateVirtualMFADevice&Version=2010-05-08&VirtualMFADeviceName=storm";
        let made = call(&mut connection, host, "iam", make, &root()).await?;
        let serial = element(&made, "SerialNumber")?;
        let [first, second] = codes(&element(&made, "Base32StringSeed")?)?;
        let enable =
            format!("Action=EnableMFADevice&{USER}&SerialNumber={serial}&AuthenticationCode1={first}&AuthenticationCode2={second}");
        call(&mut connection, host, "iam", &enable, &root()).await?;
        let change = "Action=ChangePassword&Version=2010-05-08&OldPassword=Wrong-Horse-1&NewPassword=Other-Horse-2";
        // A code that was used up is as wrong as any.
        let show = format!("Action=GetSessionToken&Version=2011-06-15&SerialNumber={serial}&TokenCode={first}");
        Ok(Attack { password: query(host, "iam", change, victim), code: query(host, "sts", &show, victim) })
    })
}

/// The last code and the present one of a seed, which an answer holds as base64 of base 32.
fn codes(seed: &str) -> Result<[String; 2], Problem> {
    let text = String::from_utf8(base64::Engine::decode(&base64::prelude::BASE64_STANDARD, seed)?)?;
    let app = Builder::new().with_secret(Secret::try_from_base32(&text).map_err(|_| "a seed is not in base 32")?).build()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok([now - 30, now].map(|at| app.generate(at).to_string()))
}

/// Guessing that goes on until it is ended.
struct Storm {
    ended: Arc<AtomicBool>,
    guessed: Arc<(AtomicUsize, AtomicUsize)>,
    thread: std::thread::JoinHandle<Result<(), Problem>>,
}

impl Storm {
    fn begin(address: SocketAddr, attack: &Attack) -> Storm {
        let (ended, guessed) = (Arc::new(AtomicBool::new(false)), Arc::new((AtomicUsize::new(0), AtomicUsize::new(0))));
        let (password, code) = (attack.password.clone(), attack.code.clone());
        let thread = std::thread::spawn({
            let (ended, guessed) = (ended.clone(), guessed.clone());
            move || runtime()?.block_on(rage(address, (password, code), ended, guessed))
        });
        Storm { ended, guessed, thread }
    }

    /// How many passwords and codes were guessed.
    fn end(self) -> Result<(usize, usize), Problem> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the storm panicked")??;
        Ok((self.guessed.0.load(Ordering::Relaxed), self.guessed.1.load(Ordering::Relaxed)))
    }
}

async fn rage(
    address: SocketAddr,
    (password, code): (Vec<u8>, Vec<u8>),
    ended: Arc<AtomicBool>,
    guessed: Arc<(AtomicUsize, AtomicUsize)>,
) -> Result<(), Problem> {
    let mut tasks = Vec::new();
    for nth in 0..PASSWORDS + CODES {
        let is_password = nth < PASSWORDS;
        let (request, ended, guessed) = (if is_password { password.clone() } else { code.clone() }, ended.clone(), guessed.clone());
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            while !ended.load(Ordering::Relaxed) {
                let (status, body) = connection.call(&request).await?;
                if status == 200 {
                    return Err(format!("a wrong guess was right: {}", String::from_utf8_lossy(body)).into());
                }
                if is_password {
                    guessed.0.fetch_add(1, Ordering::Relaxed);
                } else {
                    guessed.1.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(PACE).await;
                }
            }
            Ok::<_, Problem>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}
