//! From one bill to all features: the management account asks, each invited member approves, the management account completes it. Accounts that
//! the organization made need not approve. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html>.

use crate::authority::{Reach, What, on, organization};
use crate::handshakes::{ActionType, HandshakeOutput, HandshakeRecord, Party, PartyType, State, party_id, put};
use crate::{Error, Organizations, ids, service_linked_role};
use identities::{FeatureSet, JoinedMethod, MemberRecord, OrganizationRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Marker, SHARED, StoreError, Stored, Write};
use wire::Shape;

pub(super) const OPERATIONS: Operations<Organizations> = &[handler::<EnableAllFeatures>()];

/// Records that are looked at together.
const SOME: usize = 500;

#[derive(Shape)]
struct EnableAllFeatures {}

impl Operation for EnableAllFeatures {
    type Service = Organizations;
    type Access = Write;
    type Output = HandshakeOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<HandshakeOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        if organization.features == FeatureSet::All {
            let words = "All features are already enabled on this organization.";
            return Err(Error::handshake("ORGANIZATION_ALREADY_HAS_ALL_FEATURES", words));
        }
        if pending(cx, &organization).await?.is_some() {
            let words = "The organization is enabling all features already.";
            return Err(Error::handshake("ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION", words));
        }
        let own = Party { id: party_id(organization.id.as_str())?, r#type: PartyType::Organization };
        let mut parent = HandshakeRecord {
            id: ids::new(cx, "h-", 32)?,
            organization: organization.id.clone(),
            action: ActionType::EnableAllFeatures,
            recipient: organization.management,
            named: own,
            state: State::Open,
            requested: cx.now,
            expires: cx.now + ActionType::EnableAllFeatures.lasts(),
            ended: None,
            notes: None,
            parent: None,
            transfer: None,
            tags: Vec::new(),
        };
        for member in members(cx, &organization).await? {
            if member.method != JoinedMethod::Invited || member.account == organization.management {
                continue;
            }
            parent.state = State::Requested;
            let child = HandshakeRecord {
                id: ids::new(cx, "h-", 32)?,
                action: ActionType::ApproveAllFeatures,
                recipient: member.account,
                named: Party { id: party_id(&member.account.to_string())?, r#type: PartyType::Account },
                state: State::Open,
                parent: Some(parent.id.clone()),
                ..parent.clone()
            };
            put(&cx.tx, &child).await?;
        }
        put(&cx.tx, &parent).await?;
        HandshakeOutput::of(cx, &parent).await
    }
}

/// All members.
async fn members(cx: &Allowed<'_, Write>, organization: &OrganizationRecord) -> Result<Vec<MemberRecord>, Error> {
    let (mut all, mut after) = (Vec::new(), None::<Marker>);
    loop {
        let span = MemberRecord::BY_ORGANIZATION.of(&organization.id);
        let page = cx.tx.in_account(SHARED).scan(span, after.as_ref(), SOME, |_: &MemberRecord| true).await?;
        all.extend(page.records);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// The handshake by which an organization is enabling all features.
pub(crate) async fn pending(cx: &Allowed<'_, Write>, organization: &OrganizationRecord) -> Result<Option<HandshakeRecord>, Error> {
    let span = HandshakeRecord::BY_ACTION.of((&organization.id, &ActionType::EnableAllFeatures));
    let pending = |record: &HandshakeRecord| record.is_pending(cx.now);
    Ok(cx.tx.in_account(SHARED).scan(span, None, 1, pending).await?.records.pop())
}

/// Those that a handshake waits for and that are not answered.
async fn waited_for(cx: &Allowed<'_, Write>, parent: &HandshakeRecord, at_most: usize) -> Result<Vec<HandshakeRecord>, Error> {
    let open = |child: &HandshakeRecord| child.state == State::Open;
    Ok(cx.tx.in_account(SHARED).scan(HandshakeRecord::BY_PARENT.of(&parent.id), None, at_most, open).await?.records)
}

/// One member approved: if it was the last, the management account can complete it.
pub(crate) async fn approved(cx: &Allowed<'_, Write>, child: &HandshakeRecord) -> Result<(), Error> {
    service_linked_role::may_be_made(cx)?;
    service_linked_role::make(cx, child.recipient).await?;
    let Some(id) = &child.parent else { return Ok(()) };
    let Some(mut parent) = cx.tx.in_account(SHARED).get::<HandshakeRecord>(id).await? else { return Ok(()) };
    let is_open = |other: &HandshakeRecord| matches!(other.state, State::Open | State::Declined);
    let open = cx.tx.in_account(SHARED).scan(HandshakeRecord::BY_PARENT.of(id), None, 1, is_open).await?.records;
    if open.is_empty() && parent.state == State::Requested {
        parent.state = State::Open;
        put(&cx.tx, &parent).await?;
    }
    Ok(())
}

/// The management account completes it. Kinds of policies are enabled one by one afterwards.
pub(crate) async fn enabled(cx: &Allowed<'_, Write>, record: &HandshakeRecord) -> Result<(), Error> {
    service_linked_role::may_be_made(cx)?;
    let shared = cx.tx.in_account(SHARED);
    let mut organization = shared.get::<OrganizationRecord>(&record.organization).await?.ok_or(Error::NoSuchHandshake)?;
    organization.features = FeatureSet::All;
    for member in members(cx, &organization).await? {
        service_linked_role::make(cx, member.account).await?;
    }
    match shared.put(&organization).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Store(StoreError::Conflict)),
    }
}

/// The management account gave it up: nobody need answer any more.
pub(crate) async fn canceled(cx: &Allowed<'_, Write>, parent: &HandshakeRecord) -> Result<(), Error> {
    loop {
        let open = waited_for(cx, parent, SOME).await?;
        if open.is_empty() {
            return Ok(());
        }
        for mut child in open {
            (child.state, child.ended) = (State::Canceled, Some(cx.now));
            put(&cx.tx, &child).await?;
        }
    }
}
