//! Whose is a credential that signs nothing: a user name and a password, an API key, an SSH key? Another server received it and asks.
//! Each request is looked up anew, so what is reset, switched off, expired or deleted is dead at once. A name that nobody has takes the same
//! work as one with a wrong password, and gets the same answer as every other reason but one: who shows the right secret is told that it expired.

use crate::Access;
use crate::authorize::{Answer, Check, Unanswered};
use crate::facts::Surroundings;
use crate::refused::Refused;
use crate::standing::Standing;
use crate::tries::{ALTOGETHER, FROM_ADDRESS};
use arn::{AccountId, UniqueId};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use identities::{CredentialName, CredentialService, Place, ServiceCredentialRecord, SshKeyRecord};
use std::net::IpAddr;
use std::sync::Arc;
use store::{Record, StoreError};
use zeroize::Zeroizing;

/// The longest API key, in characters; those that are made have less than 300.
const LONGEST_KEY: usize = 1_024;

/// What somebody showed to another server.
#[derive(Clone, Copy)]
pub enum Shown<'a> {
    /// A user name and a password.
    Password {
        /// The service that it was shown to.
        service: CredentialService,
        /// The user name.
        name: &'a str,
        /// The password.
        password: &'a str,
    },
    /// An API key.
    ApiKey {
        /// The service that it was shown to.
        service: CredentialService,
        /// The key.
        key: &'a str,
    },
    /// An SSH key. That whoever showed it has the private half is the server's to see to.
    SshKey {
        /// The account in which it is looked for.
        account: AccountId,
        /// Its id, or its fingerprint, or both, which must then belong together.
        key: &'a ShownKey,
    },
}

/// By what an SSH key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// `APKA…`
    pub id: Option<UniqueId>,
    /// Its fingerprint.
    pub fingerprint: Option<Fingerprint>,
}

/// A fingerprint of an SSH key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fingerprint {
    /// `SHA256:` and 43 characters of base64.
    Sha256(String),
    /// 16 pairs of hexadecimal digits between colons.
    Md5(String),
}

/// Who asks, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// What names the asker, whose tries are counted.
    pub id: &'a str,
    /// Where whoever showed it came from, as the asker saw it.
    pub source_ip: Option<IpAddr>,
}

/// A credential that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shower {
    /// The credential's or the key's id.
    pub id: UniqueId,
    /// The account of its user.
    pub account: AccountId,
    /// Its user.
    pub user: UniqueId,
    /// From when on it is over.
    pub expires: Option<i64>,
}

/// Why a credential is not good.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// There is none of this name, it has another secret, it is for another service, it is switched off: who asks is not told which.
    #[error("The security token included in the request is invalid.")]
    Unknown,
    /// The secret was right, and it is over.
    #[error("The security token included in the request is expired")]
    Expired,
    /// Too many wrong ones were shown under this name.
    #[error("Rate exceeded")]
    TooMany,
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
}

impl Access {
    /// Whose `shown` is.
    pub async fn verify(&self, shown: Shown<'_>, asker: Asker<'_>) -> Result<Shower, Unverified> {
        match shown {
            Shown::Password { service, name, password } if service.api_key_prefix().is_none() => {
                self.verify_secret(service, name, password, asker).await
            }
            Shown::ApiKey { service, key } => {
                let own = service.api_key_prefix().is_some_and(|prefix| key.starts_with(prefix));
                let parts = decoded(key).filter(|_| own);
                let (name, secret) = parts.as_deref().and_then(|parts| parts.split_once(':')).ok_or(Unverified::Unknown)?;
                self.verify_secret(service, name, secret, asker).await
            }
            // A service that takes API keys takes them whole.
            Shown::Password { .. } => Err(Unverified::Unknown),
            Shown::SshKey { account, key } => self.verify_key(account, key).await,
        }
    }

    async fn verify_secret(&self, service: CredentialService, shown: &str, secret: &str, asker: Asker<'_>) -> Result<Shower, Unverified> {
        let (name, account) = CredentialName::shown(shown).ok_or(Unverified::Unknown)?;
        let now = self.clock.now_millis();
        let whole = format!("{} {service} {}", asker.id, shown.to_ascii_lowercase());
        let here = format!("{whole} {}", asker.source_ip.map(|address| address.to_canonical().to_string()).unwrap_or_default());
        let taken = [(&here, FROM_ADDRESS), (&whole, ALTOGETHER)].map(|(name, rate)| self.tries.take(name, rate, now));
        let [Some(here), Some(altogether)] = taken else {
            taken.into_iter().flatten().for_each(crate::tries::Taken::give_back);
            return Err(Unverified::TooMany);
        };
        let partition = account.to_string();
        let name = &name;
        let find = |tx: store::Tx<store::Read>| async move { tx.find(ServiceCredentialRecord::BY_NAME, (&service, name)).await };
        let found = self.store.read_inside(&partition, find).await?;
        let key = found.as_ref().map_or("", |found| found.id.as_str());
        let place = Place { kind: ServiceCredentialRecord::KIND, account: &partition, key };
        let right = self.keyring.is_hash_of(&place, found.as_ref().map(|found| &found.secret), secret.as_bytes());
        let found = found.filter(|found| right && found.active).ok_or(Unverified::Unknown)?;
        here.give_back();
        altogether.give_back();
        if found.is_expired(self.clock.now()) {
            return Err(Unverified::Expired);
        }
        Ok(Shower { id: found.id, account, user: found.user, expires: found.expires })
    }

    /// A key that two users have is nobody's, unless it is named by its id.
    async fn verify_key(&self, account: AccountId, key: &ShownKey) -> Result<Shower, Unverified> {
        let mut found = self.ssh_keys(account, key).await?.into_iter();
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(Shower { id: key.id, account, user: key.user, expires: None }),
            _ => Err(Unverified::Unknown),
        }
    }

    /// The active keys that are known by what is shown; two at most.
    pub async fn ssh_keys(&self, account: AccountId, shown: &ShownKey) -> Result<Vec<SshKeyRecord>, StoreError> {
        let same = |key: &SshKeyRecord| {
            key.active
                && shown.id.as_ref().is_none_or(|id| key.id == *id)
                && match &shown.fingerprint {
                    None => true,
                    Some(Fingerprint::Sha256(sha256)) => key.sha256 == *sha256,
                    Some(Fingerprint::Md5(md5)) => key.md5 == *md5,
                }
        };
        let read = |tx: store::Tx<store::Read>| async move {
            let span = match (&shown.id, &shown.fingerprint) {
                (Some(id), _) => SshKeyRecord::KEY.of(id),
                (None, Some(Fingerprint::Sha256(sha256))) => SshKeyRecord::BY_SHA256.of(sha256),
                (None, Some(Fingerprint::Md5(md5))) => SshKeyRecord::BY_MD5.of(md5),
                (None, None) => return Ok(Vec::new()),
            };
            Ok(tx.scan(span, None, 2, same).await?.records)
        };
        self.store.read_inside(&account.to_string(), read).await
    }

    /// Decides what whoever showed a credential would do. The credential was verified just before.
    pub async fn authorize_shower(
        &self,
        shower: &Shower,
        at: &Surroundings<'_>,
        checks: &[Check<'_>],
    ) -> Result<Answer<'static>, Unanswered> {
        let revision = self.store.revision().await.map_err(Refused::from)?;
        let grants = self.grants(shower.account, Some(&shower.user)).await.map_err(Refused::from)?.ok_or(Refused::UnknownKey)?;
        let levels = self.levels(shower.account).await.map_err(Refused::from)?;
        let standing = Arc::new(Standing::long_term(grants, levels));
        let common = standing.context(None, at);
        let (decisions, contexts) = self.decide_all(&standing, common, checks).await?;
        Ok(Answer { caller: None, standing, payload: None, decisions, contexts, revision })
    }
}

/// The name in an API key: that of the credential, which says its account.
pub fn name_in_api_key(key: &str) -> Option<String> {
    decoded(key)?.split_once(':').map(|(name, _)| name.to_owned())
}

/// What stands in base64 behind the four letters of an API key.
fn decoded(key: &str) -> Option<Zeroizing<String>> {
    let encoded = key.get(4..).filter(|_| key.len() <= LONGEST_KEY)?;
    String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok().map(Zeroizing::new)
}
