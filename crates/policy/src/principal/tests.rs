use super::*;

fn of(text: &str) -> Principal {
    Principal::from_arn(text).unwrap()
}

#[test]
fn a_name_tells_what_kind_of_principal_it_is() {
    assert_eq!(of("anonymous"), Principal::Anonymous);
    assert_eq!(of("lambda.amazonaws.com"), Principal::Service { name: "lambda.amazonaws.com".into() });
    assert_eq!(of("arn:aws:iam::111122223333:root"), Principal::root("111122223333".parse().unwrap()));
    assert!(matches!(of("arn:aws:iam::111122223333:user/team/alice"), Principal::User { id: None, .. }));
    for provider in
        ["accounts.google.com", "arn:aws:iam::111122223333:saml-provider/x", "arn:aws:iam::111122223333:oidc-provider/h.example.com/p"]
    {
        assert_eq!(of(provider), Principal::Provider { provider: provider.into() });
    }
    let Principal::Session { role, service_linked, .. } = of("arn:aws-cn:sts::111122223333:assumed-role/reader/s") else {
        panic!("a session")
    };
    assert_eq!((role.as_str(), service_linked), ("arn:aws-cn:iam::111122223333:role/reader", false));
    let Principal::Session { arn, role, .. } = of("arn:aws:iam::111122223333:role/team/reader") else { panic!("a session") };
    assert_eq!(arn, role);
    let linked = of("arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX");
    assert!(matches!(linked, Principal::Session { service_linked: true, .. }));
    let Principal::Federated { by: Some(by), .. } = of("arn:aws:sts::111122223333:federated-user/alice") else {
        panic!("a federated user")
    };
    assert_eq!(by.as_str(), "arn:aws:iam::111122223333:user/alice");
}

#[test]
fn what_makes_no_requests_is_refused() {
    for text in [
        "",
        "alice",
        "*",
        "111122223333",
        "AIDAAAAAAAAAAAAAAAAA1",
        "a b.c",
        "https://x.example.com",
        "arn:aws:iam::111122223333:group/g",
        "arn:aws:iam::111122223333:policy/p",
        "arn:aws:s3:::b",
        "arn:aws:iam::aws:user/alice",
        "arn:aws:iam::111122223333:user",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:sts::111122223333:assumed-role/r",
        "arn:aws:sts::111122223333:assumed-role/r/",
        "arn:aws:sts::111122223333:assumed-role/r/s/t",
        "arn:aws:iam::111122223333:root/x",
        "arn:aws:sts::111122223333:federated-user/",
    ] {
        assert!(Principal::from_arn(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_principal_tells_its_name_and_account() {
    for text in ["anonymous", "x.amazonaws.com", "accounts.google.com"] {
        assert_eq!((of(text).name(), of(text).account(), of(text).arn()), (text, None, None));
    }
    let user = of("arn:aws:iam::012345678901:user/alice");
    assert_eq!(
        (user.name(), user.account().map(|account| account.to_string())),
        ("arn:aws:iam::012345678901:user/alice", Some("012345678901".into()))
    );
}
