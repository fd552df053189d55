//! Inline policies: documents that are part of one user, group or role and go with it.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html#inline-policies>.
//! Putting one that is there replaces it; what counts against the quota is the sum of all of an entity, without white space.

use crate::documents::{EncodedDocument, PolicyDocument};
use crate::holders::{Bounded, Holder, changing, existing};
use crate::names::ExistingUserName;
use crate::page::{NextPage, Page};
use crate::{Error, Iam};
use identities::{GroupName, GroupRecord, InlinePolicyRecord, PolicyName, RoleName, RoleRecord, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use policy::{Document, Kind};
use store::{Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::Shape;

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<PutUserPolicy>(),
    handler::<GetUserPolicy>(),
    handler::<DeleteUserPolicy>(),
    handler::<ListUserPolicies>(),
    handler::<PutGroupPolicy>(),
    handler::<GetGroupPolicy>(),
    handler::<DeleteGroupPolicy>(),
    handler::<ListGroupPolicies>(),
    handler::<PutRolePolicy>(),
    handler::<GetRolePolicy>(),
    handler::<DeleteRolePolicy>(),
    handler::<ListRolePolicies>(),
];

/// Stores a policy of `holder`, if all that it then has is not too much.
async fn put<H: Holder>(cx: &Allowed<'_, Write>, holder: &H, name: &PolicyName, document: &PolicyDocument) -> Result<(), Error> {
    let document = document.checked(Kind::Identity)?;
    let mut size = document.size();
    for other in all(&cx.tx, holder).await?.iter().filter(|other| !is(other, name)) {
        // What does not read any more was counted when it was saved; no document is longer than its text.
        size += Document::parse(&other.document).map_or(other.document.chars().count(), |document| document.size());
    }
    if size > H::INLINE {
        let (limit, kind, name) = (H::INLINE, H::CALLED, holder.name());
        return Err(Error::LimitExceeded(format!("Maximum policy size of {limit} bytes exceeded for {kind} {name}")));
    }
    let record = InlinePolicyRecord { entity: holder.id().clone(), name: name.clone(), document: document.text().to_owned() };
    match cx.tx.put(&record).await? {
        Stored::Done | Stored::Taken => Ok(()), // it has no unique index that could be taken
    }
}

/// Whether a policy has this name, whatever its case.
fn is(policy: &InlinePolicyRecord, name: &PolicyName) -> bool {
    policy.name.as_str().eq_ignore_ascii_case(name.as_str())
}

/// All inline policies of `holder`: few, for the sum of their sizes is bounded.
pub(crate) async fn all<H: Holder, M: Mode>(tx: &Tx<M>, holder: &H) -> Result<Vec<InlinePolicyRecord>, StoreError> {
    Ok(tx.scan(InlinePolicyRecord::KEY.under(holder.id()), None, H::INLINE, |_| true).await?.records)
}

async fn get<H: Holder, M: Mode>(cx: &Allowed<'_, M>, holder: &H, name: &PolicyName) -> Result<InlinePolicyRecord, Error> {
    let found = cx.tx.get::<InlinePolicyRecord>((holder.id(), name)).await?;
    found.ok_or_else(|| Error::NoSuchInline { kind: H::CALLED, name: name.to_string() })
}

async fn delete<H: Holder>(cx: &Allowed<'_, Write>, holder: &H, name: &PolicyName) -> Result<(), Error> {
    if cx.tx.delete::<InlinePolicyRecord>((holder.id(), name)).await? {
        return Ok(());
    }
    Err(Error::NoSuchInline { kind: H::CALLED, name: name.to_string() })
}

/// The names of an entity's policies.
#[derive(Shape)]
struct ListPoliciesOutput {
    policy_names: Vec<PolicyName>,
    #[shape(flatten)]
    next: NextPage,
}

async fn list<H: Holder>(cx: &Allowed<'_, Read>, holder: &H, page: &Page) -> Result<ListPoliciesOutput, Error> {
    let span = InlinePolicyRecord::KEY.under(holder.id());
    let page = cx.tx.scan::<InlinePolicyRecord>(span, page.after()?.as_ref(), page.limit(), |_| true).await?;
    Ok(ListPoliciesOutput { policy_names: page.records.into_iter().map(|policy| policy.name).collect(), next: page.next.into() })
}

#[derive(Shape)]
struct PutUserPolicy {
    user_name: ExistingUserName,
    policy_name: PolicyName,
    policy_document: PolicyDocument,
}

impl Operation for PutUserPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.user_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: UserRecord = changing(cx, &self.user_name).await?;
        put(cx, &holder, &self.policy_name, &self.policy_document).await
    }
}

#[derive(Shape)]
struct GetUserPolicy {
    user_name: ExistingUserName,
    policy_name: PolicyName,
}

#[derive(Shape)]
struct GetUserPolicyOutput {
    user_name: String,
    policy_name: PolicyName,
    policy_document: EncodedDocument,
}

impl Operation for GetUserPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = GetUserPolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetUserPolicyOutput, Error> {
        let holder: UserRecord = existing(cx, &self.user_name).await?;
        let policy = get(cx, &holder, &self.policy_name).await?;
        let policy_document = EncodedDocument(policy.document);
        Ok(GetUserPolicyOutput { user_name: holder.name().to_owned(), policy_name: policy.name, policy_document })
    }
}

#[derive(Shape)]
struct DeleteUserPolicy {
    user_name: ExistingUserName,
    policy_name: PolicyName,
}

impl Operation for DeleteUserPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.user_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: UserRecord = changing(cx, &self.user_name).await?;
        delete(cx, &holder, &self.policy_name).await
    }
}

#[derive(Shape)]
struct ListUserPolicies {
    user_name: ExistingUserName,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListUserPolicies {
    type Service = Iam;
    type Access = Read;
    type Output = ListPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPoliciesOutput, Error> {
        let holder: UserRecord = existing(cx, &self.user_name).await?;
        list(cx, &holder, &self.page).await
    }
}

#[derive(Shape)]
struct PutGroupPolicy {
    group_name: GroupName,
    policy_name: PolicyName,
    policy_document: PolicyDocument,
}

impl Operation for PutGroupPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: GroupRecord = changing(cx, &self.group_name).await?;
        put(cx, &holder, &self.policy_name, &self.policy_document).await
    }
}

#[derive(Shape)]
struct GetGroupPolicy {
    group_name: GroupName,
    policy_name: PolicyName,
}

#[derive(Shape)]
struct GetGroupPolicyOutput {
    group_name: String,
    policy_name: PolicyName,
    policy_document: EncodedDocument,
}

impl Operation for GetGroupPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = GetGroupPolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetGroupPolicyOutput, Error> {
        let holder: GroupRecord = existing(cx, &self.group_name).await?;
        let policy = get(cx, &holder, &self.policy_name).await?;
        let policy_document = EncodedDocument(policy.document);
        Ok(GetGroupPolicyOutput { group_name: holder.name().to_owned(), policy_name: policy.name, policy_document })
    }
}

#[derive(Shape)]
struct DeleteGroupPolicy {
    group_name: GroupName,
    policy_name: PolicyName,
}

impl Operation for DeleteGroupPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: GroupRecord = changing(cx, &self.group_name).await?;
        delete(cx, &holder, &self.policy_name).await
    }
}

#[derive(Shape)]
struct ListGroupPolicies {
    group_name: GroupName,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListGroupPolicies {
    type Service = Iam;
    type Access = Read;
    type Output = ListPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.group_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPoliciesOutput, Error> {
        let holder: GroupRecord = existing(cx, &self.group_name).await?;
        list(cx, &holder, &self.page).await
    }
}

#[derive(Shape)]
struct PutRolePolicy {
    role_name: RoleName,
    policy_name: PolicyName,
    policy_document: PolicyDocument,
}

impl Operation for PutRolePolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: RoleRecord = changing(cx, &self.role_name).await?;
        put(cx, &holder, &self.policy_name, &self.policy_document).await
    }
}

#[derive(Shape)]
struct GetRolePolicy {
    role_name: RoleName,
    policy_name: PolicyName,
}

#[derive(Shape)]
struct GetRolePolicyOutput {
    role_name: String,
    policy_name: PolicyName,
    policy_document: EncodedDocument,
}

impl Operation for GetRolePolicy {
    type Service = Iam;
    type Access = Read;
    type Output = GetRolePolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetRolePolicyOutput, Error> {
        let holder: RoleRecord = existing(cx, &self.role_name).await?;
        let policy = get(cx, &holder, &self.policy_name).await?;
        let policy_document = EncodedDocument(policy.document);
        Ok(GetRolePolicyOutput { role_name: holder.name().to_owned(), policy_name: policy.name, policy_document })
    }
}

#[derive(Shape)]
struct DeleteRolePolicy {
    role_name: RoleName,
    policy_name: PolicyName,
}

impl Operation for DeleteRolePolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&Bounded(self.role_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let holder: RoleRecord = changing(cx, &self.role_name).await?;
        delete(cx, &holder, &self.policy_name).await
    }
}

#[derive(Shape)]
struct ListRolePolicies {
    role_name: RoleName,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListRolePolicies {
    type Service = Iam;
    type Access = Read;
    type Output = ListPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.role_name)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPoliciesOutput, Error> {
        let holder: RoleRecord = existing(cx, &self.role_name).await?;
        list(cx, &holder, &self.page).await
    }
}
