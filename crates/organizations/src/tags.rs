//! The three operations on tags. They name resources by their ids, not by ARNs.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html>.

use crate::authority::{Reach, ResourcePolicyRecord, What, on, organization};
use crate::page::{self, NextPage, NextToken};
use crate::responsibility_transfers::{self, TransferId};
use crate::units::has_place;
use crate::{Error, Organizations, tagging};
use arn::AccountId;
use identities::{MemberRecord, OrganizationPolicyId, OrganizationPolicyRecord, OrganizationRecord, ParentId, Tag, TagKey};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, SHARED, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Organizations> =
    &[handler::<TagResource>(), handler::<UntagResource>(), handler::<ListTagsForResource>()];

/// Tags that a page shows. The request cannot ask for fewer.
const PAGE: usize = 50;

/// What can have tags.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(
    max = 130,
    pattern = r"^(r-[0-9a-z]{4,32})|(\d{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})|(^p-[0-9a-zA-Z_]{8,128})|(^rp-[0-9a-zA-Z_]{4,128})|(^rt-[0-9a-zA-Z_]{8,32})$"
)]
struct TaggableId(Box<str>);

impl TaggableId {
    fn what(&self) -> What {
        if let Ok(place) = self.0.parse::<ParentId>() {
            What::Place(place)
        } else if let Ok(policy) = self.0.parse::<OrganizationPolicyId>() {
            What::Policy(policy)
        } else if let Ok(transfer) = self.0.parse::<TransferId>() {
            What::Transfer(transfer)
        } else if self.0.starts_with("rp-") {
            What::ResourcePolicy(self.to_string())
        } else {
            What::Account(self.to_string())
        }
    }

    /// Whether there is such a thing in this organization.
    async fn is_there<M: Mode>(&self, cx: &Allowed<'_, M>, organization: &OrganizationRecord) -> Result<bool, Error> {
        let shared = cx.tx.in_account(SHARED);
        if let Ok(place) = self.0.parse::<ParentId>() {
            return has_place(cx, organization, &place).await;
        }
        if let Ok(account) = self.0.parse::<AccountId>() {
            return Ok(shared.get::<MemberRecord>(&account).await?.is_some_and(|member| member.organization == organization.id));
        }
        if let Ok(policy) = self.0.parse::<OrganizationPolicyId>() {
            let policy = shared.get::<OrganizationPolicyRecord>(&policy).await?;
            return Ok(policy.is_some_and(|policy| policy.organization == organization.id));
        }
        if let Ok(transfer) = self.0.parse::<TransferId>() {
            return Ok(responsibility_transfers::seen_by(&shared.reading(), organization, &transfer).await?.is_some());
        }
        let policy = shared.get::<ResourcePolicyRecord>(&organization.id).await?;
        Ok(policy.is_some_and(|policy| policy.id.as_str() == self.as_str()))
    }
}

/// The organization, if there is such a resource in it and the caller may call.
async fn of<M: Mode>(cx: &Allowed<'_, M>, reach: Reach, id: &TaggableId) -> Result<OrganizationRecord, Error> {
    let organization = organization(cx, reach).await?;
    if id.is_there(cx, &organization).await? { Ok(organization) } else { Err(Error::NoSuchTarget) }
}

#[derive(Shape)]
struct TagResource {
    resource_id: TaggableId,
    #[shape(required)]
    tags: Vec<Tag>,
}

impl Operation for TagResource {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, self.resource_id.what())).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = of(cx, Reach::Management, &self.resource_id).await?;
        tagging::add(&cx.tx, &organization.id, self.resource_id.as_str(), &self.tags).await
    }
}

#[derive(Shape)]
struct UntagResource {
    resource_id: TaggableId,
    #[shape(required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagResource {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, self.resource_id.what())).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = of(cx, Reach::Management, &self.resource_id).await?;
        tagging::remove(&cx.tx, &organization.id, self.resource_id.as_str(), &self.tag_keys).await
    }
}

#[derive(Shape)]
struct ListTagsForResource {
    resource_id: TaggableId,
    next_token: Option<NextToken>,
}

#[derive(Shape)]
struct ListTagsForResourceOutput {
    tags: Vec<Tag>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListTagsForResource {
    type Service = Organizations;
    type Access = Read;
    type Output = ListTagsForResourceOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, self.resource_id.what()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsForResourceOutput, Error> {
        of(cx, Reach::Delegated, &self.resource_id).await?;
        let tags = tagging::of(&cx.tx, self.resource_id.as_str()).await?.to_vec();
        let after = page::after(self.next_token.as_ref())?;
        let (tags, next) = page::of_all(after, PAGE, tags, |tag| tag.key.to_string())?;
        Ok(ListTagsForResourceOutput { tags, next })
    }
}
