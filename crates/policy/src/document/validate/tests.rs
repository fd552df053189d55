use super::*;

/// What AWS would say to a statement as a policy of this kind; empty if it would save it.
fn said(kind: Kind, statement: &str) -> String {
    saved(kind, &format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
}

fn saved(kind: Kind, text: &str) -> String {
    Document::saved(text, kind).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_aws_saves_is_saved() {
    for (kind, statement) in [
        (Kind::Identity, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
        (Kind::Identity, r#"{"Sid":"","Effect":"Allow","Action":"apigatway:PUT","Resource":"arn:aws:s3:::b/*"}"#),
        (Kind::Identity, r#"{"Effect":"Deny","NotAction":["iam:*","sts:Get?"],"NotResource":["arn:aws:iam::*:role/${aws:username}"]}"#),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a*"]},"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"a:b":5},"DateGreaterThan":{"aws:CurrentTime":"2026-01-01"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"BinaryEquals":{"a:b":"QQ=="},"Null":{"a:b":"true"},"ArnLike":{"a:b":"no arn at all"}}}"#,
        ),
        (Kind::Boundary, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
        (Kind::Session, r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::x"}"#),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:user/a/b","arn:aws:sts::111122223333:assumed-role/r/s","AIDAAAAAAAAAAAAAAAAA1"]},"Action":["sts:AssumeRole","sts:TagSession"]}"#,
        ),
        (Kind::Trust, r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":{"Federated":["cognito-identity.amazonaws.com","arn:aws:iam::111122223333:saml-provider/x"]},"Action":"sts:AssumeRoleWithWebIdentity"}"#,
        ),
        (
            Kind::Resource,
            r#"{"Sid":"with spaces","Effect":"Deny","NotPrincipal":{"AWS":"111122223333","CanonicalUser":"abc"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}"#,
        ),
        (Kind::Resource, r#"{"Effect":"Allow","Principal":"*","Action":"ecr:GetImage"}"#),
        (Kind::Endpoint, r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"*","Resource":"*"}"#),
        (
            Kind::ServiceControl,
            r#"{"Effect":"Allow","NotAction":"ec2:*Run*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"x"}}}"#,
        ),
        (Kind::ResourceControl, r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}"#),
    ] {
        assert_eq!(said(kind, statement), "", "{kind:?} {statement}");
    }
    assert_eq!(saved(Kind::Identity, r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#), "");
    assert_eq!(saved(Kind::Resource, r#"{"Id":"x","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#), "");
}

#[test]
fn what_aws_refuses_is_refused_in_its_words() {
    for (kind, statement, words) in [
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#,
            "Policy document should not specify a principal.",
        ),
        (
            Kind::Session,
            r#"{"Effect":"Allow","NotPrincipal":"*","Action":"*","Resource":"*"}"#,
            "Policy document should not specify a principal.",
        ),
        (Kind::Trust, r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}"#, "Has prohibited field Resource"),
        (Kind::Trust, r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#, "Missing required field Principal"),
        (Kind::Trust, r#"{"Effect":"Deny","NotPrincipal":"*","Action":"sts:AssumeRole"}"#, "Has prohibited field NotPrincipal"),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (Kind::Trust, r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#, "AssumeRole policy may only specify STS AssumeRole actions."),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/*"},"Action":"sts:AssumeRole"}"#,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*""#,
        ),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":{"AWS":"alice"},"Action":"sts:AssumeRole"}"#,
            r#"Invalid principal in policy: "AWS":"alice""#,
        ),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":{"Service":"foo"},"Action":"sts:AssumeRole"}"#,
            r#"Invalid principal in policy: "SERVICE":"foo""#,
        ),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":{"Federated":"*"},"Action":"sts:AssumeRoleWithSAML"}"#,
            r#"Invalid principal in policy: "FEDERATED":"*""#,
        ),
        (Kind::Trust, r#"{"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"}"#, "Invalid principal in policy"),
        (Kind::Resource, r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#, "Missing required field Principal"),
        (
            Kind::Resource,
            r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#,
            "Has prohibited field NotPrincipal",
        ),
        (Kind::ServiceControl, r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#, "Has prohibited field Principal"),
        (Kind::ServiceControl, r#"{"Effect":"Deny","NotPrincipal":"*","Action":"*","Resource":"*"}"#, "Has prohibited field NotPrincipal"),
        (Kind::ResourceControl, r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#, "Syntax errors in policy."),
        (Kind::ResourceControl, r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#, "Syntax errors in policy."),
        (Kind::ResourceControl, r#"{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}"#, "Has prohibited field NotAction"),
        (
            Kind::ResourceControl,
            r#"{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}"#,
            "Invalid principal in policy",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"GetObject","Resource":"*"}"#,
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (Kind::Identity, r#"{"Effect":"Allow","Action":"s3:Get:Object","Resource":"*"}"#, "Actions/Condition can contain only one colon."),
        (Kind::Identity, r#"{"Effect":"Allow","Action":"*:GetObject","Resource":"*"}"#, "Vendor * is not valid"),
        (Kind::ServiceControl, r#"{"Effect":"Allow","Action":"s3:GetObject ","Resource":"*"}"#, "The policy failed legacy parsing"),
        (Kind::Identity, r#"{"Effect":"Allow","Action":"s3:","Resource":"*"}"#, "The policy failed legacy parsing"),
        (Kind::Identity, r#"{"Effect":"Allow","Action":"s3:*"}"#, "Policy statement must contain resources."),
        (Kind::Identity, r#"{"Effect":"Allow","Action":"s3:*","Resource":[]}"#, "Policy statement must contain resources."),
        (Kind::Identity, r#"{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}"#, r#"Resource bucket must be in ARN format or "*"."#),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws"}"#,
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:awz:s3:::b"}"#,
            r#"Partition "awz" is not valid for resource "arn:awz:s3:::b"."#,
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam:us-east-1:111122223333:user/a"}"#,
            "IAM resource arn:aws:iam:us-east-1:111122223333:user/a cannot contain region information.",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username"}"#,
            "The policy failed legacy parsing",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a:b":"c"}}}"#,
            "Syntax errors in policy.",
        ),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringIs":{"a:b":"c"}}}"#,
            "Invalid Condition type : StringIs.",
        ),
        (
            Kind::Trust,
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:TagSessions"}"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericEquals":{"a:b":"many"}}}"#,
            "The policy failed legacy parsing",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"a:b":"yes"}}}"#,
            "The policy failed legacy parsing",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"a:b":"10.0.0.0/40"}}}"#,
            "The policy failed legacy parsing",
        ),
        (
            Kind::Identity,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateEquals":{"a:b":"soon"}}}"#,
            "The policy failed legacy parsing",
        ),
        (
            Kind::Identity,
            r#"{"Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ),
        (
            Kind::Identity,
            r#"{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            "Statement IDs (SID) in a single policy must be unique.",
        ),
    ] {
        assert_eq!(said(kind, statement), words, "{kind:?} {statement}");
    }
    assert_eq!(saved(Kind::Identity, r#"{"Statement":[]}"#), "Syntax errors in policy.");
    let named = r#"{"Id":"x","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    assert_eq!(saved(Kind::ServiceControl, named), "Has prohibited field Id");
    assert_eq!(saved(Kind::Identity, named), "");
    assert_eq!(
        saved(Kind::Identity, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::日\"}}"),
        "Syntax errors in policy."
    );
}

#[test]
fn what_is_refused_has_its_place() {
    let text = "{\"Version\":\"2012-10-17\",\n\"Statement\":[{\"Effect\":\"Allow\",\n\"Action\":[\"s3:*\",\"oops\"],\"Resource\":\"*\"}]}";
    assert_eq!(Document::saved(text, Kind::Identity).unwrap_err().place(), Place { line: 3, column: 18 });
    assert_eq!(Document::saved("{\"Statement\":\n \"\u{3a9}\"}", Kind::Identity).unwrap_err().place(), Place { line: 2, column: 2 });
}

#[test]
fn every_empty_sid_is_taken() {
    let statement = r#"{"Sid":"","Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    assert_eq!(said(Kind::Identity, &format!("{statement},{statement}")), "");
}

#[test]
fn a_managed_policy_says_the_new_version() {
    let managed = |version: &str| {
        let text = format!(r#"{{{version}"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}}"#);
        Document::saved_as_managed(&text).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(managed(r#""Version":"2012-10-17","#), "");
    assert_eq!(managed(r#""Version":"2008-10-17","#), "Policy document must be version 2012-10-17 or greater.");
    assert_eq!(managed(""), "Policy document must be version 2012-10-17 or greater.");
}

/// Each line has the fault that it is named by, and all that come after it in this list.
#[test]
fn of_several_faults_the_one_is_told_that_aws_looks_for_first() {
    let faults = [
        (r#""Sid":"a","Effect":"allow","Resource":"arn:awz:s3:::b","Extra":1"#, "Syntax errors in policy."),
        (r#""Sid":"a","Effect":"allow","Resource":"arn:awz:s3:::b""#, "The policy failed legacy parsing"),
        (r#""Sid":"a","Effect":"Allow","Resource":"arn:aws:s3::b""#, "The policy failed legacy parsing"),
        (r#""Sid":"a","Effect":"Allow","Resource":"arn:awz:s3:::b""#, "Statement IDs (SID) in a single policy must be unique."),
        (r#""Effect":"Allow","Resource":"arn:awz:s3:::b""#, "Policy statement must contain actions."),
        (r#""Effect":"Allow","Action":"oops""#, "Policy statement must contain resources."),
        (
            r#""Effect":"Allow","Action":"oops","Resource":"arn:awz:s3:::b""#,
            r#"Partition "awz" is not valid for resource "arn:awz:s3:::b"."#,
        ),
    ];
    for (members, words) in faults {
        let first = r#"{"Sid":"a","Effect":"Allow","Action":"oops","Resource":"oops"}"#;
        let first = if words.contains("SID") { first } else { r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"# };
        assert_eq!(said(Kind::Identity, &format!("{first},{{{members}}}")), words, "{members}");
    }
}

#[test]
fn resources_of_permissions_are_held_to_what_arns_are() {
    let said = |resource: &str| said(Kind::Identity, &format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}"#));
    for taken in
        ["arn:aws:s33:::b", "arn:aws:lambda", "arn:aws:ec2:*", "arn:aws:s3:us-west-2:111122223333:accesspoint/a", "arn:aws:iam::*:root"]
    {
        assert_eq!(said(taken), "", "{taken}");
    }
    for (resource, words) in [
        ("a:bc", r#"Partition "bc" is not valid for resource "arn:bc:*:*:*:*"."#),
        ("aws:s3:::b", r#"Partition "s3" is not valid for resource "arn:s3:::b:*"."#),
        ("a:b:c:d:e:f:g:h", r#"Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h"."#),
        ("arn:aws-cn:s3:::b", r#"Partition "aws-cn" is not valid for resource "arn:aws-cn:s3:::b"."#),
        ("arn:aws:s3*:::b", "Resource vendor must be fully qualified and cannot contain regexes."),
        ("arn:aws::b", "The policy failed legacy parsing"),
        ("arn:aws::::b", "The policy failed legacy parsing"),
        ("arn:aws:s3:us-east-1::b", "Resource arn:aws:s3:us-east-1::b can not contain region information."),
        (
            "arn:aws:iam:::b",
            "IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.",
        ),
    ] {
        assert_eq!(said(resource), words, "{resource}");
    }
}

#[test]
fn dates_are_saved_that_make_little_sense() {
    let said = |date: &str| {
        let condition = format!(r#"{{"DateLessThan":{{"a":"{date}"}}}}"#);
        said(Kind::Identity, &format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#))
    };
    for taken in ["2019-07-01T13:20:15Z", "2016-12-13t2:00:00.5+23", "2016-12-13T21:20:37.593194+00:00", "01T", "-292275054", "0"] {
        assert_eq!(said(taken), "", "{taken}");
    }
    for refused in ["soon", "234-13", "2016-12-13t2:00:00.5+1", "2016-12-13t2:00:00.1999999999+10:59", "9223372036854775808", "2016-1-1-1"]
    {
        assert_eq!(said(refused), "The policy failed legacy parsing", "{refused}");
    }
}

#[test]
fn an_operator_that_nobody_knows_is_taken_only_without_keys() {
    let said =
        |condition: &str| said(Kind::Identity, &format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#));
    assert_eq!(said(r#"{"x":{},"y":{}}"#), "");
    assert_eq!(said(r#"{"x":{"a":"1"}}"#), "Syntax errors in policy.");
    assert_eq!(said(r#"{"ForAnyValue::StringEquals":{"a":"1"}}"#), "Syntax errors in policy.");
}

#[test]
fn action_names_are_free_and_vendors_are_not() {
    let said = |action: &str| said(Kind::Identity, &format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#));
    for taken in ["iam: a b ", "s3.s:ListBucket", "s3-s:ListBucket"] {
        assert_eq!(said(taken), "", "{taken}");
    }
    assert_eq!(said("a a:ListBucket"), "Vendor a a is not valid");
    assert_eq!(said(""), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
}
