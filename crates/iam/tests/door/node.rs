//! A whole node in a directory of its own: store, keys, data plane, trail, door. Requests come in signed, as bytes.

use access::Access;
use arn::{AccessKeyId, AccountId};
use audit::Trail;
use hmac::{Hmac, KeyInit, Mac};
use identities::{
    AccessKeyRecord, AccountRecord, AccountStatus, Clock, Entropy, KeyRecord, Keyring, MasterKey, Owner, Place, Purpose, SystemClock,
    SystemEntropy,
};
use operation::{Api, Door, Incoming, Limits, System, Used};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use store::{Fresh, Record, SHARED, Store, StoreError, Stored, Who};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const MASTER: [u8; 32] = [7; 32];

/// What somebody signs with.
pub struct Key {
    pub id: String,
    pub secret: String,
}

/// What a walk may name: of this account, with the access key, the credential and the SSH key of the user `walk`.
pub struct Walked {
    pub account: AccountId,
    pub key: String,
    pub credential: String,
    pub ssh_key: String,
}

/// An answer.
pub struct Said {
    pub status: u16,
    pub body: String,
    request_id: String,
}

/// One check, as the trail has it.
#[derive(Debug)]
pub struct Check {
    pub action: String,
    pub resource: String,
    /// Its own keys and those that it shares with the request's other checks.
    pub keys: Vec<String>,
}

pub struct Node {
    pub account: AccountId,
    pub root: Key,
    system: Arc<System>,
    door: Door,
    dir: tempfile::TempDir,
}

impl Node {
    /// A new one, with one account.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (master, clock, entropy) = (MasterKey::new(&MASTER), SystemClock, SystemEntropy::default());
        let proof = master.prove(&entropy).unwrap();
        let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: &proof, at_millis: clock.now_millis() }).unwrap();
        let purposes = [(1, Purpose::Records), (2, Purpose::Tokens)];
        let keys = purposes.map(|(number, purpose)| Keyring::new_key(number, purpose, &master, clock.now(), &entropy).unwrap());
        let keyring = Keyring::unlock(&master, &keys).unwrap();
        let id: AccountId = "111122223333".parse().unwrap();
        let key_id = AccessKeyId::long_term(id, 1);
        let place = Place { kind: AccessKeyRecord::KIND, account: "111122223333", key: key_id.as_str() };
        let key = &AccessKeyRecord {
            id: key_id.clone(),
            owner: Owner { account: id, user: None },
            secret: keyring.seal(&place, SECRET.as_bytes(), &entropy).unwrap(),
            active: true,
            created: clock.now(),
        };
        let account = &AccountRecord {
            id,
            name: "walk".into(),
            email: "walk@example.com".into(),
            alias: None,
            status: AccountStatus::Active,
            created: clock.now(),
            users_may_change_password: false,
            root_password: None,
            root_recovery: None,
        };
        let who = Who { account: SHARED.into(), caller: "operator".into(), at_millis: clock.now_millis() };
        let keys = &keys;
        store
            .write::<_, StoreError, _>(&who, |tx| async move {
                for record in keys {
                    assert_eq!(tx.insert(record).await?, Stored::Done);
                }
                assert_eq!(tx.insert(account).await?, Stored::Done);
                assert_eq!(tx.insert(key).await?, Stored::Done);
                Ok(())
            })
            .await
            .unwrap();
        let root = Key { id: key_id.to_string(), secret: SECRET.into() };
        Node::over(dir, store, id, root).await
    }

    /// Another one that begins with what this one has now.
    pub async fn copy(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        self.system.access.store.backup(&file).await.unwrap();
        let root = Key { id: self.root.id.clone(), secret: self.root.secret.clone() };
        Node::over(dir, Store::open(&file).unwrap(), self.account, root).await
    }

    async fn over(dir: tempfile::TempDir, store: Store, account: AccountId, root: Key) -> Self {
        let scan = |tx: store::Tx<store::Read>| async move { tx.scan(KeyRecord::KEY.all(), None, 9, |_: &KeyRecord| true).await };
        let keys = store.read::<_, StoreError, _>(SHARED, scan).await.unwrap().records;
        let keyring = Keyring::unlock(&MasterKey::new(&MASTER), &keys).unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
        let access = Access::new(Arc::new(store), keyring, Arc::new(SystemClock), entropy);
        let trail = Trail::open(&dir.path().join("trail"), audit::Config::default()).unwrap();
        let apis = vec![Api::of(iam::FAMILIES)];
        let system = Arc::new(System::new(Arc::new(access), Arc::new(trail), Limits::default(), &apis));
        Node { account, root, door: Door::new(system.clone(), apis), system, dir }
    }

    /// Where it keeps everything.
    pub fn store(&self) -> &Store {
        &self.system.access.store
    }

    /// Notes that something was used, as sign-in does of a password.
    pub fn note_use(&self, id: &str, at: i64) {
        self.system.last_used.note(id, Used { at, region: "us-east-1".into(), service: "signin".into() });
    }

    /// Asks for `action`, signed with `key`.
    pub async fn ask(&self, key: &Key, action: &str, parameters: &[(&str, &str)]) -> Said {
        let owned: Vec<(String, String)> = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        self.ask_all(key, action, &owned).await
    }

    /// The same with parameters that were made up.
    pub async fn ask_all(&self, key: &Key, action: &str, parameters: &[(String, String)]) -> Said {
        let mut body = format!("Action={action}&Version=2010-05-08");
        for (name, value) in parameters {
            write!(body, "&{name}={}", encoded(value)).unwrap();
        }
        let time = time(SystemClock.now());
        let authorization = authorization(key, &time, &body);
        let headers: &[(&str, &[u8])] = &[
            ("host", b"iam.example.com"),
            ("content-type", b"application/x-www-form-urlencoded"),
            ("x-amz-date", time.as_bytes()),
            ("authorization", authorization.as_bytes()),
        ];
        let address = Some("203.0.113.9".parse().unwrap());
        let incoming = Incoming { method: "POST", uri: "/", headers, body: body.as_bytes(), address, secure: true };
        let reply = self.door.answer(incoming).await;
        let request_id = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amzn-requestid")).unwrap().1.to_string();
        Said { status: reply.status, body: String::from_utf8(reply.body.to_vec()).unwrap(), request_id }
    }

    /// What the request was judged by: the trail knows.
    pub fn checks(&self, said: &Said) -> Vec<Check> {
        self.system.trail.sync();
        let line = self.system.trail.find(&said.request_id).unwrap().expect("an event of every request");
        let event: Value = serde_json::from_str(&line).unwrap();
        let recorded = &event["additionalEventData"]["bailiwick"];
        let names = |keys: &Value| keys.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let shared = names(&recorded["keys"]);
        let checks = recorded["checks"].as_array().into_iter().flatten();
        checks
            .map(|check| Check {
                action: check["action"].as_str().unwrap().into(),
                resource: check["resource"].as_str().unwrap().into(),
                keys: names(&check["keys"]).into_iter().chain(shared.clone()).collect(),
            })
            .collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.system.trail.close();
        let _ = &self.dir; // goes last
    }
}

impl Said {
    /// The error's code, if it is one.
    pub fn code(&self) -> Option<String> {
        self.element("Code")
    }

    /// The access key that the answer shows.
    pub fn key(&self) -> Key {
        assert_eq!(self.status, 200, "{}", self.body);
        Key { id: self.element("AccessKeyId").unwrap(), secret: self.element("SecretAccessKey").unwrap() }
    }

    /// What stands between these tags, wherever they are.
    pub fn all(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        self.body.split(&open).skip(1).filter_map(|rest| rest.split_once(&close).map(|(text, _)| text.to_owned())).collect()
    }

    fn element(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

/// `20260102T030405Z`.
fn time(seconds: i64) -> String {
    access::iso(seconds).chars().filter(|c| !matches!(c, '-' | ':')).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// The `Authorization` header of a request. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
fn authorization(key: &Key, time: &str, body: &str) -> String {
    let signed = "content-type;host;x-amz-date";
    let headers = format!("content-type:application/x-www-form-urlencoded\nhost:iam.example.com\nx-amz-date:{time}\n");
    let canonical = format!("POST\n/\n\n{headers}\n{signed}\n{}", hex(&Sha256::digest(body)));
    let (date, _) = time.split_once('T').unwrap();
    let scope = format!("{date}/us-east-1/iam/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut mac = format!("AWS4{}", key.secret).into_bytes();
    for part in [date, "us-east-1", "iam", "aws4_request", &to_sign] {
        let mut next = Hmac::<Sha256>::new_from_slice(&mac).unwrap();
        next.update(part.as_bytes());
        mac = next.finalize().into_bytes().to_vec();
    }
    format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={}", key.id, hex(&mac))
}
