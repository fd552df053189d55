//! Who may call. The caller's own policies decide as everywhere; besides, most operations are the management account's, some that read are also
//! a delegated administrator's, few are any member's. The organization's resource policy lets other members do more: a caller that stands
//! on it is judged as one of another account, by both policies.
//! Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html>.

use crate::handshakes::{HandshakeId, HandshakeRecord};
use crate::ids::ResourcePolicyId;
use crate::responsibility_transfers::{self, TransferId};
use crate::{Error, tagging};
use arn::{AccountId, Arn};
use identities::{
    DelegatedAdministratorRecord, MemberRecord, OrganizationId, OrganizationPolicyId, OrganizationPolicyRecord, OrganizationRecord,
    ParentId, PolicyType, Tags, aws_organization_policy, policy_folder,
};
use operation::{Allowed, Caller, Protected, Resolved, Resource};
use policy::{Compiled, Document, Kind, PolicySet, Source};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Mode, Read, Record, SHARED, StoreError, Tx};

/// The one resource policy of an organization.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "organization-resource-policy", key = organization, unique(by_id = id))]
pub(crate) struct ResourcePolicyRecord {
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its id.
    pub id: ResourcePolicyId,
    /// The text as it was sent.
    pub content: String,
}

/// Who may call an operation without the help of the resource policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The management account.
    Management,
    /// Delegated administrators too, of whichever service.
    Delegated,
    /// Every member.
    Member,
}

/// What an operation is judged on.
#[derive(Debug, Clone)]
pub(crate) struct On {
    reach: Reach,
    what: What,
    /// The policy whose kind is a condition key.
    policy: Option<OrganizationPolicyId>,
}

impl On {
    /// The same, for a request that is also about this policy.
    pub fn with(self, policy: OrganizationPolicyId) -> On {
        On { policy: Some(policy), ..self }
    }
}

/// A resource of an organization.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// The action knows no resource.
    Nothing,
    /// An account, by its digits.
    Account(String),
    /// The root or a unit.
    Place(ParentId),
    /// A resource policy, by its id.
    ResourcePolicy(String),
    /// The organization's own resource policy, there or not.
    OwnResourcePolicy,
    /// A policy, by its id.
    Policy(OrganizationPolicyId),
    /// A transfer.
    Transfer(TransferId),
    /// A handshake. Its parties need be in no organization.
    Handshake(HandshakeId),
}

/// A resource as it is judged.
struct Described {
    arn: String,
    tags: Tags,
    /// Further condition keys.
    facts: Vec<(String, String)>,
}

impl Described {
    fn everything() -> Self {
        Described { arn: "*".into(), tags: Tags::default(), facts: Vec::new() }
    }

    /// Something whose tags are kept under `id`.
    async fn tagged(tx: &Tx<Read>, arn: Arn, id: &str) -> Result<Self, StoreError> {
        Ok(Described { arn: arn.to_string(), tags: tagging::of(tx, id).await?, facts: Vec::new() })
    }
}

impl What {
    /// What it is in this organization, there or not.
    async fn described(&self, tx: &Tx<Read>, organization: &OrganizationRecord) -> Result<Described, StoreError> {
        let OrganizationRecord { id, management, .. } = organization;
        let arn = |rest: String| Arn::organizations(*management, rest);
        match self {
            What::Nothing | What::Handshake(_) => Ok(Described::everything()),
            What::Account(account) => Described::tagged(tx, arn(format!("account/{id}/{account}")), account).await,
            What::Place(place) => {
                let kind = if place.unit().is_some() { "ou" } else { "root" };
                Described::tagged(tx, arn(format!("{kind}/{id}/{place}")), place.as_str()).await
            }
            What::ResourcePolicy(policy) => Described::tagged(tx, arn(format!("resourcepolicy/{id}/{policy}")), policy).await,
            What::OwnResourcePolicy => {
                let policy = tx.in_account(SHARED).get::<ResourcePolicyRecord>(id).await?;
                let policy = policy.map_or_else(|| "rp-*".to_owned(), |policy| policy.id.to_string());
                Described::tagged(tx, arn(format!("resourcepolicy/{id}/{policy}")), &policy).await
            }
            What::Policy(policy) => {
                if let Some(aws) = aws_organization_policy(policy) {
                    return Ok(Described { arn: aws.arn(), ..Described::everything() });
                }
                // Of a policy that is not there no kind is known, and none is said.
                let folder = kind_of(tx, id, policy).await?.map_or_else(|| "unknown_policy".to_owned(), policy_folder);
                Described::tagged(tx, arn(format!("policy/{id}/{folder}/{policy}")), policy.as_str()).await
            }
            What::Transfer(transfer) => {
                let seen = responsibility_transfers::seen_by(tx, organization, transfer).await?;
                let (arn, direction) = seen.unzip();
                let arn = arn.map_or_else(
                    || format!("arn:aws:organizations::{management}:transfer/{id}/billing/*/{transfer}"),
                    |arn| arn.to_string(),
                );
                let mut facts = vec![("organizations:TransferType".to_owned(), "BILLING".to_owned())];
                facts.extend(direction.map(|direction| ("organizations:TransferDirection".to_owned(), direction.to_owned())));
                Ok(Described { arn, tags: tagging::of(tx, transfer.as_str()).await?, facts })
            }
        }
    }
}

/// An operation of this reach, on this.
pub(crate) fn on(reach: Reach, what: What) -> On {
    let policy = if let What::Policy(policy) = &what { Some(policy.clone()) } else { None };
    On { reach, what, policy }
}

/// What kind of policy this is; `None` if the organization has none with this id.
async fn kind_of(tx: &Tx<Read>, organization: &OrganizationId, id: &OrganizationPolicyId) -> Result<Option<PolicyType>, StoreError> {
    if let Some(policy) = aws_organization_policy(id) {
        return Ok(Some(policy.kind));
    }
    let policy = tx.in_account(SHARED).get::<OrganizationPolicyRecord>(id).await?;
    Ok(policy.filter(|policy| policy.organization == *organization).map(|policy| policy.kind))
}

/// How a caller stands in its organization.
struct Seat {
    organization: OrganizationRecord,
    delegated: bool,
    is_management: bool,
}

impl Seat {
    /// `None` if its account is in no organization.
    async fn of<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<Option<Seat>, StoreError> {
        let tx = tx.in_account(SHARED);
        let Some(member) = tx.get::<MemberRecord>(&account).await? else { return Ok(None) };
        let Some(organization) = tx.get::<OrganizationRecord>(&member.organization).await? else { return Ok(None) };
        let delegated = tx.count(DelegatedAdministratorRecord::KEY.under(&account), 1).await? > 0;
        Ok(Some(Seat { is_management: organization.management == account, organization, delegated }))
    }

    /// Whether it may call by where it sits.
    fn reaches(&self, reach: Reach) -> bool {
        match reach {
            Reach::Management => self.is_management,
            Reach::Delegated => self.is_management || self.delegated,
            Reach::Member => true,
        }
    }
}

impl Protected for On {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            if let What::Handshake(id) = &self.what {
                return Ok(Resource::new(handshake(tx, caller.account, id).await?, caller.account));
            }
            // Whoever is in no organization is told so by the rule.
            let Some(seat) = Seat::of(tx, caller.account).await? else { return Ok(Resource::new("*", caller.account)) };
            let Described { arn, tags, facts } = self.what.described(tx, &seat.organization).await?;
            // Where a caller sits so that it may call, it calls as one of the owning account.
            let mut resource = Resource::new(arn.as_str(), caller.account);
            if !seat.reaches(self.reach)
                && let Some(policy) = tx.in_account(SHARED).get::<ResourcePolicyRecord>(&seat.organization.id).await?
            {
                let set = compiled(&policy.content)?;
                resource = Resource::new(arn, seat.organization.management).with_policy(policy.content, set);
            }
            resource.facts.extend(facts);
            if let Some(policy) = &self.policy {
                let kind = kind_of(tx, &seat.organization.id, policy).await?;
                resource.facts.extend(kind.map(|kind| ("organizations:PolicyType".to_owned(), kind.to_string())));
            }
            Ok(resource.tagged(&tags))
        })
    }
}

/// The ARN of a handshake that an account is a party of, which is its sender's; of any other nothing is told.
async fn handshake(tx: &Tx<Read>, account: AccountId, id: &HandshakeId) -> Result<String, StoreError> {
    let shared = tx.in_account(SHARED);
    let Some(record) = shared.get::<HandshakeRecord>(id).await? else { return Ok("*".into()) };
    let Some(sender) = shared.get::<OrganizationRecord>(&record.organization).await? else { return Ok("*".into()) };
    let is_party = record.recipient == account || sender.management == account;
    Ok(if is_party { record.arn(sender.management).to_string() } else { "*".into() })
}

/// A resource policy, ready to decide. It was read before it was saved; one that does not read is damage, and nothing is decided without it.
fn compiled(content: &str) -> Result<PolicySet, StoreError> {
    let document = Document::parse(content).map_err(|error| StoreError::Failed(Box::new(error)))?;
    let compiled = Compiled::new(&document, Kind::Resource);
    Ok(PolicySet::new(Kind::Resource, [(Source::new("organization resource policy"), Arc::new(compiled))]))
}

/// The caller's organization, if the caller may call an operation of this reach: by where it sits, or by the resource policy, by which it was
/// judged then as one of another account.
pub(crate) async fn organization<M: Mode>(cx: &Allowed<'_, M>, reach: Reach) -> Result<OrganizationRecord, Error> {
    let seat = Seat::of(&cx.tx, cx.caller.account).await?.ok_or(Error::NotInUse)?;
    if seat.reaches(reach) || cx.was_judged_on_resources_of(seat.organization.management) {
        Ok(seat.organization)
    } else {
        Err(Error::AccessDenied)
    }
}
