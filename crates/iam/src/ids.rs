//! Ids that tell no kind: of certificates, of identity providers and their keys.

use identities::SealingError;
use operation::Allowed;
use store::Write;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// 32 characters of the alphabet that AWS's ids have: 160 random bits.
pub(crate) fn long_id(cx: &Allowed<'_, Write>) -> Result<String, SealingError> {
    let mut id = String::with_capacity(32);
    while id.len() < 32 {
        let bits = cx.chance()?;
        // Each draw gives 8 characters of 5 bits.
        for place in 0..8 {
            let at = usize::try_from(bits >> (5 * place) & 31).unwrap_or_default();
            id.push(ALPHABET.get(at).copied().map_or('A', char::from));
        }
    }
    Ok(id)
}

/// `SAMLSP…` of a SAML provider, `SAMLPK…` of a key of one: 16 characters after the prefix, of capitals and digits.
pub(crate) fn saml_id(cx: &Allowed<'_, Write>, prefix: &str) -> Result<String, SealingError> {
    Ok(format!("{prefix}{}", long_id(cx)?.get(..16).unwrap_or_default()))
}

/// A random UUID. Source: RFC 9562, section 5.4.
pub(crate) fn uuid(cx: &Allowed<'_, Write>) -> Result<String, SealingError> {
    let high = cx.chance()? & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = cx.chance()? & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    Ok(format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff))
}
