//! A first start: the keys that secrets are sealed with, the first account, and its root user.

use access::Access;
use arn::{AccessKeyId, AccountId};
use identities::{
    AccessKeyRecord, AccountRecord, AccountStatus, Clock, Entropy, FIRST_ACCOUNT, Keyring, MasterKey, Owner, PasswordHash, Place, Purpose,
    SealingError,
};
use store::{Record, SHARED, Store, StoreError, Stored, Tx, Who, Write};
use zeroize::Zeroizing;

use super::NodeError;
use crate::{
    config::{Config, Named, Secret},
    local::RootKey,
};

/// What seals, and what makes a new root user's key.
pub(super) struct Making<'a> {
    pub keyring: &'a Keyring,
    pub clock: &'a dyn Clock,
    pub entropy: &'a dyn Entropy,
}

/// The key that a new root user is given, if not one of its own.
pub(super) struct GivenKey {
    pub id: AccessKeyId,
    pub secret: Secret,
}

/// What a command of the directory's owner writes is written for the operator.
pub(super) fn operator(clock: &dyn Clock) -> Who {
    Who { account: SHARED.into(), caller: "operator".into(), at_millis: clock.now_millis() }
}

/// Fills an empty store. Answers the root user's key.
pub(super) async fn start(
    store: &Store,
    master: &MasterKey,
    config: &Config,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<RootKey, NodeError> {
    let given = config.first_account()?;
    let keys = [
        Keyring::new_key(1, Purpose::Records, master, clock.now(), entropy)?,
        Keyring::new_key(2, Purpose::Tokens, master, clock.now(), entropy)?,
    ];
    let keyring = Keyring::unlock(master, &keys)?;
    let making = Making { keyring: &keyring, clock, entropy };
    let id = match given.id {
        Some(id) => id.value,
        None => new_account_id(entropy)?,
    };
    let account = AccountRecord {
        id,
        name: "root".into(),
        email: given.email.map_or_else(|| format!("root@{id}.invalid"), |email| email.value).into(),
        alias: None,
        status: AccountStatus::Active,
        created: clock.now(),
        users_may_change_password: false,
        root_password: given.password.map(|password| PasswordHash::of(password.value.expose(), entropy)).transpose()?,
        root_recovery: None,
    };
    let given = given.key_id.zip(given.key_secret).map(|(id, secret)| GivenKey { id: id.value, secret: secret.value });
    let (key, shown) = root_key(&making, id, given)?;
    store
        .write(&operator(clock), |tx| {
            let (keys, account, key) = (&keys, &account, &key);
            async move {
                for record in keys {
                    fresh(tx.insert(record).await?)?;
                }
                fresh(tx.insert(account).await?)?;
                fresh(tx.insert(key).await?)?;
                tx.set_meta(FIRST_ACCOUNT, account.id.to_string().as_bytes()).await
            }
        })
        .await?;
    Ok(shown)
}

/// Nothing can be in the way of what was just made up; if it is, the store is not what it should be.
fn fresh(stored: Stored) -> Result<(), StoreError> {
    match stored {
        Stored::Done => Ok(()),
        Stored::Taken => Err(StoreError::Conflict),
    }
}

/// Twelve digits that begin with none of AWS's own accounts' zeros.
pub(super) fn new_account_id(entropy: &dyn Entropy) -> Result<AccountId, NodeError> {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes).map_err(SealingError::from)?;
    let number = 100_000_000_000 + u64::from_be_bytes(bytes) % 900_000_000_000;
    AccountId::new(number).ok_or(NodeError::Sealing(SealingError::NoEntropy))
}

/// A key for the root user of `account`: its record, and what is shown once.
pub(super) fn root_key(making: &Making<'_>, account: AccountId, given: Option<GivenKey>) -> Result<(AccessKeyRecord, RootKey), NodeError> {
    let GivenKey { id, secret } = match given {
        Some(given) => given,
        None => {
            let mut bytes = Zeroizing::new([0; 38]);
            making.entropy.fill(bytes.as_mut()).map_err(SealingError::from)?;
            let (number, secret) = bytes.split_first_chunk::<8>().ok_or(SealingError::NoEntropy)?;
            let id = AccessKeyId::long_term(account, u64::from_be_bytes(*number));
            GivenKey { id, secret: Secret::new(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, secret)) }
        }
    };
    let digits = account.to_string();
    let place = Place { kind: AccessKeyRecord::KIND, account: &digits, key: id.as_str() };
    let record = AccessKeyRecord {
        id: id.clone(),
        owner: Owner { account, user: None },
        secret: making.keyring.seal(&place, secret.expose().as_bytes(), making.entropy)?,
        active: true,
        created: making.clock.now(),
    };
    Ok((record, RootKey { account, access_key_id: id, secret_access_key: secret }))
}

/// After the first start, what is said about the first account is not read any more. Who says something else is told so, once.
pub(super) async fn warn_of_differences(access: &Access, config: &Config) -> Result<(), NodeError> {
    let given = config.first_account()?;
    let Some(first) = access.store.meta(FIRST_ACCOUNT).await? else { return Ok(()) };
    let Some(first) = std::str::from_utf8(&first).ok().and_then(|digits| digits.parse::<AccountId>().ok()) else { return Ok(()) };
    let ignored = |differs: bool, source: &crate::config::Source| {
        if differs {
            tracing::warn!(setting = %source, "ignored: the store has its first account already");
        }
    };
    if let Some(Named { value, source }) = &given.id {
        ignored(*value != first, source);
    }
    let account = access.store.read(SHARED, |tx| async move { tx.get::<AccountRecord>(&first).await }).await?;
    if let (Some(Named { value, source }), Some(account)) = (&given.email, &account) {
        ignored(*value != account.email.as_str(), source);
    }
    if let (Some(Named { value, source }), Some(account)) = (&given.password, &account) {
        let same = account.root_password.as_ref().is_some_and(|hash| hash.is_of(value.expose()));
        ignored(!same, source);
    }
    if let Some(Named { value: id, source }) = &given.key_id {
        let record = access.store.read(SHARED, |tx| async move { tx.get::<AccessKeyRecord>(id).await }).await?;
        let record = record.filter(|record| record.owner == Owner { account: first, user: None });
        ignored(record.is_none(), source);
        if let (Some(record), Some(Named { value: secret, source })) = (record, &given.key_secret) {
            let digits = first.to_string();
            let place = Place { kind: AccessKeyRecord::KIND, account: &digits, key: id.as_str() };
            let kept = access.keyring.open(&place, &record.secret)?;
            ignored(!bool::from(subtle::ConstantTimeEq::ct_eq(kept.as_slice(), secret.expose().as_bytes())), source);
        }
    }
    Ok(())
}

/// Makes an account with its root user's key, in a transaction.
pub(super) async fn add_account(tx: &Tx<Write>, account: &AccountRecord, key: &AccessKeyRecord) -> Result<Stored, StoreError> {
    if tx.insert(account).await? == Stored::Taken {
        return Ok(Stored::Taken);
    }
    tx.insert(key).await
}
