"""What the tests were answered: which operations, which members were ever filled, which errors came. Kept where COVERAGE_FILE says, if it does.

The file has a line for each member, `iam CreateUser User.Arn`, one for each error, `iam CreateUser !EntityAlreadyExists`, and one without
either for each operation that answered. With or without a file, a member that AWS never fills there fails the test that is answered it.
"""

import os

from . import facts

_SEEN = set()


def _note(line):
    if line not in _SEEN:
        _SEEN.add(line)
        if os.environ.get("COVERAGE_FILE"):
            with open(os.environ["COVERAGE_FILE"], "a", encoding="utf-8") as file:
                file.write(line + "\n")


def paths(shape, tree, path=""):
    """The paths of the members that are filled in a parsed answer."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if isinstance(tree, dict) and tree.get(name) is not None:
                inner = f"{path}.{name}" if path else name
                yield inner
                yield from paths(member, tree[name], inner)
    elif shape.type_name == "list":
        for each in tree:
            yield from paths(shape.member, each, path)
    elif shape.type_name == "map":
        for each in tree.values():
            yield from paths(shape.value, each, path)


def watch(client):
    """Notes what a boto3 client is answered."""

    def after(http_response, parsed, model, **_):
        start = f"{model.service_model.service_name} {model.name}"
        if http_response.status_code >= 300:
            _note(f"{start} !{parsed.get('Error', {}).get('Code')}")
            return
        _note(start)
        for path in paths(model.output_shape, parsed) if model.output_shape else ():
            name = f"{start} {path}"
            assert facts.kind_of(name) != "never", f"AWS never fills {name}"
            _note(name)

    client.meta.events.register("after-call.*.*", after)
