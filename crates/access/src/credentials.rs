//! What a request is signed with: a long-term key from the store, or a session from its token. Both are kept, ready to be checked, as
//! long as nothing that they rest on changes; a session also with its token, which the next request must show again.

use crate::Access;
use crate::caches::Kept;
use crate::epochs::Deps;
use crate::refused::Refused;
use crate::services::delegated_secret;
use crate::sessions::Session;
use crate::standing::Standing;
use arc_swap::ArcSwapOption;
use arn::{AccessKeyId, AccountId};
use identities::{AccessKeyRecord, Owner, Place, ServiceKeyRecord, ServiceName};
use sigv4::SigningKey;
use std::sync::Arc;
use store::{KeyPart, Record, SHARED, StoreError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Whose a credential is.
pub enum Holder {
    /// A user's or root's access key.
    LongTerm(Owner),
    /// A registered service's own key.
    Service {
        /// The service.
        name: ServiceName,
        /// Whose trail it is in; it belongs to no account.
        account: AccountId,
    },
    /// Somebody's, for a while.
    Session {
        /// The account that issued it.
        account: AccountId,
        /// All that it is.
        session: Box<Session>,
        /// What was shown to open it.
        token: Box<str>,
    },
}

/// A credential whose secret is at hand.
pub struct Credential {
    /// What requests name it by.
    pub id: AccessKeyId,
    /// Whose it is.
    pub holder: Holder,
    pub(crate) secret: Zeroizing<String>,
    deps: Deps,
    standing: ArcSwapOption<Standing>,
    day: ArcSwapOption<Day>,
}

/// The signing key of one day, region and service: clients ask for the same one again and again.
struct Day {
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
    key: SigningKey,
}

/// A secret is text: clients sign with what they were shown.
fn text(secret: &[u8]) -> Result<Zeroizing<String>, StoreError> {
    String::from_utf8(secret.to_vec()).map(Zeroizing::new).map_err(|error| StoreError::Failed(Box::new(error.utf8_error())))
}

impl Credential {
    fn new(id: &AccessKeyId, holder: Holder, secret: Zeroizing<String>, deps: Deps) -> Self {
        let (standing, day) = (ArcSwapOption::empty(), ArcSwapOption::empty());
        Credential { id: id.clone(), holder, secret, deps, standing, day }
    }

    /// The session, if it is one.
    pub fn session(&self) -> Option<&Session> {
        match &self.holder {
            Holder::LongTerm(_) | Holder::Service { .. } => None,
            Holder::Session { session, .. } => Some(session),
        }
    }

    /// The service that signs with it in its own name, and the account whose trail that is in.
    pub fn service(&self) -> Option<(&ServiceName, AccountId)> {
        match &self.holder {
            Holder::Service { name, account } => Some((name, *account)),
            Holder::LongTerm(_) | Holder::Session { .. } => None,
        }
    }

    /// The signing key for a scope.
    pub(crate) fn signing_key(&self, date: &str, region: &str, service: &str) -> SigningKey {
        if let Some(day) = self.day.load_full()
            && *day.date == *date
            && *day.region == *region
            && *day.service == *service
        {
            return day.key.clone();
        }
        let key = SigningKey::derive(&self.secret, date, region, service);
        let day = Day { date: date.into(), region: region.into(), service: service.into(), key: key.clone() };
        self.day.store(Some(Arc::new(day)));
        key
    }

    /// About how many bytes it holds, what it pins included.
    pub(crate) fn weight(&self) -> usize {
        let own = match &self.holder {
            Holder::LongTerm(_) | Holder::Service { .. } => 700,
            Holder::Session { token, .. } => 1_500 + 2 * token.len(),
        };
        own + self.standing.load().as_ref().map_or(0, |standing| standing.weight())
    }
}

impl Access {
    /// The credential that a request names, or why there is none. The signature is not checked yet: nobody is let in by this alone.
    pub(crate) async fn credential(&self, id: &AccessKeyId, token: Option<&str>) -> Result<Arc<Credential>, Refused> {
        if let Some(known) = self.credentials.get(id).map(|kept| kept.credential).filter(|known| self.epochs.hold(&known.deps)) {
            let same = match (&known.holder, token) {
                (Holder::LongTerm(_) | Holder::Service { .. }, None) => true,
                (Holder::Session { token, .. }, Some(shown)) => bool::from(token.as_bytes().ct_eq(shown.as_bytes())),
                (Holder::LongTerm(_) | Holder::Service { .. }, Some(_)) | (Holder::Session { .. }, None) => false,
            };
            if same {
                return Ok(known);
            }
        }
        let found = match token {
            Some(token) => self.session_credential(id, token).await?,
            None => self.long_term_credential(id).await?,
        };
        let found = Arc::new(found);
        self.credentials.insert(id.clone(), Kept::new(found.clone()));
        Ok(found)
    }

    async fn session_credential(&self, id: &AccessKeyId, token: &str) -> Result<Credential, Refused> {
        // The account in a key id is a fact about ids that Bailiwick makes; the token proves that this is one.
        let account = id.account().filter(|_| id.is_temporary()).ok_or(Refused::UnknownKey)?;
        let (session, mut secret) = Session::open(token, id, &self.keyring).map_err(|_| Refused::UnknownKey)?;
        let mut deps = Deps::none();
        if let Some(via) = &session.via {
            let key = via.keys.last().ok_or(Refused::UnknownKey)?;
            let (service, own, rests_on) = self.service_key(key).await?.ok_or(Refused::UnknownKey)?;
            if via.services.last() != Some(&service.name) {
                return Err(Refused::UnknownKey);
            }
            secret = delegated_secret(&own, id);
            deps = rests_on;
        }
        let holder = Holder::Session { account, session: Box::new(session), token: token.into() };
        Ok(Credential::new(id, holder, secret, deps))
    }

    async fn long_term_credential(&self, id: &AccessKeyId) -> Result<Credential, Refused> {
        let mut deps = self.epochs.begin();
        deps.on(AccessKeyRecord::KIND, SHARED, &id.bytes());
        let record = self.store.read_inside(SHARED, |tx| async move { tx.get::<AccessKeyRecord>(id).await }).await?;
        let Some(record) = record else { return self.service_credential(id, deps).await };
        if !record.active {
            return Err(Refused::UnknownKey);
        }
        let account = record.owner.account.to_string();
        let place = Place { kind: AccessKeyRecord::KIND, account: &account, key: id.as_str() };
        let secret = self.keyring.open(&place, &record.secret).map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok(Credential::new(id, Holder::LongTerm(record.owner), text(&secret)?, deps))
    }

    /// A key that no account has is perhaps a service's.
    async fn service_credential(&self, id: &AccessKeyId, mut deps: Deps) -> Result<Credential, Refused> {
        let (service, secret, more) = self.service_key(id).await?.ok_or(Refused::UnknownKey)?;
        deps.on(ServiceKeyRecord::KIND, SHARED, &id.bytes());
        deps.and(&more);
        let holder = Holder::Service { name: service.name, account: service.account };
        Ok(Credential::new(id, holder, text(&secret)?, deps))
    }

    /// How the holder of `credential` stands now.
    pub(crate) async fn standing(&self, credential: &Arc<Credential>) -> Result<Arc<Standing>, Refused> {
        if let Some(standing) = credential.standing.load_full().filter(|standing| standing.holds(self)) {
            return Ok(standing);
        }
        let standing = match &credential.holder {
            Holder::LongTerm(owner) => match self.grants(owner.account, owner.user.as_ref()).await? {
                Some(grants) => Some(Standing::long_term(grants, self.levels(owner.account).await?)),
                None => None,
            },
            Holder::Service { name, .. } => self.service_standing(name).await?,
            Holder::Session { account, session, .. } => self.session_standing(*account, session).await?,
        };
        let standing = Arc::new(standing.ok_or(Refused::UnknownKey)?);
        credential.standing.store(Some(standing.clone()));
        // It is heavier now, and the cache counts what it was told.
        self.credentials.insert(credential.id.clone(), Kept::new(credential.clone()));
        Ok(standing)
    }

    /// How a caller stands now that was let in before: its key may be gone since, and its policies may be others.
    pub async fn refresh(&self, credential: &Arc<Credential>) -> Result<Arc<Standing>, Refused> {
        let token = match &credential.holder {
            Holder::LongTerm(_) | Holder::Service { .. } => None,
            Holder::Session { session, token, .. } => {
                if session.expires <= self.clock.now() {
                    return Err(Refused::Expired);
                }
                Some(&**token)
            }
        };
        let credential =
            if self.epochs.hold(&credential.deps) { credential.clone() } else { self.credential(&credential.id, token).await? };
        self.standing(&credential).await
    }

    /// What a session rests on that was asked for with this key; `None` if the key is gone or inactive.
    pub(crate) async fn active_key(&self, id: &AccessKeyId) -> Result<Option<Deps>, StoreError> {
        let mut deps = self.epochs.begin();
        deps.on(AccessKeyRecord::KIND, SHARED, &id.bytes());
        let record = self.store.read_inside(SHARED, |tx| async move { tx.get::<AccessKeyRecord>(id).await }).await?;
        Ok(record.filter(|record| record.active).map(|_| deps))
    }
}
