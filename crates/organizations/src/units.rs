//! Organizational units: the branches of the tree, at most five between the root and an account.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_ous.html>.

use crate::authority::{Reach, What, on, organization};
use crate::page::{NextPage, Page};
use crate::{Error, Organizations, ids, tagging};
use arn::{AccountId, Arn};
use identities::{
    MOST_LEVELS, MemberRecord, OrganizationRecord, ParentId, Tag, TargetId, UnitId, UnitRecord, attach_defaults, detach_all, path_text,
    units_down_to,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, SHARED, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<CreateOrganizationalUnit>(),
    handler::<UpdateOrganizationalUnit>(),
    handler::<DeleteOrganizationalUnit>(),
    handler::<DescribeOrganizationalUnit>(),
    handler::<ListOrganizationalUnitsForParent>(),
    handler::<ListChildren>(),
    handler::<ListParents>(),
];

/// Units in an organization, at most.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>.
const MOST: usize = 2_000;

/// What a unit is called: anything.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 128, pattern = r"[\s\S]*")]
struct UnitName(Box<str>);

/// A unit as it is shown.
#[derive(Shape)]
pub(crate) struct OrganizationalUnit {
    id: UnitId,
    arn: Arn,
    name: String,
    path: String,
}

impl OrganizationalUnit {
    /// A unit under these, from the root down.
    fn of(organization: &OrganizationRecord, above: &[UnitRecord], unit: &UnitRecord) -> Self {
        OrganizationalUnit {
            id: unit.id.clone(),
            arn: Arn::organizations(organization.management, format_args!("ou/{}/{}", organization.id, unit.id)),
            name: unit.name.clone(),
            path: format!("{}{}/", path_text(organization, above), unit.id),
        }
    }
}

#[derive(Shape)]
struct UnitOutput {
    organizational_unit: OrganizationalUnit,
}

/// The unit with this id in this organization.
pub(crate) async fn unit<M: Mode>(
    cx: &Allowed<'_, M>,
    organization: &OrganizationRecord,
    id: &UnitId,
) -> Result<Option<UnitRecord>, Error> {
    let unit = cx.tx.in_account(SHARED).get::<UnitRecord>(id).await?;
    Ok(unit.filter(|unit| unit.organization == organization.id))
}

/// Whether there is such a root or unit in this organization.
pub(crate) async fn has_place<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord, place: &ParentId) -> Result<bool, Error> {
    match place.unit() {
        Some(id) => Ok(unit(cx, organization, &id).await?.is_some()),
        None => Ok(ParentId::from(&organization.root) == *place),
    }
}

#[derive(Shape)]
struct CreateOrganizationalUnit {
    parent_id: ParentId,
    name: UnitName,
    tags: Vec<Tag>,
}

impl Operation for CreateOrganizationalUnit {
    type Service = Organizations;
    type Access = Write;
    type Output = UnitOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Place(self.parent_id.clone())))
            .and(!self.tags.is_empty(), "organizations:TagResource")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<UnitOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        tagging::check(&self.tags)?;
        if !has_place(cx, &organization, &self.parent_id).await? {
            return Err(Error::NoSuchParent);
        }
        let above = units_down_to(&cx.tx, &self.parent_id).await?;
        if above.len() >= MOST_LEVELS {
            let words = "You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed.";
            return Err(Error::constraint("OU_DEPTH_LIMIT_EXCEEDED", words));
        }
        let shared = cx.tx.in_account(SHARED);
        if shared.count(UnitRecord::BY_ORGANIZATION.of(&organization.id), MOST).await? >= MOST {
            let words = format!("You have exceeded the allowed number of organizational units: {MOST}.");
            return Err(Error::constraint("OU_NUMBER_LIMIT_EXCEEDED", words));
        }
        let root = organization.root.as_str().trim_start_matches("r-");
        let unit = UnitRecord {
            id: ids::new(cx, &format!("ou-{root}-"), 8)?,
            organization: organization.id.clone(),
            parent: self.parent_id.clone(),
            name: self.name.to_string(),
            created: cx.now,
        };
        if shared.insert(&unit).await? == Stored::Taken {
            return Err(Error::DuplicateUnit);
        }
        attach_defaults(&cx.tx, &organization, &TargetId::from(&unit.id), cx.now).await?;
        tagging::add(&cx.tx, &organization.id, unit.id.as_str(), &self.tags).await?;
        Ok(UnitOutput { organizational_unit: OrganizationalUnit::of(&organization, &above, &unit) })
    }
}

#[derive(Shape)]
struct UpdateOrganizationalUnit {
    organizational_unit_id: UnitId,
    name: Option<UnitName>,
}

impl Operation for UpdateOrganizationalUnit {
    type Service = Organizations;
    type Access = Write;
    type Output = UnitOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Place((&self.organizational_unit_id).into())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<UnitOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        let mut unit = unit(cx, &organization, &self.organizational_unit_id).await?.ok_or(Error::NoSuchUnit)?;
        if let Some(name) = &self.name {
            unit.name = name.to_string();
            if cx.tx.in_account(SHARED).put(&unit).await? == Stored::Taken {
                return Err(Error::DuplicateUnit);
            }
        }
        let above = units_down_to(&cx.tx, &unit.parent).await?;
        Ok(UnitOutput { organizational_unit: OrganizationalUnit::of(&organization, &above, &unit) })
    }
}

#[derive(Shape)]
struct DeleteOrganizationalUnit {
    organizational_unit_id: UnitId,
}

impl Operation for DeleteOrganizationalUnit {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Place((&self.organizational_unit_id).into())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let unit = unit(cx, &organization, &self.organizational_unit_id).await?.ok_or(Error::NoSuchUnit)?;
        let (shared, place) = (cx.tx.in_account(SHARED), ParentId::from(&unit.id));
        let accounts = shared.count(MemberRecord::BY_PARENT.of(&place), 1).await?;
        let units = shared.count(UnitRecord::BY_NAME.under(&place), 1).await?;
        if accounts + units > 0 {
            return Err(Error::UnitNotEmpty);
        }
        detach_all(&cx.tx, &TargetId::from(&unit.id)).await?;
        tagging::forget(&cx.tx, unit.id.as_str()).await?;
        shared.delete::<UnitRecord>(&unit.id).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct DescribeOrganizationalUnit {
    organizational_unit_id: UnitId,
}

impl Operation for DescribeOrganizationalUnit {
    type Service = Organizations;
    type Access = Read;
    type Output = UnitOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Place((&self.organizational_unit_id).into())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<UnitOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let unit = unit(cx, &organization, &self.organizational_unit_id).await?.ok_or(Error::NoSuchUnit)?;
        let above = units_down_to(&cx.tx, &unit.parent).await?;
        Ok(UnitOutput { organizational_unit: OrganizationalUnit::of(&organization, &above, &unit) })
    }
}

#[derive(Shape)]
struct ListOrganizationalUnitsForParent {
    parent_id: ParentId,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListOrganizationalUnitsForParentOutput {
    organizational_units: Vec<OrganizationalUnit>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListOrganizationalUnitsForParent {
    type Service = Organizations;
    type Access = Read;
    type Output = ListOrganizationalUnitsForParentOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Place(self.parent_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListOrganizationalUnitsForParentOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        if !has_place(cx, &organization, &self.parent_id).await? {
            return Err(Error::NoSuchParent);
        }
        let above = units_down_to(&cx.tx, &self.parent_id).await?;
        let span = UnitRecord::BY_NAME.under(&self.parent_id);
        let page = cx.tx.in_account(SHARED).scan(span, self.page.after()?.as_ref(), self.page.limit(), |_: &UnitRecord| true).await?;
        let units = page.records.iter().map(|unit| OrganizationalUnit::of(&organization, &above, unit)).collect();
        Ok(ListOrganizationalUnitsForParentOutput { organizational_units: units, next: page.next.into() })
    }
}

/// What stands under a root or unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum ChildType {
    Account,
    OrganizationalUnit,
}

#[derive(Shape)]
struct Child {
    id: String,
    r#type: ChildType,
}

#[derive(Shape)]
struct ListChildren {
    parent_id: ParentId,
    child_type: ChildType,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListChildrenOutput {
    children: Vec<Child>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListChildren {
    type Service = Organizations;
    type Access = Read;
    type Output = ListChildrenOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Place(self.parent_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListChildrenOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        if !has_place(cx, &organization, &self.parent_id).await? {
            return Err(Error::NoSuchParent);
        }
        let (shared, after, limit) = (cx.tx.in_account(SHARED), self.page.after()?, self.page.limit());
        let (ids, next): (Vec<String>, _) = match self.child_type {
            ChildType::Account => {
                let page = shared.scan(MemberRecord::BY_PARENT.of(&self.parent_id), after.as_ref(), limit, |_: &MemberRecord| true).await?;
                (page.records.iter().map(|member| member.account.to_string()).collect(), page.next)
            }
            ChildType::OrganizationalUnit => {
                let page = shared.scan(UnitRecord::BY_NAME.under(&self.parent_id), after.as_ref(), limit, |_: &UnitRecord| true).await?;
                (page.records.iter().map(|unit| unit.id.to_string()).collect(), page.next)
            }
        };
        let children = ids.into_iter().map(|id| Child { id, r#type: self.child_type }).collect();
        Ok(ListChildrenOutput { children, next: next.into() })
    }
}

/// An account or a unit.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 100, pattern = r"^(\d{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$")]
struct ChildId(Box<str>);

impl ChildId {
    /// What it is judged as.
    fn what(&self) -> What {
        match self.0.parse::<UnitId>() {
            Ok(unit) => What::Place((&unit).into()),
            Err(_) => What::Account(self.to_string()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum ParentType {
    Root,
    OrganizationalUnit,
}

#[derive(Shape)]
struct Parent {
    id: ParentId,
    r#type: ParentType,
}

#[derive(Shape)]
struct ListParents {
    child_id: ChildId,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListParentsOutput {
    parents: Vec<Parent>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListParents {
    type Service = Organizations;
    type Access = Read;
    type Output = ListParentsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, self.child_id.what()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListParentsOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let parent = match self.child_id.as_str().parse::<AccountId>() {
            Ok(account) => {
                let member = cx.tx.in_account(SHARED).get::<MemberRecord>(&account).await?;
                member.filter(|member| member.organization == organization.id).map(|member| member.parent)
            }
            Err(_) => match self.child_id.as_str().parse() {
                Ok(id) => unit(cx, &organization, &id).await?.map(|unit| unit.parent),
                Err(_) => None,
            },
        };
        let id = parent.ok_or(Error::NoSuchChild)?;
        let r#type = if id.unit().is_some() { ParentType::OrganizationalUnit } else { ParentType::Root };
        let (parents, next) = self.page.of_all(vec![Parent { id, r#type }], |parent| parent.id.to_string())?;
        Ok(ListParentsOutput { parents, next })
    }
}
