//! The commands about policy templates: which products may ask accounts for temporary access, and for what.

use arn::{AccountId, Arn};
use decisions::delegation::{self, NotKept};
use identities::{FIRST_ACCOUNT, PolicyTemplateRecord};
use store::{SHARED, StoreError};

use super::{Node, first::operator};
use crate::local::{ErrorKind, LocalAnswer, LocalError, TemplateLine};

impl From<NotKept> for LocalError {
    fn from(error: NotKept) -> Self {
        let kind = match &error {
            NotKept::Arn | NotKept::Template(_) => ErrorKind::Invalid,
            NotKept::NoAccount(_) => ErrorKind::NotFound,
            NotKept::Exists(_) => ErrorKind::Exists,
            NotKept::Store(_) => ErrorKind::Failed,
        };
        LocalError::new(kind, error.to_string())
    }
}

impl Node {
    /// In whose trail the operator's doings for products are: the account that the store was begun with.
    async fn templates_account(&self) -> Result<AccountId, LocalError> {
        let first = self.store.meta(FIRST_ACCOUNT).await?;
        let first = first.as_deref().and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        first.ok_or_else(|| LocalError::new(ErrorKind::Failed, "the store does not say which account it was begun with"))
    }

    pub(super) async fn add_template(&self, arn: Arn, document: String, product: AccountId) -> Result<LocalAnswer, LocalError> {
        let event = self.event("AddPolicyTemplate", self.templates_account().await?)?;
        let template = PolicyTemplateRecord { arn, product, document, created: self.making().clock.now() };
        let done = self
            .store
            .write(&operator(self.making().clock), |tx| {
                let (template, event) = (&template, &event);
                async move {
                    delegation::add(&tx, template).await?;
                    tx.event(event).await?;
                    Ok::<_, NotKept>(())
                }
            })
            .await?;
        self.record(&done.events, &event);
        Ok(LocalAnswer::TemplateKept)
    }

    pub(super) async fn remove_template(&self, arn: Arn) -> Result<LocalAnswer, LocalError> {
        let event = self.event("RemovePolicyTemplate", self.templates_account().await?)?;
        let done = self
            .store
            .write(&operator(self.making().clock), |tx| {
                let (arn, event) = (&arn, &event);
                async move {
                    let was_there = delegation::remove(&tx, arn).await?;
                    if was_there {
                        tx.event(event).await?;
                    }
                    Ok::<_, StoreError>(was_there)
                }
            })
            .await?;
        self.record(&done.events, &event);
        let missing = || LocalError::new(ErrorKind::NotFound, format!("there is no policy template {arn}"));
        if done.value { Ok(LocalAnswer::TemplateRemoved) } else { Err(missing()) }
    }

    pub(super) async fn list_templates(&self) -> Result<LocalAnswer, LocalError> {
        let mut lines = Vec::new();
        let mut after = None;
        loop {
            let from = after.take();
            let (page, next) =
                self.store.read::<_, StoreError, _>(SHARED, |tx| async move { delegation::list(&tx, from.as_ref()).await }).await?;
            lines.extend(page.into_iter().map(|template| TemplateLine { arn: template.arn, product: template.product }));
            match next {
                Some(next) => after = Some(next),
                None => return Ok(LocalAnswer::Templates(lines)),
            }
        }
    }
}
