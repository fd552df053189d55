//! Unique ids: what a user, group or role keeps when its name is given to another one later.
//! AWS makes 21 characters, a prefix of four that says the kind and 17 of base32; its API accepts other lengths up to 128.

use std::str::FromStr;

use crate::base32;
use crate::text::{is_text, serde_as_text};

/// What a unique id is the id of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdKind {
    /// A bearer token of STS.
    BearerToken,
    /// A context-specific (service-specific) credential.
    ServiceCredential,
    /// A group.
    Group,
    /// An IAM user.
    User,
    /// An instance profile.
    InstanceProfile,
    /// A managed policy.
    Policy,
    /// A version of a managed policy.
    PolicyVersion,
    /// A public key, such as an SSH key.
    PublicKey,
    /// A role.
    Role,
    /// A server certificate.
    ServerCertificate,
}

impl IdKind {
    /// Every kind that has a prefix of its own, access keys aside: those are [`crate::AccessKeyId`].
    pub const ALL: [IdKind; 10] = [
        IdKind::BearerToken,
        IdKind::ServiceCredential,
        IdKind::Group,
        IdKind::User,
        IdKind::InstanceProfile,
        IdKind::Policy,
        IdKind::PolicyVersion,
        IdKind::PublicKey,
        IdKind::Role,
        IdKind::ServerCertificate,
    ];

    /// The four letters that ids of this kind begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            IdKind::BearerToken => "ABIA",
            IdKind::ServiceCredential => "ACCA",
            IdKind::Group => "AGPA",
            IdKind::User => "AIDA",
            IdKind::InstanceProfile => "AIPA",
            IdKind::Policy => "ANPA",
            IdKind::PolicyVersion => "ANVA",
            IdKind::PublicKey => "APKA",
            IdKind::Role => "AROA",
            IdKind::ServerCertificate => "ASCA",
        }
    }
}

/// The id that stays with one entity for ever and is never given again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId(Box<str>);

/// The text is not 16 to 128 upper-case letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a unique id is 16 to 128 upper-case letters and digits")]
pub struct UniqueIdError;

is_text!(UniqueId);
serde_as_text!(UniqueId, "a unique id, such as AIDACKCEVSQ6C2EXAMPLE");

impl UniqueId {
    /// A new id: the kind's prefix and 17 characters made of the lowest 85 bits of `entropy`, which must come from a cryptographic source.
    pub fn from_entropy(kind: IdKind, entropy: [u8; 11]) -> UniqueId {
        let number = entropy.iter().fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
        let mut text = String::with_capacity(21);
        text.push_str(kind.prefix());
        base32::push(&mut text, number, 17);
        UniqueId(text.into())
    }

    /// What the prefix says; none for a prefix that names no kind.
    pub fn kind(&self) -> Option<IdKind> {
        IdKind::ALL.into_iter().find(|kind| self.0.starts_with(kind.prefix()))
    }
}

impl FromStr for UniqueId {
    type Err = UniqueIdError;

    fn from_str(text: &str) -> Result<UniqueId, UniqueIdError> {
        let right = (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if right { Ok(UniqueId(text.into())) } else { Err(UniqueIdError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_has_the_form_of_awss() {
        for kind in IdKind::ALL {
            let id = UniqueId::from_entropy(kind, [0xA5; 11]);
            assert_eq!(id.as_str().len(), 21);
            assert_eq!(id.kind(), Some(kind));
            assert!(id.as_str().bytes().skip(4).all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')), "{id}");
            assert_eq!(id.as_str().parse::<UniqueId>().unwrap(), id);
        }
        assert_eq!(UniqueId::from_entropy(IdKind::User, [0; 11]).as_str(), "AIDAAAAAAAAAAAAAAAAAA");
        assert_eq!(UniqueId::from_entropy(IdKind::Role, [255; 11]).as_str(), "AROA77777777777777777");
    }

    #[test]
    fn every_bit_that_an_id_holds_tells_ids_apart() {
        let zero = UniqueId::from_entropy(IdKind::User, [0; 11]);
        for bit in 0..85 {
            let mut entropy = [0; 11];
            entropy[10 - bit / 8] |= 1 << (bit % 8);
            assert_ne!(UniqueId::from_entropy(IdKind::User, entropy), zero, "bit {bit}");
        }
    }

    #[test]
    fn the_prefix_says_the_kind() {
        let kind = |text: &str| text.parse::<UniqueId>().unwrap().kind();
        assert_eq!(kind("AIDACKCEVSQ6C2EXAMPLE"), Some(IdKind::User));
        assert_eq!(kind("AROADBQP57FF2AEXAMPLE"), Some(IdKind::Role));
        assert_eq!(kind("AGPACKCEVSQ6C2EXAMPLE"), Some(IdKind::Group));
        assert_eq!(kind("AKIAIOSFODNN7EXAMPLE"), None);
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "AIDA", "aidackcevsq6c2example", "AIDACKCEVSQ6C2EXAMP*", "AIDACKCEVSQ6C2EXAMPL ", "AIDACKCEVSQ6C2EXAMPLÉ"] {
            assert_eq!(text.parse::<UniqueId>(), Err(UniqueIdError), "{text}");
        }
        assert!("A".repeat(128).parse::<UniqueId>().is_ok());
        assert!("A".repeat(129).parse::<UniqueId>().is_err());
    }
}
