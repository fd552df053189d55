"""Session tags, transitive tags along a chain, and source identity."""

import re

import pytest

from harness.expecting import complaint, denial, invalid, pattern, refused
from harness.principals import allow, deny, document, trust

BOTH = ["sts:AssumeRole", "sts:TagSession"]
ALL = [*BOTH, "sts:SetSourceIdentity"]
NAME = r"[\w+=,.@-]*"
DUPLICATE = "Duplicate tag keys found. Please note that Tag keys are case insensitive."


def tags(**given):
    return [{"Key": key, "Value": value} for key, value in given.items()]


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow(ALL), name="alice")


@pytest.fixture(scope="module")
def open_role(account):
    """A role that anyone of the account with the right may assume, with tags and source identity, and that may assume further."""
    return account.role(allow(ALL), trusted=trust(account.id, ALL))


def told(account, key, value, *, trusted_actions=ALL):
    """A role whose session may list users only if the principal's tag has the value: the way to look at a session's tags."""
    return account.role(allow("iam:ListUsers", condition={"StringEquals": {f"aws:PrincipalTag/{key}": value}}), allow(ALL), trusted=trust(account.id, trusted_actions))


def sees(session):
    try:
        session.iam.list_users()
    except session.iam.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
        return False
    return True


def head(caller, action, role):
    return re.compile("^" + re.escape(denial(caller.arn, action, role.arn, bare=True)))


# The right to tag.


def test_tags_need_the_right_in_the_trust_policy(account, alice):
    role = account.role(trusted=trust(account.id, ["sts:AssumeRole"]))
    alice.assume(role)
    with refused("AccessDenied", head(alice, "sts:TagSession", role)):
        alice.assume(role, Tags=tags(team="red"))


def test_tags_need_the_right_in_the_identity_policy(account, open_role):
    user = account.user(allow("sts:AssumeRole"))
    user.assume(open_role)
    with refused("AccessDenied", head(user, "sts:TagSession", open_role)):
        user.assume(open_role, Tags=tags(team="red"))


def test_trust_may_ask_for_certain_tags(account, alice):
    wanted = {"StringEquals": {"aws:RequestTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"], "sts:TransitiveTagKeys": ["team"]}}
    role = account.role(trusted=trust(account.id, BOTH, wanted))
    alice.assume(role, Tags=tags(team="red"))
    alice.assume(role, Tags=tags(team="red"), TransitiveTagKeys=["team"])
    for given in ({}, {"Tags": tags(team="blue")}, {"Tags": tags(team="red", other="x")}):
        with refused("AccessDenied"):
            alice.assume(role, **given)


def test_trust_may_compare_tags_of_caller_and_request(account):
    caller = account.user(allow(ALL), Tags=tags(team="red"))
    role = account.role(trusted=trust(account.id, BOTH, {"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}}))
    caller.assume(role, Tags=tags(team="red"))
    with refused("AccessDenied"):
        caller.assume(role, Tags=tags(team="blue"))


# Shapes.


def test_keys_are_compared_without_case(alice, open_role):
    with refused("InvalidParameterValue", DUPLICATE):
        alice.assume(open_role, Tags=tags(SessionTag1="a", sessiontag1="b"))


def test_transitive_keys_must_be_among_the_tags(alice, open_role):
    with refused("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."):
        alice.assume(open_role, Tags=tags(a="b"), TransitiveTagKeys=["c"])
    alice.assume(open_role, Tags=tags(SessionTag1="a"), TransitiveTagKeys=["sessiontag1"])


def test_fifty_are_the_most(alice, open_role):
    alice.assume(open_role, Tags=tags(**{f"k{number}": "v" for number in range(50)}))
    with refused("ValidationError", re.compile("at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")):
        alice.unchecked("sts").assume_role(RoleArn=open_role.arn, RoleSessionName="s1", Tags=tags(**{f"k{number}": "v" for number in range(51)}))


def test_too_much_of_tags_is_too_large(alice, open_role):
    much = tags(**{f"{number:02}" + "k" * 120: chr(97 + number % 26) * 200 + str(number * 7919) for number in range(50)})
    with refused("PackedPolicyTooLarge", re.compile(r"^Packed (size of session tags consumes|policy consumes) \d+% of allotted space")):
        alice.assume(open_role, Tags=much)


def test_bad_tags_are_told_by_their_place(alice, open_role):
    with refused("ValidationError", invalid(complaint("v!", "tags.2.member.value", pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")))):
        alice.assume(open_role, Tags=tags(ok="ok", bad="v!"))


# What they do.


def test_a_session_tag_is_the_sessions_only(account, alice):
    role = told(account, "team", "red")
    assert sees(alice.assume(role, Tags=tags(team="red")))
    assert not sees(alice.assume(role))


def test_a_session_tag_overrides_the_roles_whatever_its_case(account, alice):
    role = told(account, "team", "blue")
    account.iam.tag_role(RoleName=role.name, Tags=tags(Team="red"))
    assert not sees(alice.assume(role))
    assert sees(alice.assume(role, Tags=tags(TEAM="blue")))
    account.iam.tag_role(RoleName=role.name, Tags=tags(team="blue"))
    assert sees(alice.assume(role))
    assert not sees(alice.assume(role, Tags=tags(team="red")))


def test_the_users_own_tags_do_not_follow_into_a_role(account):
    tagged = account.user(allow(ALL), Tags=tags(team="red"))
    assert not sees(tagged.assume(told(account, "team", "red")))


def test_a_role_tag_given_later_counts_at_once(account, alice):
    role = told(account, "team", "red")
    session = alice.assume(role)
    assert not sees(session)
    account.iam.tag_role(RoleName=role.name, Tags=tags(team="red"))
    assert sees(session)


# Along a chain.


def test_transitive_tags_follow_and_others_stop(account, alice, open_role):
    follows, stops = told(account, "follows", "yes"), told(account, "stops", "yes")
    first = alice.assume(open_role, Tags=tags(follows="yes", stops="yes"), TransitiveTagKeys=["follows"])
    assert sees(first.assume(follows))
    assert not sees(first.assume(stops))


def test_transitive_tags_follow_through_a_third_link(account, alice, open_role):
    second = account.role(allow(ALL), trusted=trust(account.id, ALL))
    first = alice.assume(open_role, Tags=tags(follows="yes"), TransitiveTagKeys=["follows"])
    assert sees(first.assume(second).assume(told(account, "follows", "yes")))


def test_transitive_tags_override_the_next_roles_tags(account, alice, open_role):
    role = told(account, "team", "red")
    account.iam.tag_role(RoleName=role.name, Tags=tags(team="blue"))
    first = alice.assume(open_role, Tags=tags(team="red"), TransitiveTagKeys=["team"])
    assert sees(first.assume(role))


def test_role_tags_are_never_passed_on(account, alice):
    tagged = account.role(allow(ALL), trusted=trust(account.id, ALL), Tags=tags(team="red"))
    assert not sees(alice.assume(tagged).assume(told(account, "team", "red")))


def test_a_transitive_tag_cannot_be_set_again(account, alice, open_role):
    first = alice.assume(open_role, Tags=tags(team="red"), TransitiveTagKeys=["team"])
    with refused("InvalidParameterValue",
                 "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."):
        first.assume(open_role, Tags=tags(TEAM="blue"), TransitiveTagKeys=["TEAM"])


def test_a_transitive_tag_cannot_be_overridden_by_a_plain_one(account, alice, open_role):
    """However it is refused, the old value stays."""
    role = told(account, "team", "blue")
    first = alice.assume(open_role, Tags=tags(team="red"), TransitiveTagKeys=["team"])
    try:
        session = first.assume(role, Tags=tags(Team="blue"))
    except first.sts.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidParameterValue"
    else:
        assert not sees(session)


def test_passing_transitive_tags_on_needs_the_right_to_tag(account, alice, open_role):
    first = alice.assume(open_role, Tags=tags(team="red"), TransitiveTagKeys=["team"])
    without = account.role(trusted=trust(account.id, ["sts:AssumeRole"]))
    alice.assume(without)
    with refused("AccessDenied", head(first, "sts:TagSession", without)):
        first.assume(without)


def test_a_chained_session_lasts_an_hour_at_most(account, alice, open_role):
    account.iam.update_role(RoleName=open_role.name, MaxSessionDuration=43200)
    first = alice.assume(open_role, DurationSeconds=43200)
    with refused("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."):
        first.assume(account.role(trusted=trust(account.id, ALL), MaxSessionDuration=43200), DurationSeconds=3601)
    first.assume(account.role(trusted=trust(account.id, ALL)), DurationSeconds=3600)
    by_token = account.user(allow(ALL)).session_token()
    with refused("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."):
        by_token.assume(open_role, DurationSeconds=3601)


def test_a_chained_session_does_not_inherit_the_session_policy(account, alice, open_role):
    first = alice.assume(open_role, Policy=document(allow(ALL)))
    first.assume(account.role(allow("iam:ListUsers"))).iam.list_users()


# Source identity.


def test_a_source_identity_needs_the_right_on_both_sides(account, alice, open_role):
    without = account.role(trusted=trust(account.id, ["sts:AssumeRole"]))
    with refused("AccessDenied", head(alice, "sts:SetSourceIdentity", without)):
        alice.assume(without, SourceIdentity="alice@example.com")
    user = account.user(allow("sts:AssumeRole"))
    with refused("AccessDenied", head(user, "sts:SetSourceIdentity", open_role)):
        user.assume(open_role, SourceIdentity="alice@example.com")


def test_a_source_identity_is_answered_and_seen(account, alice):
    role = account.role(allow("iam:ListUsers", condition={"StringEquals": {"aws:SourceIdentity": "alice@example.com"}}), trusted=trust(account.id, ALL))
    reply = alice.sts.assume_role(RoleArn=role.arn, RoleSessionName="s1", SourceIdentity="alice@example.com")
    assert reply["SourceIdentity"] == "alice@example.com"
    assert sees(alice.assume(role, SourceIdentity="alice@example.com"))
    assert not sees(alice.assume(role, SourceIdentity="bob@example.com"))
    assert not sees(alice.assume(role))


def test_trust_may_ask_for_a_source_identity(account, alice):
    role = account.role(trusted=trust(account.id, ALL, {"StringLike": {"sts:SourceIdentity": "a*"}}))
    alice.assume(role, SourceIdentity="alice")
    for given in ({}, {"SourceIdentity": "bob"}):
        with refused("AccessDenied"):
            alice.assume(role, **given)


def test_a_source_identity_follows_the_chain_and_cannot_change(account, alice, open_role):
    role = account.role(allow("iam:ListUsers", condition={"StringEquals": {"aws:SourceIdentity": "alice"}}), trusted=trust(account.id, ALL))
    first = alice.assume(open_role, SourceIdentity="alice")
    assert sees(first.assume(role))
    assert sees(first.assume(role, SourceIdentity="alice"))
    with refused("AccessDenied"):
        first.assume(role, SourceIdentity="mallory")
    reply = first.sts.assume_role(RoleArn=role.arn, RoleSessionName="s1")
    assert reply["SourceIdentity"] == "alice"


def test_an_inherited_source_identity_needs_the_right_too(account, alice, open_role):
    first = alice.assume(open_role, SourceIdentity="alice")
    without = account.role(trusted=trust(account.id, ["sts:AssumeRole"]))
    with refused("AccessDenied", head(first, "sts:SetSourceIdentity", without)):
        first.assume(without)


@pytest.mark.parametrize("given", ["a b", "x", "x" * 65])
def test_a_bad_source_identity(alice, open_role, given):
    with refused("ValidationError", re.compile("at 'sourceIdentity' failed to satisfy constraint")):
        alice.unchecked("sts").assume_role(RoleArn=open_role.arn, RoleSessionName="s1", SourceIdentity=given)


def test_a_source_identity_does_not_begin_with_aws(alice, open_role):
    with pytest.raises(alice.sts.exceptions.ClientError) as caught:
        alice.assume(open_role, SourceIdentity="aws:alice")
    assert caught.value.response["Error"]["Code"] in {"ValidationError", "InvalidParameterValue"}


def test_a_deny_by_source_identity(account, alice):
    role = account.role(allow("iam:*"), deny("*", condition={"StringNotEquals": {"aws:SourceIdentity": ["alice"]}}), trusted=trust(account.id, ALL))
    assert sees(alice.assume(role, SourceIdentity="alice"))
    assert not sees(alice.assume(role)), "a missing key is not equal"
