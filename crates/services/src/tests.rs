use super::*;

#[test]
fn every_line_is_a_fact() {
    let index = include_str!("../data/services.txt").lines().count();
    assert_eq!(services().len(), index);
    assert!(services().map(|service| service.prefix).is_sorted());
    let lines = include_str!("../data/facts.txt").lines().count();
    let read = |service: Service| service.keys().count() + service.resource_types().count() + service.actions().count();
    assert_eq!(services().map(read).sum::<usize>(), lines);
    // A service's lines end where the next one's begin.
    assert_eq!(services().map(|service| service.facts.len()).sum::<usize>(), include_str!("../data/facts.txt").len());
}

#[test]
fn what_facts_name_is_there() {
    for service in services() {
        for action in service.actions() {
            for on in action.resource_types() {
                assert!(service.resource_type(on.name).is_some(), "{}:{} on {}", service.prefix, action.name, on.name);
            }
        }
        for of in service.resource_types() {
            assert!(of.arn.starts_with("arn:") && of.arn.splitn(6, ':').count() == 6, "{}", of.arn);
            assert!(of.covers(of.arn), "{}", of.arn);
        }
    }
}

#[test]
fn prefixes_and_actions_have_no_case() {
    assert_eq!(service("EC2"), service("ec2"));
    assert!(service("ec2").is_some() && service("catalog").is_none() && service("").is_none());
    assert_eq!(action("S3:getobject").map(|found| found.name), Some("GetObject"));
    for none in ["s3", "s3:", "s3:GetObjects", "catalog:Read", ":GetObject"] {
        assert_eq!(action(none), None, "{none}");
    }
}

#[test]
fn a_key_that_names_a_tag_is_every_such_key() {
    let get = action("s3:GetObject").unwrap();
    let has = |key: &str| get.keys().any(|known| known.covers(key));
    assert!(has("s3:ExistingObjectTag/team") && has("S3:authtype"));
    assert!(!has("s3:ExistingObjectTag/") && !has("s3:prefix") && !has("aws:SourceIp") && !has("s3"));
    let create = action("iam:CreateUser").unwrap();
    let keys: Vec<String> = create.keys().map(|key| key.to_string()).collect();
    assert_eq!(keys, ["iam:PermissionsBoundary", "aws:RequestTag/${TagKey}", "aws:TagKeys"]);
    assert!(create.keys().any(|key| key == *"iam:PermissionsBoundary"));
}

#[test]
fn the_type_of_a_resource_is_the_closest() {
    let s3 = service("s3").unwrap();
    let of = |arn: &str| s3.type_of(arn).map(|of| of.name);
    assert_eq!(of("arn:aws:s3:::reports"), Some("bucket"));
    assert_eq!(of("arn:aws:s3:::reports/2026/q1.csv"), Some("object"));
    assert_eq!(of("arn:aws:s3:eu-west-1:111122223333:accesspoint/a"), Some("accesspoint"));
    assert_eq!(of("arn:aws:sqs:eu-west-1:111122223333:queue"), None);
    assert_eq!(of("reports"), None);
    let iam = service("iam").unwrap();
    assert_eq!(iam.type_of("arn:aws:iam::111122223333:role/a/b").map(|of| of.name), Some("role"));
    assert_eq!(iam.type_of("arn:aws:iam::111122223333:user/").map(|of| of.name), Some("user"));
}

#[test]
fn actions_say_on_what_and_with_what() {
    let run = action("ec2:RunInstances").unwrap();
    assert_eq!(run.level, AccessLevel::Write);
    assert!(run.resource_types().any(|on| on.name == "instance" && on.required));
    assert!(run.resource_types().any(|on| on.name == "key-pair" && !on.required));
    assert!(action("iam:AddRoleToInstanceProfile").unwrap().needs().any(|action| action == *"iam:PassRole"));
    assert!(!action("s3:ListAllMyBuckets").unwrap().is_on_resources());
    assert!(service("aws-marketplace").unwrap().key("aws:TagKeys").is_none_or(|key| key.is_list()));
}
