//! Responsibility transfers: the management account of one organization takes on the billing of another, which it has invited. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_InviteOrganizationToTransferResponsibility.html>.
//! There is no bill here: what is kept is who agreed with whom, from when, and until when.

use crate::authority::{Reach, What, on, organization};
use crate::handshakes::{
    ActionType, HandshakeId, HandshakeOutput, HandshakeRecord, HandshakeResource, Notes, Party, PartyType, ResourceType, State, named, put,
};
use crate::page::{NextPage, Page};
use crate::{Error, Organizations, ids, tagging};
use arn::{AccountId, Arn};
use identities::{AccountRecord, MemberRecord, OrganizationRecord, Tag};
use jiff::civil::Date;
use jiff::tz::Offset;
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Mode, Read, Record, SHARED, Span, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<InviteOrganizationToTransferResponsibility>(),
    handler::<DescribeResponsibilityTransfer>(),
    handler::<UpdateResponsibilityTransfer>(),
    handler::<TerminateResponsibilityTransfer>(),
    handler::<ListInboundResponsibilityTransfers>(),
    handler::<ListOutboundResponsibilityTransfers>(),
];

/// `rt-` and 8 to 32 of `[0-9a-z]`.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(pattern = r"^rt-[0-9a-z]{8,32}$")]
pub(crate) struct TransferId(Box<str>);

impl KeyPart for TransferId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

/// Which responsibility. There is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum TransferType {
    Billing,
}

/// How a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum Status {
    Requested,
    Declined,
    Canceled,
    Expired,
    Accepted,
    Withdrawn,
}

/// What the one who takes it on calls it.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 128, pattern = r"^[ -~]+$", quiet)]
struct TransferName(Box<str>);

/// One transfer.
#[derive(Clone, Serialize, Deserialize, Record)]
#[record(kind = "responsibility-transfer", key = id, index(by_source = source, by_target = target))]
pub(crate) struct TransferRecord {
    id: TransferId,
    name: TransferName,
    /// The management account whose organization is billed elsewhere.
    source: AccountId,
    /// The management account that takes it on, and sent the invitation.
    target: AccountId,
    /// When it begins, in seconds since the epoch.
    start: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<i64>,
    /// The handshake by which it was asked for: its answer is where it stands, until it is ended.
    handshake: HandshakeId,
    withdrawn: bool,
}

impl TransferRecord {
    async fn status<M: Mode>(&self, cx: &Allowed<'_, M>) -> Result<Status, Error> {
        if self.withdrawn {
            return Ok(Status::Withdrawn);
        }
        let handshake = cx.tx.in_account(SHARED).get::<HandshakeRecord>(&self.handshake).await?;
        Ok(match handshake.map(|handshake| handshake.state(cx.now)) {
            Some(State::Requested | State::Open) => Status::Requested,
            Some(State::Accepted) => Status::Accepted,
            Some(State::Declined) => Status::Declined,
            Some(State::Canceled) => Status::Canceled,
            Some(State::Expired) | None => Status::Expired,
        })
    }

    fn is_of(&self, management: AccountId) -> bool {
        self.source == management || self.target == management
    }
}

/// One side of a transfer.
#[derive(Shape)]
struct TransferParticipant {
    management_account_id: AccountId,
    management_account_email: Option<String>,
}

/// A transfer as it is shown to one of its sides.
#[derive(Shape)]
struct ResponsibilityTransfer {
    arn: Arn,
    name: TransferName,
    id: TransferId,
    r#type: TransferType,
    status: Status,
    source: TransferParticipant,
    target: TransferParticipant,
    start_timestamp: Timestamp,
    end_timestamp: Option<Timestamp>,
    active_handshake_id: Option<HandshakeId>,
}

impl ResponsibilityTransfer {
    async fn of<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord, record: &TransferRecord) -> Result<Self, Error> {
        let status = record.status(cx).await?;
        Ok(ResponsibilityTransfer {
            arn: arn(organization, record),
            name: record.name.clone(),
            id: record.id.clone(),
            r#type: TransferType::Billing,
            status,
            source: participant(&cx.tx, record.source).await?,
            target: participant(&cx.tx, record.target).await?,
            start_timestamp: Timestamp(record.start),
            end_timestamp: record.end.map(Timestamp),
            active_handshake_id: (status == Status::Requested).then(|| record.handshake.clone()),
        })
    }
}

async fn participant<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<TransferParticipant, Error> {
    let record = tx.in_account(SHARED).get::<AccountRecord>(&account).await?;
    let management_account_email = record.map(|record| record.email.to_string());
    Ok(TransferParticipant { management_account_id: account, management_account_email })
}

/// To the one who takes it on a transfer comes in; to the other it goes out.
fn arn(organization: &OrganizationRecord, record: &TransferRecord) -> Arn {
    let direction = if record.target == organization.management { "inbound" } else { "outbound" };
    Arn::organizations(organization.management, format_args!("transfer/{}/billing/{direction}/{}", organization.id, record.id))
}

/// What a transfer is judged as for one organization: its ARN and its direction. `None`: it is none of its own.
pub(crate) async fn seen_by<M: Mode>(
    tx: &Tx<M>,
    organization: &OrganizationRecord,
    id: &TransferId,
) -> Result<Option<(Arn, &'static str)>, StoreError> {
    let record = tx.in_account(SHARED).get::<TransferRecord>(id).await?.filter(|record| record.is_of(organization.management));
    Ok(record.map(|record| {
        let direction = if record.target == organization.management { "INBOUND" } else { "OUTBOUND" };
        (arn(organization, &record), direction)
    }))
}

/// Whether an organization has transfers that are not ended: it cannot be deleted then.
pub(crate) async fn has_some(cx: &Allowed<'_, Write>, organization: &OrganizationRecord) -> Result<bool, Error> {
    let shared = cx.tx.in_account(SHARED);
    for span in [TransferRecord::BY_SOURCE.of(&organization.management), TransferRecord::BY_TARGET.of(&organization.management)] {
        for record in shared.scan(span, None, 1_000, |record: &TransferRecord| !record.withdrawn).await?.records {
            if matches!(record.status(cx).await?, Status::Requested | Status::Accepted) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What a handshake tells of the transfer that it is about.
pub(crate) async fn told<M: Mode>(tx: &Tx<M>, id: &TransferId, management: &AccountRecord) -> Result<Vec<HandshakeResource>, Error> {
    let Some(record) = tx.in_account(SHARED).get::<TransferRecord>(id).await? else { return Ok(Vec::new()) };
    Ok(vec![
        HandshakeResource::new(ResourceType::ResponsibilityTransfer, id),
        HandshakeResource::new(ResourceType::TransferType, TransferType::Billing),
        HandshakeResource::new(ResourceType::TransferStartTimestamp, Timestamp(record.start)),
        HandshakeResource::new(ResourceType::ManagementAccount, management.id),
        HandshakeResource::new(ResourceType::ManagementEmail, &management.email),
        HandshakeResource::new(ResourceType::ManagementName, &management.name),
    ])
}

/// When a transfer may begin: at midnight of a month's first day that is still to come.
fn check_start(start: i64, now: i64) -> Result<(), Error> {
    let invalid = |reason, words| Err(Error::InvalidInput { reason, words });
    let Some(at) = date_time(start) else { return invalid("INVALID_START_DATE", "You provided an invalid start date.") };
    if at.day() != 1 {
        return invalid("START_DATE_NOT_BEGINNING_OF_MONTH", "The start date must be the first day of the month.");
    }
    if start.rem_euclid(24 * 3_600) != 0 {
        return invalid("START_DATE_NOT_BEGINNING_OF_DAY", "The start date must be the beginning of the day.");
    }
    if start <= now {
        return invalid("START_DATE_TOO_EARLY", "The start date is too early.");
    }
    Ok(())
}

/// The last second of the month of `now`.
fn end_of_month(now: i64) -> Option<i64> {
    let last = date_time(now)?.last_of_month();
    Some(Offset::UTC.to_timestamp(last.at(23, 59, 59, 0)).ok()?.as_second())
}

/// When a transfer may end: with a month that is not over.
fn check_end(end: i64, now: i64) -> Result<(), Error> {
    let invalid = |reason, words| Err(Error::InvalidInput { reason, words });
    if end_of_month(end) != Some(end) {
        return invalid("END_DATE_NOT_END_OF_MONTH", "The end date must be the end of the last day of the month.");
    }
    if end < now {
        return invalid("END_DATE_TOO_EARLY", "The end date is too early.");
    }
    Ok(())
}

fn date_time(seconds: i64) -> Option<Date> {
    Some(Offset::UTC.to_datetime(jiff::Timestamp::from_second(seconds).ok()?).date())
}

#[derive(Shape)]
struct InviteOrganizationToTransferResponsibility {
    r#type: TransferType,
    target: Party,
    notes: Option<Notes>,
    start_timestamp: Timestamp,
    source_name: TransferName,
    tags: Vec<Tag>,
}

impl Operation for InviteOrganizationToTransferResponsibility {
    type Service = Organizations;
    type Access = Write;
    type Output = HandshakeOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        let what = match self.target.r#type {
            PartyType::Account => What::Account(self.target.id.to_string()),
            PartyType::Email | PartyType::Organization => What::Account("*".into()),
        };
        Judged::on(&on(Reach::Management, what))
            .key("organizations:TransferType", [self.r#type])
            .key("organizations:TransferDirection", ["INBOUND"])
            .and(!self.tags.is_empty(), "organizations:TagResource")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<HandshakeOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        tagging::check(&self.tags)?;
        check_start(self.start_timestamp.0, cx.now)?;
        let invited = named(&cx.tx, &self.target).await?;
        if invited.id == organization.management {
            let words = "The sender of an invitation cannot be its recipient.";
            return Err(Error::handshake("SOURCE_AND_TARGET_CANNOT_MATCH", words));
        }
        let shared = cx.tx.in_account(SHARED);
        if manages(&shared, invited.id).await?.is_none() {
            let words = "The invited account is not the management account of an organization.";
            return Err(Error::handshake("TARGET_ACCOUNT_VALIDATION_FAILURE", words));
        }
        for record in
            shared.scan(TransferRecord::BY_SOURCE.of(&invited.id), None, 1_000, |record: &TransferRecord| !record.withdrawn).await?.records
        {
            match record.status(cx).await? {
                Status::Requested if record.target == organization.management => return Err(Error::DuplicateHandshake),
                Status::Accepted => {
                    let words = "The organization has transferred this responsibility already.";
                    return Err(Error::handshake("RESPONSIBILITY_TRANSFER_ALREADY_EXISTS", words));
                }
                Status::Requested | Status::Declined | Status::Canceled | Status::Expired | Status::Withdrawn => {}
            }
        }
        let transfer = TransferRecord {
            id: ids::new(cx, "rt-", 32)?,
            name: self.source_name.clone(),
            source: invited.id,
            target: organization.management,
            start: self.start_timestamp.0,
            end: None,
            handshake: ids::new(cx, "h-", 32)?,
            withdrawn: false,
        };
        store(&cx.tx, &transfer).await?;
        tagging::add(&cx.tx, &organization.id, transfer.id.as_str(), &self.tags).await?;
        let record = HandshakeRecord {
            id: transfer.handshake,
            organization: organization.id,
            action: ActionType::TransferResponsibility,
            recipient: invited.id,
            named: self.target.clone(),
            state: State::Open,
            requested: cx.now,
            expires: cx.now + ActionType::TransferResponsibility.lasts(),
            ended: None,
            notes: self.notes.as_ref().map(Notes::to_string),
            parent: None,
            transfer: Some(transfer.id),
            tags: Vec::new(),
        };
        put(&cx.tx, &record).await?;
        HandshakeOutput::of(cx, &record).await
    }
}

/// The organization that an account manages.
async fn manages<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<Option<OrganizationRecord>, Error> {
    let shared = tx.in_account(SHARED);
    let Some(member) = shared.get::<MemberRecord>(&account).await? else { return Ok(None) };
    Ok(shared.get::<OrganizationRecord>(&member.organization).await?.filter(|organization| organization.management == account))
}

async fn store(tx: &Tx<Write>, record: &TransferRecord) -> Result<(), Error> {
    match tx.in_account(SHARED).put(record).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Store(StoreError::Conflict)),
    }
}

/// Whoever accepts must still manage an organization, and have transferred to nobody else.
pub(crate) async fn accepted(cx: &Allowed<'_, Write>, record: &HandshakeRecord) -> Result<(), Error> {
    let shared = cx.tx.in_account(SHARED);
    if manages(&shared, record.recipient).await?.is_none() {
        return Err(Error::AccessDenied);
    }
    let other = |transfer: &TransferRecord| !transfer.withdrawn && Some(&transfer.id) != record.transfer.as_ref();
    for transfer in shared.scan(TransferRecord::BY_SOURCE.of(&record.recipient), None, 1_000, other).await?.records {
        if transfer.status(cx).await? == Status::Accepted {
            let words = "The organization has transferred this responsibility already.";
            return Err(Error::handshake("RESPONSIBILITY_TRANSFER_ALREADY_EXISTS", words));
        }
    }
    Ok(())
}

/// The transfer with this id, if it is one of the organization's.
async fn transfer<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord, id: &TransferId) -> Result<TransferRecord, Error> {
    let record = cx.tx.in_account(SHARED).get::<TransferRecord>(id).await?;
    record.filter(|record| record.is_of(organization.management)).ok_or(Error::NoSuchTransfer)
}

#[derive(Shape)]
struct TransferOutput {
    responsibility_transfer: ResponsibilityTransfer,
}

#[derive(Shape)]
struct DescribeResponsibilityTransfer {
    id: TransferId,
}

impl Operation for DescribeResponsibilityTransfer {
    type Service = Organizations;
    type Access = Read;
    type Output = TransferOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Transfer(self.id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<TransferOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        let record = transfer(cx, &organization, &self.id).await?;
        Ok(TransferOutput { responsibility_transfer: ResponsibilityTransfer::of(cx, &organization, &record).await? })
    }
}

#[derive(Shape)]
struct UpdateResponsibilityTransfer {
    id: TransferId,
    name: TransferName,
}

impl Operation for UpdateResponsibilityTransfer {
    type Service = Organizations;
    type Access = Write;
    type Output = TransferOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Transfer(self.id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<TransferOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        let mut record = transfer(cx, &organization, &self.id).await?;
        if !matches!(record.status(cx).await?, Status::Requested | Status::Accepted) {
            let words = "You cannot update this transfer because it is no longer active.";
            return Err(Error::constraint("TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED", words));
        }
        record.name = self.name.clone();
        store(&cx.tx, &record).await?;
        Ok(TransferOutput { responsibility_transfer: ResponsibilityTransfer::of(cx, &organization, &record).await? })
    }
}

#[derive(Shape)]
struct TerminateResponsibilityTransfer {
    id: TransferId,
    end_timestamp: Option<Timestamp>,
}

impl Operation for TerminateResponsibilityTransfer {
    type Service = Organizations;
    type Access = Write;
    type Output = TransferOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Transfer(self.id.clone())))
    }

    /// Either side may end it.
    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<TransferOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        let mut record = transfer(cx, &organization, &self.id).await?;
        match record.status(cx).await? {
            Status::Accepted => {}
            Status::Withdrawn => return Err(Error::TransferAlreadyInStatus),
            Status::Requested | Status::Declined | Status::Canceled | Status::Expired => return Err(Error::InvalidTransferTransition),
        }
        let end = self.end_timestamp.map(|end| end.0);
        if let Some(end) = end {
            check_end(end, cx.now)?;
        }
        record.end = end.or_else(|| end_of_month(cx.now));
        record.withdrawn = true;
        store(&cx.tx, &record).await?;
        Ok(TransferOutput { responsibility_transfer: ResponsibilityTransfer::of(cx, &organization, &record).await? })
    }
}

#[derive(Shape)]
struct TransfersOutput {
    responsibility_transfers: Vec<ResponsibilityTransfer>,
    #[shape(flatten)]
    next: NextPage,
}

impl TransfersOutput {
    async fn of(
        cx: &Allowed<'_, Read>,
        organization: &OrganizationRecord,
        span: Span<TransferRecord>,
        page: &Page,
        id: Option<&TransferId>,
    ) -> Result<Self, Error> {
        let wanted = |record: &TransferRecord| id.is_none_or(|id| record.id == *id);
        let page = cx.tx.in_account(SHARED).scan(span, page.after()?.as_ref(), page.limit(), wanted).await?;
        let mut responsibility_transfers = Vec::with_capacity(page.records.len());
        for record in &page.records {
            responsibility_transfers.push(ResponsibilityTransfer::of(cx, organization, record).await?);
        }
        Ok(TransfersOutput { responsibility_transfers, next: page.next.into() })
    }
}

#[derive(Shape)]
struct ListInboundResponsibilityTransfers {
    r#type: TransferType,
    id: Option<TransferId>,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListInboundResponsibilityTransfers {
    type Service = Organizations;
    type Access = Read;
    type Output = TransfersOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing))
            .key("organizations:TransferType", [self.r#type])
            .key("organizations:TransferDirection", ["INBOUND"])
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<TransfersOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        if let Some(id) = &self.id {
            let record = transfer(cx, &organization, id).await?;
            if record.target != organization.management {
                return Err(Error::NoSuchTransfer);
            }
        }
        let span = TransferRecord::BY_TARGET.of(&organization.management);
        TransfersOutput::of(cx, &organization, span, &self.page, self.id.as_ref()).await
    }
}

#[derive(Shape)]
struct ListOutboundResponsibilityTransfers {
    r#type: TransferType,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListOutboundResponsibilityTransfers {
    type Service = Organizations;
    type Access = Read;
    type Output = TransfersOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing))
            .key("organizations:TransferType", [self.r#type])
            .key("organizations:TransferDirection", ["OUTBOUND"])
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<TransfersOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        let span = TransferRecord::BY_SOURCE.of(&organization.management);
        TransfersOutput::of(cx, &organization, span, &self.page, None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    fn reason(checked: Result<(), Error>) -> &'static str {
        match checked {
            Ok(()) => "",
            Err(Error::InvalidInput { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_transfer_begins_with_a_month_to_come() {
        let now = at("2026-03-15T12:00:00Z");
        for (start, expected) in [
            ("2026-04-01T00:00:00Z", ""),
            ("2026-03-01T00:00:00Z", "START_DATE_TOO_EARLY"),
            ("2026-04-02T00:00:00Z", "START_DATE_NOT_BEGINNING_OF_MONTH"),
            ("2026-04-01T01:00:00Z", "START_DATE_NOT_BEGINNING_OF_DAY"),
        ] {
            assert_eq!(reason(check_start(at(start), now)), expected, "{start}");
        }
    }

    #[test]
    fn a_transfer_ends_with_a_month_that_is_not_over() {
        let now = at("2028-02-15T12:00:00Z");
        assert_eq!(end_of_month(now), Some(at("2028-02-29T23:59:59Z")));
        for (end, expected) in [
            ("2028-02-29T23:59:59Z", ""),
            ("2028-03-31T23:59:59Z", ""),
            ("2028-01-31T23:59:59Z", "END_DATE_TOO_EARLY"),
            ("2028-02-28T23:59:59Z", "END_DATE_NOT_END_OF_MONTH"),
            ("2028-02-29T23:59:58Z", "END_DATE_NOT_END_OF_MONTH"),
        ] {
            assert_eq!(reason(check_end(at(end), now)), expected, "{end}");
        }
    }
}
