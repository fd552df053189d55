//! The commands about services. Whoever owns the data directory may give a service any name, also one of AWS's: for all who trust that name
//! in this store, it is that service.

use arn::AccountId;
use decisions::services::{self, NewKey};
use identities::{FIRST_ACCOUNT, SealingError, ServiceHost, ServiceName, ServiceRecord};
use store::{SHARED, StoreError, Stored};

use super::{Node, first::operator};
use crate::{
    config::Secret,
    local::{ErrorKind, LocalAnswer, LocalError, ServiceKey, ServiceLine},
};

impl From<SealingError> for LocalError {
    fn from(error: SealingError) -> Self {
        LocalError::new(ErrorKind::Failed, error.to_string())
    }
}

fn missing(name: &ServiceName) -> LocalError {
    LocalError::new(ErrorKind::NotFound, format!("there is no service {name}"))
}

impl Node {
    /// In whose trail a service's own doings are: the account that the store was begun with.
    async fn services_account(&self) -> Result<AccountId, LocalError> {
        let first = self.store.meta(FIRST_ACCOUNT).await?;
        let first = first.as_deref().and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        first.ok_or_else(|| LocalError::new(ErrorKind::Failed, "the store does not say which account it was begun with"))
    }

    fn new_key(&self, name: &ServiceName, account: AccountId) -> Result<(NewKey, LocalAnswer), LocalError> {
        let making = self.making();
        let key = NewKey::make(name, account, making.clock.now(), making.keyring, making.entropy)?;
        let shown = ServiceKey {
            service: name.clone(),
            access_key_id: key.record.id.clone(),
            secret_access_key: Secret::new(key.secret.to_string()),
        };
        Ok((key, LocalAnswer::ServiceKeyed(shown)))
    }

    pub(super) async fn add_service(&self, name: ServiceName, hosts: Vec<ServiceHost>) -> Result<LocalAnswer, LocalError> {
        let account = self.services_account().await?;
        let (key, shown) = self.new_key(&name, account)?;
        let event = self.event("AddService", account)?;
        let hosts = services::hosts(&name, hosts);
        let service = ServiceRecord { name, account, hosts, created: self.making().clock.now() };
        let done = self
            .store
            .write(&operator(self.making().clock), |tx| {
                let (service, key, event) = (&service, &key.record, &event);
                async move {
                    let stored = services::add(&tx, service, key).await?;
                    if stored == Stored::Done {
                        tx.event(event).await?;
                    }
                    Ok::<_, StoreError>(stored)
                }
            })
            .await?;
        self.record(&done.events, &event);
        match done.value {
            Stored::Done => Ok(shown),
            Stored::Taken => Err(LocalError::new(ErrorKind::Exists, format!("there is a service {} already", service.name))),
        }
    }

    pub(super) async fn reset_service_key(&self, name: ServiceName) -> Result<LocalAnswer, LocalError> {
        let account = self.services_account().await?;
        let (key, shown) = self.new_key(&name, account)?;
        let event = self.event("ResetServiceKey", account)?;
        let done = self
            .store
            .write(&operator(self.making().clock), |tx| {
                let (key, event) = (&key.record, &event);
                async move {
                    let was_there = services::reset(&tx, key).await?;
                    if was_there {
                        tx.event(event).await?;
                    }
                    Ok::<_, StoreError>(was_there)
                }
            })
            .await?;
        self.record(&done.events, &event);
        if done.value { Ok(shown) } else { Err(missing(&name)) }
    }

    pub(super) async fn remove_service(&self, name: ServiceName) -> Result<LocalAnswer, LocalError> {
        let event = self.event("RemoveService", self.services_account().await?)?;
        let done = self
            .store
            .write(&operator(self.making().clock), |tx| {
                let (name, event) = (&name, &event);
                async move {
                    let was_there = services::remove(&tx, name).await?;
                    if was_there {
                        tx.event(event).await?;
                    }
                    Ok::<_, StoreError>(was_there)
                }
            })
            .await?;
        self.record(&done.events, &event);
        if done.value { Ok(LocalAnswer::ServiceRemoved) } else { Err(missing(&name)) }
    }

    pub(super) async fn list_services(&self) -> Result<LocalAnswer, LocalError> {
        let mut lines = Vec::new();
        let mut after = None;
        loop {
            let from = after.take();
            let (page, next) =
                self.store.read::<_, StoreError, _>(SHARED, |tx| async move { services::list(&tx, from.as_ref()).await }).await?;
            lines.extend(page.into_iter().map(|service| ServiceLine { name: service.name, hosts: service.hosts }));
            match next {
                Some(next) => after = Some(next),
                None => return Ok(LocalAnswer::Services(lines)),
            }
        }
    }
}
