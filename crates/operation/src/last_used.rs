//! When a key or a role was last used, and for what: kept in memory, shown at once, and written now and then without a history, so that
//! it never slows a request. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>.

use crate::accessed::{Access, Accessed, ROOT, Recent};
use access::{Credential, SessionOf, Standing};
use arn::UniqueId;
use identities::Owner;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use store::{Mark, SHARED, Store, StoreError};

/// The last use of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Seconds since the epoch.
    pub at: i64,
    /// The region that was signed for.
    pub region: String,
    /// The service.
    pub service: String,
}

/// For what, where and when somebody was let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Let<'a> {
    /// The service.
    pub service: &'a str,
    /// The region that was signed for.
    pub region: &'a str,
    /// Seconds since the epoch.
    pub at: i64,
}

/// The kind under which marks are kept.
const KIND: &str = "last-used";
/// Uses that are waiting to be written, at most; beyond, a use is not remembered until those are.
const WAITING: usize = 100_000;

/// What was used since it was last written.
#[derive(Default)]
pub struct LastUsed {
    /// Which services each user and role used.
    pub accessed: Accessed,
    recent: Recent,
    waiting: Mutex<HashMap<String, Used>>,
}

impl LastUsed {
    /// What the use of a password is noted under, which has no id of its own.
    pub fn password_of(owner: &Owner) -> String {
        match &owner.user {
            Some(user) => format!("password {user}"),
            None => format!("password {}", owner.account),
        }
    }

    /// Notes a use of the key or role with this id.
    pub fn note(&self, id: &str, used: Used) {
        self.wait(id, used);
    }

    /// Notes that somebody was let in: by a key, or as a role.
    pub(crate) fn let_in(&self, standing: &Standing, credential: &Credential, used: &Let<'_>) {
        let id = match (credential.session().map(|session| &session.of), standing.grants.as_ref().and_then(|grants| grants.id())) {
            (Some(SessionOf::Role { .. }), Some(role)) => role.as_str(),
            (
                Some(
                    SessionOf::Role { .. }
                    | SessionOf::User { .. }
                    | SessionOf::Federated { .. }
                    | SessionOf::Key { .. }
                    | SessionOf::AssumedRoot { .. },
                ),
                _,
            ) => return,
            (None, _) => credential.id.as_str(),
        };
        let Let { service, region, at } = *used;
        if let Some(noting) = self.recent.is_new(None, [id, service, "", region], at)
            && !region.contains(' ')
            && self.wait(id, Used { at, region: region.to_owned(), service: service.to_owned() })
        {
            noting.done();
        }
    }

    /// Notes that somebody who was let in tried an action.
    pub(crate) fn tried(&self, standing: &Standing, action: &str, used: &Let<'_>) {
        let entity = standing.grants.as_ref().map(|grants| grants.id().map_or(ROOT, UniqueId::as_str));
        let Let { service, region, at } = *used;
        if let (Some(account), Some(entity)) = (standing.account, entity) {
            self.accessed.note(&Access { account, entity, service, action, region, at });
        }
    }

    fn wait(&self, id: &str, used: Used) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = waiting.get_mut(id) {
            *known = used;
        } else if waiting.len() < WAITING {
            waiting.insert(id.to_owned(), used);
        } else {
            return false;
        }
        true
    }

    /// The last use of the key or role with this id.
    pub async fn of(&self, store: &Store, id: &str) -> Result<Option<Used>, StoreError> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        match waiting {
            Some(used) => Ok(Some(used)),
            None => Ok(store.mark(KIND, SHARED, id).await?.as_deref().and_then(read)),
        }
    }

    /// Writes what was noted. What is noted meanwhile is kept for the next time; what cannot be written is, too.
    pub async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let noted = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mark = |(id, used): (&String, &Used)| Mark { kind: KIND, account: SHARED.into(), key: id.clone(), value: written(used) };
        store.put_marks(noted.iter().map(mark).collect()).await?;
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, used| noted.get(id) != Some(used));
        self.accessed.write(store).await
    }
}

fn written(used: &Used) -> String {
    format!("{} {} {}", used.at, used.region, used.service)
}

fn read(text: &str) -> Option<Used> {
    let mut parts = text.splitn(3, ' ');
    Some(Used { at: parts.next()?.parse().ok()?, region: parts.next()?.to_owned(), service: parts.next()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_read_back_as_it_was_written() {
        let used = Used { at: 1_700_000_000, region: "eu-west-1".into(), service: "s3".into() };
        assert_eq!(read(&written(&used)), Some(used));
        assert_eq!(read("nonsense"), None);
    }
}
