//! Private keys as servers have them: PEM, unencrypted, RSA or one of the curves of NIST. What is in one is never shown.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html>.

use crate::pem::{self, Block};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use x509_parser::asn1_rs::{Any, FromDer, Integer, OctetString, Sequence};
use x509_parser::certificate::X509Certificate;
use x509_parser::public_key::PublicKey;
use zeroize::Zeroizing;

/// The least and the greatest number of bits of an RSA key. AWS has taken 1024 since the first day.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1_024..=8_192;
/// From here on the cryptographic library checks the whole key, not only its public half.
const CHECKED_BITS: usize = 2_048;

/// A private key that was read.
pub(crate) enum PrivateKey {
    /// Modulus and exponent: what a certificate has of it.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// The point on its curve, uncompressed: what a certificate has of it.
    Ec(Vec<u8>),
}

/// The text is no private key that a server could use without a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unusable;

impl PrivateKey {
    /// Reads the one key that `text` is.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        let blocks = pem::blocks(text).map_err(|_| Unusable)?;
        let mut keys = blocks.iter().filter(|block| block.label != "EC PARAMETERS");
        let (Some(block), None) = (keys.next(), keys.next()) else { return Err(Unusable) };
        if block.encrypted {
            return Err(Unusable);
        }
        match block.label.as_str() {
            "RSA PRIVATE KEY" => rsa_key(&block.der).ok_or(Unusable),
            "EC PRIVATE KEY" => ec_key(&block.der).ok_or(Unusable),
            "PRIVATE KEY" => either(block).ok_or(Unusable),
            _ => Err(Unusable),
        }
    }

    /// Whether it is the other half of a certificate's key.
    pub fn is_of(&self, certificate: &X509Certificate<'_>) -> bool {
        match (self, certificate.public_key().parsed()) {
            (PrivateKey::Rsa { modulus, exponent }, Ok(PublicKey::RSA(public))) => {
                modulus == unsigned(public.modulus) && exponent == unsigned(public.exponent)
            }
            (PrivateKey::Ec(point), Ok(PublicKey::EC(public))) => point == public.data(),
            _ => false,
        }
    }
}

/// A key of PKCS#8, which says by itself what it is.
fn either(block: &Block) -> Option<PrivateKey> {
    if let Some(key) = ec_key(&block.der) {
        return Some(key);
    }
    let inner = Zeroizing::new(inside(&block.der)?);
    rsa_key(&inner)
}

/// What a `PrivateKeyInfo` wraps. Source: RFC 5208, section 5.
fn inside(der: &[u8]) -> Option<Vec<u8>> {
    let ([], whole) = Sequence::from_der(der).ok()? else { return None };
    let (rest, _version) = Integer::from_der(&whole.content).ok()?;
    let (rest, _algorithm) = Any::from_der(rest).ok()?;
    let (_, key) = OctetString::from_der(rest).ok()?;
    Some(key.as_ref().to_vec())
}

/// An `RSAPrivateKey`. Source: RFC 8017, appendix A.1.2.
fn rsa_key(der: &[u8]) -> Option<PrivateKey> {
    let ([], whole) = Sequence::from_der(der).ok()? else { return None };
    let (rest, _version) = Integer::from_der(&whole.content).ok()?;
    let (rest, modulus) = Integer::from_der(rest).ok()?;
    let (_, exponent) = Integer::from_der(rest).ok()?;
    let (modulus, exponent) = (unsigned(modulus.as_ref()).to_vec(), unsigned(exponent.as_ref()).to_vec());
    let bits = modulus.len() * 8;
    if !RSA_BITS.contains(&bits) || (bits >= CHECKED_BITS && rsa::KeyPair::from_der(der).is_err()) {
        return None;
    }
    Some(PrivateKey::Rsa { modulus, exponent })
}

/// An `ECPrivateKey`, alone or wrapped. Source: RFC 5915.
fn ec_key(der: &[u8]) -> Option<PrivateKey> {
    let curves = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING];
    let pair = curves.iter().find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok())?;
    Some(PrivateKey::Ec(pair.public_key().as_ref().to_vec()))
}

/// A number without the zeros that DER puts in front of it.
fn unsigned(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
