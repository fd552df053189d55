//! Invitations: an account that is there comes into an organization, out of another one if it is in one. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_invites.html>.

use crate::accounts::{join, part};
use crate::authority::{Reach, What, on, organization};
use crate::handshakes::{ActionType, HandshakeOutput, HandshakeRecord, Notes, Party, PartyType, State, named, put};
use crate::{Error, Organizations, all_features, ids, quotas, service_linked_role, tagging};
use arn::AccountId;
use identities::{FeatureSet, JoinedMethod, MemberRecord, OrganizationRecord, Tag};
use operation::{Allowed, Asking, Caller, Judged, Operation, Operations, handler};
use store::{SHARED, Write};
use wire::Shape;

pub(super) const OPERATIONS: Operations<Organizations> = &[handler::<InviteAccountToOrganization>()];

#[derive(Shape)]
struct InviteAccountToOrganization {
    target: Party,
    notes: Option<Notes>,
    tags: Vec<Tag>,
}

impl Operation for InviteAccountToOrganization {
    type Service = Organizations;
    type Access = Write;
    type Output = HandshakeOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        let what = match self.target.r#type {
            PartyType::Account => What::Account(self.target.id.to_string()),
            PartyType::Email | PartyType::Organization => What::Account("*".into()),
        };
        Judged::on(&on(Reach::Management, what)).and(!self.tags.is_empty(), "organizations:TagResource").request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<HandshakeOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        tagging::check(&self.tags)?;
        if all_features::pending(cx, &organization).await?.is_some() {
            let words = "You can't invite accounts while the organization is enabling all features.";
            return Err(Error::handshake("INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES", words));
        }
        if quotas::is_full(cx, &organization).await? {
            return Err(full());
        }
        let invited = named(&cx.tx, &self.target).await?;
        let shared = cx.tx.in_account(SHARED);
        if shared.get::<MemberRecord>(&invited.id).await?.is_some_and(|member| member.organization == organization.id) {
            return Err(taken());
        }
        let same = |other: &HandshakeRecord| {
            other.organization == organization.id && other.action == ActionType::Invite && other.is_pending(cx.now)
        };
        if !shared.scan(HandshakeRecord::BY_RECIPIENT.of(&invited.id), None, 1, same).await?.records.is_empty() {
            return Err(Error::DuplicateHandshake);
        }
        let record = HandshakeRecord {
            id: ids::new(cx, "h-", 32)?,
            organization: organization.id,
            action: ActionType::Invite,
            recipient: invited.id,
            named: self.target.clone(),
            state: State::Open,
            requested: cx.now,
            expires: cx.now + ActionType::Invite.lasts(),
            ended: None,
            notes: self.notes.as_ref().map(Notes::to_string),
            parent: None,
            transfer: None,
            tags: self.tags.clone(),
        };
        put(&cx.tx, &record).await?;
        HandshakeOutput::of(cx, &record).await
    }
}

fn full() -> Error {
    Error::handshake("ACCOUNT_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of AWS accounts.")
}

fn taken() -> Error {
    Error::handshake("ALREADY_IN_AN_ORGANIZATION", "The invited account is already a member of an organization.")
}

/// The caller's account comes in.
pub(crate) async fn accepted(cx: &Allowed<'_, Write>, record: &HandshakeRecord) -> Result<(), Error> {
    let (shared, account) = (cx.tx.in_account(SHARED), cx.caller.account);
    let organization = shared.get::<OrganizationRecord>(&record.organization).await?.ok_or(Error::NoSuchHandshake)?;
    if organization.features == FeatureSet::All {
        service_linked_role::may_be_made(cx)?;
    }
    if quotas::is_full(cx, &organization).await? {
        return Err(full());
    }
    if let Some(member) = shared.get::<MemberRecord>(&account).await? {
        leave(cx, account, &member).await?;
    }
    if !join(cx, &organization, account, JoinedMethod::Invited).await? {
        return Err(taken());
    }
    tagging::add(&cx.tx, &organization.id, &account.to_string(), &record.tags).await?;
    if organization.features == FeatureSet::All {
        service_linked_role::make(cx, account).await?;
    }
    Ok(())
}

/// A member of another organization goes from it straight into this one, if it may leave. A management account stays.
async fn leave(cx: &Allowed<'_, Write>, account: AccountId, member: &MemberRecord) -> Result<(), Error> {
    let old = cx.tx.in_account(SHARED).get::<OrganizationRecord>(&member.organization).await?.ok_or_else(taken)?;
    if old.management == account {
        return Err(taken());
    }
    if !cx.may(Asking { action: "organizations:LeaveOrganization", resource: "*", account }) {
        return Err(Error::AccessDenied);
    }
    part(cx, &old, member).await
}
