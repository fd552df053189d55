//! The account itself: the alias of its number, and what is in it. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/console_account-alias.html>.
//! An alias is unique among all accounts, an account has one, and a new one takes the place of the old one.

use crate::access_keys::KEYS_PER_USER;
use crate::account_features::features;
use crate::groups::GROUPS_PER_USER;
use crate::instance_profiles::InstanceProfileRecord;
use crate::page::{NextPage, Page};
use crate::server_certificates::ServerCertificateRecord;
use crate::signing_certificates::{CERTIFICATES_PER_USER, SigningCertificateRecord};
use crate::{Error, Iam};
use identities::{
    AccessKeyRecord, AccountAlias, AccountRecord, GroupRecord, MfaDeviceRecord, OidcProviderRecord, Owner, PolicyRecord,
    PolicyVersionRecord, RoleRecord, SamlProviderRecord, UserRecord,
};
use operation::{Allowed, Caller, Judged, Limits, Operation, Operations, Target, handler};
use store::{Mode, Read, Record, SHARED, Span, StoreError, Stored, Write};
use wire::{Entries, Name, Shape, Text};

pub(super) const OPERATIONS: Operations<Iam> =
    &[handler::<CreateAccountAlias>(), handler::<DeleteAccountAlias>(), handler::<ListAccountAliases>(), handler::<GetAccountSummary>()];

/// An alias as requests give it. The `regex` is what the pattern says, but for the length.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 3, max = 63, pattern = r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", regex = r"[a-z0-9](-?[a-z0-9])+")]
struct AliasText(Box<str>);

impl AliasText {
    /// The alias, as it is kept.
    fn alias(&self) -> Result<AccountAlias, Error> {
        AccountAlias::parse(self.as_str()).ok_or_else(|| Error::Validation(format!("{self} is invalid")))
    }
}

/// The caller's account. There is one: the caller is in it.
async fn own<M: Mode>(cx: &Allowed<'_, M>) -> Result<AccountRecord, Error> {
    let account = cx.tx.in_account(SHARED).get::<AccountRecord>(&cx.caller.account).await?;
    account.ok_or_else(|| Error::NotFound { kind: "account", name: cx.caller.account.to_string() })
}

async fn put(cx: &Allowed<'_, Write>, account: &AccountRecord) -> Result<(), Error> {
    match cx.tx.in_account(SHARED).put(account).await? {
        Stored::Done => Ok(()),
        // It has no unique index.
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

#[derive(Shape)]
struct CreateAccountAlias {
    account_alias: AliasText,
}

impl Operation for CreateAccountAlias {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let alias = self.account_alias.alias()?;
        // Whoever has it, this account too. No other write comes between this look and the end of the transaction.
        if cx.tx.in_account(SHARED).count(AccountRecord::BY_ALIAS.of(&alias), 1).await? > 0 {
            return Err(Error::AliasExists(self.account_alias.to_string()));
        }
        let account = AccountRecord { alias: Some(alias), ..own(cx).await? };
        put(cx, &account).await
    }
}

#[derive(Shape)]
struct DeleteAccountAlias {
    account_alias: AliasText,
}

impl Operation for DeleteAccountAlias {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let account = own(cx).await?;
        if account.alias != Some(self.account_alias.alias()?) {
            return Err(Error::NoAlias(self.account_alias.to_string()));
        }
        put(cx, &AccountRecord { alias: None, ..account }).await
    }
}

#[derive(Shape)]
struct ListAccountAliases {
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListAccountAliasesOutput {
    account_aliases: Vec<String>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListAccountAliases {
    type Service = Iam;
    type Access = Read;
    type Output = ListAccountAliasesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListAccountAliasesOutput, Error> {
        let aliases = own(cx).await?.alias.iter().map(|alias| alias.as_str().to_owned()).collect();
        let (account_aliases, next) = self.page.of_all(aliases, String::clone)?;
        Ok(ListAccountAliasesOutput { account_aliases, next })
    }
}

#[derive(Shape)]
struct GetAccountSummary;

#[derive(Shape)]
struct GetAccountSummaryOutput {
    summary_map: Entries<i64>,
}

impl Operation for GetAccountSummary {
    type Service = Iam;
    type Access = Read;
    type Output = GetAccountSummaryOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetAccountSummaryOutput, Error> {
        let account = own(cx).await?;
        let root = Owner { account: account.id, user: None };
        let keys = cx.tx.in_account(SHARED).count(AccessKeyRecord::BY_OWNER.of(&root), 1).await?;
        let certificates = cx.tx.count(SigningCertificateRecord::BY_OWNER.of(&root), 1).await?;
        let devices = cx.tx.count(MfaDeviceRecord::BY_OWNER.of(&root), 1).await?;
        let counts = [
            ("Users", counted::<UserRecord>(cx).await?),
            ("Groups", counted::<GroupRecord>(cx).await?),
            ("Roles", counted::<RoleRecord>(cx).await?),
            ("Policies", counted::<PolicyRecord>(cx).await?),
            ("PolicyVersionsInUse", counted::<PolicyVersionRecord>(cx).await?),
            ("InstanceProfiles", counted::<InstanceProfileRecord>(cx).await?),
            ("Providers", counted::<OidcProviderRecord>(cx).await?.saturating_add(counted::<SamlProviderRecord>(cx).await?)),
            ("ServerCertificates", counted::<ServerCertificateRecord>(cx).await?),
            ("MFADevices", counted::<MfaDeviceRecord>(cx).await?),
            ("MFADevicesInUse", counted_in(cx, MfaDeviceRecord::BY_OWNER.all()).await?),
            ("AccountMFAEnabled", i64::from(devices > 0)),
            ("AccountAccessKeysPresent", i64::from(keys > 0)),
            ("AccountSigningCertificatesPresent", i64::from(certificates > 0)),
            ("AccountPasswordPresent", i64::from(account.root_login().is_some())),
        ];
        // Which tokens a session of the global endpoint has: the first kind, until an account asks for the second.
        let tokens = ("GlobalEndpointTokenVersion", i64::from(features(cx).await?.token_version));
        let all = counts.into_iter().chain([tokens]).chain(quotas(cx.limits()));
        Ok(GetAccountSummaryOutput { summary_map: Entries(all.map(|(name, number)| (Name::Borrowed(name), number)).collect()) })
    }
}

/// Of each kind a summary counts as many as this, twenty times what AWS lets an account have, and says no greater number. A count walks an
/// index, so without a bound one call would cost a walk over all there is; a number kept beside the records would be one more thing that
/// every user made or deleted has to write.
const COUNTED: usize = 100_000;

async fn counted<R: Record>(cx: &Allowed<'_, Read>) -> Result<i64, Error> {
    counted_in(cx, R::KEY.all()).await
}

async fn counted_in<R: Record>(cx: &Allowed<'_, Read>, span: Span<R>) -> Result<i64, Error> {
    Ok(i64::try_from(cx.tx.count(span, COUNTED).await?).unwrap_or(i64::MAX))
}

/// How much an account may have: what the operator said, else what AWS says.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
fn quotas(limits: &Limits) -> [(&'static str, i64); 19] {
    let said = |limit: Option<u64>, awss: i64| limit.map_or(awss, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let fixed = |limit: u64| i64::try_from(limit).unwrap_or(i64::MAX);
    [
        ("UsersQuota", said(limits.users, 5_000)),
        ("GroupsQuota", said(limits.groups, 300)),
        ("RolesQuota", said(limits.roles, 1_000)),
        ("PoliciesQuota", said(limits.policies, 1_500)),
        ("InstanceProfilesQuota", said(limits.instance_profiles, 1_000)),
        ("ServerCertificatesQuota", said(limits.server_certificates, 20)),
        ("AccessKeysPerUserQuota", fixed(KEYS_PER_USER)),
        ("GroupsPerUserQuota", fixed(GROUPS_PER_USER)),
        ("SigningCertificatesPerUserQuota", fixed(CERTIFICATES_PER_USER)),
        ("AttachedPoliciesPerUserQuota", 10),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("PolicySizeQuota", 6_144),
        ("UserPolicySizeQuota", 2_048),
        ("GroupPolicySizeQuota", 5_120),
        ("RolePolicySizeQuota", 10_240),
        ("AssumeRolePolicySizeQuota", 2_048),
        ("PolicyVersionsInUseQuota", 10_000),
        ("VersionsPerPolicyQuota", 5),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_that_the_pattern_takes_is_one_that_can_be_kept() {
        for good in ["abc", "a-b", "a1-b2-c3", "x0x", &"x".repeat(63)] {
            assert_eq!(good.parse::<AliasText>().unwrap().alias().unwrap().as_str(), good);
        }
        for bad in ["ab", "-ab", "ab-", "a--b", "Abc", "a_b", "", "a-", "äbc", &"x".repeat(64)] {
            assert!(bad.parse::<AliasText>().is_err(), "{bad}");
            assert!(AccountAlias::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_quota_is_awss_until_the_operator_says_another() {
        let of = |limits: &Limits, name| quotas(limits).into_iter().find(|(n, _)| *n == name).map(|(_, number)| number);
        assert_eq!(of(&Limits::default(), "UsersQuota"), Some(5_000));
        let limits = Limits { users: Some(1_000_000), ..Limits::default() };
        assert_eq!(of(&limits, "UsersQuota"), Some(1_000_000));
        assert_eq!(of(&limits, "GroupsQuota"), Some(300));
    }
}
