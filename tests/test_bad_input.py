"""Bad input: a clear AWS error, no 5xx, and the server keeps serving."""

import gzip
import random
import re
import urllib.parse

import pytest

from harness.principals import allow
from harness.signing import FORM, query, send, sign


@pytest.fixture(scope="module")
def user(account):
    return account.user(allow("*"))


@pytest.fixture(autouse=True)
def still_serving(server, account):
    """After each test the server answers health and a signed call."""
    yield
    assert server.healthy() and server.process.poll() is None
    assert account.root.identity()["Account"] == account.id


def raw(user, data, service="iam", headers=(), **options):
    return sign(user, service, data=data, headers={"Content-Type": FORM, **dict(headers)}, **options).send()


def clear(reply, *codes, statuses=(400, 403, 404, 413, 415)):
    """An error that a client can read: XML with a code and a message."""
    assert reply.status in statuses, reply
    assert reply.code and reply.message is not None and reply.headers.get("x-amzn-requestid"), reply
    if codes:
        assert reply.code in codes, reply
    return reply


LIST = b"Action=ListUsers&Version=2010-05-08"


@pytest.mark.parametrize("data", [b"%", b"%zz", b"Action=%", b"Action=%zz&Version=2010-05-08", b"Action=%ff%fe&Version=2010-05-08", b"\xff\xfe\xfd", b"\x00", b"&&&&", b"=", b"==&=&=",
                                  b"Action", b"Action=&Version=", b"Action=ListUsers", b"Version=2010-05-08", b"{}", b"<xml/>", b"a" * 100_000])
def test_what_is_no_query(user, data):
    clear(raw(user, data))


@pytest.mark.parametrize("tail", [b"PathPrefix=%ff", b"PathPrefix=%", b"PathPrefix=%C3%28", b"PathPrefix=/\xff/", b"PathPrefix=%ED%A0%80"])
def test_what_is_no_utf8(user, tail):
    clear(raw(user, LIST + b"&" + tail))


@pytest.mark.parametrize("tail", [b"Action=DeleteUser", b"Action=ListUsers", b"Version=2011-06-15"])
def test_action_and_version_given_twice(user, tail):
    clear(raw(user, LIST + b"&" + tail))


def test_a_parameter_given_twice(account, user):
    """Whichever of two would count, a client and a proxy may differ: refused."""
    clear(raw(user, b"Action=GetUser&Version=2010-05-08&UserName=a&UserName=b"), "MalformedQueryString", "MalformedInput", "ValidationError", "InvalidQueryParameter")


@pytest.mark.parametrize("tail", ["MaxItems=ten", "MaxItems=1.5", "MaxItems=99999999999999999999", "MaxItems=-1", "MaxItems=0", "MaxItems=1001", "MaxItems=1e3", "MaxItems=0x10", "MaxItems= 5", "MaxItems=",
                                  "MaxItems.member.1=5", "MaxItems.Key=5", "PathPrefix.member.1=/"])
def test_numbers_and_structures_that_do_not_fit(user, tail):
    clear(raw(user, LIST + b"&" + tail.encode()), "ValidationError", "MalformedInput", "MalformedQueryString", "InvalidParameterValue")


@pytest.mark.parametrize("value", ["maybe", "1", "yes", "TRUEish", ""])
def test_booleans_that_are_none(user, value):
    clear(query(user, "iam", "ListPolicies", {"OnlyAttached": value}).send(), "ValidationError", "MalformedInput", "InvalidParameterValue")


TAG = {"UserName": "there-is-none"}


@pytest.mark.parametrize("parameters", [
    {"Tags": "x"}, {"Tags.member": "x"}, {"Tags.member.1": "x"}, {"Tags.member.0.Key": "x"}, {"Tags.member.-1.Key": "x"}, {"Tags.member.x.Key": "x"}, {"Tags.member.01.Key": "x"},
    {"Tags.member.1.Key": "x"}, {"Tags.member.1.Key.member.1": "x", "Tags.member.1.Value": "y"}, {"Tags.Key": "x"}, {"Tags.1.Key": "x", "Tags.1.Value": "y"}, {"Tags..1.Key": "x"}, {".": "x"}, {"..": "x"},
    {"Tags.member.99999999999999999999999.Key": "x"}, {"Tags.member.1.Key": "a", "Tags.member.1.Value": "b", "Tags": "x"},
])
def test_lists_that_are_none(user, parameters):
    clear(query(user, "iam", "TagUser", TAG | parameters).send())


def test_a_huge_index_costs_nothing(user, account):
    """It is a sort key only: a list of two stays a list of two, or is refused, and no memory is taken for the gap."""
    target = account.user(key=False)
    for index in (2_000_000_000, 10_000, 9_999):
        parameters = {"UserName": target.name, "Tags.member.1.Key": "a", "Tags.member.1.Value": "1", f"Tags.member.{index}.Key": "b", f"Tags.member.{index}.Value": "2"}
        reply = query(user, "iam", "TagUser", parameters).send()
        if reply.status == 200:
            assert [tag["Key"] for tag in account.iam.list_user_tags(UserName=target.name)["Tags"]] == ["a", "b"]
        else:
            clear(reply)


def test_deep_nesting(user):
    for depth in (33, 1000, 20_000):
        name = "Tags" + ".member.1.Key" * depth
        clear(raw(user, f"Action=TagUser&Version=2010-05-08&UserName=x&{name}=y".encode()))


def test_many_parameters(user):
    many = "&".join(f"P{number}=1" for number in range(20_000)).encode()
    clear(raw(user, LIST + b"&" + many))
    few = "&".join(f"P{number}=1" for number in range(5_000)).encode()
    assert raw(user, LIST + b"&" + few).status == 200


def test_a_body_of_ten_megabytes(user):
    reply = raw(user, LIST + b"&PathPrefix=" + b"x" * 10_000_000)
    assert reply.status in {400, 413}, reply
    assert reply.code


def test_a_body_of_ten_megabytes_unsigned(server):
    try:
        reply = send(server, "POST", "/", [("Content-Type", FORM)], b"x" * 10_000_000)
    except (ConnectionError, BrokenPipeError):
        return  # it hung up on us, as it may
    assert reply.status in {400, 403, 413}


def test_a_large_body_within_the_limit_is_read(user):
    clear(raw(user, LIST + b"&PathPrefix=/" + b"x" * 900_000), "ValidationError")


def test_a_compressed_body_is_refused(user):
    clear(raw(user, gzip.compress(LIST), headers={"Content-Encoding": "gzip"}), statuses=(400, 415))


@pytest.mark.parametrize("kind", ["application/json", "application/x-amz-json-1.1", "multipart/form-data; boundary=x", "text/plain", ""])
def test_other_content_types(user, kind):
    """Read as a form or refused clearly, never misread."""
    reply = sign(user, "iam", data=b'{"Action":"ListUsers"}', headers={"Content-Type": kind}).send()
    assert reply.status in {400, 404, 415}, reply


def test_a_json_target_for_a_query_service(user):
    reply = sign(user, "iam", data=b"{}", headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonIAM.ListUsers"}).send()
    assert reply.status in {400, 404}, reply


@pytest.mark.parametrize("path", ["/x", "/../", "//", "/%2e%2e/", "/%00", "/authorize/../", "/health/x"])
def test_other_paths(user, path):
    """IAM and STS live at `/`. Elsewhere is nothing, or the same service with its own judgement; never a crash."""
    reply = sign(user, "iam", path=path, data=LIST, headers={"Content-Type": FORM}).send()
    assert reply.status in {200, 400, 403, 404}, reply


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "FOO"])
def test_other_methods(server, method):
    try:
        reply = send(server, method, "/", [])
    except ConnectionError:
        return
    assert 400 <= reply.status < 500, reply


def test_control_characters_come_back_as_a_readable_answer(user, account):
    """XML cannot hold them: an answer that repeats what was sent must still parse."""
    for value in ("\x01", "\x00x", "\x0b", "\ufffe", "a]]>b", "<b>&amp;", "\r\n", "\U0001f600"):
        reply = query(user, "iam", "GetUser", {"UserName": value}).send()
        clear(reply, "ValidationError")
        query(user, "iam", value or "x").send().xml
        assert reply.xml is not None


def test_control_characters_in_kept_values(user, account):
    """What is accepted must come back readable."""
    for number, text in enumerate(["\t\n\r ~¡ÿ", "<&>\"'", "]]>"]):
        name = f"odd-{number}"
        account.iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
                                Description=text)
        got = account.iam.get_role(RoleName=name)["Role"]["Description"]
        assert got.replace("\r\n", "\n").replace("\r", "\n") == text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_length_counts_characters_not_bytes(account):
    account.root.unchecked().create_role(RoleName="latin", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
                                         '"Action":"sts:AssumeRole"}]}', Description="ÿ" * 1000)


def test_a_thousand_random_bodies(user):
    """Mutations of good bodies with a fixed seed, signed anew: whatever is in them, the answer is below 500 and readable."""
    rng = random.Random(20260101)
    good = [b"Action=TagUser&Version=2010-05-08&UserName=none&Tags.member.1.Key=a&Tags.member.1.Value=b", LIST + b"&MaxItems=5&PathPrefix=/a/",
            b"Action=CreatePolicy&Version=2010-05-08&PolicyName=p&PolicyDocument=" + urllib.parse.quote('{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}').encode()]
    pieces = [b"%", b"&", b"=", b".member.", b"\x00", b"\xff", b"%00", b"[", b'{"a":', b"9" * 30, b"-1", b".", b"Tags", b"Action=", b"%C3", b"+", b"\r\n"]
    for _ in range(1000):
        data = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 5)):
            place = rng.randrange(len(data) + 1)
            choice = rng.random()
            if choice < 0.4:
                data[place:place] = rng.choice(pieces)
            elif choice < 0.7 and data:
                data[place % len(data)] = rng.randrange(256)
            else:
                del data[place : place + rng.randint(1, 8)]
        reply = raw(user, bytes(data))
        assert reply.status < 500, (bytes(data), reply)
        assert reply.xml is not None
        if reply.status != 200:
            assert re.fullmatch(r"[A-Za-z]+", reply.code), reply
