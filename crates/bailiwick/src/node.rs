//! A node: the store and all that stands on it, opened, answered with, closed.
//!
//! - `first` is a first start: data keys, the first account and its root user.
//! - `commands` are those of the data directory's owner, `services` those about services.
mod commands;
mod first;
mod foresight;
mod services;
mod templates;

use std::{sync::Arc, time::Duration};

use access::Access;
use audit::Trail;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use identities::{Clock, Entropy, KeyRecord, Keyring, MasterKey, SealingError, SystemClock, SystemEntropy};
use operation::{Api, Door, Incoming, Limits, System};
use store::{Fresh, OpenError, Record, SHARED, Store, StoreError};

use crate::{
    config::{Config, Quotas},
    data_dir::{DataDir, State},
    http::{Answer, Head, Outgoing, Refusal},
    local::RootKey,
    master_key,
};

/// Why a node does not open.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read or written.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The key is not the one that this store was made with.
    #[error("this master key is not the one that the store was made with. Nothing was changed")]
    WrongKey,
    /// The store's own keys do not open.
    #[error("the store's data keys cannot be used: {0}")]
    Sealing(#[from] SealingError),
    /// The audit trail cannot be written.
    #[error("the audit trail: {0}")]
    Trail(std::io::Error),
    /// What is said about the first account is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A password cannot be hashed.
    #[error("the root user's password: {0}")]
    Password(#[from] identities::NotHashed),
}

/// Everything below the HTTP server.
pub struct Node {
    system: Arc<System>,
    door: Door,
    store: Arc<Store>,
}

/// How often what was last used, and what of the outbox is settled, is written down.
const LAST_USED: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_millis(500);
/// How often the history is looked through for what is too old.
const FORGET: Duration = Duration::from_secs(3_600);
/// Events that are taken out of the outbox at once.
const OUTBOX: usize = 10_000;

impl Node {
    /// Opens the directory's store, or makes it: then the first account's root key comes along, to be shown once.
    pub async fn open(
        config: &Config,
        dir: &DataDir,
        state: State,
        key: &master_key::MasterKey,
    ) -> Result<(Node, Option<RootKey>), NodeError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
        let master = MasterKey::new(key.bytes());
        let (store, first) = match state {
            State::First => {
                let fresh = Fresh { key_proof: &master.prove(entropy.as_ref())?, at_millis: clock.now_millis() };
                let store = Store::create(&dir.store(), &fresh)?;
                let root = first::start(&store, &master, config, clock.as_ref(), entropy.as_ref()).await?;
                (store, Some(root))
            }
            State::Whole => (Store::open(&dir.store())?, None),
        };
        let proof = store.key_proof().await?.ok_or(NodeError::WrongKey)?;
        if !master.proves(&proof) {
            return Err(NodeError::WrongKey);
        }
        let keyring = Keyring::unlock(&master, &data_keys(&store).await?)?;
        let store = Arc::new(store);
        let access = Arc::new(Access::new(store.clone(), keyring, clock, entropy));
        let trail = audit::Config { rotate_bytes: config.trail.rotate, keep_bytes: config.trail.total, ..audit::Config::default() };
        let trail = Trail::open(&dir.trail(), trail).map_err(NodeError::Trail)?;
        if state == State::Whole {
            first::warn_of_differences(&access, config).await?;
        }
        let apis = vec![
            Api::of(iam::FAMILIES),
            Api::of(sts::FAMILIES),
            Api::of(decisions::FAMILIES),
            Api::of(organizations::FAMILIES),
            Api::of(account::FAMILIES),
        ];
        let system = Arc::new(System::new(access, Arc::new(trail), limits(config.quotas), &apis));
        let node = Node { door: Door::new(system.clone(), apis), system, store };
        node.recover().await?;
        Ok((node, first))
    }

    /// Events that were made durable with their writes and may not have reached the trail before the last stop. A disk that takes none of
    /// them is no reason not to serve reads: writes are refused until it does.
    async fn recover(&self) -> Result<(), NodeError> {
        let outbox = self.store.outbox(OUTBOX).await?;
        if let Err(error) = self.system.trail.recover(&outbox) {
            tracing::error!(error = &error as &dyn std::error::Error, "events wait in the outbox");
        }
        Ok(())
    }

    /// What is to be done now and then while it serves. It ends with the runtime.
    pub async fn keep(&self, history: Duration) {
        let (mut last_used, mut settle, mut forget) =
            (tokio::time::interval(LAST_USED), tokio::time::interval(SETTLE), tokio::time::interval(FORGET));
        loop {
            tokio::select! {
                _ = last_used.tick() => self.write_last_used().await,
                _ = settle.tick() => self.settle().await,
                _ = forget.tick() => {
                    let before = self.system.access.clock.now_millis().saturating_sub(i64::try_from(history.as_millis()).unwrap_or(i64::MAX));
                    if let Err(error) = self.store.forget_before(before).await {
                        tracing::error!(error = &error as &dyn std::error::Error, "the history could not be shortened");
                    }
                }
            }
        }
    }

    async fn write_last_used(&self) {
        if let Err(error) = self.system.last_used.write(&self.store).await {
            tracing::error!(error = &error as &dyn std::error::Error, "what was last used could not be written");
        }
    }

    async fn settle(&self) {
        let trail = &self.system.trail;
        if trail.needs_outbox() {
            let again = match self.store.outbox(OUTBOX).await {
                Ok(outbox) => trail.recover(&outbox).err().map(|error| error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = again {
                tracing::error!(error, "events wait in the outbox");
            }
        }
        if let Some(settled) = trail.settled() {
            self.store.outbox_done(settled);
        }
    }

    /// After the last answer: what is in memory is written, and the store is checkpointed.
    pub async fn finish(&self) {
        self.write_last_used().await;
        self.system.trail.close();
        if let Some(settled) = self.system.trail.settled() {
            self.store.outbox_done(settled);
        }
        if let Err(error) = self.store.close().await {
            tracing::error!(error = &error as &dyn std::error::Error, "the store was not closed well; the next start makes it whole");
        }
    }
}

async fn data_keys(store: &Store) -> Result<Vec<KeyRecord>, StoreError> {
    let page = store.read(SHARED, |tx| async move { tx.scan(KeyRecord::KEY.all(), None, 1_000, |_: &KeyRecord| true).await }).await?;
    Ok(page.records)
}

fn limits(quotas: Quotas) -> Limits {
    Limits {
        users: quotas.users.map(u64::from),
        groups: quotas.groups.map(u64::from),
        roles: quotas.roles.map(u64::from),
        policies: quotas.policies.map(u64::from),
        instance_profiles: quotas.instance_profiles.map(u64::from),
        accounts: quotas.accounts.map(u64::from),
        server_certificates: quotas.server_certificates.map(u64::from),
        saml_providers: quotas.saml_providers.map(u64::from),
        oidc_providers: quotas.oidc_providers.map(u64::from),
    }
}

/// A request as the door takes it. Its body may be empty: that of a refused request is not there.
fn incoming<'a>(head: &'a Head, headers: &'a [(&'a str, &'a [u8])], body: &'a [u8]) -> Incoming<'a> {
    Incoming { method: head.method.as_str(), uri: head.target(), headers, body, address: Some(head.peer.ip()), secure: head.secure }
}

fn headers(head: &Head) -> Vec<(&str, &[u8])> {
    head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

fn outgoing(reply: wire::Reply) -> Outgoing {
    let mut headers = HeaderMap::with_capacity(reply.headers.len() + 2);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Outgoing { status, headers, body: Bytes::from(reply.body) }
}

impl Answer for Node {
    /// A mebibyte does for nearly every request; only for one that says it is longer does its service have to be found.
    fn body_limit(&self, head: &Head) -> usize {
        const COMMON: u64 = 1 << 20;
        let said = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).and_then(|length| length.parse::<u64>().ok());
        match said {
            Some(length) if length > COMMON => self.door.body_limit(incoming(head, &headers(head), &[])),
            _ => 1 << 20,
        }
    }

    async fn answer(&self, head: &Head, body: Bytes) -> Outgoing {
        outgoing(self.door.answer(incoming(head, &headers(head), &body)).await)
    }

    fn refuse(&self, head: &Head, refusal: Refusal) -> Outgoing {
        outgoing(self.door.refuse(incoming(head, &headers(head), &[]), refusal.status().as_u16(), &refusal.to_string()))
    }
}
