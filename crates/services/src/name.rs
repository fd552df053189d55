//! How facts name condition keys and actions: those of the service itself without its prefix, as the files keep them.

use crate::Service;
use std::fmt;

/// The name of a condition key or an action: `s3:prefix`, `aws:RequestTag/${TagKey}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    prefix: &'static str,
    rest: &'static str,
}

impl Name {
    /// What a line of `service` says: with a colon first it is the service's own.
    pub(crate) fn new(service: Service, said: &'static str) -> Self {
        Name { prefix: if said.starts_with(':') { service.prefix } else { "" }, rest: said }
    }

    /// Whether `name` is this one, whatever its case. Where this one ends with what the request fills in, the name of a tag, `name` begins
    /// as it does and says something there.
    pub fn covers(self, name: &str) -> bool {
        let Some((prefix, rest)) = name.split_at_checked(self.prefix.len()) else { return false };
        if !prefix.eq_ignore_ascii_case(self.prefix) {
            return false;
        }
        match self.rest.find("${").or_else(|| self.rest.find('<')) {
            None => rest.eq_ignore_ascii_case(self.rest),
            Some(filled) => {
                let (said, own) = (rest.split_at_checked(filled), self.rest.split_at_checked(filled));
                said.zip(own).is_some_and(|((said, tag), (own, _))| said.eq_ignore_ascii_case(own) && !tag.is_empty())
            }
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        f.write_str(self.rest)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        other.strip_prefix(self.prefix) == Some(self.rest)
    }
}
