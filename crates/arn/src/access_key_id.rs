//! Access key ids, and the account that is written in those of today.
//! A key id is `AKIA` (long-term) or `ASIA` (temporary) and 16 characters of base32, which are 80 bits: a 1, the account (40 bits), a random
//! number (39 bits). AWS does not document it; every key of AWS's made since about 2019 has this form. Keys are looked up by their whole id:
//! the account in it is a fact about ids, never a proof.

use std::str::FromStr;

use crate::AccountId;
use crate::base32;
use crate::text::{is_text, serde_as_text};

/// How many of an id's bits are the account and what comes after it.
const RANDOM_BITS: u32 = 39;
const ACCOUNT_BITS: u32 = 40;

/// The public half of an access key: 16 to 128 of `A-Z a-z 0-9 _`, as AWS's API takes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(Box<str>);

/// The text is not 16 to 128 of `[A-Za-z0-9_]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an access key id is 16 to 128 letters, digits and underscores")]
pub struct AccessKeyIdError;

is_text!(AccessKeyId);
serde_as_text!(AccessKeyId, "an access key id, such as AKIAIOSFODNN7EXAMPLE");

impl AccessKeyId {
    /// A new id of a long-term key. Of `random` the lowest 39 bits are used, so draw again when the account has the id already.
    pub fn long_term(account: AccountId, random: u64) -> AccessKeyId {
        AccessKeyId::with_prefix("AKIA", account, random)
    }

    /// A new id of temporary credentials. Of `random` the lowest 39 bits are used; the session token makes the id unique.
    pub fn temporary(account: AccountId, random: u64) -> AccessKeyId {
        AccessKeyId::with_prefix("ASIA", account, random)
    }

    fn with_prefix(prefix: &str, account: AccountId, random: u64) -> AccessKeyId {
        let random = u128::from(random) & ((1 << RANDOM_BITS) - 1);
        let number = 1 << (RANDOM_BITS + ACCOUNT_BITS) | u128::from(account.number()) << RANDOM_BITS | random;
        let mut text = String::with_capacity(20);
        text.push_str(prefix);
        base32::push(&mut text, number, 16);
        AccessKeyId(text.into())
    }

    /// The account that the id carries; none for ids of the old form and for those that somebody chose.
    pub fn account(&self) -> Option<AccountId> {
        let digits = self.0.strip_prefix("AKIA").or_else(|| self.0.strip_prefix("ASIA")).filter(|digits| digits.len() == 16)?;
        let number = base32::number(digits)?;
        if number >> (RANDOM_BITS + ACCOUNT_BITS) == 0 {
            return None;
        }
        let account = (number >> RANDOM_BITS) & ((1 << ACCOUNT_BITS) - 1);
        AccountId::new(u64::try_from(account).ok()?)
    }

    /// Whether the id says that its key is of temporary credentials, which are nothing without their session token.
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("ASIA")
    }
}

impl FromStr for AccessKeyId {
    type Err = AccessKeyIdError;

    fn from_str(text: &str) -> Result<AccessKeyId, AccessKeyIdError> {
        let right = (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if right { Ok(AccessKeyId(text.into())) } else { Err(AccessKeyIdError) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account_of(text: &str) -> Option<String> {
        text.parse::<AccessKeyId>().unwrap().account().map(|account| account.to_string())
    }

    #[test]
    fn the_account_is_read_from_published_and_computed_ids() {
        let vectors = [
            ("ASIAY34FZKBOKMUTVV7A", "609629065308"),
            ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
            ("AKIARZPUZDIKGB2VALC4", "123456789012"),
            ("AKIARZPUZDIKAAAAAAAA", "123456789012"),
            ("AKIARZPUZDIKP7777777", "123456789012"),
            ("AKIARTXV5AHDQAAAAAAA", "111111111111"),
            ("AKIA6RVFFB77QAAAAAAA", "999999999999"),
        ];
        for (id, account) in vectors {
            assert_eq!(account_of(id).as_deref(), Some(account), "{id}");
        }
    }

    #[test]
    fn ids_of_the_old_form_carry_nothing() {
        assert_eq!(account_of("AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(account_of("AKIAI44QH8DHBEXAMPLE"), None, "8 is not of the alphabet");
        assert_eq!(account_of("AKIA7777777777777777"), None, "more than twelve digits");
        assert_eq!(account_of("AROARZPUZDIKGB2VALC4"), None, "not an access key");
        assert_eq!(account_of("AKIARZPUZDIKGB2VALC4A"), None, "not twenty characters");
        assert_eq!(account_of("a_key_that_somebody_chose"), None);
    }

    #[test]
    fn ids_are_made_as_published() {
        let account = "123456789012".parse().unwrap();
        assert_eq!(AccessKeyId::long_term(account, 0).as_str(), "AKIARZPUZDIKAAAAAAAA");
        assert_eq!(AccessKeyId::long_term(account, u64::MAX).as_str(), "AKIARZPUZDIKP7777777");
        assert_eq!(AccessKeyId::long_term("999999999999".parse().unwrap(), 0).as_str(), "AKIA6RVFFB77QAAAAAAA");
        assert!(AccessKeyId::temporary(account, 1).is_temporary());
        assert!(!AccessKeyId::long_term(account, 1).is_temporary());
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "AKIAIOSFODNN7EX", "AKIAIOSFODNN7EXAMPL-", "AKIAIOSFODNN7EXAMPL\n", "AKIA/OSFODNN7EXAMPLE"] {
            assert_eq!(text.parse::<AccessKeyId>(), Err(AccessKeyIdError), "{text}");
        }
        assert!("k".repeat(128).parse::<AccessKeyId>().is_ok());
        assert!("k".repeat(129).parse::<AccessKeyId>().is_err());
    }

    proptest! {
        #[test]
        fn every_account_comes_back(number in 0u64..=999_999_999_999, random: u64) {
            let account = AccountId::new(number).unwrap();
            for id in [AccessKeyId::long_term(account, random), AccessKeyId::temporary(account, random)] {
                prop_assert_eq!(id.as_str().len(), 20);
                prop_assert_eq!(id.account(), Some(account));
                prop_assert_eq!(id.as_str().parse::<AccessKeyId>().unwrap(), id);
            }
        }
    }
}
