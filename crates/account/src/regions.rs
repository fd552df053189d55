//! The regions that an account has asked for. What is enabled is remembered and told; it takes no time, and no decision asks for it.
//! Rules: <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>.

use crate::subject::{AccountNumber, on, subject};
use crate::{Account, Error};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::{Int, Shape, Text};

pub(super) const OPERATIONS: Operations<Account> =
    &[handler::<ListRegions>(), handler::<GetRegionOptStatus>(), handler::<EnableRegion>(), handler::<DisableRegion>()];

/// AWS's regions by name, and whether an account has to ask for one.
/// Source: <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>.
const REGIONS: [(&str, bool); 34] = [
    ("af-south-1", true),
    ("ap-east-1", true),
    ("ap-east-2", true),
    ("ap-northeast-1", false),
    ("ap-northeast-2", false),
    ("ap-northeast-3", false),
    ("ap-south-1", false),
    ("ap-south-2", true),
    ("ap-southeast-1", false),
    ("ap-southeast-2", false),
    ("ap-southeast-3", true),
    ("ap-southeast-4", true),
    ("ap-southeast-5", true),
    ("ap-southeast-6", true),
    ("ap-southeast-7", true),
    ("ca-central-1", false),
    ("ca-west-1", true),
    ("eu-central-1", false),
    ("eu-central-2", true),
    ("eu-north-1", false),
    ("eu-south-1", true),
    ("eu-south-2", true),
    ("eu-west-1", false),
    ("eu-west-2", false),
    ("eu-west-3", false),
    ("il-central-1", true),
    ("me-central-1", true),
    ("me-south-1", true),
    ("mx-central-1", true),
    ("sa-east-1", false),
    ("us-east-1", false),
    ("us-east-2", false),
    ("us-west-1", false),
    ("us-west-2", false),
];

/// The name of a region.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 50)]
pub(crate) struct RegionName(Box<str>);

/// How an account stands to a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub(crate) enum RegionOptStatus {
    Enabled,
    Enabling,
    Disabling,
    Disabled,
    EnabledByDefault,
}

/// That an account has asked for a region. In the account's partition.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account-region", key = region)]
pub(crate) struct RegionRecord {
    /// Which.
    pub region: String,
    /// Since when, in seconds since the epoch.
    pub enabled: i64,
}

fn status(is_optional: bool, is_asked_for: bool) -> RegionOptStatus {
    match (is_optional, is_asked_for) {
        (false, _) => RegionOptStatus::EnabledByDefault,
        (true, true) => RegionOptStatus::Enabled,
        (true, false) => RegionOptStatus::Disabled,
    }
}

/// Whether a region has to be asked for.
fn is_optional(region: &RegionName) -> Result<bool, Error> {
    let there = REGIONS.iter().find(|(name, _)| *name == region.as_str());
    let none = || Error::member("RegionName", format!("{region} is not a valid region for opt-in or opt-out."));
    there.map(|(_, optional)| *optional).ok_or_else(none)
}

/// The regions that an account has asked for.
async fn asked_for<M: Mode>(tx: &Tx<M>) -> Result<BTreeSet<String>, StoreError> {
    let page = tx.scan(RegionRecord::KEY.all(), None, REGIONS.len(), |_: &RegionRecord| true).await?;
    Ok(page.records.into_iter().map(|record| record.region).collect())
}

/// Where a list goes on: after the region of this name.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 1000)]
pub(crate) struct NextToken(Box<str>);

#[derive(Shape)]
#[shape(http = "POST /listRegions")]
struct ListRegions {
    account_id: Option<AccountNumber>,
    #[shape(default)]
    max_results: Int<1, 50, 20>,
    next_token: Option<NextToken>,
    region_opt_status_contains: Vec<RegionOptStatus>,
}

#[derive(Shape)]
struct Region {
    region_name: String,
    region_opt_status: RegionOptStatus,
}

#[derive(Shape)]
struct ListRegionsOutput {
    next_token: Option<String>,
    regions: Vec<Region>,
}

impl Operation for ListRegions {
    type Service = Account;
    type Access = Read;
    type Output = ListRegionsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListRegionsOutput, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let after = self.next_token.as_ref().map(NextToken::as_str);
        if after.is_some_and(|after| !REGIONS.iter().any(|(name, _)| *name == after)) {
            return Err(Error::member("NextToken", "NextToken is malformed"));
        }
        let asked_for = asked_for(&cx.tx.in_account(&account.to_string())).await?;
        let wanted = &self.region_opt_status_contains;
        let mut regions: Vec<Region> = REGIONS
            .iter()
            .filter(|(name, _)| after.is_none_or(|after| *name > after))
            .map(|(name, optional)| Region {
                region_name: (*name).to_owned(),
                region_opt_status: status(*optional, asked_for.contains(*name)),
            })
            .filter(|region| wanted.is_empty() || wanted.contains(&region.region_opt_status))
            .collect();
        let most = usize::try_from(self.max_results.0).unwrap_or(REGIONS.len());
        let more = regions.len() > most;
        regions.truncate(most);
        let next_token = regions.last().filter(|_| more).map(|last| last.region_name.clone());
        Ok(ListRegionsOutput { next_token, regions })
    }
}

#[derive(Shape)]
#[shape(http = "POST /getRegionOptStatus")]
struct GetRegionOptStatus {
    account_id: Option<AccountNumber>,
    region_name: RegionName,
}

impl Operation for GetRegionOptStatus {
    type Service = Account;
    type Access = Read;
    type Output = Region;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref())).key("account:TargetRegion", [&self.region_name])
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Region, Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        let optional = is_optional(&self.region_name)?;
        let name = self.region_name.to_string();
        let asked_for = cx.tx.in_account(&account.to_string()).get::<RegionRecord>(&name).await?.is_some();
        Ok(Region { region_name: name, region_opt_status: status(optional, asked_for) })
    }
}

/// Refuses a region that no account can ask for or give back.
fn check(region: &RegionName) -> Result<(), Error> {
    if is_optional(region)? { Ok(()) } else { Err(Error::region()) }
}

#[derive(Shape)]
#[shape(http = "POST /enableRegion")]
struct EnableRegion {
    account_id: Option<AccountNumber>,
    region_name: RegionName,
}

impl Operation for EnableRegion {
    type Service = Account;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref())).key("account:TargetRegion", [&self.region_name])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        check(&self.region_name)?;
        let record = RegionRecord { region: self.region_name.to_string(), enabled: cx.now };
        match cx.tx.in_account(&account.to_string()).insert(&record).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::region()),
        }
    }
}

#[derive(Shape)]
#[shape(http = "POST /disableRegion")]
struct DisableRegion {
    account_id: Option<AccountNumber>,
    region_name: RegionName,
}

impl Operation for DisableRegion {
    type Service = Account;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(self.account_id.as_ref())).key("account:TargetRegion", [&self.region_name])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let account = subject::<Self, _>(cx, self.account_id.as_ref()).await?.id;
        check(&self.region_name)?;
        let was_there = cx.tx.in_account(&account.to_string()).delete::<RegionRecord>(&self.region_name.to_string()).await?;
        if was_there { Ok(()) } else { Err(Error::region()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_stand_in_the_order_of_their_names() {
        assert!(REGIONS.is_sorted_by(|one, next| one.0 < next.0));
    }
}
