//! PEM: certificates and keys as text (RFC 7468, and the headers of RFC 1421 that say that a key is encrypted).
//!
//! Strict, as AWS is: nothing but blocks and white space. <https://github.com/aws/aws-cli/issues/715> shows what it says to text between them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// Blocks of one text, at most: no chain is that long.
const BLOCKS: usize = 32;
/// The longest label that is looked for.
const LABEL: usize = 64;

/// What stands between `-----BEGIN LABEL-----` and `-----END LABEL-----`. It may be a secret: it shows nothing and is wiped when dropped.
pub(crate) struct Block {
    /// As `CERTIFICATE`.
    pub label: String,
    /// Whether its headers say that the bytes are encrypted.
    pub encrypted: bool,
    /// The bytes.
    pub der: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({}, {} bytes)", self.label, self.der.len())
    }
}

/// The text is not PEM, or has too many blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotPem;

/// Every block of a text, in order; at least one.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block>, NotPem> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if found.len() == BLOCKS {
            return Err(NotPem);
        }
        let (block, after) = block(rest)?;
        found.push(block);
        rest = after.trim_start();
    }
    if found.is_empty() { Err(NotPem) } else { Ok(found) }
}

/// The block that `text` begins with, and what comes after it.
fn block(text: &str) -> Result<(Block, &str), NotPem> {
    let rest = text.strip_prefix("-----BEGIN ").ok_or(NotPem)?;
    let (label, rest) = rest.split_once("-----").ok_or(NotPem)?;
    if label.is_empty() || label.len() > LABEL || !label.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ') {
        return Err(NotPem);
    }
    // What ends it is what begins with five hyphens: base64 and headers have none in a row.
    let (body, rest) = rest.split_once("-----").ok_or(NotPem)?;
    let after = rest.strip_prefix("END ").and_then(|rest| rest.strip_prefix(label)).and_then(|rest| rest.strip_prefix("-----"));
    let (headers, encoded) = headers(body);
    let dense = Zeroizing::new(encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>());
    let der = Zeroizing::new(BASE64_STANDARD.decode(dense.as_bytes()).map_err(|_| NotPem)?);
    Ok((Block { label: label.to_owned(), encrypted: headers.contains("ENCRYPTED"), der }, after.ok_or(NotPem)?))
}

/// `Proc-Type: …` and the like, which end with an empty line, and what follows.
fn headers(body: &str) -> (&str, &str) {
    if !body.contains(':') {
        return ("", body);
    }
    ["\n\n", "\r\n\r\n"].iter().find_map(|end| body.split_once(end)).unwrap_or((body, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "-----BEGIN A-----\nAQID\n-----END A-----\r\n\r\n-----BEGIN B C-----\r\nBAU=\r\n-----END B C-----\n";

    #[test]
    fn blocks_come_in_order() {
        let found = blocks(TWO).unwrap();
        assert_eq!(
            found.iter().map(|block| (block.label.as_str(), block.der.to_vec())).collect::<Vec<_>>(),
            [("A", vec![1, 2, 3]), ("B C", vec![4, 5])]
        );
        assert!(found.iter().all(|block| !block.encrypted));
    }

    #[test]
    fn a_key_that_says_it_is_encrypted_is_told() {
        let text =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQID\n-----END RSA PRIVATE KEY-----";
        let found = blocks(text).unwrap();
        assert!(found[0].encrypted);
        assert_eq!(found[0].der.as_slice(), [1, 2, 3]);
    }

    #[test]
    fn nothing_stands_beside_the_blocks() {
        for bad in [
            "",
            " \n",
            "AQID",
            "Certificate:\n-----BEGIN A-----\nAQID\n-----END A-----",
            "-----BEGIN A-----\nAQID\n-----END A-----\ntext",
            "-----BEGIN A-----\nAQID\n-----END B-----",
            "-----BEGIN A-----\nAQID\n",
            "-----BEGIN A-----\nA*ID\n-----END A-----",
            "-----BEGIN A-----\nAQI\n-----END A-----",
            "-----BEGIN -----\nAQID\n-----END -----",
            "-----BEGIN a-----\nAQID\n-----END a-----",
        ] {
            assert!(blocks(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn more_blocks_than_any_chain_has_are_refused() {
        let one = "-----BEGIN A-----\nAQID\n-----END A-----\n";
        assert_eq!(blocks(&one.repeat(BLOCKS)).unwrap().len(), BLOCKS);
        assert!(blocks(&one.repeat(BLOCKS + 1)).is_err());
    }

    #[test]
    fn a_block_shows_nothing_of_what_is_in_it() {
        let found = blocks("-----BEGIN A-----\nAQID\n-----END A-----").unwrap();
        assert_eq!(format!("{:?}", found[0]), "Block(A, 3 bytes)");
    }
}
