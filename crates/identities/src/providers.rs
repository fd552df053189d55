//! Identity providers that an account trusts: OpenID Connect and SAML 2.0. Who signs in with one is judged by a role that trusts it.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html>.

use crate::names::NameKey;
use crate::sealing::Sealed;
use crate::tags::Tags;
use arn::{AccountId, Arn};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Record};
use wire::Text;

/// Where an OpenID Connect provider is, without `https://`: host, and perhaps a path. The host has no case, the path has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OidcName(Box<str>);

impl OidcName {
    /// The provider at `url`, if it is one that tokens may name as their issuer: `https`, a host, no query, no fragment, nobody's name.
    pub fn of_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("https://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // The port that HTTPS has anyway is no part of the name.
        OidcName::parse(&format!("{}{path}", host.strip_suffix(":443").unwrap_or(host)))
    }

    /// The provider that an ARN names by what follows `oidc-provider/`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, _) = text.split_once('/').unwrap_or((text, ""));
        let fits = !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
            && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'@' | b'"' | b'<' | b'>' | b'\\' | b'*' | b'$'));
        fits.then(|| OidcName(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyPart for OidcName {
    fn encode(&self, out: &mut Vec<u8>) {
        let (host, path) = self.0.split_at(self.0.find('/').unwrap_or(self.0.len()));
        format!("{}{path}", host.to_ascii_lowercase()).encode(out);
    }
}

/// An OpenID Connect provider.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "oidc-provider", key = name)]
pub struct OidcProviderRecord {
    /// Its URL without `https://`: unique in the account.
    pub name: OidcName,
    /// The audiences that a token may be for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates that its host may show, as 40 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thumbprints: Vec<String>,
    /// Seconds since the epoch.
    pub created: i64,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl OidcProviderRecord {
    /// `arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("oidc-provider/{}", self.name.as_str()))
    }
}

/// A SAML provider's name: unique in its account, whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(min = 1, max = 128, pattern = r"[\w._-]+")]
pub struct SamlProviderName(Box<str>);

impl KeyPart for SamlProviderName {
    fn encode(&self, out: &mut Vec<u8>) {
        NameKey::of(self.as_str()).encode(out);
    }
}

/// Whether assertions may come in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
pub enum AssertionEncryption {
    /// They must be encrypted.
    Required,
    /// They may be encrypted.
    Allowed,
}

/// A SAML provider: what its metadata document says of it.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "saml-provider", key = name)]
pub struct SamlProviderRecord {
    /// Unique in the account.
    pub name: SamlProviderName,
    /// Never used again, also when the name is.
    pub uuid: String,
    /// The issuer that its assertions name.
    pub issuer: String,
    /// The certificates that its assertions may be signed with: DER in base64.
    pub certificates: Vec<String>,
    /// Until when its metadata holds, in seconds since the epoch.
    pub valid_until: i64,
    /// Whether assertions must be encrypted.
    pub encryption: AssertionEncryption,
    /// Seconds since the epoch.
    pub created: i64,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl SamlProviderRecord {
    /// `arn:aws:iam::ACCOUNT:saml-provider/NAME`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("saml-provider/{}", self.name))
    }
}

/// The metadata document of a SAML provider as it was sent. It may be long, and only whoever asks for it needs it.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "saml-metadata", key = provider)]
pub struct SamlMetadataRecord {
    /// Whose it is.
    pub provider: SamlProviderName,
    /// The document.
    pub document: String,
}

/// A private key that the assertions of a SAML provider are decrypted with.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "saml-private-key", key = (provider, id), sealed)]
pub struct SamlPrivateKeyRecord {
    /// Whose assertions.
    pub provider: SamlProviderName,
    /// What it is removed by.
    pub id: String,
    /// The key in PEM.
    pub key: Sealed,
    /// When it was added, in seconds since the epoch.
    pub added: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_an_https_url_without_query_and_fragment() {
        for (url, name) in [
            ("https://server.example.com", "server.example.com"),
            ("https://server.example.com/a/B", "server.example.com/a/B"),
            ("https://token.actions.githubusercontent.com", "token.actions.githubusercontent.com"),
            ("https://127.0.0.1:8443/realms/x", "127.0.0.1:8443/realms/x"),
        ] {
            assert_eq!(OidcName::of_url(url).unwrap().as_str(), name);
        }
        for bad in [
            "",
            "server.example.com",
            "http://server.example.com",
            "https://",
            "https:///path",
            "https://server.example.com?x=1",
            "https://server.example.com/#x",
            "https://me@server.example.com",
            "https://server.example.com/a b",
            "https://*.example.com",
            "https://server.example.com/*",
            "https://sérver.example.com",
        ] {
            assert_eq!(OidcName::of_url(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_host_has_no_case_and_a_path_has() {
        let key = |url| KeyPart::bytes(&OidcName::of_url(url).unwrap());
        assert_eq!(key("https://A.example/x"), key("https://a.EXAMPLE/x"));
        assert_ne!(key("https://a.example/x"), key("https://a.example/X"));
        assert_ne!(key("https://a.example"), key("https://a.example/"));
    }
}
