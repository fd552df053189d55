//! A whole node in a directory of its own, with an account that manages an organization and a user whom no policy allows anything.

use access::Access;
use arn::{AccessKeyId, AccountId, IdKind, UniqueId};
use audit::Trail;
use hmac::{Hmac, KeyInit, Mac};
use identities::{
    AccessKeyRecord, AccountRecord, Clock, Entropy, KeyRecord, Keyring, MasterKey, Owner, Place, Purpose, SystemClock, SystemEntropy, Tags,
    UserRecord,
};
use operation::{Door, Incoming, Limits, System};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use store::{Fresh, Record, SHARED, Store, StoreError, Stored, Who};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const MASTER: [u8; 32] = [7; 32];

/// An answer.
pub struct Said {
    pub status: u16,
    pub body: Value,
    request_id: String,
}

impl Said {
    /// The error's code, if it is one.
    pub fn code(&self) -> Option<&str> {
        self.body["__type"].as_str()
    }
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
    pub root: String,
    pub nobody: String,
    system: Arc<System>,
    door: Door,
    dir: tempfile::TempDir,
}

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

impl Node {
    /// A new one.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (master, clock, entropy) = (MasterKey::new(&MASTER), SystemClock, SystemEntropy::default());
        let proof = master.prove(&entropy).unwrap();
        let store = Store::create(&dir.path().join("store.db"), &Fresh { key_proof: &proof, at_millis: clock.now_millis() }).unwrap();
        let purposes = [(1, Purpose::Records), (2, Purpose::Tokens)];
        let sealing = purposes.map(|(number, purpose)| Keyring::new_key(number, purpose, &master, clock.now(), &entropy).unwrap());
        let keyring = Keyring::unlock(&master, &sealing).unwrap();
        let user = UserRecord {
            id: UniqueId::from_entropy(IdKind::User, [1; 11]),
            name: "nobody".parse().unwrap(),
            path: identities::Path::default(),
            created: clock.now(),
            permissions_boundary: None,
            groups: Vec::new(),
            attached: Vec::new(),
            tags: Tags::default(),
        };
        let key = |number, user: Option<UniqueId>| {
            let id = AccessKeyId::long_term(account(), number);
            let place = Place { kind: AccessKeyRecord::KIND, account: "111122223333", key: id.as_str() };
            let secret = keyring.seal(&place, SECRET.as_bytes(), &entropy).unwrap();
            AccessKeyRecord { id: id.clone(), owner: Owner { account: account(), user }, secret, active: true, created: clock.now() }
        };
        let (root, nobody) = (key(1, None), key(2, Some(user.id.clone())));
        let first = AccountRecord::new(account(), "walk", "walk@example.com", clock.now());
        let second = AccountRecord::new("444455556666".parse().unwrap(), "other", "other@example.com", clock.now());
        let who = Who { account: "111122223333".into(), caller: "operator".into(), at_millis: clock.now_millis() };
        let (sealing, user, keys, accounts) = (&sealing, &user, &[&root, &nobody], &[first, second]);
        store
            .write::<_, StoreError, _>(&who, |tx| async move {
                let shared = tx.in_account(SHARED);
                for record in sealing {
                    assert_eq!(shared.insert(record).await?, Stored::Done);
                }
                for record in keys {
                    assert_eq!(shared.insert(*record).await?, Stored::Done);
                }
                for record in accounts {
                    assert_eq!(shared.insert(record).await?, Stored::Done);
                }
                assert_eq!(tx.insert(user).await?, Stored::Done);
                Ok(())
            })
            .await
            .unwrap();
        let (root, nobody) = (root.id.to_string(), nobody.id.to_string());
        Node::over(dir, store, root, nobody).await
    }

    /// Another one that begins with what this one has now.
    pub async fn copy(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        self.system.access.store.backup(&file).await.unwrap();
        Node::over(dir, Store::open(&file).unwrap(), self.root.clone(), self.nobody.clone()).await
    }

    async fn over(dir: tempfile::TempDir, store: Store, root: String, nobody: String) -> Self {
        let scan = |tx: store::Tx<store::Read>| async move { tx.scan(KeyRecord::KEY.all(), None, 9, |_: &KeyRecord| true).await };
        let keys = store.read::<_, StoreError, _>(SHARED, scan).await.unwrap().records;
        let keyring = Keyring::unlock(&MasterKey::new(&MASTER), &keys).unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
        let access = Access::new(Arc::new(store), keyring, Arc::new(SystemClock), entropy);
        let trail = Trail::open(&dir.path().join("trail"), audit::Config::default()).unwrap();
        let apis = super::apis();
        let system = Arc::new(System::new(Arc::new(access), Arc::new(trail), Limits::default(), &apis));
        Node { root, nobody, door: Door::new(system.clone(), apis), system, dir }
    }

    /// Asks for `action`, signed with the key `id`.
    pub async fn ask(&self, id: &str, action: &str, parameters: &Value) -> Said {
        self.send(id, "organizations", "/", &format!("AWSOrganizationsV20161128.{action}"), parameters).await
    }

    /// Sends a request to a service, signed with the key `id`. A service that speaks REST does not read the target.
    pub async fn send(&self, id: &str, service: &str, path: &str, target: &str, parameters: &Value) -> Said {
        let body = parameters.to_string();
        let time: String = access::iso(SystemClock.now()).chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let authorization = authorization(id, &time, service, path, target, &body);
        let headers: &[(&str, &[u8])] = &[
            ("host", b"organizations.example.com"),
            ("content-type", b"application/x-amz-json-1.1"),
            ("x-amz-date", time.as_bytes()),
            ("x-amz-target", target.as_bytes()),
            ("authorization", authorization.as_bytes()),
        ];
        let address = Some("203.0.113.9".parse().unwrap());
        let incoming = Incoming { method: "POST", uri: path, headers, body: body.as_bytes(), address, secure: true };
        let reply = self.door.answer(incoming).await;
        let request_id = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amzn-requestid")).unwrap().1.to_string();
        Said { status: reply.status, body: serde_json::from_slice(&reply.body).unwrap(), request_id }
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// The `Authorization` header of a request. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
fn authorization(id: &str, time: &str, service: &str, path: &str, target: &str, body: &str) -> String {
    let signed = "content-type;host;x-amz-date;x-amz-target";
    let headers =
        format!("content-type:application/x-amz-json-1.1\nhost:organizations.example.com\nx-amz-date:{time}\nx-amz-target:{target}\n");
    let canonical = format!("POST\n{path}\n\n{headers}\n{signed}\n{}", hex(&Sha256::digest(body)));
    let (date, _) = time.split_once('T').unwrap();
    let scope = format!("{date}/us-east-1/{service}/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut mac = format!("AWS4{SECRET}").into_bytes();
    for part in [date, "us-east-1", service, "aws4_request", &to_sign] {
        let mut next = Hmac::<Sha256>::new_from_slice(&mac).unwrap();
        next.update(part.as_bytes());
        mac = next.finalize().into_bytes().to_vec();
    }
    format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={}", hex(&mac))
}
