//! Reports as they are kept: in places of which an account has so many, so that they never grow. A report's id says its place; a new report
//! takes one that is free, or whose report is over, or else that of an older one.

use arn::{AccountId, UniqueId};
use operation::Allowed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Mark, Marks, Mode, Store, StoreError};

use super::AccessAdvisorUsageGranularityType as Granularity;
use crate::Error;

/// The kind under which reports are kept.
const KIND: &str = "service-last-accessed";
/// Where the id of the report that an organization has made is kept.
const CURRENT: &str = "current";
/// Places of an account: the last three digits of an id.
const PLACES: u64 = 0x1000;
/// Places that a new report looks at.
const LOOKS: usize = 8;
/// How long a report is told of, in seconds: a day.
const LASTS: i64 = 24 * 60 * 60;
/// After how many seconds a report that is not done was left undone: the server stopped.
const PATIENCE: i64 = 10 * 60;

/// What a report is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Topic {
    /// A user, a group, a role or a policy.
    #[default]
    Permissions,
    /// A root, a unit or an account of an organization.
    Organization,
}

/// What whoever asked for a report of an organization got wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fault {
    /// It may not look at the organization.
    AccessDenied,
    /// There is no such root, unit or account.
    NoEntity,
    /// There is no such policy.
    NoPolicy,
}

/// A report, or what is to become one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Its id.
    pub id: String,
    /// Who asked: a user or role by its id; root, if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UniqueId>,
    /// What it is about.
    pub arn: String,
    /// Whether it tells of actions.
    pub actions: bool,
    /// Seconds since the epoch.
    pub created: i64,
    /// When it was done or failed, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<i64>,
    /// Whether it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// What failed, where whoever asked can do better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What kind of report it is.
    #[serde(default)]
    pub topic: Topic,
    /// The services that its policies let into, with what is known of their use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, Option<Use>>,
}

/// The last use of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Use {
    /// By whom, when and where.
    #[serde(flatten)]
    pub last: Last,
    /// How many used it.
    pub total: i32,
    /// Its actions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, Last>,
}

/// A last use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Last {
    /// Seconds since the epoch.
    pub at: i64,
    /// The region.
    pub region: String,
    /// The ARN of the user or role.
    pub by: String,
}

impl Job {
    /// A new one, in a place of its own, not kept yet.
    pub async fn new<M: Mode>(cx: &Allowed<'_, M>, topic: Topic, arn: &str, granularity: Granularity) -> Result<Self, Error> {
        let mut oldest: Option<(i64, u64)> = None;
        for _ in 0..LOOKS {
            let place = cx.chance()? % PLACES;
            let age = match Job::at(&cx.access().store, cx.caller.account, place).await? {
                Some(job) if cx.now - job.created <= LASTS => job.created,
                Some(_) | None => i64::MIN,
            };
            if oldest.is_none_or(|(least, _)| age < least) {
                oldest = Some((age, place));
            }
            if age == i64::MIN {
                break;
            }
        }
        let place = oldest.map_or(0, |(_, place)| place);
        Ok(Job {
            id: id(cx.chance()?, cx.chance()?, place),
            by: cx.caller.standing.grants.as_ref().and_then(|grants| grants.id().cloned()),
            arn: arn.to_owned(),
            actions: granularity == Granularity::ActionLevel,
            created: cx.now,
            done: None,
            failed: false,
            fault: None,
            topic,
            services: BTreeMap::new(),
        })
    }

    /// What the work that makes it is named.
    pub fn task(&self, account: AccountId) -> String {
        match self.topic {
            Topic::Permissions => self.id.clone(),
            // An organization has one made at a time.
            Topic::Organization => format!("organizations-access-report {account}"),
        }
    }

    /// The one with this id about this, if whoever asks is who asked for it.
    pub async fn find<M: Mode>(cx: &Allowed<'_, M>, topic: Topic, id: &str) -> Result<Self, Error> {
        let place = id.get(33..).and_then(|place| u64::from_str_radix(place, 16).ok());
        let job = match place {
            Some(place) => Job::at(&cx.access().store, cx.caller.account, place).await?,
            None => None,
        };
        let by = cx.caller.standing.grants.as_ref().and_then(|grants| grants.id());
        let own = job.filter(|job| job.id == id && job.topic == topic && job.by.as_ref() == by && cx.now - job.created <= LASTS);
        let mut job = own.ok_or_else(|| Error::NoSuchJob(id.to_owned()))?;
        if job.done.is_none() && cx.now - job.created > PATIENCE && !cx.is_running(&job.task(cx.caller.account)) {
            (job.done, job.failed) = (Some(cx.now), true);
        }
        Ok(job)
    }

    /// The one that an account's organization has made at the moment, if whoever asks is who asked for it.
    pub async fn current<M: Mode>(cx: &Allowed<'_, M>) -> Result<Option<Self>, Error> {
        let id = cx.access().store.mark(KIND, &cx.caller.account.to_string(), CURRENT).await?;
        let Some(id) = id else { return Ok(None) };
        match Job::find(cx, Topic::Organization, &id).await {
            Ok(job) => Ok(Some(job).filter(|job| job.done.is_none())),
            Err(Error::NoSuchJob(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps that it is the one that an account's organization has made.
    pub async fn keep_current(&self, store: &Store, account: AccountId) -> Result<(), StoreError> {
        store.put_marks(vec![Mark { kind: KIND, account: account.to_string(), key: CURRENT.to_owned(), value: self.id.clone() }]).await
    }

    async fn at(store: &Store, account: AccountId, place: u64) -> Result<Option<Self>, StoreError> {
        let kept = store.mark(KIND, &account.to_string(), &format!("{place:03x}")).await?;
        kept.map(|text| serde_json::from_str(&text).map_err(|error| StoreError::Unreadable(KIND, error))).transpose()
    }

    fn place(&self) -> &str {
        self.id.get(33..).unwrap_or_default()
    }

    /// Keeps it, in the place of what was there.
    pub async fn keep(&self, store: &Store, account: AccountId) -> Result<(), StoreError> {
        let value = serde_json::to_string(self).map_err(|error| StoreError::Unreadable(KIND, error))?;
        store.put_marks(vec![Mark { kind: KIND, account: account.to_string(), key: self.place().to_owned(), value }]).await
    }

    /// Keeps who used each service, the latest first. What an earlier report left in this place goes.
    pub async fn keep_users(
        &self,
        store: &Store,
        account: AccountId,
        users: BTreeMap<String, Vec<(i64, UniqueId)>>,
    ) -> Result<(), StoreError> {
        let account = account.to_string();
        store.remove_marks(&Marks { kind: KIND, account: &account, prefix: &format!("{} ", self.place()) }).await?;
        for (service, mut users) in users {
            users.sort_unstable_by(|one, other| other.cmp(one));
            let value = users.iter().map(|(at, id)| format!("{at} {id}\n")).collect();
            store.put_marks(vec![Mark { kind: KIND, account: account.clone(), key: format!("{} {service}", self.place()), value }]).await?;
        }
        Ok(())
    }

    /// Who used a service, the latest first.
    pub async fn users(&self, store: &Store, account: AccountId, service: &str) -> Result<Vec<(i64, UniqueId)>, StoreError> {
        let kept = store.mark(KIND, &account.to_string(), &format!("{} {service}", self.place())).await?.unwrap_or_default();
        let line = |line: &str| line.split_once(' ').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        Ok(kept.lines().filter_map(line).collect())
    }
}

/// A UUID of chance (version 4) that ends with the place.
fn id(high: u64, low: u64, place: u64) -> String {
    let (high, low) = (high & !0xF000 | 0x4000, low & !(0xC000_0000_0000_0000 | (PLACES - 1)) | 0x8000_0000_0000_0000 | place);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48, low & 0xFFFF_FFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_4_that_ends_with_its_place() {
        assert_eq!(id(u64::MAX, u64::MAX, 0xABC), "ffffffff-ffff-4fff-bfff-fffffffffabc");
        assert_eq!(id(0, 0, 7), "00000000-0000-4000-8000-000000000007");
    }

    #[test]
    fn a_job_is_read_back_as_it_was_written() {
        let last = Last { at: 7, region: "eu-west-1".into(), by: "arn:aws:iam::111122223333:user/a".into() };
        let actions = BTreeMap::from([("GetObject".to_owned(), last.clone())]);
        let services = BTreeMap::from([("s3".to_owned(), Some(Use { last, total: 3, actions })), ("iam".to_owned(), None)]);
        let job = Job {
            id: id(1, 2, 3),
            by: None,
            arn: "arn:aws:iam::111122223333:user/a".into(),
            actions: true,
            created: 5,
            done: Some(6),
            failed: false,
            fault: None,
            topic: Topic::Permissions,
            services,
        };
        assert_eq!(serde_json::from_str::<Job>(&serde_json::to_string(&job).unwrap()).unwrap(), job);
    }
}
