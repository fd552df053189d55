"""The last test of a session: no secret, token or signature that the suite has seen is in any log, trail or file that a server left.

rustfs GHSA-r54g, -8cm2, -333v: secrets in logs.
"""

import subprocess
import time
import urllib.parse

import pytest

from harness import ledger


def spellings(secret):
    """A secret as it would stand in a text, a URL or JSON; long tokens by a piece from their middle, so that a cut one is found too."""
    plain = secret if len(secret) <= 120 else secret[len(secret) // 2 - 30 : len(secret) // 2 + 30]
    yield plain
    for other in (urllib.parse.quote(plain, safe=""), plain.replace("/", "\\/")):
        if other != plain:
            yield other


def found_in(paths, words, tmp_path):
    """Which of the words are in which of the files."""
    if not paths or not words:
        return []
    file = tmp_path / "words"
    file.write_text("\n".join(sorted(words)) + "\n")
    done = subprocess.run(["grep", "-aoHFf", str(file), *map(str, paths)], capture_output=True, text=True, errors="replace")
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.splitlines()


@pytest.mark.timeout(180)
def test_secrets_leak_nowhere(server, tmp_path):
    assert len(ledger.SECRETS) > 20 and len(ledger.SIGNATURES) > 20, "run it with the suite: alone it has seen nothing"
    time.sleep(1.5)
    server.terminate()
    logs, files = [], []
    for each in ledger.SERVERS:
        logs += [path for path in [each.log] if path.exists()]
        files += [path for path in each.data_dir.rglob("*") if path.is_file() and path.name != "master.key"] if each.data_dir.exists() else []
    assert any(path.stat().st_size for path in logs) and any("trail" in str(path) for path in files)
    secrets = {word for secret in ledger.SECRETS for word in spellings(secret)}
    leaks = found_in(logs + files, secrets, tmp_path)
    assert not leaks, [leak[:200] for leak in leaks[:20]]
    leaks = found_in(logs + files, set(ledger.SIGNATURES), tmp_path)
    assert not leaks, [leak[:200] for leak in leaks[:20]]


def test_no_server_panicked():
    """A panic that was caught is still a defect."""
    for each in ledger.SERVERS:
        assert "panicked at" not in each.logged(), each.log
