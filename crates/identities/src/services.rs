//! Services: servers that the operator counts among AWS's own. A service has a name and a key and no policies; it belongs to no account.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services>.
//! Services and their keys are kept in the shared partition, apart from accounts' keys: nothing that looks for those ever finds one of these.

use crate::sealing::Sealed;
use arn::{AccessKeyId, AccountId, Arn};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use store::{KeyPart, Record};

/// What a service is called in policies: a host name in lower case, such as `thumbs.example.internal`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(Box<str>);

/// A text that is no name of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a service's name is a host name in lower case with at least one dot, such as thumbs.example.internal")]
pub struct ServiceNameError;

/// The end of the names that are AWS's own.
const AWS: [&str; 5] = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".aws.internal", ".amazon.com"];

impl ServiceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is one of AWS's: many trust policies name those.
    pub fn is_awss(&self) -> bool {
        AWS.iter().any(|end| self.0.ends_with(end) || end.strip_prefix('.') == Some(&*self.0))
    }
}

impl FromStr for ServiceName {
    type Err = ServiceNameError;

    /// At most 64 characters: labels of `a-z 0-9 -`, two or more, the last of them no number, so that no address is a name.
    fn from_str(text: &str) -> Result<Self, ServiceNameError> {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inside);
        let last = text.rsplit('.').next().unwrap_or_default();
        let fits =
            text.len() <= 64 && text.contains('.') && text.split('.').all(label) && last.bytes().any(|byte| byte.is_ascii_lowercase());
        if fits { Ok(ServiceName(text.into())) } else { Err(ServiceNameError) }
    }
}

impl TryFrom<String> for ServiceName {
    type Error = ServiceNameError;
    fn try_from(text: String) -> Result<Self, ServiceNameError> {
        text.parse()
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyPart for ServiceName {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

/// A host that a service is reached at, as clients sign it: a name or an address in lower case, with its port where that is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceHost(Box<str>);

/// A text that is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a host is a name or an address in lower case, with a port where it is not the usual one, such as 127.0.0.1:8080")]
pub struct ServiceHostError;

impl ServiceHost {
    /// The host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceHost {
    type Err = ServiceHostError;

    /// Nothing that means more than itself in a policy can be in it.
    fn from_str(text: &str) -> Result<Self, ServiceHostError> {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':' | b'[' | b']');
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(inside);
        if fits { Ok(ServiceHost(text.into())) } else { Err(ServiceHostError) }
    }
}

impl TryFrom<String> for ServiceHost {
    type Error = ServiceHostError;
    fn try_from(text: String) -> Result<Self, ServiceHostError> {
        text.parse()
    }
}

impl From<ServiceHost> for String {
    fn from(host: ServiceHost) -> Self {
        host.0.into()
    }
}

/// A service that the operator registered.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "service", key = name)]
pub struct ServiceRecord {
    /// What policies call it.
    pub name: ServiceName,
    /// Whose trail its own doings are in, and whose number its keys' ids carry. It has no rights there.
    pub account: AccountId,
    /// Where it is reached: it may ask about requests that were sent there, and about no others.
    pub hosts: Vec<ServiceHost>,
    /// Seconds since the epoch.
    pub created: i64,
}

impl ServiceRecord {
    /// `arn:aws:bailiwick::ACCOUNT:service/NAME`: what its administration is judged on, and what it is called in denials.
    pub fn arn(&self) -> Arn {
        service_arn(self.account, &self.name)
    }
}

/// The ARN of a service that is registered in `account`.
pub fn service_arn(account: AccountId, name: &ServiceName) -> Arn {
    // Neither part can make this fail; an ARN of IAM's is what would be left.
    Arn::new("aws", "bailiwick", "", &account.to_string(), format_args!("service/{name}"))
        .unwrap_or_else(|_| Arn::iam(account, format_args!("service/{name}")))
}

/// What a service signs with.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "service-key", key = id, index(by_service = service), sealed)]
pub struct ServiceKeyRecord {
    /// What requests name it by.
    pub id: AccessKeyId,
    /// Whose it is.
    pub service: ServiceName,
    /// The secret.
    pub secret: Sealed,
    /// Seconds since the epoch.
    pub created: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_name_is_a_plain_host_name() {
        for name in ["thumbs.example.internal", "lambda.amazonaws.com", "a.b", "states.us-east-1.amazonaws.com"] {
            assert!(name.parse::<ServiceName>().is_ok(), "{name}");
        }
        for name in [
            "thumbs",
            "Lambda.amazonaws.com",
            "lambda.amazonaws.com.",
            ".amazonaws.com",
            "a..b",
            "*.amazonaws.com",
            "lambda.amazonaws.com\u{0}",
            "l\u{430}mbda.amazonaws.com",
            "-a.b",
            "a-.b",
            "a b.c",
            "127.0.0.1",
            "arn:aws:iam::111122223333:root",
            "a.b:80",
            "${aws:username}.b",
            "",
        ] {
            assert!(name.parse::<ServiceName>().is_err(), "{name}");
        }
        assert!(format!("{}.b", "a".repeat(63)).parse::<ServiceName>().is_err());
    }

    #[test]
    fn names_of_awss_are_known_by_their_end() {
        let is = |name: &str| name.parse::<ServiceName>().unwrap().is_awss();
        assert!(is("lambda.amazonaws.com") && is("x.y.amazonaws.com.cn") && is("amazonaws.com"));
        assert!(!is("lambda.amazonaws.com.example.internal") && !is("xamazonaws.com") && !is("thumbs.example.internal"));
    }

    #[test]
    fn a_host_means_nothing_but_itself() {
        for host in ["127.0.0.1:8080", "thumbs.example.internal", "[::1]:80"] {
            assert!(host.parse::<ServiceHost>().is_ok(), "{host}");
        }
        for host in ["", "*", "a?", "${aws:userid}", "A", "a/b", "a b", "a\""] {
            assert!(host.parse::<ServiceHost>().is_err(), "{host}");
        }
    }
}
