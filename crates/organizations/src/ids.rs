//! Ids: their forms, and how new ones are made.
//! Source: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html> and its neighbours.

use crate::Error;
use arn::AccountId;
use operation::Allowed;
use std::str::FromStr;
use store::{KeyPart, Write};
use wire::Text;

/// An account as requests name it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 12, pattern = r"^\d{12}$")]
pub(crate) struct AccountNumber(Box<str>);

impl AccountNumber {
    /// The account.
    pub fn id(&self) -> Result<AccountId, Error> {
        self.as_str().parse().map_err(|_| Error::invalid("INVALID_PATTERN"))
    }
}

impl From<AccountId> for AccountNumber {
    fn from(account: AccountId) -> Self {
        AccountNumber(account.to_string().into())
    }
}

/// `rp-` and 4 to 128 of `[0-9a-zA-Z_]`.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 131, pattern = r"^rp-[0-9a-zA-Z_]{4,128}$")]
pub(crate) struct ResourcePolicyId(Box<str>);

impl KeyPart for ResourcePolicyId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `length` characters of `[0-9a-z]` that nobody can guess. Each ten take 64 bits of chance: what is uneven in them is one in thousands.
pub(crate) fn letters(cx: &Allowed<'_, Write>, length: usize) -> Result<String, Error> {
    let mut text = String::with_capacity(length);
    let mut chance = 0;
    for nth in 0..length {
        if nth % 10 == 0 {
            chance = cx.chance()?;
        }
        let letter = LETTERS.get(usize::try_from(chance % 36).unwrap_or(0)).copied().unwrap_or(b'0');
        text.push(char::from(letter));
        chance /= 36;
    }
    Ok(text)
}

/// A new account's number: twelve digits that begin with none of AWS's own accounts' zeros.
pub(crate) fn account(cx: &Allowed<'_, Write>) -> Result<AccountId, Error> {
    let number = 100_000_000_000 + cx.chance()? % 900_000_000_000;
    AccountId::new(number).ok_or(Error::Store(store::StoreError::Conflict))
}

/// A new id: `prefix` and `length` characters.
pub(crate) fn new<T: FromStr>(cx: &Allowed<'_, Write>, prefix: &str, length: usize) -> Result<T, Error> {
    let text = format!("{prefix}{}", letters(cx, length)?);
    text.parse().map_err(|_| Error::Store(store::StoreError::Conflict))
}
