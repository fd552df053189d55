"""Writes botocore_SERVICE.json beside this file: the facts of AWS's model that our operations are held to, and none of its prose.

    python crates/iam/tests/digest.py iam|sts|organizations|account

Needs botocore. One line an operation and one a shape, so that a new botocore shows as a small difference.
"""

import json
import pathlib
import sys

import botocore
import botocore.loaders

FACTS = ("type", "required", "min", "max", "pattern", "enum", "sensitive")


def digest(service):
    model = botocore.loaders.Loader().load_service_model(service, "service-2")
    operations, shapes = {}, {}

    def facts(name):
        """The facts of a shape and of all that it holds; returns its name."""
        if name not in shapes:
            shape = model["shapes"][name]
            kept = shapes[name] = {fact: shape[fact] for fact in FACTS if fact in shape}
            if shape["type"] == "structure":
                kept["members"] = {member: facts(held["shape"]) for member, held in shape["members"].items()}
            for part in ("member", "value"):
                if part in shape:
                    kept[part] = facts(shape[part]["shape"])
        return name

    for name, operation in model["operations"].items():
        operations[name] = {part: facts(operation[part]["shape"]) for part in ("input", "output") if part in operation}
        if model["metadata"]["protocol"] == "rest-json":
            operations[name]["http"] = f"{operation['http']['method']} {operation['http']['requestUri']}"
    # What a JSON service has in its place: the prefix of X-Amz-Target. A service that speaks REST has nothing there, but a path for each operation.
    namespace = model["metadata"].get("xmlNamespace") or model["metadata"].get("targetPrefix", "")
    about = {"service": service, "version": model["metadata"]["apiVersion"], "namespace": namespace, "botocore": botocore.__version__}
    return about | {"operations": operations, "shapes": shapes}


def lines(facts):
    def table(name):
        rows = (f"    {json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in sorted(facts[name].items()))
        return f'  "{name}": {{\n' + ",\n".join(rows) + "\n  }"

    single = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items() if not isinstance(value, dict)]
    return "{\n" + ",\n".join([*single, table("operations"), table("shapes")]) + "\n}\n"


if __name__ == "__main__":
    for service in sys.argv[1:] or sys.exit(__doc__):
        pathlib.Path(__file__).with_name(f"botocore_{service}.json").write_text(lines(digest(service)))
