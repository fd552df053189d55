"""Writes aws-managed-policies/*.jsonl: AWS's managed policies, one a line, sorted by ARN.

The documents come from PyPI's moto (Apache-2.0), which reads them off AWS:
    pip install --no-deps moto && python make_managed_policies.py
"""

import importlib.util
import json
import pathlib
import sys


def find():
    for folder in sys.path:
        file = pathlib.Path(folder) / "moto/iam/aws_managed_policies.py"
        if file.exists():
            return file
    raise SystemExit("moto is not installed")


spec = importlib.util.spec_from_file_location("aws_managed_policies", find())
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
policies = json.loads(module.aws_managed_policies_data)

lines = []
for name, policy in policies.items():
    path = policy.get("Path", "/")
    document = policy["Document"]
    # AWS shows Version first; the order of keys has no meaning otherwise.
    document = {"Version": document.get("Version", "2012-10-17"), **document}
    lines.append(
        {
            "arn": f"arn:aws:iam::aws:policy{path}{name}",
            "version": policy["DefaultVersionId"],
            "created": policy["CreateDate"],
            "updated": policy["UpdateDate"],
            "document": document,
        }
    )
lines.sort(key=lambda line: line["arn"])


def file_of(line):
    name = line["arn"].rsplit("/", 1)[1].lower()
    return next((start for start in ("amazon", "aws") if name.startswith(start)), "others")


folder = pathlib.Path(__file__).with_name("aws-managed-policies")
folder.mkdir(exist_ok=True)
for file in ("amazon", "aws", "others"):
    mine = [json.dumps(line, separators=(",", ":")) + "\n" for line in lines if file_of(line) == file]
    (folder / f"{file}.jsonl").write_text("".join(mine))
    print(file, len(mine), "policies")
