//! Login profiles: passwords of users. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_admin-change-user.html>.
//! One a user. Of a password only its hash is kept, and only as many earlier ones as the account's policy forbids to choose again; what is
//! replaced is erased from the history too. That a password must be changed is only noted: who signs in with it is held to it.

mod root;

use crate::names::ExistingUserName;
use crate::password_policy::PasswordRules;
use crate::passwords::{Making, Password};
use crate::whose::{Whose, target};
use crate::{Error, Iam};
use arn::UniqueId;
use identities::{PasswordHash, UserName, UserRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, Preparing, SlowOperation, handler, slow_handler};
use serde::{Deserialize, Serialize};
use store::{Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::{Shape, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    slow_handler::<CreateLoginProfile>(),
    handler::<GetLoginProfile>(),
    slow_handler::<UpdateLoginProfile>(),
    handler::<DeleteLoginProfile>(),
    slow_handler::<ChangePassword>(),
];

/// A user's password.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "login-profile", key = user, sealed)]
pub(crate) struct LoginProfileRecord {
    /// Whose it is.
    pub(crate) user: UniqueId,
    /// The password that counts.
    pub(crate) hash: PasswordHash,
    /// When the profile was made, in seconds since the epoch.
    pub(crate) created: i64,
    /// When the password was last set, in seconds since the epoch.
    pub(crate) changed: i64,
    /// Whether the user must change it at the next sign-in.
    #[serde(default)]
    pub(crate) reset_required: bool,
    /// Earlier passwords that must not come again, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier: Vec<PasswordHash>,
}

impl LoginProfileRecord {
    /// The passwords that the next one may not be.
    fn past(&self, rules: &PasswordRules) -> Vec<PasswordHash> {
        std::iter::once(&self.hash).chain(&self.earlier).take(rules.remembered()).cloned().collect()
    }

    /// Puts another password in the place of this one.
    fn renew(&mut self, hash: PasswordHash, rules: &PasswordRules, now: i64) {
        self.earlier.insert(0, std::mem::replace(&mut self.hash, hash));
        self.earlier.truncate(rules.remembered().saturating_sub(1));
        self.changed = now;
    }

    /// Refuses a password that was made for another state than this: another request came between.
    fn still<'p>(&self, prepared: &'p Prepared, rules: &PasswordRules, user: &UserRecord) -> Result<&'p PasswordHash, Error> {
        let same = self.past(rules) == prepared.past && prepared.shown.as_ref().is_none_or(|shown| *shown == self.hash);
        if same { Ok(&prepared.hash) } else { Err(Error::LoginProfileChanging(user.name.to_string())) }
    }
}

/// A new password's hash, and what it was made against.
struct Prepared {
    hash: PasswordHash,
    past: Vec<PasswordHash>,
    shown: Option<PasswordHash>,
}

/// A user's profile, and the rules of its account, as a snapshot has them.
struct Found {
    profile: Option<LoginProfileRecord>,
    user: Option<UserRecord>,
    rules: PasswordRules,
}

impl Found {
    async fn of<N: Clone + Into<ExistingUserName>>(cx: &Preparing<'_>, named: Option<&N>) -> Result<Self, Error> {
        let rules = PasswordRules::of(&cx.tx, cx.caller.account).await?;
        let user = match Whose::find(&cx.tx, cx.caller, named).await {
            Ok(Whose::User(user)) => Some(user),
            Err(Error::NotFound { .. }) => None,
            Ok(Whose::Root) => return Err(Error::MustNameUser),
            Err(error) => return Err(error),
        };
        let profile = match &user {
            Some(user) => cx.tx.get::<LoginProfileRecord>(&user.id).await?,
            None => None,
        };
        Ok(Found { profile, user, rules })
    }

    fn past(&self) -> Vec<PasswordHash> {
        self.profile.as_ref().map_or_else(Vec::new, |profile| profile.past(&self.rules))
    }
}

/// The user that a rule is about.
async fn subject<M: Mode, N: Clone + Into<ExistingUserName>>(cx: &Allowed<'_, M>, named: Option<&N>) -> Result<UserRecord, Error> {
    match Whose::of(cx, named).await? {
        Whose::User(user) => Ok(user),
        // Only a session that an organization opened may mean root's own.
        Whose::Root => Err(Error::MustNameUser),
    }
}

async fn profile_of<M: Mode>(tx: &Tx<M>, user: &UserRecord) -> Result<LoginProfileRecord, Error> {
    tx.get::<LoginProfileRecord>(&user.id).await?.ok_or_else(|| Error::NoLoginProfile(user.name.to_string()))
}

async fn put(cx: &Allowed<'_, Write>, profile: &LoginProfileRecord) -> Result<(), Error> {
    match cx.tx.put(profile).await? {
        Stored::Done => Ok(()),
        // It has no unique index.
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

/// A profile as IAM shows it. Root has no name.
#[derive(Shape)]
struct LoginProfile {
    user_name: Option<UserName>,
    create_date: Timestamp,
    password_reset_required: bool,
}

impl LoginProfile {
    fn of(user: UserRecord, profile: &LoginProfileRecord) -> Self {
        LoginProfile {
            user_name: Some(user.name),
            create_date: Timestamp(profile.created),
            password_reset_required: profile.reset_required,
        }
    }
}

#[derive(Shape)]
struct CreateLoginProfile {
    user_name: Option<UserName>,
    password: Option<Password>,
    #[shape(default)]
    password_reset_required: bool,
}

#[derive(Shape)]
struct CreateLoginProfileOutput {
    login_profile: LoginProfile,
}

impl SlowOperation for CreateLoginProfile {
    type Service = Iam;
    type Access = Write;
    type Output = CreateLoginProfileOutput;
    type Prepared = Option<PasswordHash>;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    /// Whether there is such a user, and whether it has a profile, is told after the same work.
    async fn prepare(&self, cx: &Preparing<'_>) -> Result<Option<PasswordHash>, Error> {
        if root::is_meant(cx.caller, self.user_name.as_ref()) {
            return Ok(None);
        }
        let password = self.password.as_ref().ok_or_else(Error::no_password)?;
        let found = Found::of(cx, self.user_name.as_ref()).await?;
        let told = found.user.is_some() && found.profile.is_none();
        let conforms = if told { found.rules.check(password.as_str()) } else { Ok(()) };
        let making = Making::new(cx, password, conforms, Vec::new())?;
        cx.slow(move || making.hash()).await?.map(Some)
    }

    async fn run(&self, hash: &Option<PasswordHash>, cx: &mut Allowed<'_, Write>) -> Result<CreateLoginProfileOutput, Error> {
        let Some(hash) = hash else {
            let without = self.password.is_none() && !self.password_reset_required;
            return Ok(CreateLoginProfileOutput { login_profile: root::create(cx, without).await? });
        };
        let user = subject(cx, self.user_name.as_ref()).await?;
        let profile = LoginProfileRecord {
            user: user.id.clone(),
            hash: hash.clone(),
            created: cx.now,
            changed: cx.now,
            reset_required: self.password_reset_required,
            earlier: Vec::new(),
        };
        match cx.tx.insert(&profile).await? {
            Stored::Done => {}
            Stored::Taken => return Err(Error::LoginProfileExists(user.name.to_string())),
        }
        // The account's policy may have changed meanwhile.
        let password = self.password.as_ref().ok_or_else(Error::no_password)?;
        PasswordRules::of(&cx.tx, cx.caller.account).await?.check(password.as_str())?;
        Ok(CreateLoginProfileOutput { login_profile: LoginProfile::of(user, &profile) })
    }
}

#[derive(Shape)]
struct GetLoginProfile {
    user_name: Option<UserName>,
}

#[derive(Shape)]
struct GetLoginProfileOutput {
    login_profile: LoginProfile,
}

impl Operation for GetLoginProfile {
    type Service = Iam;
    type Access = Read;
    type Output = GetLoginProfileOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetLoginProfileOutput, Error> {
        if root::is_meant(cx.caller, self.user_name.as_ref()) {
            return Ok(GetLoginProfileOutput { login_profile: root::get(cx).await? });
        }
        let user = subject(cx, self.user_name.as_ref()).await?;
        let profile = profile_of(&cx.tx, &user).await?;
        Ok(GetLoginProfileOutput { login_profile: LoginProfile::of(user, &profile) })
    }
}

#[derive(Shape)]
struct UpdateLoginProfile {
    user_name: UserName,
    password: Option<Password>,
    password_reset_required: Option<bool>,
}

impl SlowOperation for UpdateLoginProfile {
    type Service = Iam;
    type Access = Write;
    type Output = ();
    type Prepared = Option<Prepared>;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.user_name)
    }

    async fn prepare(&self, cx: &Preparing<'_>) -> Result<Option<Prepared>, Error> {
        let Some(password) = &self.password else { return Ok(None) };
        let found = Found::of(cx, Some(&self.user_name)).await?;
        let conforms = if found.profile.is_some() { found.rules.check(password.as_str()) } else { Ok(()) };
        let past = found.past();
        let making = Making::new(cx, password, conforms, past.clone())?;
        let hash = cx.slow(move || making.hash()).await??;
        Ok(Some(Prepared { hash, past, shown: None }))
    }

    async fn run(&self, prepared: &Option<Prepared>, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let user = subject(cx, Some(&self.user_name)).await?;
        let mut profile = profile_of(&cx.tx, &user).await?;
        if let (Some(prepared), Some(password)) = (prepared, &self.password) {
            let rules = PasswordRules::of(&cx.tx, cx.caller.account).await?;
            rules.check(password.as_str())?;
            let hash = profile.still(prepared, &rules, &user)?.clone();
            profile.renew(hash, &rules, cx.now);
        }
        profile.reset_required = self.password_reset_required.unwrap_or(profile.reset_required);
        put(cx, &profile).await
    }
}

#[derive(Shape)]
struct DeleteLoginProfile {
    user_name: Option<UserName>,
}

impl Operation for DeleteLoginProfile {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        if root::is_meant(cx.caller, self.user_name.as_ref()) {
            return root::delete(cx).await;
        }
        let user = subject(cx, self.user_name.as_ref()).await?;
        let profile = profile_of(&cx.tx, &user).await?;
        cx.tx.delete::<LoginProfileRecord>(&profile.user).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct ChangePassword {
    old_password: Password,
    new_password: Password,
}

/// The name that ChangePassword takes of nobody: it is always the caller's own.
const NOBODY: Option<&UserName> = None;

impl SlowOperation for ChangePassword {
    type Service = Iam;
    type Access = Write;
    type Output = ();
    type Prepared = Prepared;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, NOBODY))
    }

    async fn prepare(&self, cx: &Preparing<'_>) -> Result<Prepared, Error> {
        let name = cx.caller.user_name().ok_or(Error::NotAUser)?;
        let found = Found::of(cx, NOBODY).await?;
        let (past, shown) = (found.past(), found.profile.map(|profile| profile.hash));
        let making = Making::new(cx, &self.new_password, found.rules.check(self.new_password.as_str()), past.clone())?;
        let (old, kept) = (self.old_password.clone(), shown.clone());
        match cx.slow(move || making.hash_for(&old, kept.as_ref())).await? {
            Ok(hash) => Ok(Prepared { hash, past, shown }),
            Err(Error::WrongPassword) if shown.is_none() => Err(Error::NoLoginProfile(name.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn run(&self, prepared: &Prepared, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let user = subject(cx, NOBODY).await?;
        let mut profile = profile_of(&cx.tx, &user).await?;
        let rules = PasswordRules::of(&cx.tx, cx.caller.account).await?;
        rules.check(self.new_password.as_str())?;
        let hash = profile.still(prepared, &rules, &user)?.clone();
        profile.renew(hash, &rules, cx.now);
        profile.reset_required = false;
        put(cx, &profile).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password_policy::{Classes, PasswordPolicyRecord};
    use identities::{Path, Tags};

    fn hash(text: &str) -> PasswordHash {
        serde_json::from_value(text.into()).unwrap()
    }

    fn hashes<const N: usize>(texts: [&str; N]) -> Vec<PasswordHash> {
        texts.map(hash).to_vec()
    }

    fn remembering(passwords: Option<i64>) -> PasswordRules {
        PasswordRules::Own(PasswordPolicyRecord {
            account: "111122223333".parse().unwrap(),
            min_length: 6,
            classes: Classes::default(),
            allow_change: false,
            max_age: None,
            reuse_prevention: passwords,
            hard_expiry: None,
        })
    }

    fn user() -> UserRecord {
        UserRecord {
            id: "AIDAQWERTYUIOPASDFGHJ".parse().unwrap(),
            name: "alice".parse().unwrap(),
            path: Path::default(),
            created: 0,
            permissions_boundary: None,
            groups: vec![],
            attached: vec![],
            tags: Tags::default(),
        }
    }

    fn profile() -> LoginProfileRecord {
        LoginProfileRecord { user: user().id, hash: hash("a"), created: 1, changed: 1, reset_required: false, earlier: vec![] }
    }

    #[test]
    fn as_many_passwords_are_kept_as_must_not_come_again() {
        let (mut profile, rules) = (profile(), remembering(Some(3)));
        assert_eq!(profile.past(&rules), hashes(["a"]));
        for (next, past) in [("b", vec!["b", "a"]), ("c", vec!["c", "b", "a"]), ("d", vec!["d", "c", "b"])] {
            profile.renew(hash(next), &rules, 2);
            assert_eq!(profile.past(&rules), past.into_iter().map(hash).collect::<Vec<_>>());
        }
        assert_eq!((profile.created, profile.changed), (1, 2));
        assert_eq!(profile.earlier, hashes(["c", "b"]), "one that may come again is not kept");
    }

    #[test]
    fn a_policy_that_forgets_lets_the_next_change_forget() {
        let mut profile = LoginProfileRecord { earlier: hashes(["z", "y", "x"]), ..profile() };
        assert_eq!(profile.past(&remembering(Some(2))), hashes(["a", "z"]));
        assert_eq!(profile.past(&remembering(None)), vec![]);
        profile.renew(hash("b"), &remembering(None), 2);
        assert_eq!(profile.earlier, vec![]);
    }

    #[test]
    fn a_hash_that_was_made_for_another_state_is_refused() {
        let (profile, rules) = (profile(), remembering(Some(1)));
        let prepared = |past, shown| Prepared { hash: hash("new"), past, shown };
        let still = |prepared: Prepared| profile.still(&prepared, &rules, &user()).cloned();
        assert_eq!(still(prepared(hashes(["a"]), Some(hash("a")))).unwrap(), hash("new"));
        assert_eq!(still(prepared(hashes(["a"]), None)).unwrap(), hash("new"));
        for other in [prepared(hashes(["a"]), Some(hash("b"))), prepared(hashes(["b"]), Some(hash("a"))), prepared(vec![], None)] {
            assert!(matches!(still(other), Err(Error::LoginProfileChanging(_))));
        }
    }
}
