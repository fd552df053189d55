//! A request with every member that an operation has, each with a value that AWS takes.

use crate::node::Walked;
use wire::{Kind, Member};

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
const TRUST: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A key that nobody has the other half of.
pub const SSH_KEY: &str = concat!(
    "ssh-rsa ",
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQDDm8ju1gvKawFLDo+xA23PTNcJgcwRH/mZezPDEY7QcKHoeZPJYeUta9Z1BbwtAOmaM61w",
    "bJOWHbVfLMzdwPyxd3ukddDxbI+VYXA/9+MA2z2Rdr1a8xjUqRXF+swsjR0uoRQ7maKsRAos6p9LCWtkCfZrtUL//pwh8uw7qJLY",
    "kjzIirr0XzujxNrQ4y7xH7eww/NUlZog+nZKvZe3DjJXHMt96m+9CC3c9VDYyZZ2yNndMYLGUWwODELoqJuLqv5xiG1CY4q2yLSt",
    "zMMf16YBzpQx8PkXntBtKZTgOdhE4nFAUh5WNv7mdv5uORuzLxwN0etFC6p2T4k3APOt/Q1N",
);

/// The parameters of a request with all of these members.
pub fn parameters(members: &'static [Member], walked: &Walked) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for field in Member::flat(members) {
        // A page begins where it begins.
        if field.name != "Marker" {
            fill(field.name, field.name, &field.kind, walked, &mut all);
        }
    }
    all
}

fn fill(at: &str, name: &str, kind: &'static Kind, walked: &Walked, all: &mut Vec<(String, String)>) {
    let value = match kind {
        Kind::Struct(_, members) => {
            // A policy that is left out is named in one of three ways.
            let fields = Member::flat(members).into_iter().take(if name == "PolicyExclusionList" { 1 } else { usize::MAX });
            return fields.for_each(|field| fill(&format!("{at}.{}", field.name), field.name, &field.kind, walked, all));
        }
        Kind::List(inner) => return fill(&format!("{at}.member.1"), name, inner, walked, all),
        Kind::Entries(inner) => {
            all.push((format!("{at}.entry.1.key"), "Walk/Walk".into()));
            return fill(&format!("{at}.entry.1.value"), name, inner, walked, all);
        }
        Kind::Blob | Kind::Decimal | Kind::Nothing => panic!("no input of IAM has one: {at}"),
        Kind::Bool => "true".into(),
        Kind::Number { min, max } => (*min.max(&1)).min(*max).to_string(),
        Kind::Time => "2026-01-02T03:04:05Z".into(),
        Kind::Choice(choices) => choices[0].into(),
        Kind::Text(_) => text(name, walked),
    };
    all.push((at.into(), value));
}

fn text(name: &str, walked: &Walked) -> String {
    let own = |resource: &str| format!("arn:aws:iam::{}:{resource}/walk", walked.account);
    match name {
        "AssumeRolePolicyDocument" => TRUST.into(),
        "PolicyDocument"
        | "PolicyInputList"
        | "PermissionsBoundaryPolicyInputList"
        | "ServiceControlPolicyInputList"
        | "ResourcePolicy" => DOCUMENT.into(),
        "PolicyArn" | "PermissionsBoundary" => own("policy"),
        "PolicySourceArn" | "CallerArn" | "Arn" => own("user"),
        "EntityPath" => "o-walkwalkwa/r-walk".into(),
        "OrganizationsPolicyId" => "p-walkwalk".into(),
        "JobId" => "walkwalk-walk-walk-walk-walkwalkwalk".into(),
        "ServiceNamespaces" | "ServiceNamespace" => "s3".into(),
        "SerialNumber" => own("mfa"),
        "AuthenticationCode1" | "AuthenticationCode2" => "123456".into(),
        "OpenIDConnectProviderArn" => format!("arn:aws:iam::{}:oidc-provider/walk.example.com", walked.account),
        "SAMLProviderArn" => own("saml-provider"),
        "Url" => "https://walk.example.com".into(),
        "ThumbprintList" => "a".repeat(40),
        "SAMLMetadataDocument" => "x".repeat(1_000),
        "RemovePrivateKey" => "A".repeat(32),
        "DelegationRequestId" => "walk-walk-walk-walk".into(),
        "Name" => "walk-walk".into(),
        "EntityArn" => format!("arn:aws:iam::{}:delegation-request/walk-walk-walk-walk", walked.account),
        "OwnerAccountId" => walked.account.to_string(),
        "OwnerId" => own("user"),
        "PolicyTemplateArn" | "TemplateArn" => "arn:aws:iam::aws:role-template/walk".into(),
        "RequestorWorkflowId" => "walk-walk".into(),
        "NotificationChannel" => "arn:aws:sns:us-east-1:111122223333:walk".into(),
        "RedirectUrl" => "https://example.com/walk".into(),
        "ResourceOwner" => walked.account.to_string(),
        "ResourceArns" => "arn:aws:s3:::bucket".into(),
        "ResourceHandlingOption" => "EC2-VPC-EBS".into(),
        "ActionNames" => "s3:GetObject".into(),
        "ContextKeyName" => "aws:SourceIp".into(),
        "Path" | "PathPrefix" | "NewPath" => "/".into(),
        "CertificateId" => "WALKWALKWALKWALKWALKWALK".into(),
        "VersionId" => "v1".into(),
        "AWSServiceName" => "autoscaling.amazonaws.com".into(),
        "DeletionTaskId" => "task/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling/walk".into(),
        "AccessKeyId" => walked.key.clone(),
        "ServiceSpecificCredentialId" => walked.credential.clone(),
        "SSHPublicKeyId" => walked.ssh_key.clone(),
        "SSHPublicKeyBody" => SSH_KEY.into(),
        "ServiceName" => "codecommit.amazonaws.com".into(),
        "Password" | "OldPassword" | "NewPassword" => "Walking-Passw0rd-1".into(),
        "NewUserName" | "NewGroupName" | "NewServerCertificateName" => "renamed".into(),
        _ => "walk".into(),
    }
}
