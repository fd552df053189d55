#!/usr/bin/env bash
# Runs every test, says how long each part took, and ends with one line that counts them all: "N passed, N failed".
# What it needs it installs into .venv; needed beforehand are a Rust toolchain, a C compiler and Python 3 with venv.
# Arguments go to pytest, for example: tests/run.sh -k roles
set -uo pipefail
cd "$(dirname "$0")/.."

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0
failed=0
times=""

# part NAME COMMAND…: runs a command, keeps its output, remembers its time; its status is the command's.
part() {
    local name=$1 began=$SECONDS status
    shift
    echo "== $name"
    "$@" 2>&1 | tee "$logs/output"
    status=${PIPESTATUS[0]}
    times+=$(printf '%6d s  %s' $((SECONDS - began)) "$name")$'\n'
    return "$status"
}

# finish: the times, the count, and a status other than 0 if anything failed or nothing ran.
finish() {
    printf '== times\n%s' "$times"
    ((failed > 0 || passed == 0)) && status=1 || status=0
    echo "$passed passed, $failed failed"
    exit "$status"
}

# give_up WHY: something that the tests need is missing, which is a failure.
give_up() {
    echo "== $1"
    failed=$((failed + 1))
    finish
}

# sum FIELD: that field of all lines "test result: ok. 5 passed; 0 failed; …", added up.
sum() {
    local total=0 number
    while read -r number; do
        total=$((total + number))
    done < <(sed -nE "s/^test result: .* ([0-9]+) $1;.*/\1/p" "$logs/output")
    echo "$total"
}

part "build the release binary" cargo build --release --locked || give_up "the release build failed"
part "build the tests" cargo test --workspace --locked --no-run || give_up "the tests do not compile"
part "install the tools" tests/tools.sh || echo "the tests that need them will fail"
part "install the clients" tests/venv.sh .venv tests/requirements.txt || give_up "the clients could not be installed"

part "cargo test" cargo test --workspace --locked --no-fail-fast
cargo_status=$?
passed=$((passed + $(sum passed)))
cargo_failed=$(sum failed)
# A test binary that dies says no count.
((cargo_status != 0 && cargo_failed == 0)) && cargo_failed=1
failed=$((failed + cargo_failed))

part "end to end" .venv/bin/python -m pytest -q --junitxml "$logs/pytest.xml" tests "$@"
pytest_status=$?
counts=$(.venv/bin/python tests/count.py "$logs/pytest.xml") || counts="0 1"
read -r pytest_passed pytest_failed <<<"$counts"
((pytest_status != 0 && pytest_failed == 0)) && pytest_failed=1
passed=$((passed + pytest_passed))
failed=$((failed + pytest_failed))
finish
