//! The members of a question, read strictly: an unknown member is refused, and so is a condition key that only Bailiwick can know.

use crate::Error;
use access::{Captured, Dialect};
use arn::{AccountId, Arn};
use policy::{Context, Facts, Values};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;
use std::net::IpAddr;

/// A request that the asker captured.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskedRequest {
    pub method: String,
    pub uri: String,
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub payload_sha256: Option<String>,
    #[serde(default)]
    pub source_ip: Option<String>,
    #[serde(default)]
    pub secure_transport: bool,
}

/// One thing that it would do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskedCheck {
    pub action: String,
    pub resource: String,
    #[serde(default)]
    pub resource_account: Option<AccountId>,
    #[serde(default)]
    pub resource_policy: Option<Box<RawValue>>,
    #[serde(default)]
    pub resource_tags: Option<Keys>,
    #[serde(default)]
    pub context: Option<Keys>,
}

/// The longest policy of a resource, in bytes.
const LONGEST_POLICY: usize = 20 * 1024;

/// Headers of a captured request, in bytes: no server takes more.
const LONGEST_HEADERS: usize = 64 * 1024;
/// Condition keys of a check, and tags of a resource.
const MOST_KEYS: usize = 250;
const MOST_TAGS: usize = 50;

/// Keys that Bailiwick knows itself: a name, or how names begin.
const OURS: [&str; 18] = [
    "aws:principal*",
    "aws:userid",
    "aws:username",
    "aws:token*",
    "aws:multifactor*",
    "aws:sourceidentity",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorg*",
    "aws:federated*",
    "aws:calledvia*",
    "aws:viaawsservice",
    "aws:currenttime",
    "aws:epochtime",
    "aws:requestedregion",
    "aws:resource*",
    "saml:*",
    "bailiwick:*",
];

/// Condition keys as an asker gives them: so many at most, each once, with strings, numbers, truths or lists of them.
#[derive(Debug, Clone)]
pub(crate) struct Keys(Context);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of condition keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let (mut keys, mut count) = (Context::new(), 0);
                while let Some((key, value)) = map.next_entry::<String, Given>()? {
                    count += 1;
                    if count > MOST_KEYS {
                        return Err(A::Error::custom(format_args!("more than {MOST_KEYS} keys")));
                    }
                    if keys.get(&key.to_lowercase()).is_some() {
                        return Err(A::Error::custom(format_args!("the key {key:?} stands twice")));
                    }
                    match value {
                        Given::One(one) => keys.insert(&key, one.text()),
                        Given::Many(many) => keys.insert_many(&key, many.into_iter().map(One::text)),
                    }
                }
                Ok(Keys(keys))
            }
        }
        from.deserialize_map(Each)
    }
}

/// The value of a condition key.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    One(One),
    Many(Vec<One>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum One {
    Text(String),
    Truth(bool),
    Number(serde_json::Number),
}

impl One {
    fn text(self) -> String {
        match self {
            One::Text(text) => text,
            One::Truth(truth) => truth.to_string(),
            One::Number(number) => number.to_string(),
        }
    }
}

/// Whether only Bailiwick may say this key. Keys of an identity provider begin with its host: no service's name has a dot.
fn is_ours(key: &str) -> bool {
    let key = key.to_lowercase();
    let named = |ours: &&str| ours.strip_suffix('*').map_or(key == **ours, |start| key.starts_with(start));
    OURS.iter().any(named) || key.split(':').next().is_some_and(|prefix| prefix.contains('.'))
}

/// A captured request, its parts read.
pub(crate) struct Read<'a> {
    headers: Vec<(&'a str, &'a [u8])>,
    asked: &'a AskedRequest,
    payload_sha256: Option<[u8; 32]>,
    source_ip: Option<IpAddr>,
}

impl AskedRequest {
    /// Reads the parts.
    pub fn read(&self) -> Result<Read<'_>, Error> {
        let payload_sha256 = self.payload_sha256.as_deref().map(|hex| sha256("request.payloadSha256", hex)).transpose()?;
        let source_ip = self.source_ip.as_deref().map(str::parse).transpose();
        let source_ip = source_ip.map_err(|_| Error::Invalid("request.sourceIp: not an IP address".into()))?;
        if self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > LONGEST_HEADERS {
            return Err(Error::Invalid(format!("request.headers: longer than {LONGEST_HEADERS} bytes")));
        }
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        Ok(Read { headers, asked: self, payload_sha256, source_ip })
    }
}

/// The host that a request names, and the service that it was signed for. What only the signature proves is not believed by this: it is
/// what the asker's right is judged on, and the signature must then cover it.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub host: Option<String>,
    pub service: Option<String>,
}

impl Read<'_> {
    /// What the request says of itself.
    pub fn claimed(&self) -> Claimed {
        match sigv4::read(&self.captured().request).ok().flatten() {
            Some(presented) => Claimed { host: Some(presented.host.to_lowercase()), service: Some(presented.scope.service.to_owned()) },
            None => {
                let host = self.asked.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
                Claimed { host: host.map(|(_, host)| host.to_lowercase()), service: None }
            }
        }
    }

    /// The request as the data plane takes it.
    pub fn captured(&self) -> Captured<'_> {
        Captured {
            request: sigv4::Request { method: &self.asked.method, uri: &self.asked.uri, headers: &self.headers },
            payload_sha256: self.payload_sha256,
            source_ip: self.source_ip,
            secure: self.asked.secure_transport,
        }
    }

    /// Whose words an error about this request is said in.
    pub fn dialect(&self) -> Dialect {
        let presented = sigv4::read(&self.captured().request).ok().flatten();
        // What asks most is a store that speaks S3.
        presented.map_or(Dialect::S3, |presented| Dialect::of_service(presented.scope.service))
    }
}

impl AskedCheck {
    /// Refuses what names nothing: whoever may do everything would be allowed it.
    pub fn named(&self, nth: usize) -> Result<(), Error> {
        let (service, action) = self.action.split_once(':').unwrap_or_default();
        if service.is_empty() || action.is_empty() {
            return Err(Error::Invalid(format!("checks.{nth}.action: not of the form service:Action")));
        }
        if self.resource.is_empty() {
            return Err(Error::Invalid(format!("checks.{nth}.resource: empty")));
        }
        if self.is_pass_role() { self.passes_a_role(nth) } else { Ok(()) }
    }

    fn is_pass_role(&self) -> bool {
        self.action.eq_ignore_ascii_case("iam:PassRole")
    }

    /// A role is passed within its account, and whether it may be, policies of who passes it say alone: the role's own says whom it trusts.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>.
    fn passes_a_role(&self, nth: usize) -> Result<(), Error> {
        let owner = self.role_owner();
        let words = if owner.is_none() {
            "resource: iam:PassRole is asked about the ARN of one role"
        } else if self.resource_account.is_some() && self.resource_account != owner {
            "resourceAccount: not the account of the role"
        } else if self.policy(nth)?.is_some() {
            "resourcePolicy: no policy of a role allows that it is passed"
        } else {
            return Ok(());
        };
        Err(Error::Invalid(format!("checks.{nth}.{words}")))
    }

    fn role_owner(&self) -> Option<AccountId> {
        let arn: Arn = self.resource.parse().ok()?;
        let is_role = arn.service() == "iam" && arn.resource_type() == Some("role") && !arn.resource().contains(['*', '?']);
        arn.account_id().filter(|_| is_role)
    }

    /// Whose the resource is, if the check says it.
    pub fn owner(&self) -> Option<AccountId> {
        self.resource_account.or_else(|| self.role_owner().filter(|_| self.is_pass_role()))
    }

    /// The condition keys that the asker gives, the resource's tags among them.
    pub fn facts(&self, nth: usize) -> Result<Context, Error> {
        let mut facts = self.context.as_ref().map(|keys| keys.0.clone()).unwrap_or_default();
        let mut refused = None;
        facts.each(&mut |key, _| {
            if is_ours(key) {
                refused = Some(format!("checks.{nth}.context: {key} is Bailiwick's to say"));
            }
        });
        let mut tags = Vec::new();
        if let Some(given) = &self.resource_tags {
            given.0.each(&mut |key, values| match values {
                Values::One(value) => tags.push((format!("aws:ResourceTag/{key}"), value.to_owned())),
                Values::Many(_) => refused = Some(format!("checks.{nth}.resourceTags: {key} has more than one value")),
            });
        }
        if tags.len() > MOST_TAGS {
            refused = Some(format!("checks.{nth}.resourceTags: more than {MOST_TAGS}"));
        }
        match refused {
            Some(words) => Err(Error::Invalid(words)),
            None => {
                tags.into_iter().for_each(|(key, value)| facts.insert(&key, value));
                Ok(facts)
            }
        }
    }

    /// The text of the resource's policy; `null` is none.
    pub fn policy(&self, nth: usize) -> Result<Option<&str>, Error> {
        match self.resource_policy.as_deref().map(RawValue::get) {
            Some("null") | None => Ok(None),
            Some(text) if text.len() > LONGEST_POLICY => {
                Err(Error::Invalid(format!("checks.{nth}.resourcePolicy: longer than {LONGEST_POLICY} bytes")))
            }
            Some(text) => Ok(Some(text)),
        }
    }
}

/// A SHA-256 in hexadecimal digits.
pub(crate) fn sha256(what: &str, hex: &str) -> Result<[u8; 32], Error> {
    let bad = || Error::Invalid(format!("{what}: not a SHA-256 in hexadecimal digits"));
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return Err(bad());
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bailiwick_knows_the_asker_may_not_say() {
        for key in [
            "aws:PrincipalTag/team",
            "aws:principalarn",
            "aws:userid",
            "aws:TokenIssueTime",
            "aws:MultiFactorAuthPresent",
            "aws:SourceIdentity",
            "aws:SourceArn",
            "aws:SourceAccount",
            "aws:SourceOrgID",
            "aws:FederatedProvider",
            "aws:CalledViaFirst",
            "aws:ViaAWSService",
            "aws:CurrentTime",
            "aws:EpochTime",
            "aws:RequestedRegion",
            "aws:ResourceTag/x",
            "aws:ResourceAccount",
            "saml:sub",
            "accounts.google.com:aud",
            "token.actions.githubusercontent.com:sub",
        ] {
            assert!(is_ours(key), "{key}");
        }
        for key in [
            "aws:SourceIp",
            "aws:SourceVpce",
            "iam:PassedToService",
            "iam:AssociatedResourceArn",
            "s3:prefix",
            "s3:x-amz-acl",
            "aws:RequestTag/x",
            "aws:TagKeys",
            "aws:usernames",
        ] {
            assert!(!is_ours(key), "{key}");
        }
    }
}
