//! The names that IAM gives to what it keeps, parsed once at the edge.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
//! Names are unique whatever their case, and keep the case they were given.

use store::KeyPart;
use wire::Text;

/// What names are compared by: ASCII case does not count, and IAM allows no other letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(Box<str>);

impl NameKey {
    /// The folded form of `name`.
    pub fn of(name: &str) -> Self {
        NameKey(name.to_ascii_lowercase().into())
    }
}

impl KeyPart for NameKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

macro_rules! folded {
    ($($name:ident),*) => {$(
        impl KeyPart for $name {
            fn encode(&self, out: &mut Vec<u8>) { NameKey::of(self.as_str()).encode(out); }
        }
    )*};
}
folded!(UserName, GroupName, RoleName, PolicyName);

/// A user's name: unique in its account, whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(
    min = 1,
    max = 64,
    pattern = r"[\w+=,.@-]+",
    says = "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
)]
pub struct UserName(Box<str>);

/// A group's name: unique in its account, whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(
    min = 1,
    max = 128,
    pattern = r"[\w+=,.@-]+",
    says = "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
)]
pub struct GroupName(Box<str>);

/// A role's name: unique in its account, whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(
    min = 1,
    max = 64,
    pattern = r"[\w+=,.@-]+",
    says = "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
)]
pub struct RoleName(Box<str>);

/// A policy's name: a managed one's is unique in its account, an inline one's in the entity that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(
    min = 1,
    max = 128,
    pattern = r"[\w+=,.@-]+",
    says = "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
)]
pub struct PolicyName(Box<str>);

/// `/`, or segments between slashes: `/division_abc/subdivision_xyz/`. Part of the ARN, not of the identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(
    min = 1,
    max = 512,
    pattern = r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)",
    says = "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."
)]
pub struct Path(Box<str>);

impl Default for Path {
    fn default() -> Self {
        Path("/".into())
    }
}

/// The path of a managed policy; its alphabet is narrower than [`Path`]'s.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(min = 1, max = 512, pattern = r"((/[A-Za-z0-9\.,\+@=_-]+)*)/")]
pub struct PolicyPath(Box<str>);

impl Default for PolicyPath {
    fn default() -> Self {
        PolicyPath("/".into())
    }
}
