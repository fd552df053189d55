//! ARNs: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
//! Partition, service and resource are never empty; region and account may be; the resource may hold colons. ARNs compare with their case.

use std::borrow::Borrow;
use std::fmt::{self, Display, Write};
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::AccountId;
use crate::text::serde_as_text;

/// The most characters an ARN may have: what IAM's API takes.
const LONGEST: usize = 2_048;

/// The name of one resource. Nothing in it is a pattern: `*` is a character like others.
#[derive(Clone)]
pub struct Arn {
    text: Box<str>,
    /// Where the colons before service, region, account and resource are.
    colons: [u16; 4],
}

/// Why a text is not an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// It does not begin with `arn:`.
    #[error("an ARN begins with arn:")]
    Prefix,
    /// Fewer than six parts.
    #[error("an ARN has six parts, separated by colons")]
    Parts,
    /// The named part is empty and must not be.
    #[error("the {0} of an ARN is never empty")]
    Empty(&'static str),
    /// A part before the resource was given with a colon in it, which would move all that follows.
    #[error("the {0} of an ARN holds no colon")]
    Colon(&'static str),
    /// A control character: nothing that prints ARNs could show it.
    #[error("an ARN holds no control characters")]
    Control,
    /// More than 2,048 characters.
    #[error("an ARN has at most 2048 characters")]
    Long,
}

impl Arn {
    /// Puts an ARN together. `region` and `account` may be empty.
    ///
    /// # Errors
    /// An empty part that must not be, a colon in a part before the resource, a control character, too many characters.
    pub fn new(partition: &str, service: &str, region: &str, account: &str, resource: impl Display) -> Result<Arn, ArnError> {
        for (name, part) in [("partition", partition), ("service", service), ("region", region), ("account", account)] {
            if part.contains(':') {
                return Err(ArnError::Colon(name));
            }
        }
        Arn::parse(format!("arn:{partition}:{service}:{region}:{account}:{resource}").into())
    }

    /// `arn:aws:iam::ACCOUNT:RESOURCE`. For resources made of values that were parsed before: a control character is written as `?`, and what
    /// would be too long is cut, since names and paths that IAM takes hold neither.
    pub fn iam(account: AccountId, resource: impl Display) -> Arn {
        Arn::global("iam", account, resource)
    }

    /// `arn:aws:sts::ACCOUNT:RESOURCE`, for what [`Arn::iam`] says.
    pub fn sts(account: AccountId, resource: impl Display) -> Arn {
        Arn::global("sts", account, resource)
    }

    /// `arn:aws:organizations::ACCOUNT:RESOURCE`, for what [`Arn::iam`] says.
    pub fn organizations(account: AccountId, resource: impl Display) -> Arn {
        Arn::global("organizations", account, resource)
    }

    fn global(service: &'static str, account: AccountId, resource: impl Display) -> Arn {
        let mut text = String::with_capacity(64);
        // Writing to a String cannot fail.
        let _ = write!(text, "arn:aws:{service}::{account}:");
        let start = text.len();
        let _ = write!(text, "{resource}");
        if text.len() == start {
            text.push('?');
        }
        if text.contains(char::is_control) {
            text = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        }
        if text.len() > LONGEST
            && let Some((end, _)) = text.char_indices().nth(LONGEST)
        {
            text.truncate(end);
        }
        let service = 7 + u16::try_from(service.len()).unwrap_or_default();
        Arn { text: text.into(), colons: [7, service + 1, service + 2, service + 15] }
    }

    fn parse(text: Box<str>) -> Result<Arn, ArnError> {
        let rest = text.strip_prefix("arn:").ok_or(ArnError::Prefix)?;
        if text.len() > LONGEST && text.chars().count() > LONGEST {
            return Err(ArnError::Long);
        }
        if rest.contains(char::is_control) {
            return Err(ArnError::Control);
        }
        let mut colons = [0; 4];
        let mut found = rest.bytes().zip(4u16..).filter_map(|(byte, at)| (byte == b':').then_some(at));
        for colon in &mut colons {
            *colon = found.next().ok_or(ArnError::Parts)?;
        }
        drop(found);
        let arn = Arn { text, colons };
        for (name, part) in [("partition", arn.partition()), ("service", arn.service()), ("resource", arn.resource())] {
            if part.is_empty() {
                return Err(ArnError::Empty(name));
            }
        }
        Ok(arn)
    }

    fn between(&self, from: u16, to: u16) -> &str {
        self.text.get(usize::from(from)..usize::from(to)).unwrap_or_default()
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        let [service, ..] = self.colons;
        self.between(4, service)
    }

    /// `iam`, `sts`, `s3`, …
    pub fn service(&self) -> &str {
        let [service, region, ..] = self.colons;
        self.between(service + 1, region)
    }

    /// The region; empty for resources of global services.
    pub fn region(&self) -> &str {
        let [_, region, account, _] = self.colons;
        self.between(region + 1, account)
    }

    /// The account as it is written: twelve digits, empty, or a word such as `aws`.
    pub fn account(&self) -> &str {
        let [_, _, account, resource] = self.colons;
        self.between(account + 1, resource)
    }

    /// The account, where the ARN names one by its digits.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().parse().ok()
    }

    /// All after the fifth colon.
    pub fn resource(&self) -> &str {
        let [_, _, _, resource] = self.colons;
        self.text.get(usize::from(resource) + 1..).unwrap_or_default()
    }

    /// What stands before the first `/` or `:` of the resource: `user`, `role`, `assumed-role`, …; none if there is neither (`root`, a bucket).
    pub fn resource_type(&self) -> Option<&str> {
        self.resource().split_once(['/', ':']).map(|(kind, _)| kind)
    }

    /// The path of an IAM resource, with the slash at both its ends: `/a/b/` of `role/a/b/name`, and `/` where there is none.
    pub fn path(&self) -> &str {
        let resource = self.resource();
        resource.find('/').zip(resource.rfind('/')).and_then(|(first, last)| resource.get(first..=last)).unwrap_or("/")
    }

    /// What follows the last slash of the resource: the name of an IAM resource. All of it if there is no slash.
    pub fn resource_name(&self) -> &str {
        let resource = self.resource();
        resource.rsplit_once('/').map_or(resource, |(_, name)| name)
    }
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Arn, ArnError> {
        // What is far too long is not copied first.
        if text.len() > LONGEST * 4 { Err(ArnError::Long) } else { Arn::parse(text.into()) }
    }
}

impl Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arn({})", self.text)
    }
}

// The colons follow from the text, so the text alone compares; a map of ARNs can be asked by `&str`.
impl PartialEq for Arn {
    fn eq(&self, other: &Arn) -> bool {
        self.text == other.text
    }
}

impl Eq for Arn {}

impl PartialOrd for Arn {
    fn partial_cmp(&self, other: &Arn) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arn {
    fn cmp(&self, other: &Arn) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Arn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Borrow<str> for Arn {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Arn {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

serde_as_text!(Arn, "an ARN");

#[cfg(test)]
mod tests;
