//! Passwords at rest: argon2id, as PHC strings. Hashing takes tens of milliseconds by design: never inside a transaction.

use crate::surroundings::{Entropy, NoEntropy};
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A hashed password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(Box<str>);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A password could not be hashed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct NotHashed;

impl From<NoEntropy> for NotHashed {
    fn from(_: NoEntropy) -> Self {
        NotHashed
    }
}

impl PasswordHash {
    /// Hashes `password` with a salt of its own.
    pub fn of(password: &str, entropy: &dyn Entropy) -> Result<Self, NotHashed> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt)?;
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| NotHashed)?;
        Ok(PasswordHash(hash.to_string().into()))
    }

    /// Whether `password` is the one that was hashed.
    pub fn is_of(&self, password: &str) -> bool {
        Argon2::default().verify_password(password.as_bytes(), &*self.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::SystemEntropy;

    #[test]
    fn a_password_is_its_own_and_no_other() {
        let hash = PasswordHash::of("correct horse", &SystemEntropy::default()).unwrap();
        assert!(hash.is_of("correct horse"));
        assert!(!hash.is_of("correct horse "));
        assert!(hash.0.starts_with("$argon2id$"), "{}", hash.0);
        assert_ne!(hash, PasswordHash::of("correct horse", &SystemEntropy::default()).unwrap(), "each has a salt of its own");
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }
}
