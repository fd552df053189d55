use super::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SignatureAlgorithm, date_time_ymd};

/// 2026-01-01.
const NOW: i64 = 1_767_225_600;

/// A key, and what is certified with it.
struct Authority(Issuer<'static, KeyPair>, Vec<u8>);

fn named(name: &str, is_ca: bool) -> CertificateParams {
    let mut made = CertificateParams::new(vec![]).unwrap();
    made.distinguished_name.push(DnType::CommonName, name);
    made.not_before = date_time_ymd(2020, 1, 1);
    made.not_after = date_time_ymd(2030, 1, 1);
    if is_ca {
        made.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    made
}

fn root(name: &str, algorithm: &'static SignatureAlgorithm) -> Authority {
    let (params, key) = (named(name, true), KeyPair::generate_for(algorithm).unwrap());
    let der = params.self_signed(&key).unwrap().der().to_vec();
    Authority(Issuer::new(params, key), der)
}

impl Authority {
    fn certify(&self, params: CertificateParams) -> Authority {
        let key = KeyPair::generate().unwrap();
        let der = params.signed_by(&key, &self.0).unwrap().der().to_vec();
        Authority(Issuer::new(params, key), der)
    }
}

fn followed(leaf: &Authority, chain: &[&Authority], now: i64) -> Result<(), i32> {
    let chain: Vec<_> = chain.iter().map(|each| read(&each.1).unwrap()).collect();
    follow(&read(&leaf.1).unwrap(), &chain, now)
}

#[test]
fn each_certificate_is_certified_by_the_next() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_RSA_SHA256,
        &rcgen::PKCS_ED25519,
    ] {
        let root = root("root", algorithm);
        let between = root.certify(named("between", true));
        let leaf = between.certify(named("leaf", false));
        assert_eq!(followed(&leaf, &[&between, &root], NOW), Ok(()), "{algorithm:?}");
        assert_eq!(followed(&leaf, &[&between], NOW), Ok(()), "the root is known to whoever trusts it");
        assert_eq!(followed(&leaf, &[], NOW), Ok(()));
    }
}

#[test]
fn a_chain_out_of_order_or_of_others_is_told_where() {
    let root = root("root", &rcgen::PKCS_ECDSA_P256_SHA256);
    let (one, other) = (root.certify(named("one", true)), root.certify(named("other", true)));
    let leaf = one.certify(named("leaf", false));
    assert_eq!(followed(&leaf, &[&root, &one], NOW), Err(-1));
    assert_eq!(followed(&leaf, &[&other], NOW), Err(-1));
    assert_eq!(followed(&leaf, &[&other, &root], NOW), Err(0));
    assert_eq!(followed(&leaf, &[&leaf, &one, &root], NOW), Err(0), "the leaf is not part of its chain");
}

/// The names are right and the signature is another's: what a forger would send.
#[test]
fn a_name_alone_certifies_nothing() {
    let (real, forged) = (root("root", &rcgen::PKCS_ECDSA_P256_SHA256), root("root", &rcgen::PKCS_ECDSA_P256_SHA256));
    let leaf = forged.certify(named("leaf", false));
    assert_eq!(followed(&leaf, &[&real], NOW), Err(-1));
    assert_eq!(followed(&leaf, &[&forged], NOW), Ok(()));
}

#[test]
fn only_an_authority_certifies() {
    let root = root("root", &rcgen::PKCS_ECDSA_P256_SHA256);
    let leaf = root.certify(named("leaf", false));
    let beneath = leaf.certify(named("beneath", false));
    assert_eq!(followed(&beneath, &[&leaf, &root], NOW), Err(0));
    let mut silent = named("silent", true);
    silent.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let silent = root.certify(silent);
    let beneath = silent.certify(named("beneath", false));
    assert_eq!(followed(&beneath, &[&silent, &root], NOW), Err(0));
}

#[test]
fn every_certificate_below_the_root_must_be_valid() {
    let root = root("root", &rcgen::PKCS_ECDSA_P256_SHA256);
    let mut short = named("between", true);
    short.not_after = date_time_ymd(2021, 1, 1);
    let between = root.certify(short);
    let leaf = between.certify(named("leaf", false));
    assert_eq!(followed(&leaf, &[&between, &root], NOW), Err(1));
    assert_eq!(followed(&leaf, &[&between], NOW), Err(-1));
    let early = date_time_ymd(2020, 6, 1).unix_timestamp();
    assert_eq!(followed(&leaf, &[&between, &root], early), Ok(()));
}

#[test]
fn both_ends_of_the_validity_belong_to_it() {
    let leaf = root("root", &rcgen::PKCS_ECDSA_P256_SHA256);
    let certificate = read(&leaf.1).unwrap();
    let (from, to) = (date_time_ymd(2020, 1, 1).unix_timestamp(), date_time_ymd(2030, 1, 1).unix_timestamp());
    assert_eq!(expires(&certificate), to);
    for (now, expected) in [(from - 1, Validity::NotYet), (from, Validity::Valid), (to, Validity::Valid), (to + 1, Validity::Expired)] {
        assert_eq!(Validity::of(&certificate, now), expected, "{now}");
    }
}

#[test]
fn a_text_is_one_certificate_or_several_and_nothing_else() {
    let made = root("root", &rcgen::PKCS_ECDSA_P256_SHA256);
    let pem = named("x", false).self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    assert!(one(&pem).is_some());
    assert_eq!(one(&pem.repeat(2)), None);
    assert_eq!(several(&pem.repeat(2)).unwrap().len(), 2);
    assert_eq!(several(&made.0.key().serialize_pem()), None, "a key is no certificate");
    let mut longer = made.1.clone();
    longer.push(0);
    assert!(read(&longer).is_none() && read(&made.1).is_some());
    assert!(read(&made.1[..made.1.len() - 1]).is_none());
}

/// Whatever is sent as a certificate or a chain, nothing panics, and what is read can be asked everything.
#[test]
fn fuzz_certificates() {
    let seed = root("root", &rcgen::PKCS_ECDSA_P256_SHA256).1;
    bolero::check!().with_type::<(Vec<u8>, Vec<(u16, u8)>)>().for_each(|(bytes, edits)| {
        // Random bytes are hardly ever a certificate: a real one is bent as well.
        let mut bent = seed.clone();
        for (at, byte) in edits {
            let at = usize::from(*at) % bent.len();
            bent[at] = *byte;
        }
        for der in [bytes, &bent] {
            let Some(certificate) = read(der) else { continue };
            let _ = (Validity::of(&certificate, NOW), expires(&certificate), is_signed_well(&certificate));
            let original = read(&seed).unwrap();
            let _ = follow(&certificate, &[read(der).unwrap(), original], NOW);
        }
    });
}

#[test]
fn fuzz_pem() {
    bolero::check!().with_type::<(String, Vec<u8>)>().for_each(|(text, bytes)| {
        use base64::Engine as _;
        let block = format!("-----BEGIN {text}-----\n{}\n-----END {text}-----\n", base64::prelude::BASE64_STANDARD.encode(bytes));
        for text in [text.clone(), block.clone(), format!("{block}{text}"), format!("-----BEGIN A-----{text}-----END A-----")] {
            if let Ok(blocks) = pem::blocks(&text) {
                assert!(!blocks.is_empty() && text.trim_start().starts_with("-----BEGIN "));
            }
            let _ = crate::private_keys::PrivateKey::read(&text);
        }
    });
}
