//! SAML metadata: what an identity provider says of itself. Read once, strictly and within bounds; what deciding needs of it is kept apart.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html>, and section 2 of
//! <https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf>.

use crate::x509::{self, Validity};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// How deep elements may stand in each other.
const DEPTH: usize = 32;
/// Attributes of one tag, at most: looking for one twice costs the square of them.
const ATTRIBUTES: usize = 64;
/// Elements, at most.
const ELEMENTS: usize = 100_000;
/// Keys of one provider, at most. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub(crate) const KEYS: usize = 10;

/// What a document says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The issuer that assertions will name.
    pub issuer: String,
    /// Until when it holds, if it says so, in seconds since the epoch.
    pub valid_until: Option<i64>,
    /// The certificates that assertions may be signed with, as DER.
    pub certificates: Vec<Vec<u8>>,
}

/// Why a document is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// It is no metadata of an identity provider, or hides things that such a document has no use for.
    #[error("Could not parse metadata")]
    Unreadable,
    /// It says that it held until some time ago.
    #[error("The metadata document has expired.")]
    Expired,
    /// It has no certificate that assertions could be verified with now.
    #[error("The metadata document has no signing certificate that is valid now.")]
    NoKey,
    /// It has more keys than a provider may have.
    #[error("Cannot exceed quota for KeysPerSAMLProvider: 10")]
    TooManyKeys,
}

/// An element on the way to a certificate. All others are looked through for bounds and not otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Entity,
    Provider,
    Key,
    KeyInfo,
    Data,
    Certificate,
    Other,
}

impl Metadata {
    /// Reads a document; `now` is in seconds since the epoch.
    pub fn read(text: &str, now: i64) -> Result<Self, Unusable> {
        let metadata = Reading::all(text).ok_or(Unusable::Unreadable)?;
        if metadata.valid_until.is_some_and(|until| until <= now) {
            return Err(Unusable::Expired);
        }
        if metadata.certificates.len() > KEYS {
            return Err(Unusable::TooManyKeys);
        }
        let is_valid = |der: &Vec<u8>| x509::read(der).is_some_and(|certificate| Validity::of(&certificate, now) == Validity::Valid);
        if metadata.certificates.iter().any(is_valid) { Ok(metadata) } else { Err(Unusable::NoKey) }
    }
}

/// A document that is being read.
struct Reading {
    issuer: Option<String>,
    valid_until: Option<i64>,
    certificates: Vec<Vec<u8>>,
    open: Vec<Element>,
    text: String,
    elements: usize,
    has_provider: bool,
    is_over: bool,
}

impl Reading {
    /// What the whole document says; none where it is not one.
    fn all(text: &str) -> Option<Metadata> {
        let mut reading = Reading {
            issuer: None,
            valid_until: None,
            certificates: Vec::new(),
            open: Vec::new(),
            text: String::new(),
            elements: 0,
            has_provider: false,
            is_over: false,
        };
        let mut reader = NsReader::from_str(text);
        loop {
            let (namespace, event) = reader.read_resolved_event().ok()?;
            match event {
                Event::Start(tag) => {
                    let namespace = of(&namespace)?.to_owned();
                    reading.begin(&namespace, &tag)?;
                }
                Event::Empty(tag) => {
                    let namespace = of(&namespace)?.to_owned();
                    reading.begin(&namespace, &tag)?;
                    reading.end()?;
                }
                Event::End(_) => reading.end()?,
                Event::Text(text) => reading.say(&text)?,
                Event::CData(text) => reading.say(&text)?,
                // `&amp;` and its like may stand in any text but base64; entities of one's own need a DOCTYPE.
                Event::GeneralRef(_) if !reading.open.is_empty() && reading.open.last() != Some(&Element::Certificate) => {}
                Event::Decl(_) | Event::Comment(_) => {}
                Event::GeneralRef(_) | Event::DocType(_) | Event::PI(_) => return None,
                Event::Eof => break,
            }
        }
        let issuer = reading.issuer.filter(|_| reading.is_over && reading.has_provider)?;
        Some(Metadata { issuer, valid_until: reading.valid_until, certificates: reading.certificates })
    }

    fn begin(&mut self, namespace: &str, tag: &BytesStart<'_>) -> Option<()> {
        self.elements += 1;
        if self.is_over || self.open.len() >= DEPTH || self.elements > ELEMENTS {
            return None;
        }
        let mut attributes = tag.attributes();
        attributes.with_checks(false);
        if attributes.take(ATTRIBUTES + 1).count() > ATTRIBUTES {
            return None;
        }
        let name = tag.local_name();
        let element = match (self.open.last(), namespace, name.as_ref()) {
            (None, METADATA, "EntityDescriptor") => {
                self.issuer = Some(attribute(tag, "entityID")?.filter(|issuer| !issuer.is_empty() && issuer.chars().count() <= 1_024)?);
                self.valid_until = match attribute(tag, "validUntil")? {
                    Some(text) => Some(instant(&text)?),
                    None => None,
                };
                Element::Entity
            }
            (None, ..) => return None,
            (Some(Element::Entity), METADATA, "IDPSSODescriptor") => {
                self.has_provider = true;
                Element::Provider
            }
            (Some(Element::Provider), METADATA, "KeyDescriptor") => match attribute(tag, "use")?.as_deref() {
                None | Some("signing") => Element::Key,
                Some(_) => Element::Other,
            },
            (Some(Element::Key), SIGNATURE, "KeyInfo") => Element::KeyInfo,
            (Some(Element::KeyInfo), SIGNATURE, "X509Data") => Element::Data,
            (Some(Element::Data), SIGNATURE, "X509Certificate") => {
                self.text.clear();
                Element::Certificate
            }
            // Nothing stands in the text of a certificate.
            (Some(Element::Certificate), ..) => return None,
            (Some(_), ..) => {
                // Also of what is not looked into, no attribute stands twice.
                tag.attributes().all(|attribute| attribute.is_ok()).then_some(())?;
                Element::Other
            }
        };
        self.open.push(element);
        Some(())
    }

    fn say(&mut self, text: &str) -> Option<()> {
        match self.open.last() {
            Some(Element::Certificate) => self.text.extend(text.chars().filter(|c| !c.is_ascii_whitespace())),
            Some(_) => {}
            None => return text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}').is_empty().then_some(()),
        }
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let element = self.open.pop()?;
        if element == Element::Certificate {
            let der = BASE64_STANDARD.decode(self.text.as_bytes()).ok()?;
            x509::read(&der)?;
            if !self.certificates.contains(&der) {
                // One more than there may be is enough to say so.
                self.certificates.extend((self.certificates.len() <= KEYS).then_some(der));
            }
        }
        self.is_over = self.open.is_empty();
        Some(())
    }
}

/// The namespace of a tag. A prefix that nobody declared is none of XML's.
fn of<'n>(namespace: &'n ResolveResult<'_>) -> Option<&'n str> {
    match namespace {
        ResolveResult::Bound(namespace) => Some(namespace.as_ref()),
        ResolveResult::Unbound => Some(""),
        ResolveResult::Unknown(_) => None,
    }
}

/// The value of an attribute, if the tag has it; none if an attribute of the tag is malformed or stands twice.
#[expect(clippy::option_option, reason = "whether it is readable, and whether it is there")]
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<Option<String>> {
    let mut found = None;
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        if attribute.key.0 == name {
            found = Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned());
        }
    }
    Some(found)
}

/// A time of XML Schema; without a zone it is UTC's.
fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let instant = text.parse::<Timestamp>().ok().or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok());
    instant.map(Timestamp::as_second)
}

#[cfg(test)]
mod tests;
