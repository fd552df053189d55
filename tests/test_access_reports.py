"""Which of the services that an organization's policies leave to its accounts these use: a report of a root, a unit or an account, of all that
binds it or of one policy."""

import datetime
import time
import uuid

import pytest

from harness.asking import check, decide, signed_request
from harness.expecting import denial, refused
from harness.organization_policies import FULL, RCP_FULL, Organization
from harness.principals import allow, body, deny, fresh

READS = ["organizations:Describe*", "organizations:List*"]
REPORTS = ["iam:GenerateOrganizationsAccessReport", "iam:GetOrganizationsAccessReport"]
NOT_THERE = "The entity with the specified path does not exist in your organization."


def no_such_job(job):
    return refused("NoSuchEntity", f"Job {job} does not exist.")


@pytest.fixture(scope="module")
def organization(server):
    """An organization with a unit in a unit, and a member in each place."""
    made = Organization(server.account(fresh("reporting")))
    made.path = f"{made.id}/{made.root}"
    made.upper = made.unit()
    made.lower = made.unit(made.upper)
    made.at_root = made.invite(server.account(fresh("at-root")))
    made.in_upper = made.invite(server.account(fresh("in-upper")), made.upper)
    made.in_lower = made.invite(server.account(fresh("in-lower")))
    made.move(made.in_lower, made.root, made.lower)
    made.upper_path = f"{made.path}/{made.upper}"
    made.lower_path = f"{made.upper_path}/{made.lower}"
    return made


@pytest.fixture(scope="module")
def store(server):
    """Another server, which asks for everybody."""
    return server.first_account().user(allow("bailiwick:Authorize"))


def use(store, principal, action, region="us-east-1"):
    decide(store, signed_request(principal, region=region), check(action))


def iam_of(organization):
    return organization.account.root.iam


def generate(caller, path, policy=None):
    parameters = {"OrganizationsPolicyId": policy} if policy else {}
    end = time.monotonic() + 20
    while True:
        try:
            reply = caller.generate_organizations_access_report(EntityPath=path, **parameters)
            break
        except caller.exceptions.ReportGenerationLimitExceededException as error:
            assert error.response["Error"]["Message"] == "Maximum number of concurrent jobs exceeded"
            assert time.monotonic() < end
    assert set(body(reply)) == {"JobId"} and str(uuid.UUID(reply["JobId"])) == reply["JobId"]
    return reply["JobId"]


def fetch(caller, job, **page):
    end = time.monotonic() + 20
    while (got := body(caller.get_organizations_access_report(JobId=job, **page)))["JobStatus"] == "IN_PROGRESS":
        assert set(got) == {"JobStatus", "JobCreationDate", "IsTruncated"} and time.monotonic() < end
        time.sleep(0.02)
    return got


def report(organization, path, policy=None, caller=None):
    """A report that is whole: what it says of each service, by namespace."""
    caller = caller or iam_of(organization)
    got = fetch(caller, generate(caller, path, policy), MaxItems=1000)
    assert got["JobStatus"] == "COMPLETED" and "ErrorDetails" not in got and got["IsTruncated"] is False, got
    assert got["JobCreationDate"] <= got["JobCompletionDate"]
    details = got["AccessDetails"]
    names = [each["ServiceNamespace"] for each in details]
    assert names == sorted(names)
    assert got["NumberOfServicesAccessible"] == len(details)
    assert got["NumberOfServicesNotAccessed"] == sum(each["TotalAuthenticatedEntities"] == 0 for each in details)
    for each in details:
        told = {"Region", "EntityPath", "LastAuthenticatedTime"} & set(each)
        assert told == ({"Region", "EntityPath", "LastAuthenticatedTime"} if each["TotalAuthenticatedEntities"] else set())
    return {each["ServiceNamespace"]: each for each in details}


def failed(organization, path, policy=None, caller=None):
    """Why a report was not made."""
    caller = caller or iam_of(organization)
    got = fetch(caller, generate(caller, path, policy))
    assert got["JobStatus"] == "FAILED" and got["JobCreationDate"] <= got["JobCompletionDate"]
    assert set(got) == {"JobStatus", "JobCreationDate", "JobCompletionDate", "IsTruncated", "ErrorDetails"}
    return got["ErrorDetails"]["Code"], got["ErrorDetails"]["Message"]


def users(details):
    """By service, how many accounts used it and which did last."""
    return {name: (each["TotalAuthenticatedEntities"], each["EntityPath"].rsplit("/", 1)[1]) for name, each in details.items() if each["TotalAuthenticatedEntities"]}


def test_a_report_tells_which_accounts_under_an_entity_use_what(organization, store):
    lower = organization.in_lower.user(allow("*"))
    use(store, lower, "polly:SynthesizeSpeech", "eu-west-1")
    time.sleep(1.1)
    use(store, organization.in_upper.user(allow("*")), "polly:SynthesizeSpeech", "eu-central-1")
    use(store, organization.at_root.user(), "translate:TranslateText")  # denied, and has tried it
    use(store, organization.account.user(allow("*")), "comprehend:DetectEntities")
    everything = report(organization, organization.path)
    assert len(everything) > 400
    used = users(everything)
    assert used["polly"] == (2, organization.in_upper.id) and used["translate"] == (1, organization.at_root.id)
    assert "comprehend" not in used, "no policy binds the management account"
    polly = everything["polly"]
    assert polly["ServiceName"] == "Amazon Polly" and polly["Region"] == "eu-central-1"
    assert polly["EntityPath"] == f"{organization.upper_path}/{organization.in_upper.id}"
    assert abs((polly["LastAuthenticatedTime"] - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 120
    assert users(report(organization, organization.upper_path))["polly"] == (2, organization.in_upper.id)
    below = users(report(organization, organization.lower_path))
    assert below["polly"] == (1, organization.in_lower.id) and "translate" not in below
    alone = users(report(organization, f"{organization.lower_path}/{organization.in_lower.id}"))
    assert alone["polly"] == (1, organization.in_lower.id)
    assert set(users(report(organization, f"{organization.path}/{organization.at_root.id}"))) >= {"translate"}


def test_root_users_are_counted_too(server, organization):
    member = organization.invite(server.account(fresh("rooted")))
    path = f"{organization.path}/{member.id}"
    assert "sts" not in users(report(organization, path))
    member.root.sts.get_caller_identity()
    assert users(report(organization, path))["sts"] == (1, member.id)


def test_services_are_those_that_every_level_allows(server, organization):
    upper, lower = organization.unit(), None
    lower = organization.unit(upper)
    member = organization.invite(server.account(fresh("narrowed")))
    organization.move(member, organization.root, lower)
    path = f"{organization.path}/{upper}/{lower}"
    organization.attach(organization.scp(allow(["s3:*", "sqs:*", "sns:Publish"])), upper)
    organization.detach(FULL, upper)
    organization.attach(organization.scp(allow(["s3:GetObject", "sns:Subscribe", "sqs:SendMessage", "kms:*"])), lower)
    organization.detach(FULL, lower)
    assert set(report(organization, path)) == {"s3", "sqs"}
    assert set(report(organization, path.rsplit("/", 1)[0])) == {"s3", "sqs", "sns"}, "what is attached below does not count"
    organization.attach(organization.scp(deny("sqs:*")), member.id)
    assert set(report(organization, f"{path}/{member.id}")) == {"s3"}
    assert set(report(organization, path)) == {"s3", "sqs"}
    conditional = deny("s3:*", condition={"StringEquals": {"aws:PrincipalTag/team": "none"}})
    organization.attach(organization.scp(conditional), member.id)
    assert set(report(organization, f"{path}/{member.id}")) == {"s3"}, "a condition may not hold"


def test_no_policy_binds_the_management_account(organization):
    path = f"{organization.path}/{organization.account.id}"
    everything = report(organization, path)
    assert len(everything) > 400 and users(everything)["organizations"] == (1, organization.account.id)
    policy = organization.scp(allow("s3:*"))
    assert set(report(organization, path, policy)) == set(everything), "the policy is not looked at"


def test_a_report_of_a_policy_tells_of_those_to_whom_it_is_attached(organization, store):
    policy = organization.scp(allow(["polly:*", "lex:*"]))
    for account in [organization.in_lower, organization.in_upper]:
        use(store, account.user(), "polly:SynthesizeSpeech")
    unattached = report(organization, organization.path, policy)
    assert set(unattached) == {"polly", "lex"} and users(unattached) == {}
    organization.attach(policy, organization.lower)
    for path in [organization.path, organization.upper_path, organization.lower_path]:
        assert users(report(organization, path, policy)) == {"polly": (1, organization.in_lower.id)}
    alone = f"{organization.lower_path}/{organization.in_lower.id}"
    assert users(report(organization, alone, policy)) == {}, "it is attached to the unit and not to the account"
    organization.attach(policy, organization.in_lower.id)
    assert users(report(organization, alone, policy)) == {"polly": (1, organization.in_lower.id)}
    organization.detach(policy, organization.in_lower.id)
    organization.detach(policy, organization.lower)


def test_what_is_not_there_fails_the_report(organization):
    missing = ("INVALID_ORGANIZATIONS_ENTITY_PATH", NOT_THERE)
    unit = f"{organization.path}/ou-{organization.root[2:]}-99999999"
    wrong_root = organization.upper_path.replace(organization.root, "r-zzzz")
    for path in [unit, f"{organization.path}/{organization.lower}", f"{organization.upper_path}/", f"{organization.path}/999999999999", wrong_root,
                 f"{organization.path}/{organization.in_upper.id}", f"{organization.path}/nothing", f"{organization.path}//"]:
        assert failed(organization, path) == missing, path
    no_policy = ("INVALID_ORGANIZATIONS_POLICY", "The policy with the specified ID does not exist in your organization.")
    for policy in ["p-notexist0", RCP_FULL]:
        assert failed(organization, organization.path, policy) == no_policy


def test_another_organization_is_none_of_ones_business(server, organization):
    other = Organization(server.account(fresh("other")))
    differs = "The organization ID in the specified entity path is different than your organization ID."
    for path in [f"{other.id}/{other.root}", "o-zzzzzzzzzz/r-zzzz"]:
        with refused("AccessDenied", differs):
            iam_of(organization).generate_organizations_access_report(EntityPath=path)
    policy = other.scp(allow("s3:*"))
    assert failed(organization, organization.path, policy)[0] == "INVALID_ORGANIZATIONS_POLICY"
    assert failed(organization, f"{organization.path}/{other.account.id}")[0] == "INVALID_ORGANIZATIONS_ENTITY_PATH"


def test_only_a_management_account_that_has_service_control_policies_asks(server, organization):
    for account in [organization.at_root, server.account(fresh("alone"))]:
        with refused("AccessDenied"):
            account.root.iam.generate_organizations_access_report(EntityPath=organization.path)
        with refused("NoSuchEntity"):
            account.root.iam.get_organizations_access_report(JobId=str(uuid.uuid4()))
    without = Organization(server.account(fresh("without")))
    job = generate(iam_of(without), f"{without.id}/{without.root}")
    assert fetch(iam_of(without), job)["JobStatus"] == "COMPLETED"
    without.client.disable_policy_type(RootId=without.root, PolicyType="SERVICE_CONTROL_POLICY")
    with refused("AccessDenied"):
        iam_of(without).generate_organizations_access_report(EntityPath=f"{without.id}/{without.root}")
    with refused("AccessDenied"):
        iam_of(without).get_organizations_access_report(JobId=job)


def test_permission_is_for_paths_and_policies(organization):
    account, policy = organization.account, organization.scp(allow("s3:*"))
    arn = f"arn:aws:iam::{account.id}:access-report/{organization.upper_path}"
    only = account.user(allow("iam:GenerateOrganizationsAccessReport", arn), allow(["iam:GetOrganizationsAccessReport", *READS]))
    assert report(organization, organization.upper_path, caller=only.iam)
    with refused("AccessDenied", denial(only.arn, "iam:GenerateOrganizationsAccessReport", arn.replace(organization.upper_path, organization.path))):
        only.iam.generate_organizations_access_report(EntityPath=organization.path)
    named = account.user(allow("iam:GenerateOrganizationsAccessReport", condition={"StringEquals": {"iam:OrganizationsPolicyId": policy}}), allow(["iam:GetOrganizationsAccessReport", *READS]))
    assert set(report(organization, organization.path, policy, named.iam)) == {"s3"}
    for parameters in [{}, {"OrganizationsPolicyId": FULL}]:
        with refused("AccessDenied"):
            named.iam.generate_organizations_access_report(EntityPath=organization.path, **parameters)
    nobody = account.user()
    with refused("AccessDenied", denial(nobody.arn, "iam:GetOrganizationsAccessReport", "*")):
        nobody.iam.get_organizations_access_report(JobId=str(uuid.uuid4()))


@pytest.mark.parametrize("left_out", ["ListRoots", "ListChildren", "ListParents", "ListPoliciesForTarget", "DescribePolicy", "ListTargetsForPolicy"])
def test_whoever_may_not_look_at_the_organization_gets_no_report(organization, left_out):
    blind = organization.account.user(allow([*REPORTS, *READS]), deny(f"organizations:{left_out}"))
    policy = organization.scp(allow("s3:*"))
    expected = ("ORGANIZATIONS_REPORT_ACCESS_DENIED", "Requester is not authorized to perform the required AWS Organizations Describe* and List* actions.")
    assert failed(organization, organization.upper_path, policy, blind.iam) == expected


def test_a_report_is_for_whoever_asked_for_it(organization):
    account = organization.account
    one, other = (account.user(allow([*REPORTS, *READS])) for _ in range(2))
    job = generate(one.iam, organization.path)
    assert fetch(one.iam, job)["JobStatus"] == "COMPLETED"
    for caller in [other.iam, account.root.iam]:
        with no_such_job(job):
            caller.get_organizations_access_report(JobId=job)
    for nothing in ["00000000-0000-0000-0000-000000000000", "x" * 36]:
        with no_such_job(nothing):
            one.iam.get_organizations_access_report(JobId=nothing)


def test_the_two_kinds_of_reports_are_not_mixed_up(organization):
    iam = iam_of(organization)
    job = generate(iam, organization.path)
    with no_such_job(job):
        iam.get_service_last_accessed_details(JobId=job)
    other = iam.generate_service_last_accessed_details(Arn=organization.account.user().arn)["JobId"]
    with no_such_job(other):
        iam.get_organizations_access_report(JobId=other)


def test_a_report_is_paged_in_the_order_that_is_asked_for(organization, store):
    use(store, organization.at_root.user(), "polly:SynthesizeSpeech")
    time.sleep(1.1)
    use(store, organization.at_root.user(), "translate:TranslateText")
    iam = iam_of(organization)
    job = generate(iam, organization.path)
    whole = {}
    for order in ["SERVICE_NAMESPACE_ASCENDING", "SERVICE_NAMESPACE_DESCENDING", "LAST_AUTHENTICATED_TIME_ASCENDING", "LAST_AUTHENTICATED_TIME_DESCENDING"]:
        whole[order] = fetch(iam, job, MaxItems=1000, SortKey=order)["AccessDetails"]
        seen, marker = [], {}
        while True:
            page = fetch(iam, job, MaxItems=90, SortKey=order, **marker)
            assert len(page["AccessDetails"]) <= 90 and page["NumberOfServicesAccessible"] == len(whole[order])
            seen += page["AccessDetails"]
            if not page["IsTruncated"]:
                assert "Marker" not in page
                break
            marker = {"Marker": page["Marker"]}
        assert seen == whole[order]
    names = {order: [each["ServiceNamespace"] for each in details] for order, details in whole.items()}
    assert names["SERVICE_NAMESPACE_DESCENDING"] == names["SERVICE_NAMESPACE_ASCENDING"][::-1]
    assert names["LAST_AUTHENTICATED_TIME_ASCENDING"] == names["LAST_AUTHENTICATED_TIME_DESCENDING"][::-1]
    times = [each.get("LastAuthenticatedTime") for each in whole["LAST_AUTHENTICATED_TIME_DESCENDING"]]
    used = [time for time in times if time]
    assert used == sorted(used, reverse=True) and times[:len(used)] == used, "what was never used comes last"
    first = fetch(iam, job)
    assert len(first["AccessDetails"]) == 100 and first["IsTruncated"] is True
    invalid = "The marker passed in the request was invalid."
    with refused("InvalidInput", invalid):
        iam.get_organizations_access_report(JobId=job, Marker=first["Marker"], SortKey="SERVICE_NAMESPACE_DESCENDING")
    other = generate(iam, organization.upper_path)
    fetch(iam, other)
    with refused("InvalidInput", invalid):
        iam.get_organizations_access_report(JobId=other, Marker=first["Marker"])
    with refused("ValidationError", "Invalid Marker."):
        iam.get_organizations_access_report(JobId=job, Marker="invalid")


def test_a_report_stays_as_it_was_made(server, organization):
    iam, unit = iam_of(organization), organization.unit()
    policy = organization.scp(allow("s3:*"))
    job = generate(iam, f"{organization.path}/{unit}", policy)
    before = fetch(iam, job)
    organization.client.update_policy(PolicyId=policy, Content='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}')
    assert fetch(iam, job) == before
    assert set(report(organization, f"{organization.path}/{unit}", policy)) == {"sqs"}
    organization.client.delete_organizational_unit(OrganizationalUnitId=unit)
    assert fetch(iam, job) == before


def test_services_of_ones_own_are_told_where_policies_let_into_them(server, organization, store):
    member = organization.invite(server.account(fresh("owning")))
    use(store, member.user(), "catalog:Read")
    path = f"{organization.path}/{member.id}"
    assert users(report(organization, path))["catalog"] == (1, member.id)
    organization.attach(organization.scp(deny("catalog:*")), member.id)
    assert "catalog" not in report(organization, path)
