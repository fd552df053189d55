//! Roles that belong to a service of AWS's: it is the one that they trust, and nobody else changes what they may do.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>.
//! Which services have one is in `data/service-linked-roles.tsv`. A deletion is a task with a state, which is settled when it is asked for: a
//! role that its service says it uses stays, and the task says by what it is used.

use crate::quotas::quota;
use crate::roles::{self, Description, Role, RoleOutput};
use crate::{Error, Iam};
use arn::{Arn, IdKind};
use identities::{Path, RoleName, RoleRecord, RoleUsageRecord, Tags, TrustPolicy};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Read, Record, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Iam> =
    &[handler::<CreateServiceLinkedRole>(), handler::<DeleteServiceLinkedRole>(), handler::<GetServiceLinkedRoleDeletionStatus>()];

/// Services, each with what its role is called and may do.
const SERVICES: &str = include_str!("../data/service-linked-roles.tsv");

/// Seconds that a task can be asked about.
const KEPT: i64 = 7 * 24 * 3_600;
/// Old tasks that are forgotten when a new one is made.
const FORGOTTEN: usize = 100;

/// The host name of a service.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 128, pattern = r"[\w+=,.@-]+")]
struct AwsServiceName(Box<str>);

/// What tells several roles of one service apart.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 64, pattern = r"[\w+=,.@-]+")]
struct CustomSuffix(Box<str>);

/// `task/aws-service-role/SERVICE/ROLE/UUID`.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 1000)]
struct DeletionTaskId(Box<str>);

/// What the roles of one service are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Template {
    /// After `AWSServiceRoleFor`.
    role: &'static str,
    policy: &'static str,
    takes_suffix: bool,
}

impl Template {
    /// The one of this service, whose name has its case.
    fn of(service: &str) -> Option<Template> {
        let short = service.strip_suffix(".amazonaws.com")?;
        SERVICES.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let mut parts = line.split('\t');
            let found = parts.next()? == short;
            let template = Template { role: parts.next()?, policy: parts.next()?, takes_suffix: parts.next() == Some("suffix") };
            found.then_some(template)
        })
    }

    fn role_name(self, suffix: Option<&CustomSuffix>) -> String {
        match suffix {
            Some(suffix) => format!("AWSServiceRoleFor{}_{}", self.role, suffix.as_str()),
            None => format!("AWSServiceRoleFor{}", self.role),
        }
    }

    fn policy(self) -> Result<Arn, Error> {
        let arn = format!("arn:aws:iam::aws:policy/aws-service-role/{}", self.policy);
        arn.parse().map_err(|_| Error::InvalidArn)
    }
}

#[derive(Shape)]
struct CreateServiceLinkedRole {
    #[shape(name = "AWSServiceName")]
    aws_service_name: AwsServiceName,
    description: Option<Description>,
    custom_suffix: Option<CustomSuffix>,
}

impl Operation for CreateServiceLinkedRole {
    type Service = Iam;
    type Access = Write;
    type Output = RoleOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        let service = self.aws_service_name.as_str();
        let name = Template::of(service).map_or_else(|| "AWSServiceRoleFor".into(), |known| known.role_name(self.custom_suffix.as_ref()));
        Judged::on(caller.arn_here("iam", format_args!("role/aws-service-role/{service}/{name}"))).key("iam:AWSServiceName", [service])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<RoleOutput, Error> {
        let service = self.aws_service_name.as_str();
        let template = Template::of(service).ok_or_else(|| Error::NoTemplate(service.to_owned()))?;
        if self.custom_suffix.is_some() && !template.takes_suffix {
            return Err(Error::InvalidInput(format!("Custom suffix is not allowed for {service}")));
        }
        let name = template.role_name(self.custom_suffix.as_ref());
        let path = format!("/aws-service-role/{service}/");
        let unfit = || Error::InvalidInput(format!("Service role name {name} is not valid, please try a different suffix."));
        quota::<RoleRecord>(cx, cx.limits().roles, "RolesPerAccount").await?;
        let role = RoleRecord {
            id: cx.new_id(IdKind::Role)?,
            name: name.parse().map_err(|_| unfit())?,
            path: path.parse::<Path>().map_err(|_| unfit())?,
            created: cx.now,
            description: self.description.as_ref().and_then(Description::kept),
            max_session_duration: 3_600,
            trust: TrustPolicy { document: trusting(service), pinned: Vec::new() },
            permissions_boundary: None,
            attached: vec![template.policy()?],
            tags: Tags::default(),
        };
        match cx.tx.insert(&role).await? {
            Stored::Done => Ok(RoleOutput { role: Role::made(cx, &role).await? }),
            Stored::Taken => {
                Err(Error::InvalidInput(format!("Service role name {name} has been taken in this account, please try a different suffix.")))
            }
        }
    }
}

/// The trust policy of a service's role, as AWS writes it.
fn trusting(service: &str) -> String {
    let service = json!(service);
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":{service}}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

/// A deletion that was asked for, and what came of it. `used_by` is empty where the role is gone.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "service-linked-role-deletion", key = id)]
pub(crate) struct DeletionRecord {
    id: String,
    created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<Used>,
}

/// What keeps a role from being deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Used {
    region: String,
    resources: Vec<Arn>,
}

#[derive(Shape)]
struct DeleteServiceLinkedRole {
    role_name: RoleName,
}

#[derive(Shape)]
struct DeleteServiceLinkedRoleOutput {
    deletion_task_id: String,
}

impl Operation for DeleteServiceLinkedRole {
    type Service = Iam;
    type Access = Write;
    type Output = DeleteServiceLinkedRoleOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<DeleteServiceLinkedRoleOutput, Error> {
        let role = roles::named(cx, &self.role_name).await?;
        if !role.is_service_linked() {
            return Err(Error::NotServiceLinked(role.name.to_string()));
        }
        let usage = cx.tx.get::<RoleUsageRecord>(&role.id).await?.filter(|usage| !usage.resources.is_empty());
        let used = usage.map(|usage| Used { region: usage.region, resources: usage.resources });
        if used.is_none() {
            cx.tx.delete::<RoleUsageRecord>(&role.id).await?;
            cx.tx.delete::<RoleRecord>(&role.id).await?;
        }
        forget_old(cx).await?;
        let id = format!("task{}{}/{}", role.path, role.name, cx.new_uuid()?);
        let task = DeletionRecord { id: id.clone(), created: cx.now, used };
        match cx.tx.insert(&task).await? {
            Stored::Done => Ok(DeleteServiceLinkedRoleOutput { deletion_task_id: id }),
            Stored::Taken => Err(Error::Store(store::StoreError::Conflict)),
        }
    }
}

async fn forget_old(cx: &Allowed<'_, Write>) -> Result<(), Error> {
    let before = cx.now - KEPT;
    let old = cx.tx.scan(DeletionRecord::KEY.all(), None, FORGOTTEN, |task: &DeletionRecord| task.created < before).await?;
    for task in old.records {
        cx.tx.delete::<DeletionRecord>(&task.id).await?;
    }
    Ok(())
}

#[derive(Shape)]
struct GetServiceLinkedRoleDeletionStatus {
    deletion_task_id: DeletionTaskId,
}

#[derive(Shape)]
struct GetServiceLinkedRoleDeletionStatusOutput {
    status: Status,
    reason: Option<DeletionTaskFailureReason>,
}

/// How far a deletion is. Nothing here waits, so the two in the middle are never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum Status {
    Succeeded,
    InProgress,
    Failed,
    NotStarted,
}

#[derive(Shape)]
struct DeletionTaskFailureReason {
    reason: String,
    role_usage_list: Vec<RoleUsage>,
}

#[derive(Shape)]
struct RoleUsage {
    region: String,
    resources: Vec<Arn>,
}

impl GetServiceLinkedRoleDeletionStatus {
    /// The path and name of the role that a task's id names.
    fn role(&self) -> Option<&str> {
        let (role, task) = self.deletion_task_id.as_str().strip_prefix("task/aws-service-role/")?.rsplit_once('/')?;
        let (service, name) = role.split_once('/')?;
        let is_whole = !service.is_empty() && !task.is_empty() && name.parse::<RoleName>().is_ok();
        is_whole.then_some(role)
    }
}

impl Operation for GetServiceLinkedRoleDeletionStatus {
    type Service = Iam;
    type Access = Read;
    type Output = GetServiceLinkedRoleDeletionStatusOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        match self.role() {
            Some(role) => Judged::on(caller.arn_here("iam", format_args!("role/aws-service-role/{role}"))),
            None => Judged::on(Target::Everything),
        }
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetServiceLinkedRoleDeletionStatusOutput, Error> {
        let id = self.deletion_task_id.as_str();
        if self.role().is_none() {
            return Err(Error::InvalidInput("Invalid task id".into()));
        }
        let task = cx.tx.get::<DeletionRecord>(&id.to_owned()).await?.ok_or(Error::NoSuchTask)?;
        let reason = task.used.map(|used| DeletionTaskFailureReason {
            reason: "The role is in use: its service names the resources that need it.".into(),
            role_usage_list: vec![RoleUsage { region: used.region, resources: used.resources }],
        });
        Ok(GetServiceLinkedRoleDeletionStatusOutput { status: if reason.is_some() { Status::Failed } else { Status::Succeeded }, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_a_template_and_its_policy_is_there() {
        let lines: Vec<&str> = SERVICES.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.len() > 100 && lines.is_sorted());
        for line in lines {
            let service = format!("{}.amazonaws.com", line.split('\t').next().unwrap());
            let template = Template::of(&service).unwrap_or_else(|| panic!("{line:?}"));
            assert!(template.role_name(None).parse::<RoleName>().is_ok(), "{line:?}");
            // AWS no longer shows the policy of the first version of Lex.
            assert!(identities::managed_policy(&template.policy().unwrap()).is_some() || service == "lex.amazonaws.com", "{line:?}");
        }
    }

    #[test]
    fn a_services_name_has_its_case_and_its_end() {
        assert_eq!(Template::of("autoscaling.amazonaws.com").map(|known| known.takes_suffix), Some(true));
        for name in ["AutoScaling.amazonaws.com", "autoscaling", "autoscaling.amazonaws.com.cn", "#", "", ".amazonaws.com"] {
            assert_eq!(Template::of(name), None, "{name}");
        }
    }

    #[test]
    fn the_trust_policy_is_written_as_aws_writes_it() {
        let expected = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        assert_eq!(trusting("ecs.amazonaws.com"), expected);
    }
}
