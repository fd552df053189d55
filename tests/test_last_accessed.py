"""When services were last used: which a user, group, role or policy lets into, by whom and when each was tried, and which policies grant it."""

import datetime
import json
import time

import pytest

from harness.asking import ask, check, decide, signed_request
from harness.expecting import denial, refused
from harness.preloaded import turned_server
from harness.principals import allow, body, deny, document, fresh
from harness.signing import clock

DAY = 24 * 60 * 60
ARN = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture(scope="module")
def store(account):
    return account.user(allow("bailiwick:Authorize"))


def use(store, principal, action="s3:GetObject", region="us-east-1"):
    """A request of the principal's that another server asks about, whatever is decided."""
    decide(store, signed_request(principal, region=region), check(action))


def generate(caller, arn, granularity=None):
    reply = caller.iam.generate_service_last_accessed_details(Arn=arn, **({"Granularity": granularity} if granularity else {}))
    assert set(body(reply)) == {"JobId"}
    return reply["JobId"]


def fetch(caller, job, within=20, **page):
    """The report, when it is done."""
    end = time.monotonic() + within
    while (got := body(caller.iam.get_service_last_accessed_details(JobId=job, **page)))["JobStatus"] == "IN_PROGRESS":
        assert "JobCompletionDate" not in got and got["ServicesLastAccessed"] == [] and time.monotonic() < end
        time.sleep(0.02)
    assert got["JobStatus"] == "COMPLETED" and "Error" not in got
    return got


def services(caller, arn, granularity=None):
    """The services of a report, by namespace."""
    listed = fetch(caller, generate(caller, arn, granularity), MaxItems=1000)["ServicesLastAccessed"]
    assert [each["ServiceNamespace"] for each in listed] == sorted(each["ServiceNamespace"] for each in listed)
    return {each["ServiceNamespace"]: each for each in listed}


def entities(caller, job, namespace, **page):
    return body(caller.iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace=namespace, **page))


def is_now(date):
    return abs((date - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 120


def test_a_report_lists_what_policies_let_into(account):
    user = account.user(allow(["s3:Get*", "sqs:*", "catalog:Read"]), deny("sqs:*"))
    got = fetch(account, generate(account, user.arn))
    assert set(got) == {"JobStatus", "JobType", "JobCreationDate", "JobCompletionDate", "ServicesLastAccessed", "IsTruncated"}
    assert got["JobType"] == "SERVICE_LEVEL" and got["IsTruncated"] is False
    assert got["JobCreationDate"] <= got["JobCompletionDate"] and is_now(got["JobCreationDate"])
    assert got["ServicesLastAccessed"] == [
        {"ServiceName": "catalog", "ServiceNamespace": "catalog", "TotalAuthenticatedEntities": 0},
        {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "TotalAuthenticatedEntities": 0},
    ]


def test_the_last_use_is_shown_at_once(account, store):
    user = account.user(allow(["s3:*", "sqs:*"]))
    use(store, user, region="eu-west-1")
    listed = services(account, user.arn)
    assert set(listed) == {"s3", "sqs"} and "LastAuthenticated" not in listed["sqs"]
    used = listed["s3"]
    assert is_now(used.pop("LastAuthenticated"))
    assert used == {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticatedEntity": user.arn, "LastAuthenticatedRegion": "eu-west-1", "TotalAuthenticatedEntities": 1}


def test_whoever_is_denied_has_used_it_too(account, store):
    user = account.user(allow("s3:ListBucket"), allow("iam:GetUser"))
    use(store, user, "s3:PutObject")
    with pytest.raises(user.iam.exceptions.ClientError):
        user.iam.list_users()
    listed = services(account, user.arn)
    assert {name: each["TotalAuthenticatedEntities"] for name, each in listed.items()} == {"iam": 1, "s3": 1}
    assert listed["iam"]["LastAuthenticatedRegion"] == "us-east-1"


def test_what_no_policy_lets_into_is_not_listed_however_much_it_was_tried(account, store):
    user = account.user(allow("sqs:*"))
    use(store, user)
    assert set(services(account, user.arn)) == {"sqs"}


def test_whoever_is_not_let_in_has_used_nothing(account, store):
    user = account.user(allow("s3:*"))
    forged = type(user)(user.server, user.key_id, "x" * 40)
    assert "error" in ask(store, signed_request(forged))
    assert services(account, user.arn)["s3"]["TotalAuthenticatedEntities"] == 0


def test_everything_is_every_service_of_awss_by_pages(account):
    user = account.user(allow("*"))
    job = generate(account, user.arn)
    everything = fetch(account, job, MaxItems=1000)["ServicesLastAccessed"]
    assert len(everything) > 400
    seen, marker = [], {}
    while True:
        page = fetch(account, job, MaxItems=100, **marker)
        assert len(page["ServicesLastAccessed"]) <= 100
        seen += page["ServicesLastAccessed"]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert seen == everything
    assert len(fetch(account, job)["ServicesLastAccessed"]) == 100


def test_actions_are_told_where_they_are_asked_for(account, store):
    role = account.role(allow(["s3:*", "catalog:*"]))
    session = account.user(allow("sts:AssumeRole")).assume(role)
    use(store, session, "s3:GetObject", "eu-west-1")
    use(store, session, "s3:putobject", "eu-west-2")
    use(store, session, "catalog:ReadTable")
    assert "TrackedActionsLastAccessed" not in services(account, role.arn)["s3"]
    got = fetch(account, generate(account, role.arn, "ACTION_LEVEL"))
    assert got["JobType"] == "ACTION_LEVEL"
    tracked = {each["ServiceNamespace"]: each["TrackedActionsLastAccessed"] for each in got["ServicesLastAccessed"]}
    assert [(each["ActionName"], each["LastAccessedEntity"], each["LastAccessedRegion"]) for each in tracked["s3"]] == [
        ("GetObject", role.arn, "eu-west-1"), ("PutObject", role.arn, "eu-west-2"),
    ]  # fmt: skip
    assert [each["ActionName"] for each in tracked["catalog"]] == ["ReadTable"] and is_now(tracked["catalog"][0]["LastAccessedTime"])


def grouped(account, *statements, users=3):
    group = fresh("group")
    arn = account.iam.create_group(GroupName=group)["Group"]["Arn"]
    account.iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=document(*statements))
    made = [account.user() for _ in range(users)]
    for user in made:
        account.iam.add_user_to_group(GroupName=group, UserName=user.name)
    return group, arn, made


def test_a_group_counts_its_users(account, store):
    _, arn, (first, second, idle) = grouped(account, allow("s3:*"))
    use(store, first)
    time.sleep(1.1)
    use(store, second, region="eu-west-3")
    job = generate(account, arn)
    (used,) = fetch(account, job)["ServicesLastAccessed"]
    assert (used["TotalAuthenticatedEntities"], used["LastAuthenticatedEntity"], used["LastAuthenticatedRegion"]) == (2, second.arn, "eu-west-3")
    got = entities(account, job, "s3")
    assert set(got) == {"JobStatus", "JobCreationDate", "JobCompletionDate", "EntityDetailsList", "IsTruncated"}
    assert [each["EntityInfo"]["Arn"] for each in got["EntityDetailsList"]] == [second.arn, first.arn, idle.arn], "the latest first"
    assert got["EntityDetailsList"][0]["EntityInfo"] == {"Arn": second.arn, "Name": second.name, "Type": "USER", "Id": second.unique_id, "Path": "/"}
    assert "LastAuthenticated" in got["EntityDetailsList"][1] and "LastAuthenticated" not in got["EntityDetailsList"][2]


def test_a_policy_counts_whoever_has_it_once(account, store):
    arn = account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    group, _, (by_group, both) = grouped(account, allow("sqs:*"), users=2)
    other, _, (twice,) = grouped(account, allow("sqs:*"), users=1)
    account.iam.add_user_to_group(GroupName=group, UserName=twice.name)
    role, direct = account.role(), account.user()
    for name in (group, other):
        account.iam.attach_group_policy(GroupName=name, PolicyArn=arn)
    for user in (direct, both):
        account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    account.iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
    session = account.user(allow("sts:AssumeRole")).assume(role)
    for principal in (direct, both, session, twice):
        use(store, principal)
    job = generate(account, arn)
    (used,) = fetch(account, job)["ServicesLastAccessed"]
    assert (used["ServiceNamespace"], used["TotalAuthenticatedEntities"]) == ("s3", 4)
    everybody = {direct.arn, both.arn, by_group.arn, twice.arn, role.arn}
    whole = entities(account, job, "s3")["EntityDetailsList"]
    assert len(whole) == 5 and {each["EntityInfo"]["Arn"] for each in whole} == everybody
    assert {each["EntityInfo"]["Type"] for each in whole} == {"USER", "ROLE"}
    assert [each["EntityInfo"]["Arn"] for each in whole if "LastAuthenticated" not in each] == [by_group.arn]
    for size in (1, 2, 3):
        seen, marker = [], {}
        while True:
            page = entities(account, job, "s3", MaxItems=size, **marker)
            assert len(page["EntityDetailsList"]) <= size
            seen += page["EntityDetailsList"]
            if not page["IsTruncated"]:
                break
            marker = {"Marker": page["Marker"]}
        assert seen == whole


def test_a_policy_of_awss_is_asked_about_too(account, store):
    user = account.user()
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=ARN)
    use(store, user)
    assert services(account, ARN)["s3"]["LastAuthenticatedEntity"] == user.arn


def test_entities_of_a_user_are_the_user(account, store):
    user = account.user(allow("s3:*"))
    use(store, user)
    job = generate(account, user.arn)
    fetch(account, job)
    (only,) = entities(account, job, "S3")["EntityDetailsList"]
    assert only["EntityInfo"]["Name"] == user.name and is_now(only["LastAuthenticated"])
    assert entities(account, job, "sqs")["EntityDetailsList"] == []
    with refused("InvalidInput"):
        entities(account, job, "no-such-service")


def test_whoever_is_deleted_meanwhile_is_left_out(account, store):
    _, arn, (gone, stays) = grouped(account, allow("s3:*"), users=2)
    use(store, gone)
    job = generate(account, arn)
    fetch(account, job)
    remove(account, gone)
    assert [each["EntityInfo"]["Arn"] for each in entities(account, job, "s3")["EntityDetailsList"]] == [stays.arn]


def remove(account, user):
    for key in account.iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]:
        account.iam.delete_access_key(UserName=user.name, AccessKeyId=key["AccessKeyId"])
    for group in account.iam.list_groups_for_user(UserName=user.name)["Groups"]:
        account.iam.remove_user_from_group(UserName=user.name, GroupName=group["GroupName"])
    account.iam.delete_user(UserName=user.name)


def test_a_name_that_is_used_again_is_somebody_else(account, store):
    user = account.user(name="again")
    use(store, user)
    remove(account, user)
    again = account.user(allow("s3:*"), name="again")
    assert services(account, again.arn)["s3"]["TotalAuthenticatedEntities"] == 0


def test_a_job_is_only_for_who_asked_for_it(account, other_account):
    asker, other = account.user(allow("iam:*")), account.user(allow("iam:*"))
    job = generate(asker, asker.arn)
    fetch(asker, job)
    for stranger in (other, account, other_account):
        with refused("NoSuchEntity"):
            stranger.iam.get_service_last_accessed_details(JobId=job)
        with refused("NoSuchEntity"):
            entities(stranger, job, "iam")
    role = account.role(allow("iam:*"))
    user = account.user(allow("sts:AssumeRole"))
    job = generate(user.assume(role), role.arn)
    fetch(user.assume(role, session="another"), job)


@pytest.mark.parametrize("job", ["0" * 36, "00000000-0000-4000-8000-000000000000", "x" * 36, "é" * 36])
def test_a_job_that_is_none_is_told(account, job):
    with refused("NoSuchEntity"):
        account.iam.get_service_last_accessed_details(JobId=job)
    with refused("NoSuchEntity"):
        entities(account, job, "s3")


def test_a_bad_marker_is_told(account):
    job = generate(account, account.user(allow("s3:*")).arn)
    fetch(account, job)
    with refused("ValidationError", "Invalid Marker."):
        account.iam.get_service_last_accessed_details(JobId=job, Marker="nonsense")
    with refused("ValidationError", "Invalid Marker."):
        entities(account, job, "s3", Marker="nonsense")


@pytest.mark.parametrize("kind", ["user", "group", "role", "policy"])
def test_what_is_not_there_is_told(account, kind):
    for path in ("missing", "wrong/path/nobody"):
        with refused("NoSuchEntity"):
            account.iam.generate_service_last_accessed_details(Arn=account.arn(f"{kind}/{path}"))


@pytest.mark.parametrize("arn", ["arn:aws:iam::{}:root", "arn:aws:s3:::bucket-of-mine", "arn:aws:iam::{}:instance-profile/x", "arn:aws:iam::{}:user/"])
def test_what_has_no_policies_is_told(account, arn):
    with refused("InvalidInput"):
        account.iam.generate_service_last_accessed_details(Arn=arn.format(account.id))


def test_who_may_not_is_denied(account, nobody):
    user = account.user()
    with refused("AccessDenied", denial(nobody.arn, "iam:GenerateServiceLastAccessedDetails", user.arn)):
        nobody.iam.generate_service_last_accessed_details(Arn=user.arn)
    for call, more in [("get_service_last_accessed_details", {}), ("get_service_last_accessed_details_with_entities", {"ServiceNamespace": "s3"})]:
        with refused("AccessDenied"):
            getattr(nobody.iam, call)(JobId="0" * 36, **more)
    with refused("AccessDenied", denial(nobody.arn, "iam:ListPoliciesGrantingServiceAccess", user.arn)):
        nobody.iam.list_policies_granting_service_access(Arn=user.arn, ServiceNamespaces=["s3"])


def test_permission_can_be_given_for_one_user(account):
    subject, other = account.user(), account.user()
    asker = account.user(allow("iam:GenerateServiceLastAccessedDetails", subject.arn), allow("iam:GetServiceLastAccessedDetails"))
    fetch(asker, generate(asker, subject.arn))
    with refused("AccessDenied"):
        generate(asker, other.arn)


def test_another_accounts_are_nobodys_business(account, other_account):
    stranger = other_account.user()
    with refused("AccessDenied"):
        generate(account.user(allow("iam:*")), stranger.arn)


def granting(account, arn, *namespaces, **more):
    reply = body(account.iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=list(namespaces), **more))
    assert set(reply) - {"Marker"} == {"PoliciesGrantingServiceAccess", "IsTruncated"}
    return reply


def test_policies_that_grant_a_service_are_listed(account):
    group, group_arn, (user,) = grouped(account, allow("s3:GetObject"), users=1)
    account.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document(allow(["sqs:*", "s3:List*"])))
    account.iam.put_user_policy(UserName=user.name, PolicyName="denies", PolicyDocument=document(deny("*")))
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=ARN)
    account.iam.attach_group_policy(GroupName=group, PolicyArn=ARN)
    got = granting(account, user.arn, "s3", "sqs", "ec2")
    assert [entry["ServiceNamespace"] for entry in got["PoliciesGrantingServiceAccess"]] == ["s3", "sqs", "ec2"] and got["IsTruncated"] is False
    s3, sqs, ec2 = (entry["Policies"] for entry in got["PoliciesGrantingServiceAccess"])
    own = {"PolicyName": "own", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": user.name}
    of_group = {"PolicyName": "p", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": group}
    managed = {"PolicyName": "AmazonS3ReadOnlyAccess", "PolicyType": "MANAGED", "PolicyArn": ARN}
    key = lambda each: json.dumps(each, sort_keys=True)  # noqa: E731
    assert sorted(s3, key=key) == sorted([own, of_group, managed], key=key)
    assert sqs == [own] and ec2 == []
    (entry,) = granting(account, group_arn, "s3")["PoliciesGrantingServiceAccess"]
    assert sorted(entry["Policies"], key=key) == sorted([of_group, managed], key=key)


def test_granting_policies_of_a_role_and_boundaries(account):
    role = account.role(allow("s3:*"))
    account.iam.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")
    (s3, ec2) = granting(account, role.arn, "s3", "ec2")["PoliciesGrantingServiceAccess"]
    assert [each["EntityType"] for each in s3["Policies"]] == ["ROLE"] and ec2["Policies"] == [], "a boundary grants nothing"


def test_many_namespaces_are_paged(account):
    user = account.user(allow("*"))
    namespaces = [f"service{n}" for n in range(150)]
    seen, marker = [], {}
    while True:
        page = granting(account, user.arn, *namespaces, **marker)
        seen += [entry["ServiceNamespace"] for entry in page["PoliciesGrantingServiceAccess"]]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert seen == namespaces


def test_granting_policies_of_what_is_not_there(account):
    for kind in ("user", "group", "role"):
        with refused("NoSuchEntity"):
            granting(account, account.arn(f"{kind}/missing"), "s3")
    with refused("InvalidInput"):
        granting(account, ARN, "s3")
    with refused("ValidationError"):
        granting(account, account.user().arn, "not a namespace")


def test_a_report_and_what_it_rests_on_are_kept_over_a_restart(own_server):
    server = own_server.start()
    account = server.first_account()
    user = account.user(allow("iam:*"))
    user.iam.list_users()
    job = generate(user, user.arn)
    before = fetch(user, job)
    server.terminate()
    server.start()
    assert fetch(user, job) == before
    assert services(user, user.arn)["iam"]["TotalAuthenticatedEntities"] == 1


@pytest.mark.parametrize("days, total", [(399, 1), (401, 0)])
def test_a_use_is_told_of_for_400_days(tmp_path, days, total):
    server = turned_server(tmp_path)
    server.turn(-days * DAY)
    server.start()
    try:
        account = server.first_account()
        with clock(-days * DAY):
            user = account.user(allow("iam:*"))
            user.iam.list_users()
            job = generate(account, user.arn)
            assert fetch(account, job)["ServicesLastAccessed"][0]["TotalAuthenticatedEntities"] == 1
        server.turn(0)
        assert services(account, user.arn)["iam"]["TotalAuthenticatedEntities"] == total
        with refused("NoSuchEntity"):
            account.iam.get_service_last_accessed_details(JobId=job)  # reports are kept for a day
    finally:
        server.kill()
