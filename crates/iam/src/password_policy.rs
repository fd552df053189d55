//! What an account asks of its users' passwords. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html>.
//! An account without a policy of its own has AWS's. An update is not partial: what it leaves out goes back to its default, which is not what
//! AWS's own policy asks. Rules hold from the next change of a password on. Root's password is not bound.

use crate::{Error, Iam};
use arn::AccountId;
use identities::AccountRecord;
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use serde::{Deserialize, Serialize};
use store::{Mode, Read, Record, SHARED, StoreError, Stored, Tx, Write};
use wire::{Int, Shape};

pub(super) const OPERATIONS: Operations<Iam> =
    &[handler::<UpdateAccountPasswordPolicy>(), handler::<GetAccountPasswordPolicy>(), handler::<DeleteAccountPasswordPolicy>()];

/// The policy of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Record)]
#[record(kind = "password-policy", key = account)]
pub(crate) struct PasswordPolicyRecord {
    /// Whose it is.
    pub(crate) account: AccountId,
    /// The least number of characters.
    pub(crate) min_length: i64,
    /// Classes of characters of which one each must be there.
    pub(crate) classes: Classes,
    /// Whether every user may change its own password.
    pub(crate) allow_change: bool,
    /// After how many days a password is to be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<i64>,
    /// How many of its last passwords, the present one among them, a user may not choose again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reuse_prevention: Option<i64>,
    /// Whether a password that is too old can be renewed by an administrator only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hard_expiry: Option<bool>,
}

/// Classes of characters: those of a policy, or those of a password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Classes {
    upper: bool,
    lower: bool,
    digits: bool,
    symbols: bool,
}

/// What IAM counts as symbols.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

impl Classes {
    /// The classes that `password` has characters of.
    fn of(password: &str) -> Self {
        Classes {
            upper: password.contains(|c: char| c.is_ascii_uppercase()),
            lower: password.contains(|c: char| c.is_ascii_lowercase()),
            digits: password.contains(|c: char| c.is_ascii_digit()),
            symbols: password.contains(|c| SYMBOLS.contains(c)),
        }
    }

    fn each(self) -> [bool; 4] {
        [self.upper, self.lower, self.digits, self.symbols]
    }

    /// What a password lacks that has these and is asked for those, in AWS's words.
    fn lacks(self, asked: Self) -> Vec<String> {
        const NAMES: [&str; 4] = ["uppercase letter", "lowercase letter", "number", "symbol"];
        let each = NAMES.into_iter().zip(self.each().into_iter().zip(asked.each()));
        each.filter(|(_, (has, asked))| *asked && !has).map(|(name, _)| format!("Password should have at least one {name}")).collect()
    }

    /// The same where so many classes are asked for as AWS's own policy asks, whichever they are.
    fn lack_some(self) -> Option<String> {
        let more = DEFAULT.1.checked_sub(self.count()).filter(|more| *more > 0)?;
        let lacking = self.lacks(Classes { upper: true, lower: true, digits: true, symbols: true });
        Some(format!("Password should meet {more} more of the following requirements: {}", lacking.join(", ")))
    }

    fn count(self) -> usize {
        self.each().into_iter().filter(|has| *has).count()
    }
}

/// What holds for the passwords of an account's users: its own policy, or AWS's.
pub(crate) enum PasswordRules {
    /// The account's own.
    Own(PasswordPolicyRecord),
    /// AWS's, which also refuses what everybody knows of the account.
    Default {
        /// What the account is called, and its e-mail address.
        known: [String; 2],
    },
}

/// The least length of AWS's own policy, and of how many classes characters must be.
const DEFAULT: (usize, usize) = (8, 3);

impl PasswordRules {
    /// The rules of the account that the transaction is in.
    pub(crate) async fn of<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<Self, StoreError> {
        if let Some(policy) = tx.get::<PasswordPolicyRecord>(&account).await? {
            return Ok(PasswordRules::Own(policy));
        }
        let account = tx.in_account(SHARED).get::<AccountRecord>(&account).await?;
        Ok(PasswordRules::Default { known: account.map_or_else(Default::default, |account| [account.name, account.email.to_string()]) })
    }

    /// Holds a password against the rules; which of its earlier ones it may not be is not seen from the password alone.
    pub(crate) fn check(&self, password: &str) -> Result<(), Error> {
        let (length, classes) = (password.chars().count(), Classes::of(password));
        let (least, asked) = match self {
            PasswordRules::Own(policy) => (usize::try_from(policy.min_length).unwrap_or(usize::MAX), classes.lacks(policy.classes)),
            PasswordRules::Default { known } if known.iter().any(|known| known.eq_ignore_ascii_case(password)) => {
                return Err(Error::unfit_password());
            }
            PasswordRules::Default { .. } => (DEFAULT.0, classes.lack_some().into_iter().collect()),
        };
        let short = (length < least).then(|| format!("Password should have a minimum length of {least}"));
        let lacking: Vec<String> = short.into_iter().chain(asked).collect();
        if lacking.is_empty() { Ok(()) } else { Err(Error::PasswordPolicyViolation(lacking.join(", "))) }
    }

    /// How many of its last passwords, the present one among them, a user may not choose again.
    pub(crate) fn remembered(&self) -> usize {
        match self {
            PasswordRules::Own(policy) => policy.reuse_prevention.and_then(|passwords| usize::try_from(passwords).ok()).unwrap_or(0),
            PasswordRules::Default { .. } => 0,
        }
    }
}

#[derive(Shape)]
struct UpdateAccountPasswordPolicy {
    #[shape(default)]
    minimum_password_length: Int<6, 128, 6>,
    #[shape(default)]
    require_symbols: bool,
    #[shape(default)]
    require_numbers: bool,
    #[shape(default)]
    require_uppercase_characters: bool,
    #[shape(default)]
    require_lowercase_characters: bool,
    #[shape(default)]
    allow_users_to_change_password: bool,
    max_password_age: Option<Int<1, 1095>>,
    password_reuse_prevention: Option<Int<1, 24>>,
    hard_expiry: Option<bool>,
}

impl Operation for UpdateAccountPasswordPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let policy = PasswordPolicyRecord {
            account: cx.caller.account,
            min_length: self.minimum_password_length.0,
            classes: Classes {
                upper: self.require_uppercase_characters,
                lower: self.require_lowercase_characters,
                digits: self.require_numbers,
                symbols: self.require_symbols,
            },
            allow_change: self.allow_users_to_change_password,
            max_age: self.max_password_age.map(|days| days.0),
            reuse_prevention: self.password_reuse_prevention.map(|passwords| passwords.0),
            hard_expiry: self.hard_expiry,
        };
        match cx.tx.put(&policy).await? {
            Stored::Done => users_may_change(cx, self.allow_users_to_change_password).await,
            // It has no unique index.
            Stored::Taken => Err(StoreError::Conflict.into()),
        }
    }
}

/// Tells deciding whether users may change their own passwords: what the account grants, no policy of theirs needs to.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_enable-user-change.html>.
async fn users_may_change(cx: &Allowed<'_, Write>, may: bool) -> Result<(), Error> {
    let shared = cx.tx.in_account(SHARED);
    let Some(mut account) = shared.get::<AccountRecord>(&cx.caller.account).await? else { return Ok(()) };
    account.users_may_change_password = may;
    match shared.put(&account).await? {
        Stored::Done => Ok(()),
        // It has no unique index.
        Stored::Taken => Err(StoreError::Conflict.into()),
    }
}

#[derive(Shape)]
struct GetAccountPasswordPolicy;

#[derive(Shape)]
struct GetAccountPasswordPolicyOutput {
    password_policy: PasswordPolicy,
}

/// A policy as IAM shows it.
#[derive(Shape)]
struct PasswordPolicy {
    minimum_password_length: i64,
    require_symbols: bool,
    require_numbers: bool,
    require_uppercase_characters: bool,
    require_lowercase_characters: bool,
    allow_users_to_change_password: bool,
    expire_passwords: bool,
    max_password_age: Option<i64>,
    password_reuse_prevention: Option<i64>,
    hard_expiry: Option<bool>,
}

impl Operation for GetAccountPasswordPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = GetAccountPasswordPolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetAccountPasswordPolicyOutput, Error> {
        let account = cx.caller.account;
        let policy = cx.tx.get::<PasswordPolicyRecord>(&account).await?.ok_or(Error::NoPasswordPolicy(account))?;
        Ok(GetAccountPasswordPolicyOutput {
            password_policy: PasswordPolicy {
                minimum_password_length: policy.min_length,
                require_symbols: policy.classes.symbols,
                require_numbers: policy.classes.digits,
                require_uppercase_characters: policy.classes.upper,
                require_lowercase_characters: policy.classes.lower,
                allow_users_to_change_password: policy.allow_change,
                expire_passwords: policy.max_age.is_some(),
                max_password_age: policy.max_age,
                password_reuse_prevention: policy.reuse_prevention,
                hard_expiry: policy.hard_expiry,
            },
        })
    }
}

#[derive(Shape)]
struct DeleteAccountPasswordPolicy;

impl Operation for DeleteAccountPasswordPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let account = cx.caller.account;
        if !cx.tx.delete::<PasswordPolicyRecord>(&account).await? {
            return Err(Error::NoPasswordPolicyToDelete);
        }
        users_may_change(cx, false).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_rules() -> PasswordRules {
        PasswordRules::Default { known: ["Acme-Corp-1".into(), "Ops1@example.com".into()] }
    }

    fn own(min_length: i64, classes: Classes) -> PasswordRules {
        PasswordRules::Own(PasswordPolicyRecord {
            account: "111122223333".parse().unwrap(),
            min_length,
            classes,
            allow_change: false,
            max_age: None,
            reuse_prevention: Some(3),
            hard_expiry: None,
        })
    }

    #[test]
    fn without_a_policy_eight_characters_of_three_classes_are_asked() {
        for good in ["Abcdefg1", "abcdefg1!", "ABCDEFG1!", "Abcdefgh!", "Abcdefg'1", "Abcdefgé1"] {
            assert!(default_rules().check(good).is_ok(), "{good}");
        }
        for bad in ["Abcdef1", "alllowercaseletters", "ALLUPPERCASE1234", "1234567890!!", "abcdefgh1\"", "éééééééé1!", ""] {
            assert!(matches!(default_rules().check(bad), Err(Error::PasswordPolicyViolation(_))), "{bad}");
        }
    }

    #[test]
    fn what_a_password_lacks_is_said_as_aws_says_it() {
        let said = |rules: PasswordRules, password| rules.check(password).unwrap_err().to_string();
        assert_eq!(
            said(default_rules(), "abcdefgh1"),
            "Password should meet 1 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one symbol"
        );
        assert_eq!(said(default_rules(), "Abcde1"), "Password should have a minimum length of 8");
        let strict = Classes { upper: true, symbols: true, ..Classes::default() };
        assert_eq!(
            said(own(14, strict), "abcdef"),
            "Password should have a minimum length of 14, Password should have at least one uppercase letter, Password should have at least one symbol"
        );
    }

    #[test]
    fn without_a_policy_what_everybody_knows_of_the_account_is_no_password() {
        assert!(default_rules().check("Acme-Corp-1").is_err());
        assert!(default_rules().check("ops1@EXAMPLE.com").is_err());
        assert!(default_rules().check("Acme-Corp-1x").is_ok());
    }

    #[test]
    fn a_policy_of_its_own_asks_what_it_says_and_nothing_else() {
        let nothing = Classes::default();
        assert!(own(6, nothing).check("aaaaaa").is_ok());
        assert!(own(6, nothing).check("aaaaa").is_err());
        assert!(own(6, nothing).check("éééééé").is_ok(), "characters count, not bytes");
        assert!(own(7, nothing).check("éééééé").is_err());
        let all = Classes { upper: true, lower: true, digits: true, symbols: true };
        assert!(own(6, all).check("Aa1!aa").is_ok());
        for lacking in ["aa1!aa", "AA1!AA", "Aab!aa", "Aa1aaa"] {
            assert!(own(6, all).check(lacking).is_err(), "{lacking}");
        }
    }

    #[test]
    fn only_a_policy_of_its_own_remembers_passwords() {
        assert_eq!(own(6, Classes::default()).remembered(), 3);
        assert_eq!(default_rules().remembered(), 0);
    }
}
