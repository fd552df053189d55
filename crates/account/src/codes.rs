//! One-time codes: what only whoever is reached by an address or a telephone should know. Nothing here sends any. The owner of the data
//! directory reads a code and hands it over; it is sealed where it is kept, and is in no answer, no log and no event.

use identities::{Keyring, Place, Sealed, SealingError};
use operation::Allowed;
use store::{Mode, Write};
use subtle::ConstantTimeEq as _;
use wire::Text;
use zeroize::Zeroizing;

use crate::Error;

/// How long a code is good, in seconds: a day.
pub(crate) const GOOD_FOR: i64 = 24 * 3_600;

/// What codes are made of: 32 letters and digits that nobody confuses.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A one-time code, as it is shown.
#[derive(Clone, Text)]
#[text(pattern = r"[a-zA-Z0-9]{6}", sensitive)]
pub(crate) struct Otp(Box<str>);

impl Otp {
    /// Whether it is this code; takes as long whichever letter differs.
    pub fn is(&self, code: &[u8]) -> bool {
        bool::from(code.ct_eq(self.as_str().as_bytes()))
    }
}

/// A code that waits to be shown; for whoever owns the data directory.
pub struct PendingCode {
    /// Where it would be sent: an address or a telephone.
    pub to: String,
    /// What its owner has to show.
    pub code: Zeroizing<String>,
}

impl PendingCode {
    pub(crate) fn new(to: String, code: &[u8]) -> Result<Self, SealingError> {
        let code = std::str::from_utf8(code).map_err(|_| SealingError::Malformed)?.to_owned();
        Ok(PendingCode { to, code: Zeroizing::new(code) })
    }
}

/// A new code, sealed for the record at `place`.
pub(crate) fn sealed_code(cx: &Allowed<'_, Write>, place: &Place<'_>) -> Result<Sealed, Error> {
    Ok(cx.seal(place, &new_code(cx.chance()?))?)
}

/// The code that was sealed for the record at `place`.
pub(crate) fn open(keyring: &Keyring, place: &Place<'_>, code: Option<&Sealed>) -> Result<Option<Zeroizing<Vec<u8>>>, SealingError> {
    code.map(|code| keyring.open(place, code)).transpose()
}

/// Counts a try at a code before it is looked at; too many end the looking for a while. They are counted by what the code is for and not by
/// code: a new code is no new chance to guess.
pub(crate) fn begin_try<'c, M: Mode>(cx: &'c Allowed<'_, M>, counted: &str) -> Result<operation::Try<'c>, Error> {
    cx.tries().begin(counted, cx.caller.long_term_key(), cx.now).ok_or(Error::TooManyTries)
}

/// A code that nobody can guess.
fn new_code(mut chance: u64) -> Zeroizing<Vec<u8>> {
    let mut code = Zeroizing::new(Vec::with_capacity(6));
    for _ in 0..6 {
        code.extend(usize::try_from(chance % 32).ok().and_then(|at| LETTERS.get(at)));
        chance /= 32;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_fits_what_takes_it_and_uses_all_letters() {
        let mut seen = std::collections::BTreeSet::new();
        for chance in 0..32 {
            let code = new_code(chance << 25 | chance);
            let shown: Otp = std::str::from_utf8(&code).unwrap().parse().unwrap();
            assert!(shown.is(&code) && !shown.is(&new_code(chance + 1)));
            seen.extend(code.first().copied());
        }
        assert_eq!(seen.len(), 32);
    }
}
