//! Patterns: each class that became a table is held against what its pattern says, character by character.

use wire::{Matcher, Text, TextRules};

/// A type for each pattern of the IAM and STS models, so that all are known to compile.
macro_rules! patterns {
    ($($name:ident $pattern:literal $(, $regex:literal)?;)*) => {
        $(#[derive(Text)] #[text(pattern = $pattern $(, regex = $regex)?)] struct $name(Box<str>);)*
        const ALL: &[&TextRules] = &[$($name::RULES),*];
    };
}
patterns! {
    EntityPath r"((/[A-Za-z0-9\.,\+@=_-]+)*)/";
    Path r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)";
    Printable r"[ -~]+";
    JobId r"[:\w]+";
    Upper r"[A-Z0-9]+";
    Digits r"[\d]+";
    TagValue r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*";
    TagKey r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+";
    Description r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*";
    Document r"[\u0009\u000A\u000D\u0020-\u00FF]+";
    Latin r"[\u0020-\u00FF]+";
    SessionName r"[\w+=,.@-]*";
    Name r"[\w+=,.@-]+";
    Serial r"[\w+=/:,.@-]+";
    Word r"[\w-]*";
    Dotted r"[\w._-]+";
    Id r"[\w]+";
    Account r"\d{12}";
    Prefix r"\u002F[\u0021-\u007F]*";
    Alias r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", r"[a-z0-9]+(-[a-z0-9]+)*";
    Issuer r"^[a-zA-Z0-9:/+=,.@_-]+$";
    Thumb r"^[a-zA-Z0-9:_.-]+$";
    Url r"^http(s?)://[a-zA-Z0-9._/-]*(\?[a-zA-Z0-9._=&-]*)?(#[a-zA-Z0-9._/-]*)?$";
    Entity r"^o-[0-9a-z]{10,32}\/r-[0-9a-z]{4,32}[0-9a-z-\/]*";
    Organization r"^o-[a-z0-9]{10,32}$";
    OrganizationPolicy r"^p-[0-9a-zA-Z_]{8,128}$";
    Version r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?";
    StsArn r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+";
    ExternalId r"[\w+=,.@:\/-]*";
    FederatedName r"[\w+=,.@\:-]*";
    Spaces r"[\s]*";
    NoWords r"[\W]+";
    Amp r"[a&&b~~c]+";
}

fn takes<T: std::str::FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// Every character, and what a predicate says of it.
fn agrees<T: std::str::FromStr>(class: impl Fn(char) -> bool) {
    for c in (0..=0x0011_0000).filter_map(char::from_u32) {
        let text = c.to_string();
        assert_eq!(takes::<T>(&text), class(c), "{c:?}");
    }
}

#[test]
fn every_pattern_of_the_iam_and_sts_models_compiles() {
    for rules in ALL {
        assert!(rules.compiles(), "{}", rules.pattern);
    }
}

#[test]
fn one_repeated_class_needs_no_regular_expression() {
    let tables = ALL.iter().filter(|rules| matches!(rules.matcher, Matcher::Each { .. })).count();
    assert_eq!((tables, ALL.len()), (23, 33));
}

#[test]
fn word_digit_and_space_are_ascii() {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    agrees::<Name>(|c| word(c) || "+=,.@-".contains(c));
    agrees::<Id>(word);
    agrees::<NoWords>(|c| !word(c));
    agrees::<Digits>(|c| c.is_ascii_digit());
    agrees::<Spaces>(|c| "\t\n\x0B\x0C\r ".contains(c));
    agrees::<Word>(|c| word(c) || c == '-');
    agrees::<JobId>(|c| word(c) || c == ':');
    agrees::<ExternalId>(|c| word(c) || "+=,.@:/-".contains(c));
}

#[test]
fn ranges_of_code_points_are_those_of_the_model() {
    agrees::<Printable>(|c| (' '..='~').contains(&c));
    agrees::<Description>(|c| "\t\n\r".contains(c) || (' '..='~').contains(&c) || ('¡'..='ÿ').contains(&c));
    agrees::<Document>(|c| "\t\n\r".contains(c) || (' '..='ÿ').contains(&c));
    // Written `\u10000-\u10FFFF`: meant are all planes.
    agrees::<StsArn>(|c| {
        "\t\n\r\u{85}".contains(c) || (' '..='~').contains(&c) || (c >= '\u{A0}' && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
    });
    // No set operations.
    agrees::<Amp>(|c| "abc&~".contains(c));
}

#[test]
fn letters_marks_and_numbers_of_tags_are_unicodes() {
    for text in ["team", "équipe", "グループ", "Straße 7", "a:b/c=d+e-f@g_h.i", "\u{3000}"] {
        assert!(takes::<TagKey>(text) && takes::<TagValue>(text), "{text}");
    }
    for text in ["a#b", "a\tb", "😀", "a*", "\u{301}"] {
        assert!(!takes::<TagKey>(text) && !takes::<TagValue>(text), "{text:?}");
    }
    assert!(takes::<TagValue>("") && !takes::<TagKey>(""));
}

#[test]
fn the_whole_text_must_match() {
    assert!(takes::<Path>("/") && takes::<Path>("/a/b/") && takes::<Account>("123456789012"));
    for text in ["", "a/", "/a", "/\n", "//x", "/ a/", "/a/\n"] {
        assert!(!takes::<Path>(text), "{text:?}");
    }
    assert!(
        !takes::<Account>("1234567890123")
            && !takes::<Account>("12345678901\n")
            && !takes::<Issuer>("a\n")
            && !takes::<Organization>("o-abcdefghij\n")
    );
    assert!(takes::<Url>("https://a.b/c?d=e#f") && !takes::<Url>("ftp://a"));
    assert!(takes::<Version>("v12") && !takes::<Version>("v0") && !takes::<Version>("v1\n"));
}

#[test]
fn look_ahead_is_decided_by_the_regex_beside_the_pattern() {
    assert!(takes::<Alias>("my-company") && !takes::<Alias>("my--company") && !takes::<Alias>("-my") && !takes::<Alias>("my-"));
    assert_eq!(
        "A".parse::<Alias>().err(),
        Some(vec![r"Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$".to_owned()])
    );
}
