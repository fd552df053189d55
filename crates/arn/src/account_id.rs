//! Account ids: twelve decimal digits, which may begin with zeros.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// An AWS account: a number that is always written with twelve digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

/// The text is not exactly twelve ASCII digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account id is exactly 12 digits")]
pub struct AccountIdError;

impl AccountId {
    /// The biggest number that twelve digits hold.
    const MAX: u64 = 999_999_999_999;

    /// The account with this number; none if it needs more than twelve digits.
    pub const fn new(number: u64) -> Option<AccountId> {
        if number <= Self::MAX { Some(AccountId(number)) } else { None }
    }

    /// The number itself, without leading zeros.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<AccountId, AccountIdError> {
        if text.len() != 12 {
            return Err(AccountIdError);
        }
        text.bytes()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
            .map(AccountId)
            .ok_or(AccountIdError)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({:012})", self.0)
    }
}

serde_as_text!(AccountId, "an account id of 12 digits");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_kept() {
        let id: AccountId = "000000000012".parse().unwrap();
        assert_eq!(id.number(), 12);
        assert_eq!(id.to_string(), "000000000012");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"000000000012\"");
        assert_eq!(serde_json::from_str::<AccountId>("\"000000000012\"").unwrap(), id);
    }

    #[test]
    fn what_is_not_twelve_ascii_digits_is_refused() {
        for text in ["", "12345678901", "1234567890123", "12345678901a", "+12345678901", "-12345678901", " 12345678901", "１２３４", "aws"]
        {
            assert_eq!(text.parse::<AccountId>(), Err(AccountIdError), "{text}");
        }
        assert!(serde_json::from_str::<AccountId>("123456789012").is_err(), "a JSON number has lost its zeros");
        assert_eq!(AccountId::new(1_000_000_000_000), None);
    }
}
