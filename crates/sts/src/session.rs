//! What all operations that issue a session have in common: its policies, its tags, and the credentials that come of it.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>.

use crate::Error;
use access::{Credentials as Issued, LONGEST_TOKEN, Session, SessionTag};
use arn::{AccessKeyId, AccountId, Arn};
use identities::{PolicyRecord, Tag, TagKey, customer_policy_arn, managed_policy};
use operation::{Allowed, SecondFactor};
use policy::{Document, Kind};
use store::Mode;
use wire::{Int, Shape, Text, Timestamp};

/// What a role session is called; the last part of its ARN.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 2, max = 64, pattern = r"[\w+=,.@-]*")]
pub(crate) struct RoleSessionName(Box<str>);

/// An inline session policy.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+")]
pub(crate) struct SessionPolicy(Box<str>);

/// An ARN as STS's model has it: its grammar is for the rule, which has words of its own for a bad one.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 20, max = 2048, pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+")]
pub(crate) struct ArnText(Box<str>);

impl ArnText {
    /// The ARN, if it is one.
    pub fn arn(&self) -> Option<Arn> {
        self.0.parse().ok()
    }
}

/// A managed session policy.
#[derive(Debug, Clone, PartialEq, Eq, Shape)]
pub(crate) struct PolicyDescriptor {
    #[shape(name = "arn")]
    pub arn: Option<ArnText>,
}

/// A multi-factor device, by its serial number or ARN.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 9, max = 256, pattern = r"[\w+=/:,.@-]*")]
pub(crate) struct SerialNumber(Box<str>);

/// What a multi-factor device shows.
#[derive(Clone, PartialEq, Eq, Text)]
#[text(min = 6, max = 6, pattern = r"[\d]*", sensitive)]
pub(crate) struct TokenCode(Box<str>);

/// The second factor that a request shows: both of its parts, or none.
pub(crate) fn second_factor<'a>(serial: Option<&'a SerialNumber>, code: Option<&'a TokenCode>) -> Option<SecondFactor<'a, Error>> {
    let (serial, code) = serial.zip(code)?;
    Some(SecondFactor { serial: serial.as_str(), code: code.as_str(), refused: Error::from })
}

/// Refuses half a second factor.
pub(crate) fn whole_factor(serial: Option<&SerialNumber>, code: Option<&TokenCode>) -> Result<(), Error> {
    if serial.is_some() == code.is_some() { Ok(()) } else { Err(Error::HalfFactor) }
}

/// How long a client wants tokens to be at least: 0 is as long as what is in them.
pub(crate) type MinimumTokenSize = Int<0, 4096, 0>;

/// What a client signs with.
#[derive(Shape)]
pub(crate) struct Credentials {
    access_key_id: AccessKeyId,
    secret_access_key: String,
    session_token: String,
    expiration: Timestamp,
}

/// How long a token is, and how much that is of what is allowed.
#[derive(Shape)]
pub(crate) struct TokenSize {
    /// In percent, rounded up.
    session_token_utilization: u32,
    /// In bytes.
    session_token_size: u32,
}

impl TokenSize {
    fn of(token: &str) -> Self {
        let percent = token.len().saturating_mul(100).div_ceil(LONGEST_TOKEN);
        TokenSize {
            session_token_utilization: u32::try_from(percent).unwrap_or(u32::MAX),
            session_token_size: u32::try_from(token.len()).unwrap_or(u32::MAX),
        }
    }
}

/// Characters of an inline session policy and of managed ones' ARNs, together.
const MOST_CHARACTERS: usize = 2_048;
/// Managed session policies.
const MOST_MANAGED: usize = 10;

/// Seals `session` into credentials of `account`.
pub(crate) fn issue<M: Mode>(
    cx: &Allowed<'_, M>,
    account: AccountId,
    session: &Session,
    minimum: MinimumTokenSize,
) -> Result<(Credentials, TokenSize), Error> {
    let (access, minimum) = (cx.access(), usize::try_from(minimum.0).unwrap_or(0));
    let Issued { access_key_id, secret, token } = session.issue(account, minimum, &access.keyring, access.entropy.as_ref())?;
    let size = TokenSize::of(&token);
    let credentials = Credentials {
        access_key_id,
        secret_access_key: secret.to_string(),
        session_token: token.to_string(),
        expiration: Timestamp(session.expires),
    };
    Ok((credentials, size))
}

/// The policies that a session of `account` is narrowed to.
pub(crate) async fn policies<M: Mode>(
    cx: &Allowed<'_, M>,
    account: AccountId,
    inline: Option<&str>,
    managed: &[PolicyDescriptor],
) -> Result<(Option<String>, Vec<Arn>), Error> {
    let characters = inline.map_or(0, |policy| policy.chars().count());
    let arns: Vec<&ArnText> = managed.iter().filter_map(|policy| policy.arn.as_ref()).collect();
    let plain = characters + arns.iter().map(|arn| arn.as_str().len()).sum::<usize>();
    if characters > MOST_CHARACTERS || plain > MOST_CHARACTERS {
        let words = format!("The plaintext of session policies and policy ARNs must be at most {MOST_CHARACTERS} characters long");
        return Err(Error::Validation(words));
    }
    if arns.len() > MOST_MANAGED {
        return Err(Error::Validation(format!(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to {MOST_MANAGED}"
        )));
    }
    if let Some(policy) = inline {
        Document::saved(policy, Kind::Session)?;
    }
    let mut found = Vec::with_capacity(arns.len());
    for text in arns {
        let arn = text.arn().ok_or_else(|| Error::InvalidArn(text.to_string()))?;
        if !exists(cx, account, &arn).await? {
            return Err(Error::Validation(format!("Policy {arn} does not exist or is not attachable.")));
        }
        found.push(arn);
    }
    Ok((inline.map(str::to_owned), found))
}

/// Whether a session of `account` may be narrowed by this policy: one of that account, or of AWS's.
async fn exists<M: Mode>(cx: &Allowed<'_, M>, account: AccountId, arn: &Arn) -> Result<bool, Error> {
    if managed_policy(arn).is_some() {
        return Ok(true);
    }
    let Some((_, name)) = customer_policy_arn(arn).filter(|(owner, _)| *owner == account) else { return Ok(false) };
    let policy = cx.tx.in_account(&account.to_string()).find(PolicyRecord::BY_NAME, &name).await?;
    Ok(policy.is_some_and(|policy| policy.arn(account) == *arn))
}

/// The tags of a new session: those that follow the caller's chain, and those that are asked for.
pub(crate) fn tags(inherited: &[SessionTag], asked: &[Tag], transitive: &[TagKey]) -> Result<Vec<SessionTag>, Error> {
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let mut all: Vec<SessionTag> = inherited.iter().filter(|tag| tag.transitive).cloned().collect();
    for key in transitive {
        if !asked.iter().any(|tag| same(tag.key.as_str(), key.as_str())) {
            return Err(Error::InvalidParameter("The specified transitive tag key must be included in the requested tags."));
        }
    }
    for (nth, tag) in asked.iter().enumerate() {
        if asked.iter().take(nth).any(|earlier| same(earlier.key.as_str(), tag.key.as_str())) {
            return Err(Error::InvalidParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
        }
        if tag.key.as_str().to_lowercase().starts_with("aws:") {
            return Err(Error::InvalidParameter("Tag keys cannot start with the reserved prefix \"aws:\"."));
        }
        if all.iter().any(|inherited| same(&inherited.key, tag.key.as_str())) {
            return Err(Error::InvalidParameter(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
            ));
        }
    }
    for Tag { key, value } in asked {
        let transitive = transitive.iter().any(|named| same(named.as_str(), key.as_str()));
        all.push(SessionTag { key: key.to_string(), value: value.to_string(), transitive });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str) -> Tag {
        Tag { key: key.parse().unwrap(), value: "v".parse().unwrap() }
    }

    #[test]
    fn only_transitive_tags_follow_a_chain() {
        let mut chain = tags(&[], &[tag("Team"), tag("Cost")], &["team".parse().unwrap()]).unwrap();
        assert!(chain[0].transitive && !chain[1].transitive, "whatever the case of the key");
        chain = tags(&chain, &[tag("Cost")], &[]).unwrap();
        assert_eq!(chain.iter().map(|tag| tag.key.as_str()).collect::<Vec<_>>(), ["Team", "Cost"]);
        assert!(matches!(tags(&chain, &[tag("TEAM")], &[]), Err(Error::InvalidParameter(words)) if words.contains("conflicts")));
    }

    #[test]
    fn a_key_counts_once_whatever_its_case() {
        assert!(matches!(tags(&[], &[tag("a"), tag("A")], &[]), Err(Error::InvalidParameter(words)) if words.starts_with("Duplicate")));
        assert!(tags(&[], &[tag("a")], &["b".parse().unwrap()]).is_err());
    }
}
