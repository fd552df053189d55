//! Services that call others for their callers: registered by the operator, by command or by a signed request.
//!
//! A service's name is believed in every account that trusts it, so by a signed request only principals of the account that the store was begun
//! with register one, and none under a name of AWS's. Whoever owns the data directory may do both. `docs/services.md` is the guide.

use crate::said::{Said, map};
use crate::{Decisions, Error};
use access::iso;
use arn::{AccessKeyId, AccountId};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use identities::{
    Entropy, FIRST_ACCOUNT, Keyring, Place, SealingError, ServiceHost, ServiceKeyRecord, ServiceName, ServiceRecord, service_arn,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use serde::Deserialize;
use store::{Marker, Mode, Read, Record, SHARED, StoreError, Stored, Tx, Write};
use wire::Node;
use zeroize::Zeroizing;

pub(super) const OPERATIONS: Operations<Decisions> =
    &[handler::<AddService>(), handler::<ListServices>(), handler::<RemoveService>(), handler::<ResetServiceKey>()];

/// Hosts of one service.
const MOST_HOSTS: usize = 20;
/// Services of one page, and keys of one service that are ended together.
const PAGE: usize = 100;

/// What a service is given once.
pub struct NewKey {
    /// What is kept.
    pub record: ServiceKeyRecord,
    /// What is shown, and then forgotten.
    pub secret: Zeroizing<String>,
}

impl NewKey {
    /// A key of `service`, whose id carries `account`.
    pub fn make(
        service: &ServiceName,
        account: AccountId,
        now: i64,
        keyring: &Keyring,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealingError> {
        let mut chance = Zeroizing::new([0; 38]);
        entropy.fill(chance.as_mut())?;
        let (number, secret) = chance.split_first_chunk::<8>().ok_or(SealingError::NoEntropy)?;
        let id = AccessKeyId::long_term(account, u64::from_be_bytes(*number));
        let secret = Zeroizing::new(BASE64_STANDARD.encode(secret));
        let place = Place { kind: ServiceKeyRecord::KIND, account: SHARED, key: id.as_str() };
        let sealed = keyring.seal(&place, secret.as_bytes(), entropy)?;
        Ok(NewKey { record: ServiceKeyRecord { id, service: service.clone(), secret: sealed, created: now }, secret })
    }
}

/// Registers a service with its key. `Taken`: there is one of this name.
pub async fn add(tx: &Tx<Write>, service: &ServiceRecord, key: &ServiceKeyRecord) -> Result<Stored, StoreError> {
    let shared = tx.in_account(SHARED);
    if shared.insert(service).await? == Stored::Taken {
        return Ok(Stored::Taken);
    }
    match shared.insert(key).await? {
        Stored::Done => Ok(Stored::Done),
        Stored::Taken => Err(StoreError::Conflict),
    }
}

/// Ends a service, its keys, and so all that it was delegated. Whether there was one.
pub async fn remove(tx: &Tx<Write>, name: &ServiceName) -> Result<bool, StoreError> {
    end_keys(tx, name).await?;
    tx.in_account(SHARED).delete::<ServiceRecord>(name).await
}

/// Ends a service's keys, and gives it another. Whether there is such a service.
pub async fn reset(tx: &Tx<Write>, key: &ServiceKeyRecord) -> Result<bool, StoreError> {
    let shared = tx.in_account(SHARED);
    if shared.get::<ServiceRecord>(&key.service).await?.is_none() {
        return Ok(false);
    }
    end_keys(tx, &key.service).await?;
    match shared.insert(key).await? {
        Stored::Done => Ok(true),
        Stored::Taken => Err(StoreError::Conflict),
    }
}

async fn end_keys(tx: &Tx<Write>, name: &ServiceName) -> Result<(), StoreError> {
    let shared = tx.in_account(SHARED);
    let keys = shared.scan(ServiceKeyRecord::BY_SERVICE.of(name), None, PAGE, |_: &ServiceKeyRecord| true).await?;
    for key in keys.records {
        shared.delete::<ServiceKeyRecord>(&key.id).await?;
    }
    Ok(())
}

/// A page of all services, by name.
pub async fn list<M: Mode>(tx: &Tx<M>, after: Option<&Marker>) -> Result<(Vec<ServiceRecord>, Option<Marker>), StoreError> {
    let page = tx.in_account(SHARED).scan(ServiceRecord::KEY.all(), after, PAGE, |_: &ServiceRecord| true).await?;
    Ok((page.records, page.next))
}

/// The hosts of a new service: its own name, where none is said.
pub fn hosts(name: &ServiceName, said: Vec<ServiceHost>) -> Vec<ServiceHost> {
    if said.is_empty() { name.as_str().parse().into_iter().collect() } else { said }
}

/// A service's name is believed everywhere, so only the operator's own account says which there are.
pub(crate) async fn only_the_operators<M: Mode>(cx: &Allowed<'_, M>) -> Result<(), Error> {
    let first = cx.access().store.meta(FIRST_ACCOUNT).await?;
    let own = cx.caller.account.to_string();
    if first.as_deref() == Some(own.as_bytes()) { Ok(()) } else { Err(Error::NotTheOperators) }
}

fn shown(service: &ServiceRecord) -> Node {
    map([
        ("name", Node::text(service.name.as_str())),
        ("arn", Node::text(service.arn().as_str())),
        ("hosts", Node::List(service.hosts.iter().map(|host| Node::text(host.as_str())).collect())),
        ("created", Node::text(iso(service.created))),
    ])
}

fn with_key(service: Node, key: &NewKey) -> Said {
    Said(map([
        ("service", service),
        ("accessKeyId", Node::text(key.record.id.as_str())),
        ("secretAccessKey", Node::text(key.secret.as_str())),
    ]))
}

fn on(caller: &Caller, name: &ServiceName) -> Judged {
    Judged::on(Target::Arn(service_arn(caller.account, name)))
}

body!(AddService, "POST /services");
body!(ListServices, "POST /services/list");
body!(RemoveService, "POST /services/remove");
body!(ResetServiceKey, "POST /services/reset-key");

/// A service that is to be registered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddService {
    name: ServiceName,
    #[serde(default)]
    hosts: Vec<ServiceHost>,
}

impl Operation for AddService {
    type Service = Decisions;
    type Access = Write;
    type Output = Said;

    fn judged_by(&self, caller: &Caller) -> Judged {
        on(caller, &self.name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Said, Error> {
        only_the_operators(cx).await?;
        if self.name.is_awss() {
            return Err(Error::Invalid("name: AWS's own names are registered by the command line only".into()));
        }
        if self.hosts.len() > MOST_HOSTS {
            return Err(Error::Invalid(format!("hosts: more than {MOST_HOSTS}")));
        }
        let service = ServiceRecord {
            name: self.name.clone(),
            account: cx.caller.account,
            hosts: hosts(&self.name, self.hosts.clone()),
            created: cx.now,
        };
        let access = cx.access();
        let key = NewKey::make(&self.name, cx.caller.account, cx.now, &access.keyring, access.entropy.as_ref())?;
        match add(&cx.tx, &service, &key.record).await? {
            Stored::Done => Ok(with_key(shown(&service), &key)),
            Stored::Taken => Err(Error::ServiceExists(self.name.clone())),
        }
    }
}

/// All services, a page at a time.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListServices {
    #[serde(default)]
    next_token: Option<String>,
}

impl Operation for ListServices {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        only_the_operators(cx).await?;
        let after = self.next_token.as_deref().map(str::parse).transpose();
        let after: Option<Marker> = after.map_err(|_| Error::Invalid("nextToken: not one that was given".into()))?;
        let (services, next) = list(&cx.tx, after.as_ref()).await?;
        let next = next.map_or(Node::Absent, |next| Node::text(next.to_string()));
        Ok(Said(map([("services", Node::List(services.iter().map(shown).collect())), ("nextToken", next)])))
    }
}

/// A service that is to be none any more.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RemoveService {
    name: ServiceName,
}

impl Operation for RemoveService {
    type Service = Decisions;
    type Access = Write;
    type Output = Said;

    fn judged_by(&self, caller: &Caller) -> Judged {
        on(caller, &self.name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Said, Error> {
        only_the_operators(cx).await?;
        if remove(&cx.tx, &self.name).await? { Ok(Said(map([]))) } else { Err(Error::NoSuchService(self.name.clone())) }
    }
}

/// A service whose key is lost, or may be known to others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResetServiceKey {
    name: ServiceName,
}

impl Operation for ResetServiceKey {
    type Service = Decisions;
    type Access = Write;
    type Output = Said;

    fn judged_by(&self, caller: &Caller) -> Judged {
        on(caller, &self.name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Said, Error> {
        only_the_operators(cx).await?;
        if self.name.is_awss() {
            return Err(Error::Invalid("name: AWS's own names are given keys by the command line only".into()));
        }
        let access = cx.access();
        let key = NewKey::make(&self.name, cx.caller.account, cx.now, &access.keyring, access.entropy.as_ref())?;
        if reset(&cx.tx, &key.record).await? { Ok(with_key(Node::Absent, &key)) } else { Err(Error::NoSuchService(self.name.clone())) }
    }
}
