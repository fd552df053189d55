"""Central root: an organization looks after the root users of its members, and a lent root user ends with what lent it."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from harness import totp
from harness.expecting import outcome
from harness.members import organization
from harness.principals import Principal, allow, deny, fresh

TASKS = "arn:aws:iam::aws:policy/root-task/"
AUDIT, CREATE, DELETE = (TASKS + name for name in ("IAMAuditRootUserCredentials", "IAMCreateRootUserPassword", "IAMDeleteRootUserCredentials"))
BUCKET, QUEUE = TASKS + "S3UnlockBucketPolicy", TASKS + "SQSUnlockQueuePolicy"
IAM = "iam.amazonaws.com"


def code(call, *arguments, **parameters):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def central(server, name, features=("credentials", "sessions")):
    """An organization with central root, and an administrator of it."""
    made = organization(server, name)
    made.client.enable_aws_service_access(ServicePrincipal=IAM)
    iam = made.management.iam
    if "credentials" in features:
        iam.enable_organizations_root_credentials_management()
    if "sessions" in features:
        iam.enable_organizations_root_sessions()
    made.administrator = made.management.user(allow("sts:AssumeRoot"))
    return made


def root_of(asker, account_id, task=AUDIT, **parameters):
    got = asker.sts.assume_root(TargetPrincipal=account_id, TaskPolicyArn={"arn": task}, **parameters)
    key = got["Credentials"]
    arn = f"arn:aws:iam::{account_id}:root"
    return Principal(asker.server, key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], arn=arn, account_id=account_id)


@pytest.fixture(scope="module")
def mine(server):
    made = central(server, "central")
    made.member = made.create("central-member", email="central-member@example.com")
    return made


def test_features_are_switched_on_and_off(server):
    fresh_one = organization(server, "switching")
    iam = fresh_one.management.iam
    for call in (iam.list_organizations_features, iam.enable_organizations_root_sessions, iam.disable_organizations_root_sessions):
        assert code(call) == ("ServiceAccessNotEnabledException", 400)
    fresh_one.client.enable_aws_service_access(ServicePrincipal=IAM)
    told = iam.list_organizations_features()
    assert (told["OrganizationId"], told["EnabledFeatures"]) == (fresh_one.id, [])
    for _ in range(2):
        assert iam.enable_organizations_root_sessions()["EnabledFeatures"] == ["RootSessions"]
    assert iam.enable_organizations_root_credentials_management()["EnabledFeatures"] == ["RootSessions", "RootCredentialsManagement"]
    assert iam.disable_organizations_root_sessions()["EnabledFeatures"] == ["RootCredentialsManagement"]
    assert iam.disable_organizations_root_credentials_management()["EnabledFeatures"] == []
    assert iam.list_organizations_features()["EnabledFeatures"] == []


def test_who_may_not_switch_is_told_why(server):
    alone = server.account(fresh("alone"))
    assert code(alone.iam.list_organizations_features) == ("OrganizationNotFoundException", 400)
    billing = organization(server, "billing", FeatureSet="CONSOLIDATED_BILLING")
    assert code(billing.management.iam.enable_organizations_root_sessions) == ("OrganizationNotInAllFeaturesModeException", 400)
    mine = central(server, "telling")
    member = mine.invite(server.account(fresh("member")))
    refused = ("AccountNotManagementOrDelegatedAdministratorException", 400)
    assert code(member.iam.list_organizations_features) == refused
    assert code(member.iam.enable_organizations_root_sessions) == refused
    mine.delegate(member.id, IAM)
    assert member.iam.list_organizations_features()["OrganizationId"] == mine.id
    assert code(member.iam.disable_organizations_root_sessions) == ("CallerIsNotManagementAccountException", 400)
    assert code(member.iam.enable_organizations_root_credentials_management) == ("CallerIsNotManagementAccountException", 400)
    nobody = mine.management.user(allow("iam:GetUser"))
    for call in ("list_organizations_features", "enable_organizations_root_sessions", "disable_organizations_root_credentials_management"):
        assert code(getattr(nobody.iam, call)) == ("AccessDenied", 403)


def test_the_token_of_a_lent_root_is_as_long_as_is_asked_for(server, mine):
    told = mine.administrator.sts.assume_root(TargetPrincipal=mine.member, TaskPolicyArn={"arn": AUDIT}, MinimumSessionTokenSize=3000)
    assert told["SessionTokenSize"] == len(told["Credentials"]["SessionToken"]) == 3000
    assert told["SessionTokenUtilization"] == 74


def test_a_member_is_audited_as_its_own_root(server, mine):
    session = root_of(mine.administrator, mine.member)
    told = session.identity()
    assert (told["Arn"], told["Account"]) == (f"arn:aws:iam::{mine.member}:root", mine.member)
    assert session.iam.list_access_keys()["AccessKeyMetadata"] == []
    assert session.iam.list_mfa_devices()["MFADevices"] == []
    assert session.iam.list_signing_certificates()["Certificates"] == []
    assert session.iam.get_user()["User"]["Arn"] == told["Arn"]
    assert session.iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 0
    for call in (session.iam.create_access_key, session.iam.delete_login_profile, session.iam.list_users, session.iam.create_login_profile):
        assert code(call) == ("AccessDenied", 403)
    assert code(session.iam.list_access_keys, UserName="somebody") == ("AccessDenied", 403)


def test_accounts_made_under_central_root_have_no_root_login_until_they_are_let(server, mine):
    assert code(root_of(mine.administrator, mine.member).iam.get_login_profile) == ("NoSuchEntity", 404)
    create = root_of(mine.administrator, mine.member, CREATE)
    assert code(create.iam.create_login_profile, Password="Sesame-open-1") == ("InvalidInput", 400)
    assert code(create.iam.create_login_profile, UserName="somebody", Password="Sesame-open-1") == ("AccessDenied", 403)
    assert "UserName" not in create.iam.create_login_profile()["LoginProfile"]
    assert code(create.iam.create_login_profile) == ("EntityAlreadyExists", 409)
    assert create.iam.get_login_profile()["LoginProfile"]["PasswordResetRequired"] is False
    remove = root_of(mine.administrator, mine.member, DELETE)
    remove.iam.delete_login_profile()
    assert code(remove.iam.delete_login_profile) == ("NoSuchEntity", 404)
    assert code(remove.iam.get_login_profile) == ("NoSuchEntity", 404)


def test_accounts_made_without_central_root_may_recover_their_password(server):
    plain = central(server, "plain", features=())
    member = plain.create()
    plain.management.iam.enable_organizations_root_credentials_management()
    remove = root_of(plain.administrator, member, DELETE)
    assert remove.iam.get_login_profile()["LoginProfile"]["CreateDate"]
    remove.iam.delete_login_profile()
    assert code(remove.iam.get_login_profile) == ("NoSuchEntity", 404)


def test_a_members_root_credentials_are_deleted(server, mine):
    member = mine.invite(server.account(fresh("invited")))
    device = totp.Device.made(member.iam).enable(member.iam, "root")
    remove = root_of(mine.administrator, member.id, DELETE)
    [key] = remove.iam.list_access_keys()["AccessKeyMetadata"]
    assert key["AccessKeyId"] == member.root.key_id and "UserName" not in key
    assert remove.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"] == "iam"
    [listed] = remove.iam.list_mfa_devices()["MFADevices"]
    assert listed["SerialNumber"] == device.serial
    remove.iam.deactivate_mfa_device(SerialNumber=listed["SerialNumber"])
    assert remove.iam.list_mfa_devices()["MFADevices"] == []
    user = member.user(allow("s3:*"))
    assert code(remove.iam.delete_access_key, UserName=user.name, AccessKeyId=user.key_id) == ("AccessDenied", 403)
    assert code(remove.iam.get_access_key_last_used, AccessKeyId=user.key_id) == ("AccessDenied", 403)
    remove.iam.delete_access_key(AccessKeyId=key["AccessKeyId"])
    assert code(member.root.sts.get_caller_identity)[1] == 403


def test_a_delegated_administrator_lends_too_and_its_end_ends_it(server):
    mine = central(server, "delegating")
    administrator, member = mine.invite(server.account(fresh("administrator"))), mine.create()
    asker = administrator.user(allow("sts:AssumeRoot"))
    assert code(root_of, asker, member) == ("AccessDenied", 403)
    mine.delegate(administrator.id, IAM)
    session = root_of(asker, member)
    session.iam.list_access_keys()
    mine.client.deregister_delegated_administrator(AccountId=administrator.id, ServicePrincipal=IAM)
    assert code(session.iam.list_access_keys)[1] == 403
    assert code(root_of, asker, member) == ("AccessDenied", 403)


@pytest.mark.parametrize("ending", ["feature", "trust", "removal", "closing"])
def test_a_lent_root_ends_on_the_next_request(server, ending):
    mine = central(server, f"ending-{ending}")
    member = mine.invite(server.account(fresh("ending"))).id
    session = root_of(mine.administrator, member)
    session.iam.list_access_keys()
    if ending == "feature":
        mine.management.iam.disable_organizations_root_credentials_management()
    elif ending == "trust":
        mine.client.disable_aws_service_access(ServicePrincipal=IAM)
    elif ending == "removal":
        mine.client.remove_account_from_organization(AccountId=member)
    else:
        mine.client.close_account(AccountId=member)
    assert code(session.iam.list_access_keys)[1] == 403
    assert code(root_of, mine.administrator, member) == ("AccessDenied", 403)


def test_each_task_needs_its_feature(server):
    mine = central(server, "sessions-only", features=("sessions",))
    member = mine.create()
    for task in (BUCKET, QUEUE):
        root_of(mine.administrator, member, task)
    for task in (AUDIT, CREATE, DELETE):
        assert code(root_of, mine.administrator, member, task) == ("AccessDenied", 403)
    mine.management.iam.enable_organizations_root_credentials_management()
    mine.management.iam.disable_organizations_root_sessions()
    root_of(mine.administrator, member, AUDIT)
    assert code(root_of, mine.administrator, member, BUCKET) == ("AccessDenied", 403)


def test_the_right_may_be_given_for_one_task_and_one_member(server, mine):
    one = mine.management.user(allow("sts:AssumeRoot", f"arn:aws:iam::{mine.member}:root", condition={"ArnEquals": {"sts:TaskPolicyArn": AUDIT}}))
    root_of(one, mine.member, AUDIT)
    one.sts.assume_root(TargetPrincipal=f"arn:aws:iam::{mine.member}:root", TaskPolicyArn={"arn": AUDIT})
    assert code(root_of, one, mine.member, DELETE) == ("AccessDenied", 403)
    assert code(root_of, one, mine.create(), AUDIT) == ("AccessDenied", 403)
    assert code(root_of, mine.management.user(allow("iam:*")), mine.member) == ("AccessDenied", 403)


def test_attack_a_root_is_lent_that_is_not_the_organizations(server, mine):
    other = central(server, "foreign")
    foreign = other.create()
    for account in (foreign, other.management.id, server.account(fresh("stranger")).id, mine.management.id, "999999999999"):
        assert code(root_of, mine.administrator, account) == ("AccessDenied", 403)
    assert code(mine.management.root.sts.assume_root, TargetPrincipal=mine.member, TaskPolicyArn={"arn": AUDIT}) == ("AccessDenied", 403)


def test_attack_a_member_lends_root_to_itself(server, mine):
    member = mine.invite(server.account(fresh("lender")))
    asker = member.user(allow("*"))
    for account in (member.id, mine.member, mine.management.id):
        for task in (AUDIT, BUCKET):
            assert code(root_of, asker, account, task) == ("AccessDenied", 403)


def test_attack_a_task_is_wider_than_aws_made_it(server, mine):
    own = mine.management.policy(allow("*"))
    for task in ("arn:aws:iam::aws:policy/AdministratorAccess", own, TASKS + "Everything", "arn:aws:iam::aws:policy/root-task"):
        assert code(root_of, mine.administrator, mine.member, task) == ("ValidationError", 400)
    for target in (f"arn:aws:iam::{mine.member}:user/root", "not-an-account"):
        assert code(root_of, mine.administrator, target) == ("ValidationError", 400)
    unchecked = mine.administrator.unchecked("sts")
    assert code(unchecked.assume_root, TargetPrincipal=mine.member, TaskPolicyArn={}) == ("ValidationError", 400)
    assert code(unchecked.assume_root, TargetPrincipal=mine.member, TaskPolicyArn={"arn": AUDIT}, DurationSeconds=901) == ("ValidationError", 400)


def test_attack_a_lent_root_goes_on_to_other_credentials(server, mine):
    session = root_of(mine.administrator, mine.member)
    role = f"arn:aws:iam::{mine.member}:role/OrganizationAccountAccessRole"
    assert code(session.sts.assume_role, RoleArn=role, RoleSessionName="chained") == ("AccessDenied", 403)
    assert code(session.sts.get_session_token) == ("AccessDenied", 403)
    assert code(session.sts.get_federation_token, Name="somebody") == ("AccessDenied", 403)
    assert code(root_of, session, mine.member) == ("AccessDenied", 403)
    for call in (session.iam.enable_organizations_root_sessions, session.client("organizations").leave_organization):
        assert code(call)[1] in (400, 403)
        assert "AccessDenied" in code(call)[0]


def test_a_control_policy_binds_a_lent_root_too(server):
    mine = central(server, "bound")
    member = mine.create()
    session = root_of(mine.administrator, member)
    session.iam.list_mfa_devices()
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny("iam:ListMFADevices", condition={"Bool": {"aws:AssumedRoot": "true"}})]})
    made = mine.client.create_policy(Name="no-lent-root", Description="", Type="SERVICE_CONTROL_POLICY", Content=text)["Policy"]
    mine.client.attach_policy(PolicyId=made["PolicySummary"]["Id"], TargetId=member)
    assert code(session.iam.list_mfa_devices) == ("AccessDenied", 403)
    session.iam.list_access_keys()


def test_a_lent_root_is_short_and_ends(server, mine):
    got = mine.administrator.sts.assume_root(TargetPrincipal=mine.member, TaskPolicyArn={"arn": AUDIT})
    assert 880 <= got["Credentials"]["Expiration"].timestamp() - time.time() <= 901
    assert "SourceIdentity" not in got
    over = root_of(mine.administrator, mine.member, DurationSeconds=0)
    assert outcome(over.iam.list_access_keys) == "ExpiredToken"


def events(server, request_id, within=5):
    """The events of a request: reads may be a second late."""
    end = time.monotonic() + within
    while True:
        found = [json.loads(line) for line in server.trail().splitlines() if request_id in line]
        if found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def test_the_trail_says_who_was_lent_and_what_it_did(server, mine):
    role = mine.management.role(allow(["sts:AssumeRoot"]), trusted=None)
    trusting = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": mine.management.id}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}]})
    mine.management.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trusting)
    asker = mine.management.user(allow(["sts:AssumeRole", "sts:SetSourceIdentity"])).assume(role, SourceIdentity="alice")
    got = asker.sts.assume_root(TargetPrincipal=mine.member, TaskPolicyArn={"arn": AUDIT})
    assert got["SourceIdentity"] == "alice"
    key = got["Credentials"]
    [lent] = events(server, got["ResponseMetadata"]["RequestId"])
    assert lent["requestParameters"]["targetPrincipal"] == mine.member and lent["requestParameters"]["taskPolicyArn"]["arn"] == AUDIT
    assert key["SecretAccessKey"] not in server.trail() and key["SessionToken"] not in server.trail()
    session = Principal(server, key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    [used] = events(server, session.iam.list_access_keys()["ResponseMetadata"]["RequestId"])
    who = used["userIdentity"]
    assert (who["type"], who["accountId"], who["arn"]) == ("Root", mine.member, f"arn:aws:iam::{mine.member}:root")
    assert who["sessionContext"]["assumedRoot"] == "true"
    [plain] = events(server, mine.management.root.sts.get_caller_identity()["ResponseMetadata"]["RequestId"])
    assert "assumedRoot" not in json.dumps(plain)
