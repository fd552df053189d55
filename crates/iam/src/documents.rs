//! Policy documents on their way in and out.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use crate::Error;
use policy::{Document, Kind};
use wire::{Kind as Shown, Node, Reader, Shape, Text};

/// A document as a request gives it: its length and its characters are checked, its grammar is for [`checked`].
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 131072, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+")]
pub(crate) struct PolicyDocument(Box<str>);

/// A document as IAM shows it: percent-encoded once, by RFC 3986, of the text as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncodedDocument(pub String);

impl Shape for EncodedDocument {
    const KIND: Shown = PolicyDocument::KIND;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        String::read(node, at).map(EncodedDocument)
    }
    fn write(self) -> Node {
        let mut encoded = String::with_capacity(self.0.len() * 2);
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
                _ => {
                    encoded.push('%');
                    for nibble in [byte >> 4, byte & 15] {
                        encoded.extend(char::from_digit(u32::from(nibble), 16).map(|digit| digit.to_ascii_uppercase()));
                    }
                }
            }
        }
        Node::Text(encoded)
    }
}

impl PolicyDocument {
    /// The document, held to what IAM accepts on saving as this kind.
    pub fn checked(&self, kind: Kind) -> Result<Document, Error> {
        Ok(Document::saved(self.as_str(), kind)?)
    }

    /// The document, held to what IAM accepts on saving as a managed policy.
    pub fn checked_as_managed(&self) -> Result<Document, Error> {
        Ok(Document::saved_as_managed(self.as_str())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_encoded_once_and_percent_signs_survive() {
        let shown = EncodedDocument(r#"{"a": "%3A é~"}"#.into()).write();
        assert_eq!(shown, Node::text("%7B%22a%22%3A%20%22%253A%20%C3%A9~%22%7D"));
    }
}
