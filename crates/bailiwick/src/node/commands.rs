//! The commands of the one who owns the data directory.

use access::{Access, Explained, Unexplained};
use arn::AccountId;
use audit::{Event, EventId, EventType, UserIdentity};
use foresight::WhoCan;
use identities::{AccessKeyRecord, AccountRecord, AccountStatus, Owner, SealingError};
use serde_json::{Value, json};
use store::{Record, SHARED, StoreError, Stored};

use super::{
    Node,
    first::{Making, add_account, new_account_id, operator, root_key},
};
use crate::config::Secret;
use crate::local::{AccountLine, Commands, ErrorKind, LocalAnswer, LocalCommand, LocalError, OneTimeCode, Tell};

/// Accounts that are listed at once.
const PAGE: usize = 1_000;

/// What a one-time code is for.
#[derive(Debug, Clone, Copy)]
enum CodeOf {
    Email,
    Phone,
}

impl From<StoreError> for LocalError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a local command failed");
        LocalError::new(ErrorKind::Failed, error.to_string())
    }
}

impl Commands for Node {
    async fn run(&self, command: LocalCommand, tell: Tell) -> Result<LocalAnswer, LocalError> {
        match command {
            LocalCommand::AccountCreate { name, email, id } => self.create_account(name, email, id).await,
            LocalCommand::AccountList => self.list_accounts().await,
            LocalCommand::AccountResetRoot { id } => self.reset_root(id).await,
            LocalCommand::AccountEmailCode { id } => self.one_time_code(id, CodeOf::Email).await,
            LocalCommand::AccountPhoneCode { id } => self.one_time_code(id, CodeOf::Phone).await,
            LocalCommand::ServiceAdd { name, hosts } => self.add_service(name, hosts).await,
            LocalCommand::ServiceList => self.list_services().await,
            LocalCommand::ServiceResetKey { name } => self.reset_service_key(name).await,
            LocalCommand::ServiceRemove { name } => self.remove_service(name).await,
            LocalCommand::TemplateAdd { arn, document, product } => self.add_template(arn, document, product).await,
            LocalCommand::TemplateList => self.list_templates().await,
            LocalCommand::TemplateRemove { arn } => self.remove_template(arn).await,
            LocalCommand::Explain { request_id } => self.explain(&request_id).await,
            LocalCommand::Backup { file } => {
                self.store.backup(&file).await?;
                let bytes = std::fs::metadata(&file).map_or(0, |file| file.len());
                Ok(LocalAnswer::BackedUp { bytes, revision: self.store.revision().await? })
            }
            LocalCommand::Check => self.check().await,
            LocalCommand::WhatIf { change, since_seconds, account } => self.what_if(&change, since_seconds, account, tell).await,
            LocalCommand::WhoCan { action, resource, resource_account, resource_policy, at, account } => {
                let access = &*self.system.access;
                let (action, resource, resource_policy) = (&*action, &*resource, resource_policy.as_deref());
                self.who_can(&WhoCan { access, action, resource, resource_account, resource_policy, at, account }).await
            }
        }
    }
}

impl Node {
    pub(super) fn making(&self) -> Making<'_> {
        let access = &self.system.access;
        Making { keyring: &access.keyring, clock: access.clock.as_ref(), entropy: access.entropy.as_ref() }
    }

    async fn create_account(&self, name: String, email: String, id: Option<AccountId>) -> Result<LocalAnswer, LocalError> {
        let failed = |error: super::NodeError| LocalError::new(ErrorKind::Failed, error.to_string());
        let making = self.making();
        let id = match id {
            Some(id) => id,
            None => new_account_id(making.entropy).map_err(failed)?,
        };
        let account = AccountRecord {
            id,
            name,
            email: email.into(),
            alias: None,
            status: AccountStatus::Active,
            created: making.clock.now(),
            users_may_change_password: false,
            root_password: None,
            root_recovery: None,
        };
        let (key, shown) = root_key(&making, id, None).map_err(failed)?;
        let event = self.event("CreateAccount", id)?;
        let done = self
            .store
            .write(&operator(making.clock), |tx| {
                let (account, key, event) = (&account, &key, &event);
                async move {
                    let stored = add_account(&tx, account, key).await?;
                    if stored == Stored::Taken {
                        return Err(Refused::Exists);
                    }
                    tx.event(event).await?;
                    Ok(())
                }
            })
            .await;
        match done {
            Ok(done) => self.record(&done.events, &event),
            Err(Refused::Exists) => return Err(LocalError::new(ErrorKind::Exists, format!("there is an account {id} already"))),
            Err(Refused::Store(error)) => return Err(error.into()),
        }
        Ok(LocalAnswer::AccountCreated(shown))
    }

    async fn list_accounts(&self) -> Result<LocalAnswer, LocalError> {
        let mut accounts = Vec::new();
        let mut after = None;
        loop {
            let from = after.take();
            let page = self
                .store
                .read(SHARED, |tx| async move { tx.scan(AccountRecord::KEY.all(), from.as_ref(), PAGE, |_: &AccountRecord| true).await })
                .await?;
            accounts.extend(page.records.into_iter().map(|account| AccountLine {
                id: account.id,
                name: account.name,
                email: account.email.to_string(),
            }));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(LocalAnswer::Accounts(accounts)),
            }
        }
    }

    /// A lost root key: all keys of the root user end, and a new one begins.
    async fn reset_root(&self, id: AccountId) -> Result<LocalAnswer, LocalError> {
        let failed = |error: super::NodeError| LocalError::new(ErrorKind::Failed, error.to_string());
        let making = self.making();
        let (key, shown) = root_key(&making, id, None).map_err(failed)?;
        let event = self.event("ResetRootAccessKey", id)?;
        let owner = Owner { account: id, user: None };
        let done = self
            .store
            .write(&operator(making.clock), |tx| {
                let (key, event, owner) = (&key, &event, &owner);
                async move {
                    if tx.get::<AccountRecord>(&id).await?.is_none() {
                        return Err(Refused::Exists);
                    }
                    let old = tx.scan(AccessKeyRecord::BY_OWNER.of(owner), None, PAGE, |_: &AccessKeyRecord| true).await?;
                    for old in old.records {
                        tx.delete::<AccessKeyRecord>(&old.id).await?;
                    }
                    if tx.insert(key).await? == Stored::Taken {
                        return Err(Refused::Store(StoreError::Conflict));
                    }
                    tx.event(event).await?;
                    Ok(())
                }
            })
            .await;
        match done {
            Ok(done) => self.record(&done.events, &event),
            Err(Refused::Exists) => return Err(LocalError::new(ErrorKind::NotFound, format!("there is no account {id}"))),
            Err(Refused::Store(error)) => return Err(error.into()),
        }
        Ok(LocalAnswer::RootReset(shown))
    }

    /// The code goes to whoever is reached by the address or the telephone; that it was looked at is in the trail.
    async fn one_time_code(&self, id: AccountId, of: CodeOf) -> Result<LocalAnswer, LocalError> {
        let Access { keyring, clock, .. } = &*self.system.access;
        let (event, nothing) = match of {
            CodeOf::Email => ("ShowPrimaryEmailCode", "no change of the e-mail address"),
            CodeOf::Phone => ("ShowPhoneNumberCode", "no verification of the phone number"),
        };
        let event = self.event(event, id)?;
        let done = self
            .store
            .write(&operator(clock.as_ref()), |tx| {
                let event = &event;
                async move {
                    let pending = match of {
                        CodeOf::Email => account::pending_email(&tx, keyring, id, clock.now()).await?,
                        CodeOf::Phone => account::pending_phone(&tx, keyring, id, clock.now()).await?,
                    };
                    if pending.is_some() {
                        tx.event(event).await?;
                    }
                    Ok::<_, account::Error>(pending)
                }
            })
            .await
            .map_err(|error| LocalError::new(ErrorKind::Failed, error.to_string()))?;
        self.record(&done.events, &event);
        let nothing = || LocalError::new(ErrorKind::NotFound, format!("{nothing} of {id} waits for a code"));
        let pending = done.value.ok_or_else(nothing)?;
        Ok(LocalAnswer::OneTimeCode(OneTimeCode { to: pending.to, code: Secret::new(pending.code.to_string()) }))
    }

    async fn check(&self) -> Result<LocalAnswer, LocalError> {
        let kinds: Vec<_> =
            identities::kinds().into_iter().chain(iam::kinds()).chain(organizations::kinds()).chain(account::kinds()).collect();
        let report = self.store.check(&kinds).await?;
        Ok(LocalAnswer::Checked { records: report.records, problems: report.problems })
    }

    /// Everything about one recorded request, for the operator: every check with every policy that was looked at.
    async fn explain(&self, request_id: &str) -> Result<LocalAnswer, LocalError> {
        let failed = |error: &dyn std::fmt::Display| LocalError::new(ErrorKind::Failed, error.to_string());
        let mut events = Vec::new();
        // One request can have several events: the call, and what it asked for other servers. All of them are wanted.
        let found = self.system.trail.find_where(request_id, |line| {
            events.extend(audit::parse(line));
            false
        });
        found.map_err(|error| failed(&error))?;
        if events.is_empty() {
            return Err(LocalError::new(ErrorKind::NotFound, format!("the trail knows no request {request_id}")));
        }
        events.reverse();
        let mut said = Vec::with_capacity(events.len());
        for event in &events {
            said.push(self.explained(event).await.map_err(|error| failed(&error))?);
        }
        Ok(LocalAnswer::Explained(json!({ "requestId": request_id, "events": said })))
    }

    async fn explained(&self, event: &audit::Parsed) -> Result<Value, Unexplained> {
        let (checks, undecided) = match self.system.access.explain_recorded(event).await {
            Ok(checks) => (checks.iter().map(check).collect(), None),
            Err(Unexplained::Undecided(why)) => (Vec::new(), Some(why)),
            Err(error) => return Err(error),
        };
        Ok(json!({
            "eventId": event.event_id,
            "time": event.event_time,
            "operation": format!("{} {}", event.event_source, event.event_name),
            "principal": event.identity.arn,
            "error": event.error_code,
            "message": event.error_message,
            "revision": event.recorded().map(|recorded| recorded.revision),
            "askedBy": event.recorded().and_then(|recorded| recorded.asked_by.as_deref()),
            "undecided": undecided,
            "checks": checks,
        }))
    }

    /// What the operator did, for the trail of the account.
    pub(super) fn event(&self, name: &str, account: AccountId) -> Result<String, LocalError> {
        let access = &self.system.access;
        let mut chance = [0; 32];
        let failed = |error: SealingError| LocalError::new(ErrorKind::Failed, error.to_string());
        access.entropy.fill(&mut chance).map_err(|error| failed(error.into()))?;
        let (event_id, request_id) = chance.split_at(16);
        let id = |bytes: &[u8]| EventId::from_entropy(bytes.try_into().unwrap_or_default());
        let event = Event {
            identity: UserIdentity::AwsService { invoked_by: "operator" },
            at: access.clock.now(),
            source: "bailiwick",
            name,
            region: "us-east-1",
            source_address: "Bailiwick Internal",
            user_agent: None,
            error: None,
            request: None,
            response: None,
            additional: &[],
            recorded: None,
            request_id: &id(request_id).to_string(),
            event_id: id(event_id),
            read_only: false,
            resources: &[],
            event_type: EventType::ServiceEvent,
            recipient: Some(account),
            shared_id: None,
            tls: None,
        };
        Ok(event.text())
    }

    pub(super) fn record(&self, events: &[i64], text: &str) {
        for event in events {
            if let Err(error) = self.system.trail.write_through(*event, text) {
                tracing::error!(error = &error as &dyn std::error::Error, "the audit trail cannot be written");
            }
        }
    }
}

/// One check, with all that was looked at.
fn check(Explained { check, explanation, altered }: &Explained) -> Value {
    json!({
        "action": check.action,
        "resource": check.resource,
        "resourceAccount": check.resource_account,
        "decision": explanation.outcome.as_str(),
        "because": explanation.because.as_str(),
        "explanation": explanation,
        "keysNotRecordedWhole": altered,
    })
}

/// Why a command's transaction was not kept.
enum Refused {
    /// There is such an account, or there is none.
    Exists,
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Store(error)
    }
}
