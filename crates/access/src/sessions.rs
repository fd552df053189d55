//! Temporary credentials: a session token is a sealed capsule that holds the whole session, so that any node lets it in with no lookup but
//! the present state of its role or user. Key id, token and secret belong together, and nothing in the token lets anyone compute the secret.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html>.

use arn::{AccessKeyId, AccountId, Arn, UniqueId};
use aws_lc_rs::aead::NONCE_LEN;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use identities::{Entropy, Keyring, SealingError, ServiceName};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionOf {
    /// Of a role: bound to its unique id.
    #[serde(rename = "r")]
    Role {
        /// The role.
        #[serde(rename = "i")]
        id: UniqueId,
        /// What the session is called.
        #[serde(rename = "n")]
        name: String,
    },
    /// Of GetSessionToken: the user (or root) itself, for a while.
    #[serde(rename = "u")]
    User {
        /// The user; `None` is root.
        #[serde(rename = "i")]
        id: Option<UniqueId>,
    },
    /// A user (or root) as it is with its long-term key. Only a delegation is of this kind: no key of its own goes with it.
    #[serde(rename = "k")]
    Key {
        /// The user; `None` is root.
        #[serde(rename = "i")]
        id: Option<UniqueId>,
    },
    /// Of AssumeRoot: a member's root user, for one task of its organization.
    #[serde(rename = "a")]
    AssumedRoot {
        /// The account that asked.
        #[serde(rename = "b")]
        by: AccountId,
    },
    /// Of GetFederationToken: somebody whom a user (or root) vouches for.
    #[serde(rename = "f")]
    Federated {
        /// Who vouches; `None` is root.
        #[serde(rename = "i")]
        by: Option<UniqueId>,
        /// The federated user's name.
        #[serde(rename = "n")]
        name: String,
    },
}

/// One session tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTag {
    /// Its key.
    #[serde(rename = "k")]
    pub key: String,
    /// Its value.
    #[serde(rename = "v")]
    pub value: String,
    /// Whether it follows a chain of roles.
    #[serde(rename = "t", default, skip_serializing_if = "std::ops::Not::not")]
    pub transitive: bool,
}

/// The services through which a session's owner calls: a forward access session.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// In the order of their calls; the last one has the delegation.
    #[serde(rename = "s")]
    pub services: Vec<ServiceName>,
    /// With which key each of them asked: the end of any is the delegation's, and nobody signs without the secret of the last.
    #[serde(rename = "k")]
    pub keys: Vec<AccessKeyId>,
}

/// All that a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    #[serde(rename = "o")]
    pub of: SessionOf,
    /// When it was issued, in seconds since the epoch.
    #[serde(rename = "i")]
    pub issued: i64,
    /// When it ends, in seconds since the epoch.
    #[serde(rename = "e")]
    pub expires: i64,
    /// The inline session policy's text.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The managed session policies.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub managed: Vec<Arn>,
    /// The session tags, inherited ones included.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<SessionTag>,
    /// Set once in a chain, and then for all of it.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// When a second factor was shown, in seconds since the epoch.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<i64>,
    /// The long-term key that asked; its end is the session's (GetSessionToken, GetFederationToken).
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub asked_with: Option<AccessKeyId>,
    /// The SAML or OIDC provider that vouched for it.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Through which services its owner calls; none: directly.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// The product that its owner lends its rights to, of a temporary delegation: `userIdentity.invokedByDelegate`.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub delegate: Option<AccountId>,
}

/// What a client signs with.
pub struct Credentials {
    /// `ASIA…`
    pub access_key_id: AccessKeyId,
    /// 40 characters.
    pub secret: Zeroizing<String>,
    /// At most 4,096 characters.
    pub token: Zeroizing<String>,
}

/// A session, sealed, and what its secret comes from.
pub(crate) struct Capsule {
    pub access_key_id: AccessKeyId,
    pub token: Zeroizing<String>,
    key: u64,
    nonce: [u8; NONCE_LEN],
}

/// Why no session was issued, or a token is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Policies and tags take this many percent of the room that there is.
    #[error("policies and tags take {0} % of a session's room")]
    TooLarge(u32),
    /// Not a token of ours, or not with this key id.
    #[error("not a session token of this key")]
    Foreign,
    /// The keys cannot be used.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

/// Format 1: this byte, the sealing key's number, the nonce, the sealed session.
const FORMAT: u8 = 1;
/// Bytes of JSON that policies and tags may take, so that any token stays within 4,096 characters.
const ROOM: usize = 2_500;
/// Characters of a token, at most.
pub const LONGEST_TOKEN: usize = 4_096;
/// Bytes of a token that are not the session: format, number of the key, nonce, tag.
const AROUND: usize = 1 + 8 + NONCE_LEN + 16;

impl Session {
    /// How much of the room for policies and tags is used, in percent, rounded up: STS's `PackedPolicySize`.
    pub fn packed_percent(&self) -> u32 {
        let policy = self.policy.as_ref().map_or(0, |text| text.len());
        let managed: usize = self.managed.iter().map(|arn| arn.as_str().len() + 3).sum();
        let tags: usize = self.tags.iter().map(|tag| tag.key.len() + tag.value.len() + 18).sum();
        u32::try_from((policy + managed + tags).saturating_mul(100).div_ceil(ROOM)).unwrap_or(u32::MAX)
    }

    /// Seals this session of `account` into credentials whose token has at least `minimum` characters.
    pub fn issue(&self, account: AccountId, minimum: usize, keyring: &Keyring, entropy: &dyn Entropy) -> Result<Credentials, TokenError> {
        let Capsule { access_key_id, token, key, nonce } = self.seal(account, minimum, keyring, entropy)?;
        let secret = keyring.token_secret(key, &nonce, access_key_id.as_str())?;
        Ok(Credentials { access_key_id, secret, token })
    }

    /// Seals this session of `account`; the token has at least `minimum` characters.
    pub(crate) fn seal(&self, account: AccountId, minimum: usize, keyring: &Keyring, entropy: &dyn Entropy) -> Result<Capsule, TokenError> {
        let percent = self.packed_percent();
        let mut content = serde_json::to_vec(self).map_err(|_| TokenError::Foreign)?;
        if percent > 100 || content.len() > 3_000 {
            return Err(TokenError::TooLarge(percent.max(101)));
        }
        // JSON may end in blanks. Four characters of a token hold three bytes.
        let wanted = minimum.min(LONGEST_TOKEN).div_ceil(4) * 3;
        content.resize(content.len().max(wanted.saturating_sub(AROUND)), b' ');
        let mut chance = [0; 8 + NONCE_LEN];
        entropy.fill(&mut chance).map_err(SealingError::from)?;
        let (number, nonce) = chance.split_first_chunk::<8>().ok_or(TokenError::Foreign)?;
        let nonce: &[u8; NONCE_LEN] = nonce.try_into().map_err(|_| TokenError::Foreign)?;
        let access_key_id = AccessKeyId::temporary(account, u64::from_be_bytes(*number));
        let key = keyring.token_key()?;
        let sealed = keyring.seal_token(key, nonce, &bound(key, &access_key_id), &content)?;
        let mut token = Vec::with_capacity(sealed.len() + 24);
        token.push(FORMAT);
        token.extend_from_slice(&key.to_be_bytes());
        token.extend_from_slice(nonce);
        token.extend_from_slice(&sealed);
        Ok(Capsule { access_key_id, token: Zeroizing::new(BASE64_STANDARD.encode(token)), key, nonce: *nonce })
    }

    /// Opens `token`, which must have come with `access_key_id`; answers the session and its secret, which is not that of a delegation.
    /// Whether it is over, the caller asks.
    pub fn open(token: &str, access_key_id: &AccessKeyId, keyring: &Keyring) -> Result<(Session, Zeroizing<String>), TokenError> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::Foreign);
        }
        let bytes = BASE64_STANDARD.decode(token).map_err(|_| TokenError::Foreign)?;
        let (format, rest) = bytes.split_first().ok_or(TokenError::Foreign)?;
        let (key, rest) = rest.split_first_chunk::<8>().ok_or(TokenError::Foreign)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(TokenError::Foreign)?;
        if *format != FORMAT {
            return Err(TokenError::Foreign);
        }
        let key = u64::from_be_bytes(*key);
        let content = keyring.open_token(key, nonce, &bound(key, access_key_id), sealed).map_err(|_| TokenError::Foreign)?;
        let session = serde_json::from_slice(&content).map_err(|_| TokenError::Foreign)?;
        Ok((session, keyring.token_secret(key, nonce, access_key_id.as_str())?))
    }
}

/// What is bound to a token and not in it. The key id carries the account.
fn bound(key: u64, access_key_id: &AccessKeyId) -> Vec<u8> {
    format!("session {FORMAT} {key} {access_key_id}").into_bytes()
}
