//! When services were last used: a report is asked for, made beside other requests, and fetched. It tells of every service that permissions
//! policies let into; who was denied there has used it too. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html>.
//! Whoever asked for a report, and nobody else, fetches it, for a day.

pub(crate) mod jobs;
mod members;

use crate::page::{NextPage, Page};
use crate::permissions::{EntityKind, Member, Subject, SubjectArn};
use crate::{Error, Iam};
use arn::{AccountId, Arn, UniqueId};
use identities::{Path, RoleRecord, UserRecord};
use jobs::{Fault, Job, Last, Topic, Use};
use members::{Members, Place};
use operation::{Allowed, Caller, Judged, Operation, Operations, Outliving, TRACKED, Target, handler, log_inside};
use policy::{Compiled, Reach};
use std::collections::{BTreeMap, HashSet};
use store::{Marker, Read, StoreError, Tx};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<GenerateServiceLastAccessedDetails>(),
    handler::<GetServiceLastAccessedDetails>(),
    handler::<GetServiceLastAccessedDetailsWithEntities>(),
];

/// Whether a report tells of services, or also of their actions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Text)]
pub(crate) enum AccessAdvisorUsageGranularityType {
    #[default]
    ServiceLevel,
    ActionLevel,
}

#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 36, max = 36)]
pub(crate) struct JobId(Box<str>);

impl JobId {
    pub fn of(job: &Job) -> Self {
        JobId(job.id.as_str().into())
    }
}

/// The prefix of a service's actions.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 64, pattern = r"[\w-]*")]
pub(crate) struct ServiceNamespace(Box<str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum JobStatus {
    InProgress,
    Completed,
    Failed,
}

impl JobStatus {
    pub fn of(job: &Job) -> Self {
        match (job.done, job.failed) {
            (None, _) => JobStatus::InProgress,
            (Some(_), false) => JobStatus::Completed,
            (Some(_), true) => JobStatus::Failed,
        }
    }
}

/// Why a report was not made.
#[derive(Shape)]
pub(crate) struct ErrorDetails {
    message: String,
    code: String,
}

impl ErrorDetails {
    pub fn of(job: &Job) -> Option<Self> {
        let (code, message) = match job.fault {
            None => ("ServiceFailure", "The report could not be made."),
            Some(Fault::AccessDenied) => (
                "ORGANIZATIONS_REPORT_ACCESS_DENIED",
                "Requester is not authorized to perform the required AWS Organizations Describe* and List* actions.",
            ),
            Some(Fault::NoEntity) => {
                ("INVALID_ORGANIZATIONS_ENTITY_PATH", "The entity with the specified path does not exist in your organization.")
            }
            Some(Fault::NoPolicy) => {
                ("INVALID_ORGANIZATIONS_POLICY", "The policy with the specified ID does not exist in your organization.")
            }
        };
        job.failed.then(|| ErrorDetails { message: message.into(), code: code.into() })
    }
}

#[derive(Shape)]
struct GenerateServiceLastAccessedDetails {
    arn: SubjectArn,
    #[shape(default)]
    granularity: AccessAdvisorUsageGranularityType,
}

#[derive(Shape)]
struct GenerateServiceLastAccessedDetailsOutput {
    job_id: JobId,
}

impl Operation for GenerateServiceLastAccessedDetails {
    type Service = Iam;
    type Access = Read;
    type Output = GenerateServiceLastAccessedDetailsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GenerateServiceLastAccessedDetailsOutput, Error> {
        let subject = Subject::find(cx, &self.arn).await?;
        let policies = subject.policies(cx).await?.into_iter().map(|held| held.compiled).collect();
        let (account, now) = (cx.caller.account, cx.now);
        let job = Job::new(cx, Topic::Permissions, self.arn.as_str(), self.granularity).await?;
        job.keep(&cx.access().store, account).await?;
        let job_id = JobId::of(&job);
        cx.outlive(&job.id.clone(), |at| make(at, Making { account, now, job, subject, policies }))?;
        Ok(GenerateServiceLastAccessedDetailsOutput { job_id })
    }
}

/// What a report is made of.
struct Making {
    account: AccountId,
    now: i64,
    job: Job,
    subject: Subject,
    policies: Vec<Compiled>,
}

async fn make(at: Outliving, mut making: Making) {
    let made = making.made(&at).await;
    let job = &mut making.job;
    (job.done, job.failed) = (Some(at.access.clock.now()), made.is_err());
    if let Err(error) = made {
        log_inside(&error);
    }
    if let Err(error) = job.keep(&at.access.store, making.account).await {
        log_inside(&error);
    }
}

/// Members that are looked at at once.
const MEMBERS: usize = 500;

impl Making {
    async fn made(&mut self, at: &Outliving) -> Result<(), StoreError> {
        let Making { account, now, ref mut job, ref subject, ref policies } = *self;
        let (store, partition) = (&at.access.store, account.to_string());
        let reach = Reach::of(policies);
        job.services = reach.services().into_iter().map(|service| (service.into(), None)).collect();
        let members = store.read(&partition, |tx| async move { Members::of(&tx, account, subject).await }).await?;
        let mut users: BTreeMap<String, Vec<(i64, UniqueId)>> = BTreeMap::new();
        let mut next = Some(Place::default());
        while let Some(from) = next {
            at.rest().await;
            let members = &members;
            let (found, following) = store.read(&partition, |tx| async move { members.page(&tx, account, &from, MEMBERS).await }).await?;
            for member in &found {
                for used in at.last_used.accessed.of(store, account, &member.id).await? {
                    let reached = job.services.contains_key(&used.service)
                        || used.actions.keys().any(|action| reach.covers(&format!("{}:{action}", used.service)));
                    if used.last.at < now - TRACKED || !reached {
                        continue;
                    }
                    users.entry(used.service.clone()).or_default().push((used.last.at, member.id.clone()));
                    let by = |when: operation::When| Last { at: when.at, region: when.region, by: member.arn.to_string() };
                    let actions = used.actions.into_iter().filter(|(_, when)| job.actions && when.at >= now - TRACKED);
                    let actions = actions.map(|(name, when)| (name, by(when))).collect();
                    add(job.services.entry(used.service).or_default(), by(used.last), actions);
                }
            }
            next = following;
        }
        job.keep_users(store, account, users).await
    }
}

/// Adds one member's use of a service to what is known of it.
pub(crate) fn add(known: &mut Option<Use>, last: Last, actions: BTreeMap<String, Last>) {
    match known {
        None => *known = Some(Use { last, total: 1, actions }),
        Some(known) => {
            known.total = known.total.saturating_add(1);
            if last > known.last {
                known.last = last;
            }
            for (name, last) in actions {
                let action = known.actions.entry(name).or_insert_with(|| last.clone());
                if last > *action {
                    *action = last;
                }
            }
        }
    }
}

#[derive(Shape)]
struct GetServiceLastAccessedDetails {
    job_id: JobId,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ServiceLastAccessed {
    service_name: String,
    last_authenticated: Option<Timestamp>,
    service_namespace: String,
    last_authenticated_entity: Option<String>,
    last_authenticated_region: Option<String>,
    total_authenticated_entities: i32,
    tracked_actions_last_accessed: Option<Vec<TrackedActionLastAccessed>>,
}

#[derive(Shape)]
struct TrackedActionLastAccessed {
    action_name: String,
    last_accessed_entity: String,
    last_accessed_time: Timestamp,
    last_accessed_region: String,
}

#[derive(Shape)]
struct GetServiceLastAccessedDetailsOutput {
    job_status: JobStatus,
    job_type: AccessAdvisorUsageGranularityType,
    job_creation_date: Timestamp,
    services_last_accessed: Vec<ServiceLastAccessed>,
    job_completion_date: Option<Timestamp>,
    #[shape(flatten)]
    next: NextPage,
    error: Option<ErrorDetails>,
}

impl ServiceLastAccessed {
    fn of(service: String, used: Option<Use>) -> Self {
        let name = services::service(&service).map_or_else(|| service.clone(), |known| known.name.to_owned());
        let (total, last, actions) = match used {
            Some(Use { last, total, actions }) => (total, Some(last), actions),
            None => (0, None, BTreeMap::new()),
        };
        let tracked = |(action_name, last): (String, Last)| TrackedActionLastAccessed {
            action_name,
            last_accessed_entity: last.by,
            last_accessed_time: Timestamp(last.at),
            last_accessed_region: last.region,
        };
        ServiceLastAccessed {
            service_name: name,
            last_authenticated: last.as_ref().map(|last| Timestamp(last.at)),
            service_namespace: service,
            last_authenticated_entity: last.as_ref().map(|last| last.by.clone()),
            last_authenticated_region: last.map(|last| last.region),
            total_authenticated_entities: total,
            tracked_actions_last_accessed: (!actions.is_empty()).then(|| actions.into_iter().map(tracked).collect()),
        }
    }
}

impl Operation for GetServiceLastAccessedDetails {
    type Service = Iam;
    type Access = Read;
    type Output = GetServiceLastAccessedDetailsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetServiceLastAccessedDetailsOutput, Error> {
        let mut job = Job::find(cx, Topic::Permissions, self.job_id.as_str()).await?;
        let done = job.done.filter(|_| !job.failed);
        let services = if done.is_some() { std::mem::take(&mut job.services) } else { BTreeMap::new() };
        let (shown, next) = self.page.of_all(services.into_iter().collect(), |(service, _)| service.clone())?;
        Ok(GetServiceLastAccessedDetailsOutput {
            job_status: JobStatus::of(&job),
            job_type: if job.actions {
                AccessAdvisorUsageGranularityType::ActionLevel
            } else {
                AccessAdvisorUsageGranularityType::ServiceLevel
            },
            job_creation_date: Timestamp(job.created),
            services_last_accessed: shown.into_iter().map(|(service, used)| ServiceLastAccessed::of(service, used)).collect(),
            job_completion_date: job.done.map(Timestamp),
            next,
            error: ErrorDetails::of(&job),
        })
    }
}

#[derive(Shape)]
struct GetServiceLastAccessedDetailsWithEntities {
    job_id: JobId,
    service_namespace: ServiceNamespace,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct EntityInfo {
    arn: Arn,
    name: String,
    #[shape(name = "Type")]
    kind: EntityKind,
    id: UniqueId,
    path: Option<Path>,
}

#[derive(Shape)]
struct EntityDetails {
    entity_info: EntityInfo,
    last_authenticated: Option<Timestamp>,
}

impl EntityDetails {
    fn of(member: Member, at: Option<i64>) -> Self {
        let Member { kind, id, name, path, arn } = member;
        EntityDetails { entity_info: EntityInfo { arn, name, kind, id, path: Some(path) }, last_authenticated: at.map(Timestamp) }
    }
}

#[derive(Shape)]
struct GetServiceLastAccessedDetailsWithEntitiesOutput {
    job_status: JobStatus,
    job_creation_date: Timestamp,
    job_completion_date: Option<Timestamp>,
    entity_details_list: Vec<EntityDetails>,
    #[shape(flatten)]
    next: NextPage,
    error: Option<ErrorDetails>,
}

impl Operation for GetServiceLastAccessedDetailsWithEntities {
    type Service = Iam;
    type Access = Read;
    type Output = GetServiceLastAccessedDetailsWithEntitiesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetServiceLastAccessedDetailsWithEntitiesOutput, Error> {
        let job = Job::find(cx, Topic::Permissions, self.job_id.as_str()).await?;
        let service = self.service_namespace.as_str().to_ascii_lowercase();
        if services::service(&service).is_none() && job.done.is_some() && !job.services.contains_key(&service) {
            return Err(Error::InvalidInput(format!("Invalid service namespace: {}", self.service_namespace)));
        }
        let reaches = job.done.is_some() && !job.failed && job.services.contains_key(&service);
        let (shown, next) = if reaches { entities(cx, &job, &service, &self.page).await? } else { (Vec::new(), None) };
        Ok(GetServiceLastAccessedDetailsWithEntitiesOutput {
            job_status: JobStatus::of(&job),
            job_creation_date: Timestamp(job.created),
            job_completion_date: job.done.map(Timestamp),
            entity_details_list: shown,
            next: next.map(|next| Marker::after(next.bytes())).into(),
            error: ErrorDetails::of(&job),
        })
    }
}

/// Where a page of entities begins: with the used ones, so many of which were shown, or with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entities {
    Used(u32),
    Others(Place),
}

impl Entities {
    fn of(page: &Page) -> Result<Self, Error> {
        let Some(marker) = page.after()? else { return Ok(Entities::Used(0)) };
        match marker.entry() {
            [0, a, b, c, d] => Ok(Entities::Used(u32::from_be_bytes([*a, *b, *c, *d]))),
            [1, a, b, after @ ..] => Ok(Entities::Others(Place { list: u16::from_be_bytes([*a, *b]), after: after.to_vec() })),
            _ => Err(Error::InvalidMarker),
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Entities::Used(shown) => [&[0], &shown.to_be_bytes()[..]].concat(),
            Entities::Others(Place { list, after }) => [&[1], &list.to_be_bytes()[..], &after].concat(),
        }
    }
}

/// Who could have used a service: those who did, the latest first, then the others.
async fn entities(cx: &Allowed<'_, Read>, job: &Job, service: &str, page: &Page) -> Result<(Vec<EntityDetails>, Option<Entities>), Error> {
    let (account, limit, mut shown) = (cx.caller.account, page.limit(), Vec::new());
    let used = job.users(&cx.access().store, account, service).await?;
    let mut from = Entities::of(page)?;
    if let Entities::Used(before) = from {
        let begin = usize::try_from(before).unwrap_or(usize::MAX);
        for (at, id) in used.iter().skip(begin).take(limit) {
            // One that is gone since is left out.
            shown.extend(member(&cx.tx, account, id).await?.map(|member| EntityDetails::of(member, Some(*at))));
        }
        if used.len() > begin.saturating_add(limit) {
            return Ok((shown, Some(Entities::Used(before.saturating_add(u32::try_from(limit).unwrap_or(u32::MAX))))));
        }
        from = Entities::Others(Place::default());
    }
    let Entities::Others(place) = from else { return Ok((shown, None)) };
    let subject = match Subject::find(cx, &SubjectArn::of(&job.arn)?).await {
        Ok(subject) => subject,
        // It is gone since.
        Err(Error::NotFound { .. } | Error::NoSuchPolicy(_)) => return Ok((shown, None)),
        Err(error) => return Err(error),
    };
    let known: HashSet<&UniqueId> = used.iter().map(|(_, id)| id).collect();
    let members = Members::of(&cx.tx, account, &subject).await?;
    let mut next = Some(place);
    while let Some(from) = next.take() {
        let left = limit.saturating_sub(shown.len());
        if left == 0 {
            return Ok((shown, Some(Entities::Others(from))));
        }
        let (found, following) = members.page(&cx.tx, account, &from, left).await?;
        let others = found.into_iter().filter(|member| !known.contains(&member.id));
        shown.extend(others.map(|member| EntityDetails::of(member, None)));
        next = following;
    }
    Ok((shown, None))
}

async fn member(tx: &Tx<Read>, account: AccountId, id: &UniqueId) -> Result<Option<Member>, StoreError> {
    if id.kind() == Some(arn::IdKind::Role) {
        return Ok(tx.get::<RoleRecord>(id).await?.map(|role| Member::role(account, &role)));
    }
    Ok(tx.get::<UserRecord>(id).await?.map(|user| Member::user(account, &user)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(at: i64, by: &str) -> Last {
        Last { at, region: "eu-west-1".into(), by: by.into() }
    }

    #[test]
    fn of_many_uses_the_last_counts_and_all_are_counted() {
        let mut known = None;
        for (at, by) in [(5, "a"), (9, "b"), (7, "c")] {
            add(&mut known, last(at, by), BTreeMap::from([("Read".to_owned(), last(at, by)), (format!("Only{by}"), last(at, by))]));
        }
        let known = known.unwrap();
        assert_eq!((known.total, &known.last), (3, &last(9, "b")));
        assert_eq!(
            known.actions.iter().map(|(name, last)| (name.as_str(), last.at)).collect::<Vec<_>>(),
            [("Onlya", 5), ("Onlyb", 9), ("Onlyc", 7), ("Read", 9)]
        );
    }

    #[test]
    fn a_place_among_entities_is_read_back_as_it_was_written() {
        for place in
            [Entities::Used(70_000), Entities::Others(Place { list: 3, after: b"AIDA".to_vec() }), Entities::Others(Place::default())]
        {
            let bytes = place.clone().bytes();
            let read = match bytes.as_slice() {
                [0, a, b, c, d] => Entities::Used(u32::from_be_bytes([*a, *b, *c, *d])),
                [1, a, b, after @ ..] => Entities::Others(Place { list: u16::from_be_bytes([*a, *b]), after: after.to_vec() }),
                _ => panic!("no place"),
            };
            assert_eq!(read, place);
        }
    }
}
