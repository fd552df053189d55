//! What a service-linked role is used by: its service says so itself, and while it names anything the role cannot be deleted.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_delete.html#id_roles_manage_delete_slr>.

use crate::authorize::read;
use crate::said::{Said, map};
use crate::{Decisions, Error};
use arn::Arn;
use identities::{RoleName, RoleRecord, RoleUsageRecord};
use operation::{Allowed, Caller, Failure, Input, Judged, Operation, Operations, Said as Request, Target, handler};
use serde::Deserialize;
use store::{StoreError, Stored, Write};
use wire::Member;

pub(super) const OPERATIONS: Operations<Decisions> = &[handler::<PutRoleUsage>()];

/// Resources of one role, and characters of a region's name.
const MOST_RESOURCES: usize = 100;
const LONGEST_REGION: usize = 100;

/// What uses a role, all of it: it replaces what was said before.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutRoleUsage {
    role: Arn,
    region: String,
    resources: Vec<Arn>,
}

impl Input for PutRoleUsage {
    const NAME: &'static str = "PutRoleUsage";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /role-usage");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        let asked: Self = read(said.body)?;
        if asked.resources.len() > MOST_RESOURCES {
            return Err(Error::Invalid(format!("resources: more than {MOST_RESOURCES}")).into());
        }
        if asked.region.is_empty() || asked.region.len() > LONGEST_REGION {
            return Err(Error::Invalid("region: not the name of one".into()).into());
        }
        Ok(asked)
    }
}

impl Operation for PutRoleUsage {
    type Service = Decisions;
    type Access = Write;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Said, Error> {
        let service = cx.caller.service().ok_or_else(|| Error::Invalid("role: only its service says what uses it".into()))?;
        let own = format!("/aws-service-role/{service}/");
        // What is not there and what is another's are told apart for nobody.
        let missing = || Error::Invalid(format!("role: not one of {service}"));
        let account = self.role.account_id().filter(|_| self.role.path() == own).ok_or_else(missing)?;
        let name: RoleName = self.role.resource_name().parse().map_err(|_| missing())?;
        let there = cx.tx.in_account(&account.to_string());
        let role = there.find(RoleRecord::BY_NAME, &name).await?.filter(|role| role.arn(account) == self.role).ok_or_else(missing)?;
        let usage = RoleUsageRecord { role: role.id, region: self.region.clone(), resources: self.resources.clone() };
        match there.put(&usage).await? {
            Stored::Done => Ok(Said(map([]))),
            Stored::Taken => Err(Error::Store(StoreError::Conflict)),
        }
    }
}
