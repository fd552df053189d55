//! Making a report of an organization. Members come in pages, and of each account only when it last used which service is looked at: what is
//! held at once grows with the units and with the services, not with the accounts or their principals.

use crate::last_accessed::add;
use crate::last_accessed::jobs::{Job, Last};
use arn::AccountId;
use identities::{
    MemberRecord, OrganizationPolicyId, OrganizationRecord, ParentId, PolicyAttachmentRecord, TargetId, UnitId, UnitRecord, path_text,
};
use operation::{Outliving, TRACKED, log_inside};
use policy::{Compiled, Reach};
use std::collections::{BTreeMap, HashMap};
use store::{Marker, Read, SHARED, StoreError, Tx};

/// Members that are looked at at once.
const MEMBERS: usize = 500;
/// Services that a report tells of at most. AWS has a few hundred; accounts may use others, of their own.
const SERVICES: usize = 2_000;

/// Whose uses a report tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of every member. The management account is bound by no policy, and is never among them.
    All,
    /// Of those that stand under a unit, however deep.
    Under(UnitId),
    /// Of one account, the management account too.
    One(AccountId),
}

/// What a report is made of.
pub(super) struct Making {
    pub now: i64,
    pub job: Job,
    pub organization: OrganizationRecord,
    /// The policies of each level; without levels all services are let into.
    pub levels: Vec<Vec<Compiled>>,
    pub whose: Whose,
    /// The policy whose reports tell of nobody to whom it is not attached.
    pub attached: Option<OrganizationPolicyId>,
}

pub(super) async fn make(at: Outliving, mut making: Making) {
    let account = making.organization.management;
    let made = making.made(&at).await;
    let job = &mut making.job;
    (job.done, job.failed) = (Some(at.access.clock.now()), made.is_err());
    if let Err(error) = made {
        log_inside(&error);
    }
    if let Err(error) = job.keep(&at.access.store, account).await {
        log_inside(&error);
    }
}

impl Making {
    async fn made(&mut self, at: &Outliving) -> Result<(), StoreError> {
        let Making { now, ref mut job, ref organization, ref levels, ref whose, ref attached } = *self;
        let store = &at.access.store;
        at.last_used.accessed.write(store).await?;
        let reach = Reach::through(levels);
        job.services = reach.services().into_iter().map(|service| (service.into(), None)).collect();
        let places = store.read_inside(SHARED, |tx| async move { Places::read(&tx, organization).await }).await?;
        let places = &places;
        let (mut after, mut is_last) = (None, false);
        while !is_last {
            let read = async move |tx: Tx<Read>, after: Option<Marker>| page(&tx, places, (whose, attached.as_ref()), after.as_ref()).await;
            let (found, next) = store.read_inside(SHARED, |tx| read(tx, after)).await?;
            for (account, path) in found {
                at.rest().await;
                for (service, when) in at.last_used.accessed.written_of_account(store, account).await? {
                    let is_known = job.services.contains_key(&service);
                    let is_told = is_known || (job.services.len() < SERVICES && reach.reaches(&service));
                    if is_told && when.at >= now - TRACKED {
                        let last = Last { at: when.at, region: when.region, by: path.clone() };
                        add(job.services.entry(service).or_default(), last, BTreeMap::new());
                    }
                }
            }
            is_last = next.is_none();
            after = next;
        }
        Ok(())
    }
}

/// The units of an organization.
struct Places<'a> {
    organization: &'a OrganizationRecord,
    units: HashMap<UnitId, UnitRecord>,
}

impl<'a> Places<'a> {
    async fn read(tx: &Tx<Read>, organization: &'a OrganizationRecord) -> Result<Self, StoreError> {
        let (mut units, mut after) = (HashMap::new(), None);
        loop {
            let page = tx.scan(UnitRecord::BY_ORGANIZATION.of(&organization.id), after.as_ref(), MEMBERS, |_: &UnitRecord| true).await?;
            units.extend(page.records.into_iter().map(|unit| (unit.id.clone(), unit)));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Places { organization, units }),
            }
        }
    }

    /// The units from the root down to a place.
    fn down_to(&self, place: &ParentId) -> Vec<UnitRecord> {
        let (mut units, mut above) = (Vec::new(), place.unit());
        while let Some(unit) = above.and_then(|id| self.units.get(&id)).filter(|_| units.len() < identities::MOST_LEVELS) {
            above = unit.parent.unit();
            units.push(unit.clone());
        }
        units.reverse();
        units
    }
}

/// A page of the accounts that a report tells of, each with its path, and where the next page begins.
async fn page(
    tx: &Tx<Read>,
    places: &Places<'_>,
    (whose, attached): (&Whose, Option<&OrganizationPolicyId>),
    after: Option<&Marker>,
) -> Result<(Vec<(AccountId, String)>, Option<Marker>), StoreError> {
    let organization = places.organization;
    let (members, next) = match whose {
        Whose::One(account) => (tx.get::<MemberRecord>(account).await?.into_iter().collect(), None),
        Whose::All | Whose::Under(_) => {
            let page = tx.scan(MemberRecord::BY_ORGANIZATION.of(&organization.id), after, MEMBERS, |_: &MemberRecord| true).await?;
            (page.records, page.next)
        }
    };
    let mut found = Vec::new();
    for member in members {
        let units = places.down_to(&member.parent);
        // What of the way down to it is at or under what the report is about.
        let from = match whose {
            Whose::All if member.account == organization.management => continue,
            Whose::All => 0,
            Whose::Under(_) if member.account == organization.management => continue,
            Whose::Under(unit) => match units.iter().position(|other| other.id == *unit) {
                Some(place) => place,
                None => continue,
            },
            Whose::One(_) => units.len(),
        };
        let is_told = match attached {
            None => true,
            Some(policy) => {
                let root = (*whose == Whose::All).then(|| TargetId::from(&organization.root));
                let units = units.iter().skip(from).map(|unit| TargetId::from(&unit.id));
                is_attached(tx, policy, root.into_iter().chain(units).chain([TargetId::from(member.account)])).await?
            }
        };
        if is_told {
            found.push((member.account, format!("{}{}", path_text(organization, &units), member.account)));
        }
    }
    Ok((found, next))
}

/// Whether a policy is attached to any of these.
async fn is_attached(tx: &Tx<Read>, policy: &OrganizationPolicyId, targets: impl Iterator<Item = TargetId>) -> Result<bool, StoreError> {
    for target in targets {
        if tx.get::<PolicyAttachmentRecord>((&target, policy)).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
