"""Inline policies of users, groups and roles, which differ by name only."""

import json
import urllib.parse

import pytest

from harness.entities import TITLES, Entity, each_kind
from harness.expecting import denial, refused
from harness.principals import allow, body, document
from harness.signing import query

LIMITS = {"user": 2048, "role": 10240, "group": 5120}


def put(entity, name="p", *statements):
    return entity.call("put_{}_policy", PolicyName=name, PolicyDocument=document(*(statements or [allow("s3:GetObject")])))


@each_kind
def test_put_get_list_delete(account, kind):
    entity = Entity(account, kind)
    assert body(put(entity, "first")) == {}
    got = body(entity.call("get_{}_policy", PolicyName="first"))
    assert got == {entity.member: entity.name, "PolicyName": "first", "PolicyDocument": json.loads(document(allow("s3:GetObject")))}
    assert body(entity.call("list_{}_policies")) == {"PolicyNames": ["first"], "IsTruncated": False}
    assert body(entity.call("delete_{}_policy", PolicyName="first")) == {}
    assert body(entity.call("list_{}_policies")) == {"PolicyNames": [], "IsTruncated": False}


@each_kind
def test_put_again_replaces(account, kind):
    entity = Entity(account, kind)
    put(entity)
    put(entity, "p", allow("s3:PutObject"))
    assert entity.call("get_{}_policy", PolicyName="p")["PolicyDocument"]["Statement"][0]["Action"] == "s3:PutObject"
    assert entity.call("list_{}_policies")["PolicyNames"] == ["p"]


@each_kind
def test_a_missing_policy_is_told_by_name(account, kind):
    entity = Entity(account, kind)
    for operation in ("get_{}_policy", "delete_{}_policy"):
        with refused("NoSuchEntity", f"The {kind} policy with name none cannot be found."):
            entity.call(operation, PolicyName="none")


@each_kind
def test_a_missing_entity_is_told_by_name(account, kind):
    for operation, more in [("get", {}), ("delete", {}), ("put", {"PolicyDocument": document(allow("s3:*"))})]:
        with refused("NoSuchEntity", f"The {kind} with name none cannot be found."):
            getattr(account.iam, f"{operation}_{kind}_policy")(**{f"{TITLES[kind]}Name": "none"}, PolicyName="p", **more)


@each_kind
def test_names_may_hold_signs(account, kind):
    entity = Entity(account, kind)
    for name in ("policy=abc", "a+b,c.d@e-f_g"):
        put(entity, name)
        assert entity.call("get_{}_policy", PolicyName=name)["PolicyName"] == name


@each_kind
def test_names_are_the_entitys_own(account, kind):
    first, second = Entity(account, kind), Entity(account, kind)
    put(first)
    assert second.call("list_{}_policies")["PolicyNames"] == []


@each_kind
def test_lists_are_paged(account, kind):
    entity = Entity(account, kind)
    for name in "bdaec":
        put(entity, name)
    whole = entity.call("list_{}_policies")["PolicyNames"]
    assert sorted(whole) == list("abcde")
    for size in (1, 2, 5):
        pages = entity.paginate("list_{}_policies", size)
        assert [name for page in pages for name in page["PolicyNames"]] == whole


@each_kind
def test_percent_signs_survive(account, kind):
    entity = Entity(account, kind)
    text = document(allow("s3:GetObject", "arn:aws:s3:::b/100%/arn%3Aaws%3A"))
    entity.call("put_{}_policy", PolicyName="p", PolicyDocument=text)
    assert entity.call("get_{}_policy", PolicyName="p")["PolicyDocument"] == json.loads(text)
    raw = query(account.root, "iam", f"Get{TITLES[kind]}Policy", {entity.member: entity.name, "PolicyName": "p"}).send().find("PolicyDocument")
    assert raw == urllib.parse.quote(text, safe="-_.~")


def sized(size):
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::"}]})
    return text.replace(":::", ":::" + "x" * (size - len(text.replace(" ", ""))))


@each_kind
def test_the_sum_of_sizes_is_limited(account, kind):
    entity, limit = Entity(account, kind), LIMITS[kind]
    half = limit // 2
    entity.call("put_{}_policy", PolicyName="one", PolicyDocument=sized(half))
    entity.call("put_{}_policy", PolicyName="two", PolicyDocument=sized(limit - half))
    over = f"Maximum policy size of {limit} bytes exceeded for {kind} {entity.name}"
    with refused("LimitExceeded", over):
        entity.call("put_{}_policy", PolicyName="three", PolicyDocument=sized(120))
    with refused("LimitExceeded", over):
        entity.call("put_{}_policy", PolicyName="two", PolicyDocument=sized(limit - half + 1))
    entity.call("put_{}_policy", PolicyName="two", PolicyDocument=sized(limit - half - 120).replace(", ", ",\n\n     "))
    entity.call("put_{}_policy", PolicyName="three", PolicyDocument=sized(120))


@each_kind
def test_a_bad_document_changes_nothing(account, kind):
    entity = Entity(account, kind)
    put(entity)
    with refused("MalformedPolicyDocument"):
        entity.call("put_{}_policy", PolicyName="p", PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"allow"}]}')
    assert entity.call("get_{}_policy", PolicyName="p")["PolicyDocument"]["Statement"][0]["Action"] == "s3:GetObject"


@each_kind
def test_denials_name_the_entity(account, nobody, kind):
    entity = Entity(account, kind)
    wanted = denial(nobody.arn, f"iam:Put{TITLES[kind]}Policy", (f"{kind} {entity.name}", entity.arn))
    with refused("AccessDenied", wanted):
        getattr(nobody.iam, f"put_{kind}_policy")(**{entity.member: entity.name}, PolicyName="p", PolicyDocument=document(allow("*")))
    with pytest.raises(nobody.iam.exceptions.ClientError):
        getattr(nobody.iam, f"get_{kind}_policy")(**{entity.member: entity.name}, PolicyName="p")


@each_kind
def test_each_operation_is_allowed_by_its_own_action_only(account, kind):
    entity = Entity(account, kind)
    put(entity)
    title = TITLES[kind]
    operations = {
        f"iam:Get{title}Policy": ("get_{}_policy", {"PolicyName": "p"}),
        f"iam:List{title}Policies": ("list_{}_policies", {}),
        f"iam:Put{title}Policy": ("put_{}_policy", {"PolicyName": "p", "PolicyDocument": document(allow("s3:GetObject"))}),
        f"iam:List{title}s": (None, None),
        f"iam:Attach{title}Policy": (None, None),
    }
    for allowed in operations:
        caller = account.user(allow(allowed))
        for action, (operation, more) in operations.items():
            if operation is None:
                continue
            call = getattr(caller.iam, operation.format(kind))
            if action == allowed:
                call(**{entity.member: entity.name}, **more)
            else:
                with refused("AccessDenied"):
                    call(**{entity.member: entity.name}, **more)
