//! A credential as an asker shows it. Nothing of it is repeated, in no message and no log: not even a misspelt member, which could be the secret.

use crate::Error;
use access::{Fingerprint, Shown, ShownKey};
use arn::AccountId;
use identities::{CredentialName, CredentialService, SshPublicKey};
use operation::Failure;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A text that is wiped when it goes, and shown by nothing.
struct Secret(Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Secret(Zeroizing::new(String::deserialize(from)?)))
    }
}

/// A user name with its password, or an API key, or an SSH key by its id, itself or its fingerprint.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskedCredential {
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    password: Option<Secret>,
    #[serde(default)]
    api_key: Option<Secret>,
    #[serde(default)]
    ssh_public_key_id: Option<String>,
    #[serde(default)]
    ssh_public_key: Option<String>,
    #[serde(default)]
    ssh_fingerprint: Option<String>,
}

/// The same, read.
pub(crate) enum Credential {
    Password { name: String, password: Zeroizing<String> },
    ApiKey(Zeroizing<String>),
    SshKey(ShownKey),
}

impl AskedCredential {
    /// The credential, if it is one of those that `service` takes.
    pub fn read(self, service: CredentialService) -> Result<Credential, Error> {
        let bad = |words: &str| Err(Error::Invalid(format!("credential: {words}")));
        let key = shown_key(self.ssh_public_key_id, self.ssh_public_key, self.ssh_fingerprint).map_err(|words| match words {
            Wrong(member, words) => Error::Invalid(format!("credential.{member}: {words}")),
        })?;
        let credential = match (self.user_name, self.password, self.api_key, key) {
            (Some(name), Some(Secret(password)), None, None) => Credential::Password { name, password },
            (None, None, Some(Secret(key)), None) => Credential::ApiKey(key),
            (None, None, None, Some(key)) => Credential::SshKey(key),
            _ => return bad("a userName with its password, or an apiKey, or an SSH key"),
        };
        match (&credential, service) {
            (Credential::Password { .. }, CredentialService::CodeCommit | CredentialService::Cassandra)
            | (Credential::ApiKey(_), CredentialService::Bedrock | CredentialService::Logs)
            | (Credential::SshKey(_), CredentialService::CodeCommit) => Ok(credential),
            (Credential::Password { .. } | Credential::ApiKey(_) | Credential::SshKey(_), _) => {
                bad("of another kind than this service takes")
            }
        }
    }
}

impl Credential {
    /// The account that it says it is of; SSH keys say none and are looked for in the asker's.
    pub fn account(&self, own: AccountId) -> Option<AccountId> {
        match self {
            Credential::Password { name, .. } => CredentialName::shown(name).map(|(_, account)| account),
            Credential::ApiKey(key) => access::name_in_api_key(key).and_then(|name| Some(CredentialName::shown(&name)?.1)),
            Credential::SshKey(_) => Some(own),
        }
    }

    /// As the data plane takes it.
    pub fn shown(&self, service: CredentialService, own: AccountId) -> Shown<'_> {
        match self {
            Credential::Password { name, password } => Shown::Password { service, name, password },
            Credential::ApiKey(key) => Shown::ApiKey { service, key },
            Credential::SshKey(key) => Shown::SshKey { account: own, key },
        }
    }
}

/// What is wrong with which member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong(pub &'static str, pub &'static str);

/// An SSH key by what is said of it; `None`, if nothing is. A text that is no key of a kind that users can have is one that nobody has.
pub(crate) fn shown_key(id: Option<String>, key: Option<String>, fingerprint: Option<String>) -> Result<Option<ShownKey>, Wrong> {
    let id = id.map(|id| id.parse().map_err(|_| Wrong("sshPublicKeyId", "not the id of a key"))).transpose()?;
    let fingerprint = match (key, fingerprint) {
        (Some(_), Some(_)) => return Err(Wrong("sshFingerprint", "the key itself is there")),
        (Some(key), None) => Some(Fingerprint::Sha256(SshPublicKey::read(&key).map(|key| key.sha256()).unwrap_or_default())),
        (None, Some(text)) => Some(read_fingerprint(&text).ok_or(Wrong("sshFingerprint", "neither SHA256:… nor MD5:…"))?),
        (None, None) => None,
    };
    Ok((id.is_some() || fingerprint.is_some()).then_some(ShownKey { id, fingerprint }))
}

/// `SHA256:…` as `sshd` says it, with or without padding; `MD5:…`, or the pairs alone as IAM says them.
fn read_fingerprint(text: &str) -> Option<Fingerprint> {
    if let Some(sha256) = text.strip_prefix("SHA256:") {
        let sha256 = sha256.trim_end_matches('=');
        let fits = sha256.len() == 43 && sha256.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        return fits.then(|| Fingerprint::Sha256(format!("SHA256:{sha256}")));
    }
    let md5 = text.strip_prefix("MD5:").unwrap_or(text).to_ascii_lowercase();
    let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    (md5.len() == 47 && md5.split(':').all(pair)).then_some(Fingerprint::Md5(md5))
}

/// What is wrong with a body that may hold a secret: its place, and none of its words.
pub(crate) fn failed(error: &serde_json::Error) -> Failure {
    let code = if error.is_data() { "ValidationException" } else { "SerializationException" };
    let words = format!("The body has not the form of a question, at line {} column {}.", error.line(), error.column());
    Failure::new(400, code, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, service: CredentialService) -> Result<Credential, String> {
        let asked: AskedCredential = serde_json::from_str(json).map_err(|error| failed(&error).message)?;
        asked.read(service).map_err(|error| error.to_string())
    }

    #[test]
    fn a_service_takes_its_own_kind_of_credential() {
        let (password, key, ssh) =
            (r#"{"userName":"a","password":"b"}"#, r#"{"apiKey":"ABSKx"}"#, r#"{"sshPublicKeyId":"APKAWALKNONEWALKNONE1"}"#);
        let taken = |service| [password, key, ssh].map(|json| read(json, service).is_ok());
        assert_eq!(taken(CredentialService::CodeCommit), [true, false, true]);
        assert_eq!(taken(CredentialService::Cassandra), [true, false, false]);
        assert_eq!(taken(CredentialService::Bedrock), [false, true, false]);
        assert_eq!(taken(CredentialService::Logs), [false, true, false]);
    }

    #[test]
    fn a_credential_is_one_thing_and_whole() {
        for json in [
            "{}",
            r#"{"userName":"a"}"#,
            r#"{"password":"a"}"#,
            r#"{"userName":"a","password":"b","apiKey":"c"}"#,
            r#"{"userName":"a","password":"b","sshPublicKeyId":"APKAWALKNONEWALKNONE1"}"#,
            r#"{"sshPublicKeyId":"lower"}"#,
            r#"{"sshPublicKey":"ssh-rsa AAAA","sshFingerprint":"MD5:00"}"#,
        ] {
            assert!(read(json, CredentialService::CodeCommit).is_err(), "{json}");
        }
    }

    #[test]
    fn nothing_that_was_shown_is_repeated() {
        for json in [
            r#"{"hunter22":1}"#,
            r#"{"password":["hunter22"]}"#,
            r#""hunter22""#,
            r#"{"password":"hunter22"}"#,
            r#"{"sshFingerprint":"hunter22"}"#,
        ] {
            let said = read(json, CredentialService::CodeCommit).err().unwrap();
            assert!(!said.contains("hunter22"), "{said}");
        }
    }

    #[test]
    fn fingerprints_are_read_as_their_makers_write_them() {
        let sha256 = format!("SHA256:{}", "a".repeat(43));
        assert_eq!(read_fingerprint(&format!("{sha256}=")), Some(Fingerprint::Sha256(sha256.clone())));
        assert_eq!(read_fingerprint(&sha256), Some(Fingerprint::Sha256(sha256)));
        let md5 = ["0a"; 16].join(":");
        for text in [md5.clone(), format!("MD5:{md5}"), md5.to_uppercase()] {
            assert_eq!(read_fingerprint(&text), Some(Fingerprint::Md5(md5.clone())), "{text}");
        }
        for text in ["", "SHA256:", "SHA256:short", "MD5:0a", &["0g"; 16].join(":"), &"0".repeat(47)] {
            assert_eq!(read_fingerprint(text), None, "{text}");
        }
    }
}
