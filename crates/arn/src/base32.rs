//! The alphabet of AWS's ids: base32 of RFC 4648, upper case, without padding.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The lowest `digits` × 5 bits of `number`, the highest first.
pub(crate) fn push(text: &mut String, number: u128, digits: u32) {
    for place in (0..digits).rev() {
        let digit = usize::try_from(number >> (5 * place) & 31).unwrap_or_default();
        text.push(ALPHABET.get(digit).copied().map_or('A', char::from));
    }
}

/// What the digits say; none if one of them is not of the alphabet or there are more than 25.
pub(crate) fn number(digits: &str) -> Option<u128> {
    if digits.len() > 25 {
        return None;
    }
    digits.bytes().try_fold(0, |number, byte| {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        Some(number << 5 | u128::from(digit))
    })
}
