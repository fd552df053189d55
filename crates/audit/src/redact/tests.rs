use super::*;

/// A secret of every kind; none may be left anywhere.
const SECRET: &str = "IQoJb3JpZ2luX2VjEJr//ab+cd==";

fn clean(given: &str) -> String {
    text(given).into_owned()
}

#[test]
fn secret_members_are_left_out_or_hidden_whatever_their_case() {
    let left_out = [
        "password",
        "NewPassword",
        "oldPassword",
        "secretAccessKey",
        "SECRETACCESSKEY",
        "sessionToken",
        "PrivateKey",
        "addPrivateKey",
        "base32StringSeed",
        "qRCodePNG",
        "AuthenticationCode1",
        "authenticationCode2",
        "tokenCode",
        "sAMLAssertion",
        "WebIdentityToken",
        "servicePassword",
        "serviceCredentialSecret",
        "signinToken",
        "tradeInToken",
    ];
    for name in left_out {
        assert_eq!(fate(name), Fate::LeaveOut, "{name}");
    }
    for name in ["clientSecret", "accessToken", "refresh_token", "deviceCode", "X-Amz-Signature", "X-Amz-Security-Token"] {
        assert_eq!(fate(name), Fate::Hide, "{name}");
    }
}

#[test]
fn a_member_that_nobody_listed_is_hidden_if_its_name_tells() {
    for name in ["masterUserPassword", "someLongNameOfAServiceThatEndsInSecretAccessKey", "sharedSecret", "caPrivateKey"] {
        assert_eq!(fate(name), Fate::Hide, "{name}");
    }
}

#[test]
fn what_is_about_a_secret_and_is_none_is_shown() {
    let shown = [
        "allowUsersToChangePassword",
        "passwordResetRequired",
        "passwordReusePrevention",
        "accessKeyId",
        "sAMLAssertionID",
        "nextToken",
        "serialNumber",
        "userName",
        "X-Amz-Credential",
        "x-amz-date",
        "publicKey",
        "",
    ];
    for name in shown {
        assert_eq!(fate(name), Fate::Keep, "{name}");
    }
}

#[test]
fn the_query_of_a_presigned_url_keeps_all_but_signature_and_token() {
    let url = "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261124%2Fus-east-1&X-Amz-Date=20261124T000000Z&X-Amz-Security-Token=IQoJ%2Fab%3D&X-Amz-Signature=0a1b&x=1";
    let kept = "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261124%2Fus-east-1&X-Amz-Date=20261124T000000Z&X-Amz-Security-Token=HIDDEN_DUE_TO_SECURITY_REASONS&X-Amz-Signature=HIDDEN_DUE_TO_SECURITY_REASONS&x=1";
    assert_eq!(clean(url), kept);
}

#[test]
fn an_encoded_name_hides_its_value_as_well() {
    for url in [
        format!("/?x%2Damz%2Dsignature={SECRET}"),
        format!("/?%58-Amz-Signature={SECRET}&a=b"),
        format!("/?X%252DAmz%252DSecurity%252DToken={SECRET}"),
        format!("/?next=https%3A%2F%2Fh%2F%3Fa%3Db%26X-Amz-Signature%3D{SECRET}%26c%3Dd"),
        format!("/?next=https%253A%252F%252Fh%252F%253FX-Amz-Security-Token%253D{SECRET}"),
        format!("/?Action=ChangePassword&OldPassword={SECRET}&NewPassword=it's,{SECRET};{SECRET}&Version=1"),
    ] {
        let clean = clean(&url);
        assert!(!clean.contains("IQoJb3"), "{clean}");
        assert!(clean.contains(HIDDEN), "{clean}");
    }
    assert!(clean("/?next=h%3FX-Amz-Signature%3Dab%26c%3Dd").ends_with("%26c%3Dd"), "the rest is shown");
}

#[test]
fn a_canonical_request_in_a_message_shows_no_token() {
    let message = format!(
        "The Canonical String for this request should have been\n'GET\n/\nAction=GetCallerIdentity&X-Amz-Security-Token={SECRET}\nhost:h\nx-amz-date:20261124T000000Z\nx-amz-security-token:{SECRET}\n\nhost;x-amz-date;x-amz-security-token\ne3b0'"
    );
    let clean = clean(&message);
    assert!(!clean.contains("IQoJ"), "{clean}");
    assert!(clean.contains("host;x-amz-date;x-amz-security-token\ne3b0'"), "{clean}");
}

#[test]
fn an_authorization_header_shows_its_credential_only() {
    let aws =
        clean("Authorization=AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0a1b2c");
    assert!(aws.contains("Credential=AKIA/20261124") && !aws.contains("0a1b2c"), "{aws}");
    let line = clean(&format!("GET\nauthorization: Bearer {SECRET}\ncookie:a={SECRET}; b=c\nhost:h"));
    assert!(!line.contains("IQoJ") && !line.contains("b=c") && line.ends_with("\nhost:h"), "{line}");
}

#[test]
fn a_secret_member_of_json_in_a_text_is_hidden_with_quotes_in_it() {
    assert_eq!(clean(r#"{"password": "a\"b c", "userName": "x"}"#), r#"{"password": "HIDDEN_DUE_TO_SECURITY_REASONS", "userName": "x"}"#);
    assert_eq!(clean(r#"{\"sessionToken\":\"abc\",\"a\":1}"#), r#"{\"sessionToken\":\"HIDDEN_DUE_TO_SECURITY_REASONS\",\"a\":1}"#);
    assert!(!clean(r#"{"clientSecret":"never closed"#).contains("never"));
}

#[test]
fn a_refused_value_of_a_secret_member_is_not_repeated() {
    let message = "2 validation errors detected: Value 'a b' at 'userName' failed to satisfy constraint: x; Value 'hunter' at 'login.newPassword' failed to satisfy constraint: y";
    let clean = clean(message);
    assert!(clean.contains("Value 'a b' at 'userName'") && !clean.contains("hunter"), "{clean}");
    let tricky = text("Value 'it's ' at 'x Value 'secret' at 'password' failed").into_owned();
    assert!(!tricky.contains("secret'"), "{tricky}");
}

#[test]
fn texts_without_secrets_are_not_touched() {
    for shown in [
        "",
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-password-AbCdEf",
        "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:ChangePassword on resource: user alice",
        r#"{"Version":"2012-10-17","Statement":[{"Condition":{"StringEquals":{"aws:RequestTag/password":"x","aws:ResourceTag/secret":["y"]}}}]}"#,
        "aws-cli/2.32.0 md/awscrt#0.1 ua/2.1 os/linux#6.18 exec-env/EC2 cfg/retry-mode#standard",
        "Value 'x' at 'path' failed to satisfy constraint",
        "https://example.com/?a=b&prefix=100%&c=%3D",
        "é=%C3%A9=ü:",
    ] {
        assert!(matches!(text(shown), Cow::Borrowed(_)) || text(shown) == shown, "{shown}: {}", text(shown));
    }
}

#[test]
fn a_hostile_text_costs_no_more_than_its_length() {
    let texts = [
        "a%3D".repeat(25_000),
        "%25".repeat(30_000) + "=x",
        "password=".repeat(10_000),
        "\"password\":\"\\".repeat(7_000),
        "Value '' at '".repeat(8_000),
    ];
    for hostile in texts {
        let begin = std::time::Instant::now();
        let clean = text(&hostile).len();
        assert!(begin.elapsed().as_secs() < 5, "{} took {:?}, {clean}", hostile.get(..20).unwrap(), begin.elapsed());
    }
}

#[test]
fn a_private_key_is_hidden_wherever_it_stands() {
    let key = "-----BEGIN EC PRIVATE KEY-----\nMIGHAgEAMBMG\nqGSM49\n-----END EC PRIVATE KEY-----\n";
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    assert_eq!(text(key), format!("{HIDDEN}\n"));
    assert_eq!(text(&format!("{certificate}{key}{certificate}")), format!("{certificate}{HIDDEN}\n{certificate}"));
    assert_eq!(text(&format!("{key}and {key}")), format!("{HIDDEN}\nand {HIDDEN}\n"));
    assert_eq!(text("x -----BEGIN PRIVATE KEY-----\nMIGHAg"), format!("x {HIDDEN}"), "one that was cut");
    assert_eq!(text("-----BEGIN ENCRYPTED PRIVATE KEY----- MIGH -----END"), HIDDEN);
    assert_eq!(text(certificate), certificate);
    assert_eq!(text("about a PRIVATE KEY-----"), "about a PRIVATE KEY-----");
    let message = format!("Value '{key}' at 'certificateBody' failed to satisfy constraint");
    assert!(!text(&message).contains("MIGH"), "{}", text(&message));
}
