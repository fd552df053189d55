//! X.509 certificates: read from PEM, their validity, and who certifies whom. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html>.

use crate::pem;
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_NIST_HASH_SHA256, OID_NIST_HASH_SHA384,
    OID_NIST_HASH_SHA512, OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512, OID_SIG_ED25519,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// The bytes of the one certificate that a text is.
pub(crate) fn one(text: &str) -> Option<Vec<u8>> {
    match <[Vec<u8>; 1]>::try_from(several(text)?) {
        Ok([der]) => Some(der),
        Err(_) => None,
    }
}

/// The bytes of each certificate of a text that holds nothing else.
pub(crate) fn several(text: &str) -> Option<Vec<Vec<u8>>> {
    let blocks = pem::blocks(text).ok()?;
    blocks.into_iter().map(|block| (block.label == "CERTIFICATE").then(|| block.der.to_vec())).collect()
}

/// A certificate whose bytes are whole: nothing follows it.
pub(crate) fn read(der: &[u8]) -> Option<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        Ok(_) | Err(_) => None,
    }
}

/// Where a moment lies against a certificate's validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validity {
    NotYet,
    Valid,
    Expired,
}

impl Validity {
    /// Of `certificate`, at `now` in seconds since the epoch. Both ends belong to it.
    pub fn of(certificate: &X509Certificate<'_>, now: i64) -> Self {
        let validity = certificate.validity();
        if now < validity.not_before.timestamp() {
            Validity::NotYet
        } else if now > validity.not_after.timestamp() {
            Validity::Expired
        } else {
            Validity::Valid
        }
    }
}

/// When a certificate ends, in seconds since the epoch.
pub(crate) fn expires(certificate: &X509Certificate<'_>) -> i64 {
    certificate.validity().not_after.timestamp()
}

/// Whether a certificate is signed with a digest that nobody can collide: SHA-256 or better.
pub(crate) fn is_signed_well(certificate: &X509Certificate<'_>) -> bool {
    let algorithm = &certificate.signature_algorithm;
    let well = [
        OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA,
        OID_PKCS1_SHA512WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256,
        OID_SIG_ECDSA_WITH_SHA384,
        OID_SIG_ECDSA_WITH_SHA512,
        OID_SIG_ED25519,
    ];
    well.contains(&algorithm.algorithm) || (algorithm.algorithm == OID_PKCS1_RSASSAPSS && pss(algorithm).is_some())
}

/// Whether a chain leads from `leaf` upwards, each certified by the next.
///
/// # Errors
/// The place of what fails, as the validator of AWS counts: the leaf is 0, and what does not lead to the last of the chain is -1.
/// Source: the messages in <https://github.com/go-acme/lego/issues/304>.
pub(crate) fn follow(leaf: &X509Certificate<'_>, chain: &[X509Certificate<'_>], now: i64) -> Result<(), i32> {
    let Some((anchor, between)) = chain.split_last() else { return Ok(()) };
    let path: Vec<_> = std::iter::once(leaf).chain(between).collect();
    let is_root = anchor.subject().as_raw() == anchor.issuer().as_raw();
    let (top, _) = path.split_last().ok_or(-1)?;
    if !certifies(anchor, top) || !(is_root || Validity::of(anchor, now) == Validity::Valid) {
        return Err(-1);
    }
    for (nth, certificate) in path.iter().enumerate().rev() {
        let by = path.get(nth + 1).copied().unwrap_or(anchor);
        if !certifies(by, certificate) || Validity::of(certificate, now) != Validity::Valid {
            return Err(i32::try_from(nth).unwrap_or(i32::MAX));
        }
    }
    Ok(())
}

/// Whether `issuer` signed `certificate`, and may.
fn certifies(issuer: &X509Certificate<'_>, certificate: &X509Certificate<'_>) -> bool {
    if certificate.issuer().as_raw() != issuer.subject().as_raw() {
        return false;
    }
    let is_itself = issuer.as_raw() == certificate.as_raw();
    let may_certify = match (issuer.basic_constraints(), issuer.key_usage()) {
        (Ok(constraints), Ok(usage)) => {
            constraints.is_some_and(|constraints| constraints.value.ca) && usage.is_none_or(|usage| usage.value.key_cert_sign())
        }
        _ => false,
    };
    let Some(algorithm) = verifying(&certificate.signature_algorithm, issuer.public_key()) else { return false };
    let key = UnparsedPublicKey::new(algorithm, &issuer.public_key().subject_public_key.data);
    (may_certify || is_itself) && key.verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data).is_ok()
}

/// How a signature of that kind by that key is verified. None for digests and keys that nobody should trust.
fn verifying(algorithm: &AlgorithmIdentifier<'_>, key: &SubjectPublicKeyInfo<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let rsa: [(_, &'static dyn VerificationAlgorithm); 3] = [
        (OID_PKCS1_SHA256WITHRSA, &signature::RSA_PKCS1_2048_8192_SHA256),
        (OID_PKCS1_SHA384WITHRSA, &signature::RSA_PKCS1_2048_8192_SHA384),
        (OID_PKCS1_SHA512WITHRSA, &signature::RSA_PKCS1_2048_8192_SHA512),
    ];
    let ec: [(_, _, &'static dyn VerificationAlgorithm); 9] = [
        (OID_EC_P256, OID_SIG_ECDSA_WITH_SHA256, &signature::ECDSA_P256_SHA256_ASN1),
        (OID_EC_P256, OID_SIG_ECDSA_WITH_SHA384, &signature::ECDSA_P256_SHA384_ASN1),
        (OID_EC_P256, OID_SIG_ECDSA_WITH_SHA512, &signature::ECDSA_P256_SHA512_ASN1),
        (OID_NIST_EC_P384, OID_SIG_ECDSA_WITH_SHA256, &signature::ECDSA_P384_SHA256_ASN1),
        (OID_NIST_EC_P384, OID_SIG_ECDSA_WITH_SHA384, &signature::ECDSA_P384_SHA384_ASN1),
        (OID_NIST_EC_P384, OID_SIG_ECDSA_WITH_SHA512, &signature::ECDSA_P384_SHA512_ASN1),
        (OID_NIST_EC_P521, OID_SIG_ECDSA_WITH_SHA256, &signature::ECDSA_P521_SHA256_ASN1),
        (OID_NIST_EC_P521, OID_SIG_ECDSA_WITH_SHA384, &signature::ECDSA_P521_SHA384_ASN1),
        (OID_NIST_EC_P521, OID_SIG_ECDSA_WITH_SHA512, &signature::ECDSA_P521_SHA512_ASN1),
    ];
    if algorithm.algorithm == OID_SIG_ED25519 {
        return Some(&signature::ED25519);
    }
    if algorithm.algorithm == OID_PKCS1_RSASSAPSS {
        return pss(algorithm);
    }
    if key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
        return ec.iter().find(|(c, signed, _)| *c == curve && *signed == algorithm.algorithm).map(|(_, _, verifying)| *verifying);
    }
    rsa.iter().find(|(signed, _)| *signed == algorithm.algorithm).map(|(_, verifying)| *verifying)
}

/// The same for RSASSA-PSS, whose digest stands in its parameters.
fn pss(algorithm: &AlgorithmIdentifier<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let parameters = RsaSsaPssParams::try_from(algorithm.parameters.as_ref()?).ok()?;
    let digests: [(_, &'static dyn VerificationAlgorithm); 3] = [
        (OID_NIST_HASH_SHA256, &signature::RSA_PSS_2048_8192_SHA256),
        (OID_NIST_HASH_SHA384, &signature::RSA_PSS_2048_8192_SHA384),
        (OID_NIST_HASH_SHA512, &signature::RSA_PSS_2048_8192_SHA512),
    ];
    digests.iter().find(|(digest, _)| digest == parameters.hash_algorithm_oid()).map(|(_, verifying)| *verifying)
}

#[cfg(test)]
mod tests;
