use super::*;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

/// 2026-01-01.
const NOW: i64 = 1_767_225_600;

fn certificate(name: &str, until: i32) -> Vec<u8> {
    let mut made = CertificateParams::new(vec![]).unwrap();
    made.distinguished_name.push(DnType::CommonName, name);
    (made.not_before, made.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    made.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn key(attributes: &str, der: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(der);
    let (first, rest) = encoded.split_at(64);
    format!(
        "<md:KeyDescriptor{attributes}><ds:KeyInfo xmlns:ds=\"{SIGNATURE}\"><ds:X509Data><ds:X509Certificate>\n{first}\n{rest}\n\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
}

fn document(attributes: &str, keys: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<md:EntityDescriptor xmlns:md=\"{METADATA}\" entityID=\"https://idp.example.com/a?b=1&amp;c=2\"{attributes}>\
         <!-- made by hand --><md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.example.com/sso\"/>\
         </md:IDPSSODescriptor><md:Organization><md:OrganizationName xml:lang=\"en\">A &amp; B</md:OrganizationName></md:Organization>\
         </md:EntityDescriptor>\n"
    )
}

#[test]
fn a_document_tells_issuer_end_and_signing_certificates() {
    let (signing, both, encrypting) = (certificate("signing", 2030), certificate("both", 2021), certificate("encrypting", 2030));
    let keys = [key(" use=\"signing\"", &signing), key("", &both), key(" use=\"encryption\"", &encrypting), key("", &signing)].concat();
    let read = Metadata::read(&document(" validUntil=\"2027-01-01T00:00:00Z\"", &keys), NOW).unwrap();
    assert_eq!(
        read,
        Metadata {
            issuer: "https://idp.example.com/a?b=1&c=2".into(),
            valid_until: Some(date_time_ymd(2027, 1, 1).unix_timestamp()),
            certificates: vec![signing, both],
        }
    );
    assert_eq!(Metadata::read(&document("", &keys), NOW).unwrap().valid_until, None);
}

#[test]
fn prefixes_are_whatever_the_document_says() {
    let text = document("", &key("", &certificate("x", 2030)));
    let text = text.replace("<md:", "<").replace("</md:", "</").replace("xmlns:md=", "xmlns=");
    assert!(Metadata::read(&text, NOW).is_ok());
    let foreign = text.replace(METADATA, "urn:example:other");
    assert_eq!(Metadata::read(&foreign, NOW), Err(Unusable::Unreadable));
}

#[test]
fn what_has_no_use_any_more_is_refused() {
    let (old, new) = (key("", &certificate("old", 2021)), key("", &certificate("new", 2030)));
    assert_eq!(Metadata::read(&document("", &old), NOW), Err(Unusable::NoKey));
    assert!(Metadata::read(&document("", &[old, new.clone()].concat()), NOW).is_ok());
    assert_eq!(Metadata::read(&document("", ""), NOW), Err(Unusable::NoKey));
    assert_eq!(
        Metadata::read(
            &document(
                "",
                &new.replace("KeyDescriptor", "KeyDescriptor use=\"encryption\"")
                    .replace("</md:KeyDescriptor use=\"encryption\"", "</md:KeyDescriptor")
            ),
            NOW
        ),
        Err(Unusable::NoKey)
    );
    assert_eq!(Metadata::read(&document(" validUntil=\"2025-12-31T23:59:59Z\"", &new), NOW), Err(Unusable::Expired));
    assert!(Metadata::read(&document(" validUntil=\"2026-01-01T00:00:01\"", &new), NOW).is_ok(), "without a zone it is UTC's");
    assert_eq!(Metadata::read(&document(" validUntil=\"soon\"", &new), NOW), Err(Unusable::Unreadable));
    let many: String = (0..=KEYS).map(|nth| key("", &certificate(&nth.to_string(), 2030))).collect();
    assert_eq!(Metadata::read(&document("", &many), NOW), Err(Unusable::TooManyKeys));
}

/// A document type can declare entities: "billion laughs", and files of the server.
#[test]
fn a_document_type_or_an_entity_of_ones_own_is_refused() {
    let good = document("", &key("", &certificate("x", 2030)));
    let declared = "<!DOCTYPE md [<!ENTITY lol \"lol\"><!ENTITY file SYSTEM \"file:///etc/passwd\">]>";
    for bad in [
        good.replacen("\n<md:", &format!("\n{declared}<md:"), 1),
        good.replacen("\n<md:", "\n<?php x?><md:", 1),
        good.replacen("idp.example.com/a", "&lol;", 1),
        good.replacen("X509Certificate>\n", "X509Certificate>&amp;\n", 1),
        good.replacen("X509Certificate>\n", "X509Certificate><b/>\n", 1),
    ] {
        assert_eq!(Metadata::read(&bad, NOW), Err(Unusable::Unreadable), "{bad}");
    }
}

#[test]
fn what_is_no_metadata_of_an_identity_provider_is_refused() {
    let good = document("", &key("", &certificate("x", 2030)));
    for bad in [
        String::new(),
        "x".repeat(1_000),
        good.replace("</md:EntityDescriptor>", ""),
        good.replace("IDPSSODescriptor", "SPSSODescriptor"),
        good.replace(" entityID=", " entity="),
        good.replace("https://idp.example.com/a?b=1&amp;c=2", ""),
        good.replace("entityID=", "entityID=\"other\" entityID="),
        good.replace("md:EntityDescriptor", "md:EntitiesDescriptor"),
        format!("{good}<x/>"),
        format!("{good}text"),
        good.replace("xmlns:ds=", "xmlns:other="),
        good.replace("X509Certificate>\nMII", "X509Certificate>\nNII"),
    ] {
        assert_eq!(Metadata::read(&bad, NOW), Err(Unusable::Unreadable), "{}", bad.chars().take(120).collect::<String>());
    }
}

#[test]
fn attributes_and_depth_have_bounds() {
    let attributes = |count: usize| (0..count).map(|nth| format!(" a{nth}=\"\"")).collect::<String>();
    let keys = key("", &certificate("x", 2030));
    assert!(Metadata::read(&document(&attributes(60), &keys), NOW).is_ok());
    assert_eq!(Metadata::read(&document(&attributes(63), &keys), NOW), Err(Unusable::Unreadable));
    let nested = |deep: usize| format!("{}{}{keys}", "<x>".repeat(deep), "</x>".repeat(deep));
    assert!(Metadata::read(&document("", &nested(DEPTH - 2)), NOW).is_ok());
    assert_eq!(Metadata::read(&document("", &nested(DEPTH - 1)), NOW), Err(Unusable::Unreadable));
    assert_eq!(Metadata::read(&document("", &format!("{}{keys}", "<x/>".repeat(ELEMENTS))), NOW), Err(Unusable::Unreadable));
}

#[test]
fn fuzz_saml_metadata() {
    let good = document("", &key("", &certificate("x", 2030)));
    bolero::check!().with_type::<(String, u16, u8)>().for_each(|(text, at, length)| {
        let at = usize::from(*at) % good.len();
        let (before, after) = (good.get(..at).unwrap(), good.get(at + usize::from(*length)..).unwrap_or_default());
        let bent = format!("{before}{text}{after}");
        for text in [text, &bent] {
            if let Ok(metadata) = Metadata::read(text, NOW) {
                assert!(!metadata.issuer.is_empty() && (1..=KEYS).contains(&metadata.certificates.len()));
            }
        }
    });
}
