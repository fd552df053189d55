use proptest::prelude::*;

use super::*;

fn account() -> AccountId {
    "123456789012".parse().unwrap()
}

#[test]
fn the_parts_are_those_between_the_colons() {
    let arn: Arn = "arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint:a/b:c".parse().unwrap();
    assert_eq!(
        (arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()),
        ("aws-us-gov", "s3", "us-gov-west-1", "123456789012", "accesspoint:a/b:c")
    );
    assert_eq!(arn.account_id(), Some(account()));
    assert_eq!(arn.to_string(), arn.as_str());
}

#[test]
fn accounts_may_be_absent_or_words() {
    for (text, written) in
        [("arn:aws:s3:::bucket/key", ""), ("arn:aws:iam::aws:policy/ReadOnlyAccess", "aws"), ("arn:aws:iam::*:role/x", "*")]
    {
        let arn: Arn = text.parse().unwrap();
        assert_eq!((arn.account(), arn.account_id()), (written, None));
    }
}

#[test]
fn types_paths_and_names() {
    let parts = |text: &str| {
        let arn: Arn = text.parse().unwrap();
        (arn.resource_type().map(str::to_owned), arn.path().to_owned(), arn.resource_name().to_owned())
    };
    let is = |kind: Option<&str>, path: &str, name: &str| (kind.map(str::to_owned), path.to_owned(), name.to_owned());
    assert_eq!(parts("arn:aws:iam::123456789012:user/alice"), is(Some("user"), "/", "alice"));
    assert_eq!(parts("arn:aws:iam::123456789012:role/a/b/name"), is(Some("role"), "/a/b/", "name"));
    assert_eq!(parts("arn:aws:iam::123456789012:root"), is(None, "/", "root"));
    assert_eq!(parts("arn:aws:sns:us-east-1:123456789012:topic:x"), is(Some("topic"), "/", "topic:x"));
}

#[test]
fn what_aws_calls_invalid_is_refused() {
    // The first five are those that AssumeRole was seen to refuse.
    let vectors = [
        ("nothing-valid-in-here", ArnError::Prefix),
        ("arn::b:::something/test-role", ArnError::Empty("partition")),
        ("arn:a::::something/test-role", ArnError::Empty("service")),
        ("arn:a:::something/test-role", ArnError::Parts),
        ("arn:a:a::aaaaaaaaaa:", ArnError::Empty("resource")),
        ("", ArnError::Prefix),
        ("ARN:aws:iam::123456789012:root", ArnError::Prefix),
        ("arn:", ArnError::Parts),
        ("arn:aws:iam::123456789012:user/a\nb", ArnError::Control),
        ("arn:aws:iam::123456789012:user/a\u{85}b", ArnError::Control),
    ];
    for (text, why) in vectors {
        assert_eq!(text.parse::<Arn>(), Err(why), "{text}");
    }
    assert!("arn:a:b:::something/test-role".parse::<Arn>().is_ok());
}

#[test]
fn length_is_counted_in_characters() {
    let start = "arn:aws:s3:::";
    for filler in ["a", "é", "𝄞"] {
        let fits = format!("{start}{}", filler.repeat(2_048 - start.len()));
        assert_eq!(fits.parse::<Arn>().unwrap().as_str(), fits);
        assert_eq!(format!("{fits}{filler}").parse::<Arn>(), Err(ArnError::Long));
    }
    assert_eq!("arn:".repeat(1_000_000).parse::<Arn>(), Err(ArnError::Long));
}

#[test]
fn a_colon_given_inside_a_part_moves_nothing() {
    assert_eq!(Arn::new("aws", "iam", "", "123456789012:user/root-like", "x"), Err(ArnError::Colon("account")));
    assert_eq!(Arn::new("aws", "iam:x", "", "", "x"), Err(ArnError::Colon("service")));
    let arn = Arn::new("aws", "s3", "", "", format_args!("b/{}", "a:b")).unwrap();
    assert_eq!(arn.resource(), "b/a:b");
}

#[test]
fn arns_of_iam_and_sts_read_back() {
    let user = Arn::iam(account(), format_args!("user{}{}", "/a/", "bob"));
    assert_eq!(user.as_str(), "arn:aws:iam::123456789012:user/a/bob");
    let session = Arn::sts(account(), "assumed-role/r/s");
    assert_eq!(session.as_str(), "arn:aws:sts::123456789012:assumed-role/r/s");
    for arn in [user, session] {
        let read: Arn = arn.as_str().parse().unwrap();
        assert_eq!((read.colons, &read), (arn.colons, &arn));
        assert_eq!(arn.account_id(), Some(account()));
    }
}

#[test]
fn a_map_of_arns_is_asked_by_text() {
    let set: std::collections::HashSet<Arn> = [Arn::iam(account(), "root")].into();
    assert!(set.contains("arn:aws:iam::123456789012:root"));
}

#[test]
fn json_holds_the_text_and_refuses_another() {
    let arn = Arn::iam(account(), "user/é");
    let json = serde_json::to_string(&arn).unwrap();
    assert_eq!(json, "\"arn:aws:iam::123456789012:user/é\"");
    assert_eq!(serde_json::from_str::<Arn>(&json).unwrap(), arn);
    assert!(serde_json::from_str::<Arn>("\"arn:aws:iam\"").is_err());
}

#[test]
fn reading_any_bytes_never_panics_and_keeps_the_text() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        for text in [text.to_string(), format!("arn:{text}"), format!("arn:a:b:{text}")] {
            if let Ok(arn) = text.parse::<Arn>() {
                let again = Arn::new(arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()).unwrap();
                assert_eq!((again.as_str(), again.colons), (text.as_str(), arn.colons));
                let _ = (arn.resource_type(), arn.path(), arn.resource_name(), arn.account_id());
            }
            let _ = (text.parse::<AccountId>(), text.parse::<crate::UniqueId>());
            let _ = text.parse::<crate::AccessKeyId>().map(|id| id.account());
        }
    });
}

proptest! {
    #[test]
    fn an_arn_made_of_any_resource_reads_back(resource in "\\PC{0,80}|.{0,2100}") {
        let arn = Arn::iam(account(), &resource);
        let read: Arn = arn.as_str().parse().unwrap();
        prop_assert_eq!(read.colons, arn.colons);
    }
}
