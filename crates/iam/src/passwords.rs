//! A password on its way in, and the slow work on it. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords.html>.
//! Hashing waits its turn in the slow lane, before the transaction, and as much of it is done for who has no password as for who has one: the
//! time that an answer takes says nothing.

use crate::Error;
use argon2::{Argon2, PasswordHasher};
use identities::{NotHashed, PasswordHash};
use operation::Preparing;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use wire::Text;

/// A password as a request gives it. No message and no log shows it, and it is wiped when it goes.
#[derive(Clone, Text)]
#[text(min = 1, max = 128, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+", sensitive)]
pub(crate) struct Password(Box<str>);

/// What a new password comes to: work that blocks, for the slow lane.
pub(crate) struct Making {
    password: Password,
    salt: [u8; 16],
    conforms: Result<(), Error>,
    past: Vec<PasswordHash>,
}

impl Making {
    /// A new password, with what its account's rules say of it, and the passwords that it may not be.
    pub(crate) fn new(
        cx: &Preparing<'_>,
        password: &Password,
        conforms: Result<(), Error>,
        past: Vec<PasswordHash>,
    ) -> Result<Self, Error> {
        let mut salt = [0; 16];
        cx.chance(&mut salt)?;
        Ok(Making { password: password.clone(), salt, conforms, past })
    }

    /// Its hash, unless it is refused.
    pub(crate) fn hash(self) -> Result<PasswordHash, Error> {
        self.conforms?;
        if self.past.iter().any(|past| past.is_of(self.password.as_str())) {
            return Err(Error::unfit_password());
        }
        hash(&self.password, &self.salt)
    }

    /// The same for one who shows the `old` password, which must be the one that was hashed to `kept`. Where nothing is kept, nothing is
    /// right; the work is the same.
    pub(crate) fn hash_for(self, old: &Password, kept: Option<&PasswordHash>) -> Result<PasswordHash, Error> {
        let shown = match kept {
            Some(kept) => kept.is_of(old.as_str()),
            None => hash(old, &self.salt).is_err(),
        };
        if shown { self.hash() } else { Err(Error::WrongPassword) }
    }
}

/// Argon2id with what OWASP asks of it: 19 MiB, two passes.
fn hash(password: &Password, salt: &[u8; 16]) -> Result<PasswordHash, Error> {
    let hash = Argon2::default().hash_password_with_salt(password.as_str().as_bytes(), salt).map_err(|_| NotHashed)?;
    let text: serde::de::value::StringDeserializer<serde::de::value::Error> = hash.to_string().into_deserializer();
    Ok(PasswordHash::deserialize(text).map_err(|_| NotHashed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    fn making(text: &str, past: Vec<PasswordHash>) -> Making {
        Making { password: password(text), salt: [7; 16], conforms: Ok(()), past }
    }

    #[test]
    fn a_hash_is_argon2ids_and_of_its_password() {
        let hash = making("Correct-Horse-1", vec![]).hash().unwrap();
        assert!(hash.is_of("Correct-Horse-1") && !hash.is_of("Correct-Horse-2"));
        let text = serde_json::to_string(&hash).unwrap();
        assert!(text.starts_with("\"$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    }

    #[test]
    fn a_password_of_the_past_is_refused() {
        let past: Vec<_> = ["First-One-1", "Second-One-2"].map(|text| making(text, vec![]).hash().unwrap()).to_vec();
        assert!(matches!(making("First-One-1", past.clone()).hash(), Err(Error::PasswordPolicyViolation(_))));
        assert!(matches!(making("Second-One-2", past.clone()).hash(), Err(Error::PasswordPolicyViolation(_))));
        assert!(making("Third-One-3", past).hash().is_ok());
    }

    #[test]
    fn only_who_shows_the_old_password_learns_what_is_wrong_with_the_new_one() {
        let kept = making("Old-Password-1", vec![]).hash().unwrap();
        let violating = || Making { conforms: Err(Error::unfit_password()), ..making("new", vec![]) };
        let tried = |old: &str, kept| violating().hash_for(&password(old), kept);
        assert!(matches!(tried("Old-Password-1", Some(&kept)), Err(Error::PasswordPolicyViolation(_))));
        assert!(matches!(tried("old-password-1", Some(&kept)), Err(Error::WrongPassword)));
        assert!(matches!(tried("Old-Password-1", None), Err(Error::WrongPassword)));
        assert!(making("New-Password-2", vec![]).hash_for(&password("Old-Password-1"), Some(&kept)).unwrap().is_of("New-Password-2"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let said = format!("{:?} {:?}", password("Correct-Horse-1"), "".parse::<Password>().unwrap_err());
        assert_eq!(said.matches("Horse").count(), 0, "{said}");
    }
}
