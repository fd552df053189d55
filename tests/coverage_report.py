"""Says, from AWS's models, which operations answer and which members of their answers the tests ever saw filled.

    COVERAGE_FILE=seen.txt python -m pytest tests && python tests/coverage_report.py seen.txt [--all]

One line an operation that does not answer or has members that were never filled (--all: each operation), and one line a service with totals.
"""

import pathlib
import sys
import tempfile

import botocore.session

from harness.server import Server
from harness.signing import query, sign

SERVICES = ("iam", "sts", "organizations", "account")
MISSING = (b"InvalidAction", b"UnknownOperation", b"Credential should be scoped to correct service")


def members(shape, path="", above=()):
    """The paths of all members that an answer may have; what holds itself is followed once."""
    if shape is None or shape.name in above:
        return
    above = (*above, shape.name)
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            yield from members(member, inner, above)
    elif shape.type_name == "list":
        yield from members(shape.member, path, above)
    elif shape.type_name == "map":
        yield from members(shape.value, path, above)


def answers(root, model, name):
    """Whether the server knows an operation: what it does not know it says so of, also to root."""
    protocol, service = model.metadata["protocol"], model.signing_name
    if protocol == "query":
        reply = query(root, service, name).send()
    elif protocol == "json":
        target = {"X-Amz-Target": f"{model.metadata['targetPrefix']}.{name}", "Content-Type": f"application/x-amz-json-{model.metadata['jsonVersion']}"}
        reply = sign(root, service, "POST", "/", data=b"{}", headers=target).send()
    else:
        http = model.operation_model(name).http
        reply = sign(root, service, http["method"], http["requestUri"], data=b"{}", headers={"Content-Type": "application/json"}).send()
    return reply.status < 300 or not any(missing in reply.bytes for missing in MISSING)


def main(file, everything):
    seen = set(pathlib.Path(file).read_text(encoding="utf-8").split("\n"))
    session = botocore.session.get_session()
    totals = []
    with tempfile.TemporaryDirectory() as directory:
        server = Server(pathlib.Path(directory) / "data").start()
        try:
            for service in SERVICES:
                model = session.get_service_model(service)
                known = answered = filled = possible = 0
                for name in model.operation_names:
                    is_known = answers(server.root, model, name)
                    paths = sorted(set(members(model.operation_model(name).output_shape)))
                    never = [path for path in paths if f"{service} {name} {path}" not in seen]
                    known += is_known
                    answered += is_known and f"{service} {name}" in seen
                    possible += len(paths)
                    filled += len(paths) - len(never)
                    if not is_known:
                        print(f"{service} {name}: does not answer")
                    elif f"{service} {name}" not in seen:
                        print(f"{service} {name}: no test is answered by it")
                    elif never or everything:
                        print(f"{service} {name}: {len(paths) - len(never)} of {len(paths)} members" + (f"; never filled: {', '.join(never)}" if never else ""))
                if known:
                    totals.append(f"{service}: {known} of {len(model.operation_names)} operations answer, {answered} in tests; {filled} of {possible} output members filled")
        finally:
            server.kill()
    print("\n".join(totals))


if __name__ == "__main__":
    arguments = sys.argv[1:] or sys.exit(__doc__)
    main(arguments[0], "--all" in arguments)
