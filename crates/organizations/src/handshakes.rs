//! Handshakes: what one account asks of another, which may say yes or no. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_invites.html>.
//! What is not answered in time has expired; what came to its end is shown for thirty days more.

use crate::authority::{Reach, What, on, organization};
use crate::page::{NextPage, Page};
use crate::{Error, Organizations, all_features, invitations, responsibility_transfers};
use arn::{AccountId, Arn};
use identities::{AccountRecord, OrganizationId, OrganizationRecord, Tag};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Marker, Mode, Read, Record, SHARED, Span, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<DescribeHandshake>(),
    handler::<AcceptHandshake>(),
    handler::<DeclineHandshake>(),
    handler::<CancelHandshake>(),
    handler::<ListHandshakesForAccount>(),
    handler::<ListHandshakesForOrganization>(),
];

const DAY: i64 = 24 * 3_600;

/// How long what came to its end is shown.
const SHOWN: i64 = 30 * DAY;

/// `h-` and 8 to 32 of `[0-9a-z]`.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 34, pattern = r"^h-[0-9a-z]{8,32}$")]
pub(crate) struct HandshakeId(Box<str>);

impl KeyPart for HandshakeId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum ActionType {
    Invite,
    EnableAllFeatures,
    ApproveAllFeatures,
    AddOrganizationsServiceLinkedRole,
    TransferResponsibility,
}

impl KeyPart for ActionType {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl ActionType {
    /// How long there is to answer, in seconds.
    /// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>.
    pub fn lasts(self) -> i64 {
        match self {
            ActionType::EnableAllFeatures | ActionType::ApproveAllFeatures => 90 * DAY,
            ActionType::Invite | ActionType::AddOrganizationsServiceLinkedRole | ActionType::TransferResponsibility => 15 * DAY,
        }
    }
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum State {
    /// Others must answer first.
    Requested,
    Open,
    Canceled,
    Accepted,
    Declined,
    Expired,
}

/// What a party is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum PartyType {
    Account,
    Organization,
    Email,
}

/// What a party is called.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 64, pattern = r"[\s\S]*", quiet)]
pub(crate) struct PartyId(Box<str>);

/// One side of a handshake.
#[derive(Clone, PartialEq, Eq, Shape, Serialize, Deserialize)]
pub(crate) struct Party {
    pub id: PartyId,
    pub r#type: PartyType,
}

/// What the sender writes to the recipient.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(max = 1024, pattern = r"[\s\S]*", quiet)]
pub(crate) struct Notes(Box<str>);

/// One handshake.
#[derive(Clone, Serialize, Deserialize, Record)]
#[record(kind = "handshake", key = id, index(by_organization = organization, by_recipient = recipient, by_action = (organization, action), by_parent = parent))]
pub(crate) struct HandshakeRecord {
    /// Its id.
    pub id: HandshakeId,
    /// The organization that sent it.
    pub organization: OrganizationId,
    /// What is asked.
    pub action: ActionType,
    /// The account that must answer.
    pub recipient: AccountId,
    /// How the sender named it.
    pub named: Party,
    /// How it was left; time may have ended it since.
    pub state: State,
    /// When it was sent, in seconds since the epoch.
    pub requested: i64,
    /// When it ends unanswered.
    pub expires: i64,
    /// When it was answered or canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<i64>,
    /// What the sender wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The handshake that waits for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<HandshakeId>,
    /// The transfer that this one is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<responsibility_transfers::TransferId>,
    /// What the account is tagged with when it comes in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

impl HandshakeRecord {
    /// How it stands now.
    pub fn state(&self, now: i64) -> State {
        if matches!(self.state, State::Open | State::Requested) && self.expires <= now { State::Expired } else { self.state }
    }

    /// Whether it is waited for.
    pub fn is_pending(&self, now: i64) -> bool {
        matches!(self.state(now), State::Open | State::Requested)
    }

    /// Whether it is still shown.
    fn is_shown(&self, now: i64) -> bool {
        let ended = if self.state(now) == State::Expired { Some(self.expires) } else { self.ended };
        ended.is_none_or(|ended| now < ended + SHOWN)
    }

    /// Its ARN, which belongs to the management account that sent it.
    pub fn arn(&self, management: AccountId) -> Arn {
        let action = self.action.as_str().to_lowercase();
        Arn::organizations(management, format_args!("handshake/{}/{action}/{}", self.organization, self.id))
    }
}

/// What a handshake tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum ResourceType {
    Account,
    Organization,
    OrganizationFeatureSet,
    Email,
    MasterEmail,
    MasterName,
    Notes,
    ParentHandshake,
    ResponsibilityTransfer,
    TransferStartTimestamp,
    TransferType,
    ManagementAccount,
    ManagementEmail,
    ManagementName,
}

/// One thing that a handshake tells, and what belongs to it. It nests once.
#[derive(Shape)]
pub(crate) struct HandshakeResource {
    value: String,
    r#type: ResourceType,
    resources: Option<Vec<InnerResource>>,
}

/// What belongs to a thing that a handshake tells.
#[derive(Shape)]
struct InnerResource {
    value: String,
    r#type: ResourceType,
}

impl HandshakeResource {
    /// A thing that nothing belongs to.
    pub fn new(r#type: ResourceType, value: impl ToString) -> Self {
        HandshakeResource { value: value.to_string(), r#type, resources: None }
    }
}

/// A handshake as it is shown.
#[derive(Shape)]
pub(crate) struct Handshake {
    id: HandshakeId,
    arn: Arn,
    parties: Vec<Party>,
    state: State,
    requested_timestamp: Timestamp,
    expiration_timestamp: Timestamp,
    action: ActionType,
    resources: Vec<HandshakeResource>,
}

#[derive(Shape)]
pub(crate) struct HandshakeOutput {
    handshake: Handshake,
}

impl HandshakeOutput {
    /// The answer about one handshake.
    pub async fn of<M: Mode>(cx: &Allowed<'_, M>, record: &HandshakeRecord) -> Result<Self, Error> {
        Ok(HandshakeOutput { handshake: Handshake::of(cx, record).await? })
    }
}

impl Handshake {
    /// All of it.
    pub async fn of<M: Mode>(cx: &Allowed<'_, M>, record: &HandshakeRecord) -> Result<Self, Error> {
        let shared = cx.tx.in_account(SHARED);
        let organization = shared.get::<OrganizationRecord>(&record.organization).await?.ok_or(Error::NoSuchHandshake)?;
        let management = shared.get::<AccountRecord>(&organization.management).await?.ok_or(Error::NoSuchHandshake)?;
        let inner = |r#type, value: String| InnerResource { value, r#type };
        let about = vec![
            inner(ResourceType::MasterEmail, management.email.to_string()),
            inner(ResourceType::MasterName, management.name.clone()),
            inner(ResourceType::OrganizationFeatureSet, organization.features.to_string()),
        ];
        let mut resources =
            vec![HandshakeResource { value: organization.id.to_string(), r#type: ResourceType::Organization, resources: Some(about) }];
        match record.named.r#type {
            PartyType::Account => resources.push(HandshakeResource::new(ResourceType::Account, record.named.id.as_str())),
            PartyType::Email => resources.push(HandshakeResource::new(ResourceType::Email, record.named.id.as_str())),
            PartyType::Organization => {}
        }
        resources.extend(record.parent.iter().map(|parent| HandshakeResource::new(ResourceType::ParentHandshake, parent)));
        if let Some(transfer) = &record.transfer {
            resources.extend(responsibility_transfers::told(&shared, transfer, &management).await?);
        }
        resources.extend(record.notes.iter().map(|notes| HandshakeResource::new(ResourceType::Notes, notes)));
        // As a party an organization is named without the `o-` that its id begins with.
        let id = organization.id.as_str();
        let sender = Party { id: party_id(id.strip_prefix("o-").unwrap_or(id))?, r#type: PartyType::Organization };
        let parties = match record.named.r#type {
            PartyType::Organization => vec![sender],
            PartyType::Account | PartyType::Email => vec![sender, record.named.clone()],
        };
        Ok(Handshake {
            id: record.id.clone(),
            arn: record.arn(organization.management),
            parties,
            state: record.state(cx.now),
            requested_timestamp: Timestamp(record.requested),
            expiration_timestamp: Timestamp(record.expires),
            action: record.action,
            resources,
        })
    }
}

/// What a party is called.
pub(crate) fn party_id(text: &str) -> Result<PartyId, Error> {
    text.parse().map_err(|_| Error::Store(StoreError::Conflict))
}

/// The account that an invitation names. No e-mail is sent from here: whoever is invited is here already.
pub(crate) async fn named<M: Mode>(tx: &Tx<M>, party: &Party) -> Result<AccountRecord, Error> {
    let shared = tx.in_account(SHARED);
    let wrong = |reason, words| Error::InvalidInput { reason, words };
    match party.r#type {
        PartyType::Account => {
            let invalid = || wrong("INVALID_PATTERN", "You provided a value that does not match the required pattern.");
            let id: AccountId = party.id.as_str().parse().map_err(|_| invalid())?;
            shared
                .get::<AccountRecord>(&id)
                .await?
                .ok_or_else(|| wrong("INVALID_PARTY_TYPE_TARGET", "You specified an account that doesn't exist."))
        }
        PartyType::Email => {
            let span = AccountRecord::BY_EMAIL.of(&party.id.as_str().into());
            let found = shared.scan(span, None, 1, |_: &AccountRecord| true).await?.records.pop();
            let words = "You specified an invalid email address for the invited account owner.";
            found.ok_or_else(|| wrong("INVALID_EMAIL_ADDRESS_TARGET", words))
        }
        PartyType::Organization => Err(wrong("INVALID_PARTY_TYPE_TARGET", "You specified an invalid party type as the target parameter.")),
    }
}

/// Stores a handshake that nothing can be in the way of.
pub(crate) async fn put(tx: &Tx<Write>, record: &HandshakeRecord) -> Result<(), Error> {
    match tx.in_account(SHARED).put(record).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Store(StoreError::Conflict)),
    }
}

/// How the caller stands to a handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Sender,
    Recipient,
}

/// A handshake that the caller is a party of, and from which side it sees it. Who is none is told that there is no such handshake.
async fn seen<M: Mode>(cx: &Allowed<'_, M>, id: &HandshakeId) -> Result<(HandshakeRecord, Side), Error> {
    let shared = cx.tx.in_account(SHARED);
    let record = shared.get::<HandshakeRecord>(id).await?.filter(|record| record.is_shown(cx.now)).ok_or(Error::NoSuchHandshake)?;
    if record.recipient == cx.caller.account {
        return Ok((record, Side::Recipient));
    }
    let sender = shared.get::<OrganizationRecord>(&record.organization).await?;
    if sender.is_some_and(|sender| sender.management == cx.caller.account) {
        Ok((record, Side::Sender))
    } else {
        Err(Error::NoSuchHandshake)
    }
}

/// Brings a handshake to its end, if it has not come to one.
fn end(record: &mut HandshakeRecord, to: State, now: i64) -> Result<(), Error> {
    match record.state(now) {
        state if state == to => Err(Error::HandshakeAlreadyInState),
        // What others must answer first can be canceled, and nothing else.
        State::Requested if to != State::Canceled => Err(Error::InvalidTransition),
        State::Open | State::Requested => {
            (record.state, record.ended) = (to, Some(now));
            Ok(())
        }
        State::Canceled | State::Accepted | State::Declined | State::Expired => Err(Error::InvalidTransition),
    }
}

#[derive(Shape)]
struct DescribeHandshake {
    handshake_id: HandshakeId,
}

impl Operation for DescribeHandshake {
    type Service = Organizations;
    type Access = Read;
    type Output = HandshakeOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Handshake(self.handshake_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<HandshakeOutput, Error> {
        let (record, _) = seen(cx, &self.handshake_id).await?;
        HandshakeOutput::of(cx, &record).await
    }
}

#[derive(Shape)]
struct AcceptHandshake {
    handshake_id: HandshakeId,
}

impl Operation for AcceptHandshake {
    type Service = Organizations;
    type Access = Write;
    type Output = HandshakeOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Handshake(self.handshake_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<HandshakeOutput, Error> {
        let (mut record, side) = seen(cx, &self.handshake_id).await?;
        if side != Side::Recipient {
            return Err(Error::AccessDenied);
        }
        end(&mut record, State::Accepted, cx.now)?;
        put(&cx.tx, &record).await?;
        match record.action {
            ActionType::Invite => invitations::accepted(cx, &record).await?,
            ActionType::ApproveAllFeatures => all_features::approved(cx, &record).await?,
            ActionType::EnableAllFeatures => all_features::enabled(cx, &record).await?,
            ActionType::TransferResponsibility => responsibility_transfers::accepted(cx, &record).await?,
            ActionType::AddOrganizationsServiceLinkedRole => {}
        }
        HandshakeOutput::of(cx, &record).await
    }
}

#[derive(Shape)]
struct DeclineHandshake {
    handshake_id: HandshakeId,
}

impl Operation for DeclineHandshake {
    type Service = Organizations;
    type Access = Write;
    type Output = HandshakeOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Handshake(self.handshake_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<HandshakeOutput, Error> {
        let (mut record, side) = seen(cx, &self.handshake_id).await?;
        if side != Side::Recipient {
            return Err(Error::AccessDenied);
        }
        end(&mut record, State::Declined, cx.now)?;
        put(&cx.tx, &record).await?;
        HandshakeOutput::of(cx, &record).await
    }
}

#[derive(Shape)]
struct CancelHandshake {
    handshake_id: HandshakeId,
}

impl Operation for CancelHandshake {
    type Service = Organizations;
    type Access = Write;
    type Output = HandshakeOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Handshake(self.handshake_id.clone())))
    }

    /// A handshake that the management account sent to itself has it on both sides.
    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<HandshakeOutput, Error> {
        let (mut record, side) = seen(cx, &self.handshake_id).await?;
        if side != Side::Sender && record.action != ActionType::EnableAllFeatures {
            return Err(Error::AccessDenied);
        }
        end(&mut record, State::Canceled, cx.now)?;
        put(&cx.tx, &record).await?;
        if record.action == ActionType::EnableAllFeatures {
            all_features::canceled(cx, &record).await?;
        }
        HandshakeOutput::of(cx, &record).await
    }
}

/// What a list is narrowed to: one of the two.
#[derive(Shape, Default)]
struct HandshakeFilter {
    action_type: Option<ActionType>,
    parent_handshake_id: Option<HandshakeId>,
}

impl HandshakeFilter {
    fn check(&self) -> Result<(), Error> {
        if self.action_type.is_some() && self.parent_handshake_id.is_some() {
            let words = "You specified too many filter parameters.";
            return Err(Error::InvalidInput { reason: "MAX_LIMIT_EXCEEDED_FILTER", words });
        }
        Ok(())
    }

    fn takes(&self, record: &HandshakeRecord) -> bool {
        self.action_type.is_none_or(|action| record.action == action)
            && self.parent_handshake_id.as_ref().is_none_or(|parent| record.parent.as_ref() == Some(parent))
    }
}

#[derive(Shape)]
struct HandshakesOutput {
    handshakes: Vec<Handshake>,
    #[shape(flatten)]
    next: NextPage,
}

impl HandshakesOutput {
    async fn of(
        cx: &Allowed<'_, Read>,
        span: Span<HandshakeRecord>,
        (after, limit): (Option<Marker>, usize),
        filter: &HandshakeFilter,
    ) -> Result<Self, Error> {
        let wanted = |record: &HandshakeRecord| record.is_shown(cx.now) && filter.takes(record);
        let page = cx.tx.in_account(SHARED).scan(span, after.as_ref(), limit, wanted).await?;
        let mut handshakes = Vec::with_capacity(page.records.len());
        for record in &page.records {
            handshakes.push(Handshake::of(cx, record).await?);
        }
        Ok(HandshakesOutput { handshakes, next: page.next.into() })
    }
}

#[derive(Shape)]
struct ListHandshakesForAccount {
    filter: Option<HandshakeFilter>,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListHandshakesForAccount {
    type Service = Organizations;
    type Access = Read;
    type Output = HandshakesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Member, What::Nothing))
    }

    /// Whoever was invited is in no organization yet.
    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<HandshakesOutput, Error> {
        let nothing = HandshakeFilter::default();
        let filter = self.filter.as_ref().unwrap_or(&nothing);
        filter.check()?;
        let page = (self.page.after()?, self.page.limit());
        HandshakesOutput::of(cx, HandshakeRecord::BY_RECIPIENT.of(&cx.caller.account), page, filter).await
    }
}

#[derive(Shape)]
struct ListHandshakesForOrganization {
    filter: Option<HandshakeFilter>,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListHandshakesForOrganization {
    type Service = Organizations;
    type Access = Read;
    type Output = HandshakesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<HandshakesOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let nothing = HandshakeFilter::default();
        let filter = self.filter.as_ref().unwrap_or(&nothing);
        filter.check()?;
        let page = (self.page.after()?, self.page.limit());
        HandshakesOutput::of(cx, HandshakeRecord::BY_ORGANIZATION.of(&organization.id), page, filter).await
    }
}

#[cfg(test)]
mod tests;
