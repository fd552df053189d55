"""What packages are made of: completions, manual pages, the unit of systemd, the image, the .deb."""

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request

import pytest

from harness.server import ROOT, binary, free_port

PACKAGING = ROOT / "packaging"
SHELLS = ["bash", "elvish", "fish", "powershell", "zsh"]


def run(*arguments, environment=None, **more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAILIWICK_"))} | (environment or {})
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=30, env=clean, **more)


def commands():
    """The commands that the help names."""
    text = run("--help").stdout.split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\w+)  ", text, re.MULTILINE)


# Completions and manual pages.


@pytest.mark.parametrize("shell", SHELLS)
def test_completions_know_every_command(shell):
    done = run("completions", shell)
    assert done.returncode == 0 and done.stderr == ""
    assert [command for command in commands() if command not in done.stdout] == []
    assert "data-dir" in done.stdout


def test_bash_completes_commands_and_options(tmp_path):
    (tmp_path / "completions").write_text(run("completions", "bash").stdout)
    ask = """source "$1"; COMP_WORDS=(bailiwick {words}); COMP_CWORD={at}; _bailiwick bailiwick "{last}" "{before}"; echo "${{COMPREPLY[@]}}" """

    def completed(*words):
        script = ask.format(words=" ".join(words), at=len(words), last=words[-1], before=words[-2] if len(words) > 1 else "bailiwick")
        done = subprocess.run(["bash", "-c", script, "_", tmp_path / "completions"], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and done.stderr == "", done
        return done.stdout.split()

    assert completed("acc") == ["account"]
    assert completed("account", "reset") == ["reset-root"]
    assert completed("test", "--form") == ["--format"]
    assert completed("test", "--format", "j") == ["junit", "json"]


def test_a_shell_that_nobody_knows_is_refused():
    assert run("completions", "nushell").returncode != 0


def test_every_command_has_a_page_that_is_clean_roff(tmp_path):
    assert run("man", "--dir", tmp_path / "pages").returncode == 0
    pages = {page.name for page in (tmp_path / "pages").iterdir()}
    assert pages >= {f"bailiwick-{command}.1" for command in commands() if command != "help"} | {"bailiwick.1", "bailiwick-account-create.1"}
    front = run("man").stdout
    assert front == (tmp_path / "pages/bailiwick.1").read_text() and front.startswith((".ie", ".TH"))
    if shutil.which("groff"):
        for page in sorted(pages):
            done = subprocess.run(["groff", "-k", "-man", "-Tutf8", "-ww", "-Wbreak", "-z", tmp_path / "pages" / page], capture_output=True, text=True, timeout=30)
            assert done.returncode == 0 and done.stderr == "", (page, done.stderr)


# The unit.


def unit():
    """The unit's settings; a key that stands more than once has several values."""
    settings = {}
    for line in (PACKAGING / "bailiwick.service").read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    return settings


def test_the_units_command_and_configuration_are_what_the_binary_takes(tmp_path):
    (start,) = unit()["ExecStart"]
    assert start == "/usr/bin/bailiwick serve --config /etc/bailiwick/bailiwick.toml"
    done = run("config", "check", "--config", PACKAGING / "bailiwick.toml", "--data-dir", tmp_path / "data")
    assert done.returncode == 0, done
    everything = re.sub(r"^# (?=\w+ = )", "", (PACKAGING / "bailiwick.toml").read_text(), flags=re.MULTILINE)
    keys = re.findall(r"^(\w+) = ", everything, re.MULTILINE)
    page = (ROOT / "docs/configuration.md").read_text()
    assert len(keys) > 4 and all(f"| `{key}` |" in page for key in keys), "what is commented out is known too"
    settings = tomllib.loads((PACKAGING / "bailiwick.toml").read_text())
    assert settings["data_dir"] == "/var/lib/" + unit()["StateDirectory"][0]
    assert int(unit()["LimitNOFILE"][0]) >= 4096 + 256, "as many descriptors as the default number of connections needs"


def test_the_unit_keeps_the_root_key_out_of_the_journal():
    assert unit()["StandardOutput"] == ["null"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_unit_is_sound_and_exposes_little(tmp_path):
    # The binary of the unit is not installed here: its place is taken by one that is.
    text = (PACKAGING / "bailiwick.service").read_text().replace("/usr/bin/bailiwick", binary()).replace("man:bailiwick(1)", "https://example.com")
    here = tmp_path / "bailiwick.service"
    here.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", here], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "bailiwick" not in done.stderr, done
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", here], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout[-500:]


# The image.


def instructions():
    text = re.sub(r"\\\n\s*", " ", (PACKAGING / "Dockerfile").read_text())
    return [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]


def image_environment():
    pairs = " ".join(rest for name, rest in instructions() if name == "ENV").split()
    return dict(pair.split("=", 1) for pair in pairs)


def is_sent(path):
    """Whether .dockerignore lets a path into the build."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        if any(fnmatch.fnmatch(part, pattern) for part in [path, *map(str, pathlib.PurePath(path).parents)]):
            sent = line.startswith("!")
    return sent


def test_the_dockerfile_passes_a_linter():
    done = subprocess.run([pathlib.Path(sys.executable).parent / "hadolint", "--failure-threshold", "style", PACKAGING / "Dockerfile"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout == "", done.stdout


def test_all_that_the_image_copies_is_there_and_sent_to_the_build():
    copied = [rest.split() for name, rest in instructions() if name == "COPY"]
    sources = [source for words in copied if not words[0].startswith("--from") for source in words[:-1]]
    assert {"Cargo.toml", "Cargo.lock", "crates", ".cargo", "LICENSE"} == set(sources)
    for source in sources:
        assert (ROOT / source).exists() and is_sent(source), source
    for secret in ("data", ".venv", "target", ".git", "tests"):
        assert not is_sent(secret), secret
    built = [words for words in copied if words[0] == "--from=build" and words[-2].endswith("release/bailiwick")]
    assert built == [["--from=build", "/src/target/release/bailiwick", "/usr/bin/bailiwick"]]
    toolchain = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    assert any(name == "FROM" and rest.startswith(f"rust:{toolchain}-") for name, rest in instructions())


def test_the_image_runs_as_nobody_in_particular_and_listens_only_as_it_is_told(tmp_path):
    assert [rest for name, rest in instructions() if name == "USER"] == ["65532:65532"]
    assert [rest for name, rest in instructions() if name == "ENTRYPOINT"] == ['["/usr/bin/bailiwick"]']
    told = image_environment() | {"BAILIWICK_DATA_DIR": str(tmp_path / "data")}
    refused = run("config", "check", environment=told)
    assert refused.returncode != 0 and re.search("(?i)plaintext|tls", refused.stderr), "no TLS and no word that something else does it"
    assert run("config", "check", environment=told | {"BAILIWICK_PLAINTEXT": "true"}).returncode == 0


def may_unshare():
    return shutil.which("unshare") and shutil.which("setpriv") and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_unshare(), reason="namespaces are not to be had here")
def test_the_image_needs_no_root_and_nothing_to_write_to_but_its_data():
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        os.chmod(folder, 0o755)
        data = pathlib.Path(folder, "data")
        data.mkdir(mode=0o700)
        os.chown(data, 65532, 65532)
        shutil.copy(binary(), pathlib.Path(folder, "bailiwick"))
        listen = f"127.0.0.1:{free_port()}"
        script = f'mount --bind "{data}" "{data}" && mount -o remount,bind,ro / && cd / && exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs "{folder}/bailiwick" serve'
        environment = image_environment() | {"BAILIWICK_DATA_DIR": str(data), "BAILIWICK_LISTEN": listen, "PATH": os.environ["PATH"]}
        server = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            end = time.monotonic() + 20
            while True:
                assert server.poll() is None and time.monotonic() < end, server.communicate(timeout=5)
                try:
                    with urllib.request.urlopen(f"http://{listen}/health", timeout=5) as reply:
                        assert reply.status == 200
                        break
                except OSError:
                    time.sleep(0.05)
            assert (data / "bailiwick.db").stat().st_uid == 65532
        finally:
            server.terminate()
            out, _ = server.communicate(timeout=20)
        assert server.returncode == 0 and "AWS_ACCESS_KEY_ID" in out


# The .deb.


def test_the_package_holds_what_is_generated_and_what_is_here(tmp_path):
    subprocess.run([PACKAGING / "generate.sh", binary(), tmp_path / "packaging"], check=True, timeout=60)
    folder = ROOT / "crates/bailiwick"
    deb = tomllib.loads((folder / "Cargo.toml").read_text())["package"]["metadata"]["deb"]
    targets = {}
    for source, target, mode in deb["assets"]:
        if source == "target/release/bailiwick":
            found = [pathlib.Path("bailiwick")]
        else:
            path = os.path.normpath(folder / source).replace(str(ROOT / "target/packaging"), str(tmp_path / "packaging"))
            found = [each for each in pathlib.Path(path).parent.iterdir() if fnmatch.fnmatch(each.name, pathlib.Path(path).name)]
        assert found, source
        targets |= {f"/{target}{each.name}" if target.endswith("/") else f"/{target}": mode for each in found}
    (start,) = unit()["ExecStart"]
    assert targets[start.split()[0]] == "755", "what the unit starts is what the package brings"
    assert targets[start.split()[-1]] == "644" and deb["conf-files"] == [start.split()[-1]]
    assert "/usr/share/man/man1/bailiwick-serve.1" in targets
    scripts = folder / deb["systemd-units"]["unit-scripts"]
    assert (scripts / f"{deb['systemd-units']['unit-name']}.service").exists()
