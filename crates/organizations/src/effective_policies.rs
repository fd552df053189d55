//! What an account is told: the policies of one kind from the root down to it, merged, and whether what they make can be used.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_effective.html>.

use crate::accounts::{Account, shown};
use crate::attachments::{has_target, what};
use crate::authority::{Reach, What, on, organization};
use crate::ids::AccountNumber;
use crate::inheritance::{Merged, Part};
use crate::page::{NextPage, Page};
use crate::policy_syntax::{self, Syntax};
use crate::{Error, Organizations};
use arn::AccountId;
use identities::{
    MemberRecord, OrganizationPath, OrganizationPolicyId, OrganizationRecord, PolicyType, TargetId, attached_to, organization_path,
    organization_policy,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, SHARED, StoreError, Tx};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<DescribeEffectivePolicy>(),
    handler::<ListEffectivePolicyValidationErrors>(),
    handler::<ListAccountsWithInvalidEffectivePolicy>(),
];

/// A kind of policy that is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum EffectivePolicyType {
    TagPolicy,
    BackupPolicy,
    AiservicesOptOutPolicy,
    ChatbotPolicy,
    #[text(rename = "DECLARATIVE_POLICY_EC2")]
    DeclarativePolicyEc2,
    SecurityhubPolicy,
    SecurityhubCspmPolicy,
    InspectorPolicy,
    UpgradeRolloutPolicy,
    BedrockPolicy,
    #[text(rename = "S3_POLICY")]
    S3Policy,
    NetworkSecurityDirectorPolicy,
    GuarddutyPolicy,
}

impl EffectivePolicyType {
    fn kind(self) -> PolicyType {
        match self {
            EffectivePolicyType::TagPolicy => PolicyType::TagPolicy,
            EffectivePolicyType::BackupPolicy => PolicyType::BackupPolicy,
            EffectivePolicyType::AiservicesOptOutPolicy => PolicyType::AiservicesOptOutPolicy,
            EffectivePolicyType::ChatbotPolicy => PolicyType::ChatbotPolicy,
            EffectivePolicyType::DeclarativePolicyEc2 => PolicyType::DeclarativePolicyEc2,
            EffectivePolicyType::SecurityhubPolicy => PolicyType::SecurityhubPolicy,
            EffectivePolicyType::SecurityhubCspmPolicy => PolicyType::SecurityhubCspmPolicy,
            EffectivePolicyType::InspectorPolicy => PolicyType::InspectorPolicy,
            EffectivePolicyType::UpgradeRolloutPolicy => PolicyType::UpgradeRolloutPolicy,
            EffectivePolicyType::BedrockPolicy => PolicyType::BedrockPolicy,
            EffectivePolicyType::S3Policy => PolicyType::S3Policy,
            EffectivePolicyType::NetworkSecurityDirectorPolicy => PolicyType::NetworkSecurityDirectorPolicy,
            EffectivePolicyType::GuarddutyPolicy => PolicyType::GuarddutyPolicy,
        }
    }
}

/// Refuses a kind that the root has not enabled.
fn is_enabled(organization: &OrganizationRecord, kind: PolicyType) -> Result<(), Error> {
    if organization.has(kind) { Ok(()) } else { Err(Error::NoEffectivePolicyType) }
}

/// What is in effect.
pub(crate) struct Effective {
    /// The policies, merged.
    pub merged: Merged,
    /// Since when, in seconds since the epoch.
    since: i64,
}

/// What is in effect for the account at the end of this path; `None` if nothing of this kind is attached on it.
pub(crate) async fn effective<M: Mode>(tx: &Tx<M>, path: &OrganizationPath, kind: PolicyType) -> Result<Option<Effective>, StoreError> {
    let Some(syntax) = Syntax::of(kind).filter(|_| path.organization.has(kind)) else { return Ok(None) };
    let (mut levels, mut since) = (Vec::new(), None);
    for target in path.levels() {
        let mut level = Vec::new();
        for attachment in attached_to(tx, &target, kind).await? {
            let Some(policy) = organization_policy(tx, &path.organization, &attachment.policy).await? else { continue };
            since = since.max(Some(attachment.attached.max(policy.updated)));
            // A kept document was read before it was saved.
            level.extend(policy_syntax::read(kind, &policy.content).map(|document| Part { id: policy.id, document }));
        }
        levels.push(level);
    }
    Ok(since.map(|since| Effective { merged: Merged::of(&levels, syntax), since }))
}

#[derive(Shape)]
struct DescribeEffectivePolicy {
    policy_type: EffectivePolicyType,
    target_id: Option<TargetId>,
}

#[derive(Shape)]
struct EffectivePolicy {
    policy_content: String,
    last_updated_timestamp: Timestamp,
    target_id: TargetId,
    policy_type: EffectivePolicyType,
}

#[derive(Shape)]
struct DescribeEffectivePolicyOutput {
    effective_policy: EffectivePolicy,
}

impl DescribeEffectivePolicy {
    /// Every account sees its own; who sees others' sits where it sees all.
    fn reach(&self, caller: &Caller) -> Reach {
        let is_own = self.target_id.as_ref().is_none_or(|target| *target == TargetId::from(caller.account));
        if is_own { Reach::Member } else { Reach::Delegated }
    }
}

impl Operation for DescribeEffectivePolicy {
    type Service = Organizations;
    type Access = Read;
    type Output = DescribeEffectivePolicyOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        let own = TargetId::from(caller.account);
        let what = what(self.target_id.as_ref().unwrap_or(&own));
        Judged::on(&on(self.reach(caller), what)).key("organizations:PolicyType", [self.policy_type.as_str()])
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<DescribeEffectivePolicyOutput, Error> {
        let organization = organization(cx, self.reach(cx.caller)).await?;
        let target_id = self.target_id.clone().unwrap_or_else(|| cx.caller.account.into());
        if !has_target(cx, &organization, &target_id).await? {
            return Err(Error::NoSuchTarget);
        }
        let Ok(account) = target_id.as_str().parse::<AccountId>() else {
            let words = "You specified a target that is not currently supported.";
            return Err(Error::InvalidInput { reason: "TARGET_NOT_SUPPORTED", words });
        };
        is_enabled(&organization, self.policy_type.kind())?;
        let path = organization_path(&cx.tx, account).await?.ok_or(Error::NoSuchTarget)?;
        let effective = effective(&cx.tx, &path, self.policy_type.kind()).await?.ok_or(Error::NoEffectivePolicy)?;
        let effective_policy = EffectivePolicy {
            policy_content: effective.merged.value().unwrap_or_else(|| serde_json::json!({})).to_string(),
            last_updated_timestamp: Timestamp(effective.since),
            target_id,
            policy_type: self.policy_type,
        };
        Ok(DescribeEffectivePolicyOutput { effective_policy })
    }
}

/// Why an effective policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Shape)]
struct EffectivePolicyValidationError {
    error_code: String,
    error_message: String,
    path_to_error: String,
    contributing_policies: Vec<OrganizationPolicyId>,
}

/// What is wrong with an effective policy. Only a backup plan can lack what it cannot do without: each part of one may come from another
/// policy. Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html>.
fn faults(kind: PolicyType, merged: &Merged) -> Vec<EffectivePolicyValidationError> {
    let plans = merged.get("plans").filter(|_| kind == PolicyType::BackupPolicy);
    let mut faults = Vec::new();
    for plan in plans.iter().flat_map(|plans| &plans.below) {
        let path = format!("plans/{}", plan.key);
        let mut lack = |node: &Merged, path: &str, keys: &[&str]| {
            for key in keys.iter().filter(|key| node.get(key).and_then(Merged::value).is_none()) {
                faults.push(EffectivePolicyValidationError {
                    error_code: "KEY_REQUIRED".into(),
                    error_message: format!("The required key {key} is missing at {path}."),
                    path_to_error: format!("{path}/{key}"),
                    contributing_policies: makers(plan),
                });
            }
        };
        lack(plan, &path, &["regions", "rules", "selections"]);
        for rule in plan.get("rules").iter().flat_map(|rules| &rules.below) {
            lack(rule, &format!("{path}/rules/{}", rule.key), &["target_backup_vault_name"]);
        }
        for selection in plan.get("selections").and_then(|selections| selections.get("tags")).iter().flat_map(|tags| &tags.below) {
            lack(selection, &format!("{path}/selections/tags/{}", selection.key), &["iam_role_arn", "tag_key", "tag_value"]);
        }
    }
    faults
}

/// Whoever had a part in a node or in what is below it.
fn makers(node: &Merged) -> Vec<OrganizationPolicyId> {
    let mut all = node.by.clone();
    for id in node.below.iter().flat_map(makers) {
        if !all.contains(&id) {
            all.push(id);
        }
    }
    all
}

#[derive(Shape)]
struct ListEffectivePolicyValidationErrors {
    account_id: AccountNumber,
    policy_type: EffectivePolicyType,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListEffectivePolicyValidationErrorsOutput {
    account_id: AccountId,
    policy_type: EffectivePolicyType,
    path: String,
    evaluation_timestamp: Timestamp,
    effective_policy_validation_errors: Vec<EffectivePolicyValidationError>,
    #[shape(flatten)]
    next: NextPage,
}

/// Where a member stands, if it is one of this organization.
async fn path_of<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord, account: AccountId) -> Result<OrganizationPath, Error> {
    let path = organization_path(&cx.tx, account).await?;
    path.filter(|path| path.organization.id == organization.id).ok_or(Error::NoSuchAccount)
}

impl Operation for ListEffectivePolicyValidationErrors {
    type Service = Organizations;
    type Access = Read;
    type Output = ListEffectivePolicyValidationErrorsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Account(self.account_id.to_string())))
            .key("organizations:PolicyType", [self.policy_type.as_str()])
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListEffectivePolicyValidationErrorsOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let account_id = self.account_id.id()?;
        let path = path_of(cx, &organization, account_id).await?;
        let kind = self.policy_type.kind();
        is_enabled(&organization, kind)?;
        let effective = effective(&cx.tx, &path, kind).await?.ok_or(Error::NoEffectivePolicy)?;
        let (effective_policy_validation_errors, next) =
            self.page.of_all(faults(kind, &effective.merged), |fault| fault.path_to_error.clone())?;
        Ok(ListEffectivePolicyValidationErrorsOutput {
            account_id,
            policy_type: self.policy_type,
            path: format!("{}{account_id}/", path.text()),
            evaluation_timestamp: Timestamp(cx.now),
            effective_policy_validation_errors,
            next,
        })
    }
}

#[derive(Shape)]
struct ListAccountsWithInvalidEffectivePolicy {
    policy_type: EffectivePolicyType,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListAccountsWithInvalidEffectivePolicyOutput {
    accounts: Vec<Account>,
    policy_type: EffectivePolicyType,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListAccountsWithInvalidEffectivePolicy {
    type Service = Organizations;
    type Access = Read;
    type Output = ListAccountsWithInvalidEffectivePolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing)).key("organizations:PolicyType", [self.policy_type.as_str()])
    }

    /// A page looks at so many members, and shows those whose policy is invalid: it may show fewer than it was asked for, and still not be the
    /// last. AWS says so of its own lists.
    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListAccountsWithInvalidEffectivePolicyOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let kind = self.policy_type.kind();
        is_enabled(&organization, kind)?;
        let members = MemberRecord::BY_ORGANIZATION.of(&organization.id);
        let page = cx.tx.in_account(SHARED).scan(members, self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let mut invalid = Vec::new();
        for member in page.records {
            let path = path_of(cx, &organization, member.account).await?;
            if effective(&cx.tx, &path, kind).await?.is_some_and(|effective| !faults(kind, &effective.merged).is_empty()) {
                invalid.push(member);
            }
        }
        let accounts = shown(cx, &organization, &invalid).await?;
        Ok(ListAccountsWithInvalidEffectivePolicyOutput { accounts, policy_type: self.policy_type, next: page.next.into() })
    }
}
