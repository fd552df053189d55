"""Says, from AWS's models, which operations answer, which members of their answers the tests ever saw filled, and which errors came.

    COVERAGE_FILE=seen.txt python -m pytest tests && python tests/coverage_report.py seen.txt [--all]

One line an operation that does not answer, or has members that were never filled or errors that never came (--all: each operation), and one
line a service with totals. What AWS never fills, and what does not happen here, is not missed: `coverage.toml` has it, with the reason.
"""

import pathlib
import sys
import tempfile

import botocore.session

from harness import facts
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


def codes(model):
    """The errors that the model lets an operation answer, as they are told on the wire."""
    return [f"!{error.metadata.get('error', {}).get('code') or error.name}" for error in model.error_shapes]


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


class Tally:
    """What could be seen of one kind, what was, and what need not be."""

    def __init__(self, what):
        self.what, self.possible, self.seen, self.excused = what, 0, 0, 0

    def missed(self, start, names, seen):
        """Those that were not seen and are missed."""
        missing = [name for name in names if f"{start} {name}" not in seen]
        missed = [name for name in missing if not facts.kind_of(f"{start} {name}")]
        self.possible, self.seen, self.excused = self.possible + len(names), self.seen + len(names) - len(missing), self.excused + len(missing) - len(missed)
        return missed

    def __str__(self):
        return f"{self.seen} of {self.possible} {self.what}, {self.excused} not to be expected, {self.possible - self.seen - self.excused} missed"


def main(file, everything):
    seen = set(pathlib.Path(file).read_text(encoding="utf-8").split("\n"))
    session = botocore.session.get_session()
    totals = []
    with tempfile.TemporaryDirectory() as directory:
        server = Server(pathlib.Path(directory) / "data").start()
        try:
            for service in SERVICES:
                model = session.get_service_model(service)
                known = answered = 0
                filled, refused = Tally("output members filled"), Tally("modelled errors seen")
                for name in model.operation_names:
                    is_known, start = answers(server.root, model, name), f"{service} {name}"
                    operation = model.operation_model(name)
                    never = filled.missed(start, sorted(set(members(operation.output_shape))), seen)
                    untold = refused.missed(start, codes(operation), seen)
                    known += is_known
                    answered += is_known and start in seen
                    if not is_known:
                        print(f"{start}: does not answer")
                        continue
                    if start not in seen and not facts.kind_of(f"{start} *"):
                        print(f"{start}: no test is answered by it")
                    elif never:
                        print(f"{start}: never filled: {', '.join(never)}")
                    elif everything:
                        print(f"{start}: all members")
                    if untold:
                        print(f"{start}: errors that never came: {', '.join(code[1:] for code in untold)}")
                totals.append(f"{service}: {known} of {len(model.operation_names)} operations answer, {answered} in tests; {filled}; {refused}")
        finally:
            server.kill()
    print("\n".join(totals))


if __name__ == "__main__":
    arguments = sys.argv[1:] or sys.exit(__doc__)
    main(arguments[0], "--all" in arguments)
