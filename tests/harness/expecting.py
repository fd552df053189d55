"""What an answer must be: AWS's code, status, fault and words."""

import contextlib
import re

import pytest
from botocore.exceptions import ClientError

STATUS = {
    "AccessDenied": 403,
    "DeleteConflict": 409,
    "DuplicateCertificate": 409,
    "DuplicateSSHPublicKey": 400,
    "EntityAlreadyExists": 409,
    "EntityTemporarilyUnmodifiable": 409,
    "ExpiredToken": 403,
    "ExpiredTradeInTokenException": 400,
    "IncompleteSignature": 400,
    "InvalidAction": 400,
    "InvalidAuthenticationCode": 403,
    "InvalidAuthorizationMessageException": 400,
    "InvalidCertificate": 400,
    "InvalidClientTokenId": 403,
    "InvalidInput": 400,
    "InvalidParameterValue": 400,
    "InvalidPublicKey": 400,
    "InvalidUserType": 400,
    "KeyPairMismatch": 400,
    "LimitExceeded": 409,
    "MalformedCertificate": 400,
    "MalformedPolicyDocument": 400,
    "MissingAction": 400,
    "MissingAuthenticationToken": 403,
    "NoSuchEntity": 404,
    "PackedPolicyTooLarge": 400,
    "PasswordPolicyViolation": 400,
    "PolicyNotAttachable": 400,
    "ReportExpired": 410,
    "ReportInProgress": 404,
    "ReportNotPresent": 410,
    "SignatureDoesNotMatch": 403,
    "UnmodifiableEntity": 400,
    "UnrecognizedPublicKeyEncoding": 400,
    "ValidationError": 400,
}

# The kinds of policy, as AWS's denials call them.
IDENTITY = "identity-based policy"
BOUNDARY = "permissions boundary"
SESSION = "session policy"
RESOURCE = "resource-based policy"
INVALID_TOKEN = "The security token included in the request is invalid."
ROOT_ASSUMES = "Roles may not be assumed by root accounts."


class Refusal:
    """Filled when the refusal has come."""

    error = message = request_id = None


@contextlib.contextmanager
def refused(code, message=None, *, status=None):
    """The call inside must be refused so. `message` is the whole text, or a compiled pattern that must be found in it."""
    told = Refusal()
    with pytest.raises(ClientError) as caught:
        yield told
    reply = caught.value.response
    error, meta = reply["Error"], reply["ResponseMetadata"]
    told.error, told.message, told.request_id = error, error.get("Message"), meta.get("RequestId")
    assert error["Code"] == code, error
    if isinstance(message, re.Pattern):
        assert message.search(told.message), told.message
    elif message is not None:
        assert told.message == message
    assert meta["HTTPStatusCode"] == (status or STATUS[code])
    assert error.get("Type", "Sender") == "Sender"
    assert told.request_id and meta["HTTPHeaders"].get("x-amzn-requestid") == told.request_id


def outcome(call, *arguments, **parameters):
    """"ok", or the error's code."""
    try:
        call(*arguments, **parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


def denial(caller, action, resource=None, *, kind=IDENTITY, explicit=False, bare=False):
    """AWS's sentence. `resource` may be a tuple of forms of which AWS uses one."""
    article = "an" if kind[0] in "aeiou" else "a"
    tail = f" with an explicit deny in {article} {kind}" if explicit else f" because no {kind} allows the {action} action"
    said = f"User: {caller} is not authorized to perform: {action}"
    if isinstance(resource, tuple):
        forms = "|".join(re.escape(form) for form in resource)
        return re.compile(f"^{re.escape(said)} on resource: (?:{forms}){'' if bare else re.escape(tail)}$")
    return said + (f" on resource: {resource}" if resource else "") + ("" if bare else tail)


def invalid(*complaints):
    """The aggregated sentence of ValidationError, in any order of its complaints."""
    count = len(complaints)
    head = f"{count} validation error{'s' if count > 1 else ''} detected: "
    orders = "".join(f"(?=.*{re.escape(complaint)})" for complaint in complaints)
    length = len(head) + sum(map(len, complaints)) + 2 * (count - 1)
    return re.compile(f"^{re.escape(head)}{orders}(?=.{{{length - len(head)}}}$)", re.DOTALL)


def quiet(member, constraint):
    """One violation as IAM tells it: without the value."""
    return f"Value at '{member}' failed to satisfy constraint: {constraint}"


def complaint(value, member, constraint):
    """One violation. `value` None is a missing member."""
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{member}' failed to satisfy constraint: {constraint}"


NOT_NULL = "Member must not be null"


def at_most(number):
    return f"Member must have length less than or equal to {number}"


def at_least(number):
    return f"Member must have length greater than or equal to {number}"


def pattern(text):
    return f"Member must satisfy regular expression pattern: {text}"
