//! Which of the services that service control policies leave to an organization's accounts these use: a report of a root, a unit or an
//! account, of all that binds it or of one policy. It is made beside other requests, and fetched by whoever asked for it. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-view-data-orgs.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateOrganizationsAccessReport.html>.
//! A path or a policy that is not there, and a caller that may not look at the organization, fail the report and not the request for it.

mod making;

use crate::last_accessed::jobs::{Fault, Job, Topic, Use};
use crate::last_accessed::{AccessAdvisorUsageGranularityType, ErrorDetails, JobId, JobStatus};
use crate::page::{NextPage, Page};
use crate::{Error, Iam};
use arn::AccountId;
use identities::{
    MemberRecord, OrganizationPolicyId, OrganizationPolicyRecord, OrganizationRecord, ParentId, PolicyType, TargetId, UnitId, UnitRecord,
    attached_to, aws_organization_policy, organization_path, organization_policy, path_text, policy_folder, units_down_to,
};
use making::{Making, Whose, make};
use operation::{Allowed, Asking, Begun, Caller, Judged, Operation, Operations, Target, handler};
use policy::{Compiled, Document, Kind};
use store::{Marker, Read, SHARED, StoreError, Tx};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[handler::<GenerateOrganizationsAccessReport>(), handler::<GetOrganizationsAccessReport>()];

/// `o-…/r-…/ou-…/123456789012`: a root, a unit or an account, with all that it stands under.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 19, max = 427, pattern = r"^o-[0-9a-z]{10,32}\/r-[0-9a-z]{4,32}[0-9a-z-\/]*")]
struct EntityPath(Box<str>);

#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(pattern = r"^p-[0-9a-zA-Z_]{8,128}$")]
struct OrganizationsPolicyId(Box<str>);

/// In which order services are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Text)]
enum SortKey {
    #[default]
    ServiceNamespaceAscending,
    ServiceNamespaceDescending,
    LastAuthenticatedTimeAscending,
    LastAuthenticatedTimeDescending,
}

/// The organization that the caller's account manages.
async fn managed(cx: &Allowed<'_, Read>) -> Result<OrganizationRecord, Error> {
    let shared = cx.tx.in_account(SHARED);
    let only_management = Error::NoAccessReport("Only the management account of an organization can ask for its access reports.");
    let Some(member) = shared.get::<MemberRecord>(&cx.caller.account).await? else { return Err(only_management) };
    let organization = shared.get::<OrganizationRecord>(&member.organization).await?;
    let organization = organization.filter(|organization| organization.management == cx.caller.account).ok_or(only_management)?;
    if organization.has(PolicyType::ServiceControlPolicy) {
        Ok(organization)
    } else {
        Err(Error::NoAccessReport("Service control policies are not enabled for the root of your organization."))
    }
}

#[derive(Shape)]
struct GenerateOrganizationsAccessReport {
    entity_path: EntityPath,
    organizations_policy_id: Option<OrganizationsPolicyId>,
}

#[derive(Shape)]
struct GenerateOrganizationsAccessReportOutput {
    job_id: JobId,
}

impl Operation for GenerateOrganizationsAccessReport {
    type Service = Iam;
    type Access = Read;
    type Output = GenerateOrganizationsAccessReportOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("access-report/{}", self.entity_path)))
            .key("iam:OrganizationsPolicyId", &self.organizations_policy_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GenerateOrganizationsAccessReportOutput, Error> {
        let organization = managed(cx).await?;
        if self.entity_path.as_str().split('/').next() != Some(organization.id.as_str()) {
            return Err(Error::NoAccessReport("The organization ID in the specified entity path is different than your organization ID."));
        }
        let (account, store, about) = (cx.caller.account, &cx.access().store, self.about());
        let mut job = Job::new(cx, Topic::Organization, &about, AccessAdvisorUsageGranularityType::ServiceLevel).await?;
        if cx.is_running(&job.task(account)) {
            // Whoever asks for the same again waits for the same.
            let same = Job::current(cx).await?.filter(|current| current.arn == about).ok_or(Error::TooManyReports)?;
            return Ok(GenerateOrganizationsAccessReportOutput { job_id: JobId::of(&same) });
        }
        let job_id = JobId::of(&job);
        let (levels, whose, attached) = match self.planned(cx, &organization).await? {
            Ok(plan) => plan,
            Err(fault) => {
                (job.done, job.failed, job.fault) = (Some(cx.now), true, Some(fault));
                job.keep(store, account).await?;
                return Ok(GenerateOrganizationsAccessReportOutput { job_id });
            }
        };
        job.keep(store, account).await?;
        job.keep_current(store, account).await?;
        let (task, now) = (job.task(account), cx.now);
        match cx.outlive(&task, |at| make(at, Making { now, job, organization, levels, whose, attached }))? {
            Begun::Now => Ok(GenerateOrganizationsAccessReportOutput { job_id }),
            // Another one began in between. What was kept of this one is never begun, and over in a while.
            Begun::Already => Err(Error::TooManyReports),
        }
    }
}

/// The documents of each level, whose uses they are about, and the policy to which those must be attached, or nothing.
type Plan = (Vec<Vec<Compiled>>, Whose, Option<OrganizationPolicyId>);

impl GenerateOrganizationsAccessReport {
    fn about(&self) -> String {
        let policy = self.organizations_policy_id.as_ref().map_or("", |id| id.as_str());
        format!("{} {policy}", self.entity_path)
    }

    /// What the report is made of, if whoever asks may know it and it is there.
    async fn planned(&self, cx: &Allowed<'_, Read>, organization: &OrganizationRecord) -> Result<Result<Plan, Fault>, Error> {
        let (id, management) = (&organization.id, organization.management);
        let may = |action, resource: &str| cx.may(Asking { action, resource, account: management });
        if !may("organizations:ListRoots", "*") {
            return Ok(Err(Fault::AccessDenied));
        }
        let Some(entity) = Entity::find(&cx.tx, organization, self.entity_path.as_str()).await? else { return Ok(Err(Fault::NoEntity)) };
        let (looks, resource): (&[_], _) = match &entity.whose {
            Whose::All => (&["organizations:ListChildren"], format!("root/{id}/{}", organization.root)),
            Whose::Under(unit) => (&["organizations:ListChildren", "organizations:ListParents"], format!("ou/{id}/{unit}")),
            Whose::One(account) => (&["organizations:ListParents"], format!("account/{id}/{account}")),
        };
        let resource = format!("arn:aws:organizations::{management}:{resource}");
        if !looks.iter().chain(&["organizations:ListPoliciesForTarget"]).all(|action| may(action, &resource)) {
            return Ok(Err(Fault::AccessDenied));
        }
        // No policy binds the management account: whichever is named is not looked at.
        if entity.whose == Whose::One(management) {
            return Ok(Ok((Vec::new(), entity.whose, None)));
        }
        if let Some(policy) = &self.organizations_policy_id {
            let Ok(policy) = policy.as_str().parse::<OrganizationPolicyId>() else { return Ok(Err(Fault::NoPolicy)) };
            let arn = policy_arn(organization, &policy);
            if !may("organizations:DescribePolicy", &arn) || !may("organizations:ListTargetsForPolicy", &arn) {
                return Ok(Err(Fault::AccessDenied));
            }
            let Some(document) = service_control_policy(&cx.tx, organization, &policy).await? else { return Ok(Err(Fault::NoPolicy)) };
            return Ok(Ok((vec![vec![document]], entity.whose, Some(policy))));
        }
        let mut levels = Vec::with_capacity(entity.levels.len());
        for target in &entity.levels {
            let mut documents = Vec::new();
            for attachment in attached_to(&cx.tx, target, PolicyType::ServiceControlPolicy).await? {
                if !may("organizations:DescribePolicy", &policy_arn(organization, &attachment.policy)) {
                    return Ok(Err(Fault::AccessDenied));
                }
                documents.extend(service_control_policy(&cx.tx, organization, &attachment.policy).await?);
            }
            levels.push(documents);
        }
        Ok(Ok((levels, entity.whose, None)))
    }
}

/// The ARN that a service control policy with this id has or would have.
fn policy_arn(organization: &OrganizationRecord, id: &OrganizationPolicyId) -> String {
    aws_organization_policy(id).map_or_else(
        || {
            let (management, folder) = (organization.management, policy_folder(PolicyType::ServiceControlPolicy));
            format!("arn:aws:organizations::{management}:policy/{}/{folder}/{id}", organization.id)
        },
        identities::AwsOrganizationPolicy::arn,
    )
}

/// A service control policy of an organization, compiled.
async fn service_control_policy(
    tx: &Tx<Read>,
    organization: &OrganizationRecord,
    id: &OrganizationPolicyId,
) -> Result<Option<Compiled>, Error> {
    let kind = match aws_organization_policy(id) {
        Some(policy) => Some(policy.kind),
        None => tx.in_account(SHARED).get::<OrganizationPolicyRecord>(id).await?.map(|policy| policy.kind),
    };
    if kind != Some(PolicyType::ServiceControlPolicy) {
        return Ok(None);
    }
    let Some(policy) = organization_policy(tx, organization, id).await? else { return Ok(None) };
    // It was read before it was saved; one that does not read is damage.
    let document = Document::parse(&policy.content).map_err(|error| StoreError::Failed(Box::new(error)))?;
    Ok(Some(Compiled::new(&document, Kind::ServiceControl)))
}

/// What a report is about.
struct Entity {
    whose: Whose,
    /// What policies can be attached to on the way down to it.
    levels: Vec<TargetId>,
}

impl Entity {
    /// What stands at the end of a path; nothing, if the path is not the very one under which it stands.
    async fn find(tx: &Tx<Read>, organization: &OrganizationRecord, path: &str) -> Result<Option<Self>, StoreError> {
        let last = path.rsplit('/').next().unwrap_or_default();
        if let Ok(account) = last.parse::<AccountId>() {
            let found = organization_path(tx, account).await?.filter(|found| found.organization.id == organization.id);
            let found = found.filter(|found| format!("{}{account}", found.text()) == path);
            return Ok(found.map(|found| Entity { levels: found.levels(), whose: Whose::One(account) }));
        }
        if let Ok(unit) = last.parse::<UnitId>() {
            let known = tx.in_account(SHARED).get::<UnitRecord>(&unit).await?.filter(|known| known.organization == organization.id);
            let Some(known) = known else { return Ok(None) };
            let units = units_down_to(tx, &ParentId::from(&known.id)).await?;
            let is_here = path_text(organization, &units).strip_suffix('/') == Some(path);
            let levels = std::iter::once(TargetId::from(&organization.root)).chain(units.iter().map(|unit| TargetId::from(&unit.id)));
            return Ok(is_here.then(|| Entity { levels: levels.collect(), whose: Whose::Under(known.id) }));
        }
        let is_root = path_text(organization, &[]).strip_suffix('/') == Some(path);
        Ok(is_root.then(|| Entity { levels: vec![TargetId::from(&organization.root)], whose: Whose::All }))
    }
}

#[derive(Shape)]
struct GetOrganizationsAccessReport {
    job_id: JobId,
    #[shape(flatten)]
    page: Page,
    #[shape(default)]
    sort_key: SortKey,
}

/// Services with what is known of their use.
type Services = Vec<(String, Option<Use>)>;

#[derive(Shape)]
struct AccessDetail {
    service_name: String,
    service_namespace: String,
    region: Option<String>,
    entity_path: Option<String>,
    last_authenticated_time: Option<Timestamp>,
    total_authenticated_entities: i32,
}

impl AccessDetail {
    fn of((service, used): (String, Option<Use>)) -> Self {
        let name = services::service(&service).map_or_else(|| service.clone(), |known| known.name.to_owned());
        let total = used.as_ref().map_or(0, |used| used.total);
        let last = used.map(|used| used.last);
        AccessDetail {
            service_name: name,
            service_namespace: service,
            region: last.as_ref().map(|last| last.region.clone()),
            last_authenticated_time: last.as_ref().map(|last| Timestamp(last.at)),
            entity_path: last.map(|last| last.by),
            total_authenticated_entities: total,
        }
    }
}

#[derive(Shape)]
struct GetOrganizationsAccessReportOutput {
    job_status: JobStatus,
    job_creation_date: Timestamp,
    job_completion_date: Option<Timestamp>,
    number_of_services_accessible: Option<i32>,
    number_of_services_not_accessed: Option<i32>,
    access_details: Option<Vec<AccessDetail>>,
    #[shape(flatten)]
    next: NextPage,
    error_details: Option<ErrorDetails>,
}

impl Operation for GetOrganizationsAccessReport {
    type Service = Iam;
    type Access = Read;
    type Output = GetOrganizationsAccessReportOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetOrganizationsAccessReportOutput, Error> {
        let mut job = Job::find(cx, Topic::Organization, self.job_id.as_str()).await?;
        managed(cx).await?;
        let services: Services = std::mem::take(&mut job.services).into_iter().collect();
        let is_made = job.done.is_some() && !job.failed;
        let count = |count: usize| is_made.then(|| i32::try_from(count).unwrap_or(i32::MAX));
        let (all, unused) = (services.len(), services.iter().filter(|(_, used)| used.is_none()).count());
        let (shown, next) = if is_made { self.shown(&job, services)? } else { (Vec::new(), None) };
        Ok(GetOrganizationsAccessReportOutput {
            job_status: JobStatus::of(&job),
            job_creation_date: Timestamp(job.created),
            job_completion_date: job.done.map(Timestamp),
            number_of_services_accessible: count(all),
            number_of_services_not_accessed: count(unused),
            access_details: is_made.then(|| shown.into_iter().map(AccessDetail::of).collect()),
            next: next.into(),
            error_details: ErrorDetails::of(&job),
        })
    }
}

impl GetOrganizationsAccessReport {
    /// A page. A report never changes once it is made, so a page begins after so many; its marker is good for this report in this order.
    fn shown(&self, job: &Job, mut services: Services) -> Result<(Services, Option<Marker>), Error> {
        self.sort_key.sort(&mut services);
        let marker = |shown: usize| {
            let shown = u32::try_from(shown).unwrap_or(u32::MAX).to_be_bytes();
            [self.sort_key.as_str().as_bytes(), job.id.as_bytes(), &shown].concat()
        };
        let begin = match self.page.after()? {
            None => 0,
            Some(after) => {
                let (_, shown) = after.entry().split_last_chunk().ok_or(Error::InvalidMarker)?;
                let shown = usize::try_from(u32::from_be_bytes(*shown)).unwrap_or(usize::MAX);
                if after.entry() != marker(shown) {
                    return Err(Error::InvalidInput("The marker passed in the request was invalid.".into()));
                }
                shown
            }
        };
        let end = begin.saturating_add(self.page.limit());
        let next = (end < services.len()).then(|| Marker::after(marker(end)));
        Ok((services.into_iter().skip(begin).take(self.page.limit()).collect(), next))
    }
}

impl SortKey {
    /// Whatever was never used is before all times. What is alike in time is in the order of names.
    fn sort(self, services: &mut [(String, Option<Use>)]) {
        let time = |(_, used): &(String, Option<Use>)| used.as_ref().map(|used| used.last.at);
        services.sort_by(|one, other| {
            let by_name = one.0.cmp(&other.0);
            match self {
                SortKey::ServiceNamespaceAscending => by_name,
                SortKey::ServiceNamespaceDescending => by_name.reverse(),
                SortKey::LastAuthenticatedTimeAscending => time(one).cmp(&time(other)).then(by_name),
                SortKey::LastAuthenticatedTimeDescending => time(other).cmp(&time(one)).then(by_name.reverse()),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::last_accessed::jobs::Last;

    #[test]
    fn services_are_told_in_the_order_that_is_asked_for() {
        let used =
            |at| Some(Use { last: Last { at, region: "eu-west-1".into(), by: "o-a/r-a".into() }, total: 1, actions: Default::default() });
        let services = [("b".to_owned(), used(7)), ("d".to_owned(), None), ("a".to_owned(), used(9)), ("c".to_owned(), None)];
        let sorted = |key: SortKey| {
            let mut services = services.to_vec();
            key.sort(&mut services);
            services.into_iter().map(|(name, _)| name).collect::<String>()
        };
        assert_eq!(sorted(SortKey::ServiceNamespaceAscending), "abcd");
        assert_eq!(sorted(SortKey::ServiceNamespaceDescending), "dcba");
        assert_eq!(sorted(SortKey::LastAuthenticatedTimeAscending), "cdba");
        assert_eq!(sorted(SortKey::LastAuthenticatedTimeDescending), "abdc");
    }
}
