use serde_json::{Value, json};

use super::*;
use crate::identity::{Attributes, Issuer, WebIdentity};

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

fn alice() -> UserIdentity<'static> {
    UserIdentity::IamUser {
        id: "AIDAEXAMPLEEXAMPLEEXA",
        arn: ALICE,
        account: account(),
        access_key_id: Some("AKIARZPUZDIKGB2VALC4"),
        name: "alice",
        session: None,
        invoked_by: None,
    }
}

fn call(identity: UserIdentity<'static>) -> Event<'static> {
    Event {
        identity,
        at: 1_795_517_940,
        source: "sts.amazonaws.com",
        name: "GetCallerIdentity",
        region: "us-east-1",
        source_address: "203.0.113.9",
        user_agent: Some("aws-cli/2.32.0"),
        error: None,
        request: None,
        response: None,
        additional: &[],
        recorded: None,
        request_id: "01234567-89ab-4def-8123-456789abcdef",
        event_id: EventId::from_entropy([0xa5; 16]),
        read_only: true,
        resources: &[],
        event_type: EventType::ApiCall,
        recipient: Some(account()),
        shared_id: None,
        tls: None,
    }
}

fn read(event: &Event<'_>) -> Value {
    serde_json::from_slice(&event.line()).unwrap()
}

#[test]
fn a_plain_call_is_written_as_cloudtrail_writes_it() {
    let expected = concat!(
        r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEEXAMPLEEXA","#,
        r#""arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIARZPUZDIKGB2VALC4","userName":"alice"},"#,
        r#""eventTime":"2026-11-24T10:59:00Z","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","awsRegion":"us-east-1","#,
        r#""sourceIPAddress":"203.0.113.9","userAgent":"aws-cli/2.32.0","requestParameters":null,"responseElements":null,"#,
        r#""requestID":"01234567-89ab-4def-8123-456789abcdef","eventID":"a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5","readOnly":true,"#,
        r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#
    );
    assert_eq!(call(alice()).text(), expected);
}

#[test]
fn a_call_with_everything_has_every_element() {
    let request = |object: &mut Object<'_>| {
        object.member("UserName").text("bob");
        object.member("Tags").list(|tags| {
            tags.item().object(|tag| {
                tag.member("Key").text("team");
                tag.member("Value").text("blue \"b\"");
            });
        });
    };
    let response = |object: &mut Object<'_>| object.member("User").object(|user| user.member("CreateDate").time(1_405_699_629));
    let recorded = Recorded { revision: 7, outcome: "Allowed".into(), because: "identity".into(), ..Recorded::default() };
    let event = Event {
        source: "iam.amazonaws.com",
        name: "CreateUser",
        error: Some(("EntityAlreadyExists", "User with name bob already exists.")),
        request: Some(&request),
        response: Some(&response),
        additional: &[("MFAUsed", "No")],
        recorded: Some(&recorded),
        read_only: false,
        resources: &[
            Resource { arn: ALICE, account: Some(account()), kind: Some("AWS::IAM::User") },
            Resource { arn: "*", account: None, kind: None },
        ],
        event_type: EventType::ServiceEvent,
        shared_id: Some(EventId::from_entropy([0; 16])),
        tls: Some(Tls { version: "TLSv1.3", cipher_suite: "TLS_AES_128_GCM_SHA256", host: "iam.example.com" }),
        ..call(alice())
    };
    let read = read(&event);
    assert_eq!(read["errorCode"], "EntityAlreadyExists");
    assert_eq!(read["errorMessage"], "User with name bob already exists.");
    assert_eq!(read["requestParameters"], json!({"userName": "bob", "tags": [{"key": "team", "value": "blue \"b\""}]}));
    assert_eq!(read["responseElements"], json!({"user": {"createDate": "Jul 18, 2014, 4:07:09 PM"}}));
    assert_eq!(
        read["additionalEventData"],
        json!({"MFAUsed": "No", "bailiwick": {"revision": 7, "outcome": "Allowed", "because": "identity"}})
    );
    assert_eq!(read["resources"], json!([{"ARN": ALICE, "accountId": "111122223333", "type": "AWS::IAM::User"}, {"ARN": "*"}]));
    assert_eq!(read["readOnly"], false);
    assert_eq!(read["eventType"], "AwsServiceEvent");
    assert_eq!(read["sharedEventID"], "00000000-0000-4000-8000-000000000000");
    assert_eq!(
        read["tlsDetails"],
        json!({"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "iam.example.com"})
    );
}

#[test]
fn every_kind_of_caller_has_cloudtrails_members() {
    let key = Some("ASIARZPUZDIKGB2VALC4");
    let attributes = Attributes { issued_at: 1_795_517_940, mfa: true, assumed_root: false, delegate: None };
    let shown = json!({"creationDate": "2026-11-24T10:59:00Z", "mfaAuthenticated": "true"});
    let root_arn = "arn:aws:iam::111122223333:root";
    let session_arn = "arn:aws:sts::111122223333:assumed-role/deploy/ci";
    let role_arn = "arn:aws:iam::111122223333:role/teams/deploy";
    let role = Issuer::Role { id: "AROAEXAMPLE", arn: role_arn, account: account(), name: "deploy" };
    let role_shown =
        json!({"type": "Role", "principalId": "AROAEXAMPLE", "arn": role_arn, "accountId": "111122223333", "userName": "deploy"});
    let user = Issuer::IamUser { id: "AIDAEXAMPLE", arn: ALICE, account: account(), name: "alice" };
    let user_shown =
        json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": ALICE, "accountId": "111122223333", "userName": "alice"});
    let federated_arn = "arn:aws:sts::111122223333:federated-user/bob";
    let federated = |issuer| UserIdentity::FederatedUser {
        name: "bob",
        arn: federated_arn,
        account: account(),
        access_key_id: key,
        issuer,
        attributes,
        invoked_by: None,
    };
    let federated_shown = |issuer: Value| {
        json!({"type": "FederatedUser", "principalId": "111122223333:bob", "arn": federated_arn, "accountId": "111122223333",
            "accessKeyId": key, "sessionContext": {"sessionIssuer": issuer, "attributes": shown}})
    };
    let assumed = |source_identity, web_identity, invoked_by| UserIdentity::AssumedRole {
        role_id: "AROAEXAMPLE",
        session_name: "ci",
        arn: session_arn,
        account: account(),
        access_key_id: key,
        issuer: role,
        attributes,
        source_identity,
        web_identity,
        invoked_by,
    };
    let cases = [
        (
            UserIdentity::Root { account: account(), access_key_id: None, alias: None, session: None, invoked_by: None },
            json!({"type": "Root", "principalId": "111122223333", "arn": root_arn, "accountId": "111122223333"}),
        ),
        (
            UserIdentity::Root {
                account: account(),
                access_key_id: key,
                alias: Some("acme"),
                session: Some(attributes),
                invoked_by: Some("thumbs.example.internal"),
            },
            json!({"type": "Root", "principalId": "111122223333", "arn": root_arn, "accountId": "111122223333", "accessKeyId": key,
                "userName": "acme", "sessionContext": {"attributes": shown}, "invokedBy": "thumbs.example.internal"}),
        ),
        (
            UserIdentity::IamUser {
                id: "AIDAEXAMPLE",
                arn: ALICE,
                account: account(),
                access_key_id: key,
                name: "alice",
                session: Some(attributes),
                invoked_by: Some("thumbs.example.internal"),
            },
            json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": ALICE, "accountId": "111122223333", "accessKeyId": key,
                "userName": "alice", "sessionContext": {"attributes": shown}, "invokedBy": "thumbs.example.internal"}),
        ),
        (
            assumed(None, None, None),
            json!({"type": "AssumedRole", "principalId": "AROAEXAMPLE:ci", "arn": session_arn, "accountId": "111122223333", "accessKeyId": key,
                "sessionContext": {"sessionIssuer": role_shown, "attributes": shown}}),
        ),
        (
            assumed(
                Some("alice"),
                Some(WebIdentity { provider: "idp", attributes: &[("aud", "x"), ("sub", "y")] }),
                Some("ec2.amazonaws.com"),
            ),
            json!({"type": "AssumedRole", "principalId": "AROAEXAMPLE:ci", "arn": session_arn, "accountId": "111122223333", "accessKeyId": key,
                "sessionContext": {"sessionIssuer": role_shown, "attributes": shown, "sourceIdentity": "alice",
                    "webIdFederationData": {"federatedProvider": "idp", "attributes": {"aud": "x", "sub": "y"}}},
                "invokedBy": "ec2.amazonaws.com"}),
        ),
        (federated(user), federated_shown(user_shown)),
        (
            federated(Issuer::Root { account: account() }),
            federated_shown(json!({"type": "Root", "principalId": "111122223333", "arn": root_arn, "accountId": "111122223333"})),
        ),
        (
            UserIdentity::SamlUser { subject: "bob", name_qualifier: "q" },
            json!({"type": "SAMLUser", "principalId": "q:bob", "userName": "bob", "identityProvider": "q"}),
        ),
        (
            UserIdentity::WebIdentityUser { provider: "idp", audience: "app", subject: "bob" },
            json!({"type": "WebIdentityUser", "principalId": "idp:app:bob", "userName": "bob", "identityProvider": "idp"}),
        ),
        (
            UserIdentity::AwsAccount { principal_id: "AIDAEXAMPLE", account: account() },
            json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "111122223333"}),
        ),
        (UserIdentity::AwsService { invoked_by: "ec2.amazonaws.com" }, json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"})),
        (UserIdentity::Unknown { account: None, access_key_id: None }, json!({"type": "Unknown"})),
        (
            UserIdentity::Unknown { account: Some(account()), access_key_id: key },
            json!({"type": "Unknown", "accountId": "111122223333", "accessKeyId": key}),
        ),
    ];
    for (identity, expected) in cases {
        assert_eq!(read(&call(identity))["userIdentity"], expected);
    }
}

#[test]
fn no_secret_of_a_request_or_of_an_answer_is_written() {
    let secret = "hunter2/abc+d==";
    let request = |object: &mut Object<'_>| {
        for name in ["Password", "NewPassword", "OldPassword", "WebIdentityToken", "SAMLAssertion", "TokenCode", "PrivateKey"] {
            object.member(name).text(secret);
        }
        object.member("ClientSecret").text(secret);
        object.member("AuthenticationCode1").number(123_456);
        object.member("Uri").text(&format!("/b?X-Amz-Signature={secret}&x=1"));
        object.member("Context").object(|map| map.entry("password").text(secret));
    };
    let response = |object: &mut Object<'_>| {
        object.member("Credentials").object(|credentials| {
            credentials.member("AccessKeyId").text("ASIARZPUZDIKGB2VALC4");
            credentials.member("SecretAccessKey").text(secret);
            credentials.member("SessionToken").object(|odd| odd.member("Inside").text(secret));
        });
        object.member("VirtualMFADevice").object(|device| device.member("Base32StringSeed").list(|list| list.item().text(secret)));
    };
    let message = format!("Value '{secret}' at 'password' failed; 'GET /?X-Amz-Security-Token={secret}'");
    let agent = format!("curl/8 sessionToken={secret}");
    let mut recorded = Recorded::default();
    recorded.keys.one("aws:Referer", format!("https://h/?X-Amz-Security-Token={secret}&a=b"));
    let event = Event {
        request: Some(&request),
        response: Some(&response),
        error: Some(("ValidationError", &message)),
        user_agent: Some(&agent),
        additional: &[("RedirectTo", "https://h/?SigninToken=hunter2/abc+d==")],
        recorded: Some(&recorded),
        ..call(alice())
    };
    let text = event.text();
    assert!(!text.contains("hunter2") && !text.contains("123456,") && !text.contains("sessionToken\":"), "{text}");
    let read = read(&event);
    assert_eq!(
        read["requestParameters"],
        json!({"clientSecret": redact::HIDDEN, "uri": format!("/b?X-Amz-Signature={}&x=1", redact::HIDDEN), "context": {}})
    );
    assert_eq!(read["responseElements"], json!({"credentials": {"accessKeyId": "ASIARZPUZDIKGB2VALC4"}, "virtualMFADevice": {}}));
    assert_eq!(
        read["additionalEventData"]["bailiwick"]["keys"]["aws:Referer"],
        format!("https://h/?X-Amz-Security-Token={}&a=b", redact::HIDDEN)
    );
}

#[test]
fn what_a_client_says_of_itself_is_bounded_and_stays_on_its_line() {
    let agent = "ü\u{1b}]0;owned\u{7}\n{\"eventID\":\"forged\"}".repeat(1_000);
    let big = "x".repeat(600_000);
    let request = |object: &mut Object<'_>| {
        object.member("UserName").text("alice");
        object.member("PolicyDocument").text(&big);
        object.member("Last").text("left out");
    };
    let event = Event {
        user_agent: Some(&agent),
        name: &big,
        region: &agent,
        resources: &[Resource { arn: &big, account: None, kind: None }],
        error: Some(("ValidationError", &big)),
        request: Some(&request),
        tls: Some(Tls { version: "TLSv1.3", cipher_suite: "x", host: &big }),
        ..call(alice())
    };
    let unknown = Event { identity: UserIdentity::Unknown { account: None, access_key_id: Some(&big) }, ..call(alice()) };
    assert!(unknown.line().len() < 4_000);
    let line = event.line();
    assert!(line.len() < 300_000, "{}", line.len());
    assert!(line.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f), "nothing that a terminal or a reader of lines would obey");
    let read = read(&event);
    assert!(agent.starts_with(read["userAgent"].as_str().unwrap()) && read["userAgent"].as_str().unwrap().len() > 1_000);
    assert_eq!(read["requestParameters"]["userName"], "alice");
    assert_eq!(read["additionalEventData"], json!({"requestParametersTruncated": true}));
}

#[test]
fn an_event_id_is_a_random_uuid() {
    let id = EventId::from_entropy([0xff; 16]).to_string();
    assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}
