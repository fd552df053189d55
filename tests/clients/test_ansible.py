"""Ansible's amazon.aws modules for IAM: what they make, they find again and leave alone; what they remove is gone."""

import json
import subprocess

import pytest
from conftest import HERE, tool


@pytest.mark.timeout(280)
def test_a_playbook_changes_everything_once_and_nothing_twice(seeded, tmp_path):
    environment = seeded.environment(tmp_path) | {
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PYTHON_INTERPRETER": str(tool("ansible", "python")), "LC_ALL": "C.UTF-8"}

    def play(book):
        command = [tool("ansible", "ansible-playbook"), HERE / "ansible" / book]
        done = subprocess.run([str(part) for part in command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
        assert "{" in done.stdout, done
        told = json.loads(done.stdout[done.stdout.index("{"):])
        hosts = [(task["task"]["name"], task["hosts"]["localhost"]) for each in told["plays"] for task in each["tasks"]]
        failed = [(name, host["msg"], [item["msg"] for item in host.get("results", []) if item.get("failed")]) for name, host in hosts if host.get("failed")]
        assert failed == [] and done.returncode == 0
        return [name for name, host in hosts if host.get("changed")]

    assert len(play("account.yml")) == 8
    assert play("account.yml") == [], "the second time nothing changes"
    assert len(play("gone.yml")) == 7
    left = json.dumps(seeded.account.iam.get_account_authorization_details(), default=str)
    assert "ansible" not in left.replace("test-ansible", "")
