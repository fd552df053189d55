#!/usr/bin/env bash
# tests/clients/run.sh: tools that people run against AWS, run against a seeded account of Bailiwick. Each is installed as published, pinned, into a folder of its own.
# Ends with one line that counts the tests: "N passed, N failed". Arguments go to pytest. Needed beforehand: a Rust toolchain, a C compiler, Python 3 with venv, Node.js with npm.
set -uo pipefail
cd "$(dirname "$0")/../.."

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# give_up WHY: something that the tests need is missing, which is a failure.
give_up() {
    echo "== $1"
    echo "0 passed, 1 failed"
    exit 1
}

began=$SECONDS
if [ -z "${BAILIWICK_BIN:-}" ]; then
    cargo build --release --locked || give_up "the release build failed"
fi
tests/venv.sh .venv tests/requirements.txt || give_up "pytest could not be installed"

# Side by side. Compiling what is never imported takes longer than running it.
export PIP_NO_COMPILE=1
names=()
pids=()
for requirements in tests/clients/*/requirements.txt; do
    folder=$(dirname "$requirements")
    tests/venv.sh "$folder/.venv" "$requirements" >"$logs/$(basename "$folder")" 2>&1 &
    names+=("$folder")
    pids+=($!)
done
if ! cmp -s tests/clients/javascript/package-lock.json tests/clients/javascript/node_modules/installed; then
    { (cd tests/clients/javascript && npm ci --silent --no-audit --no-fund) &&
        cp tests/clients/javascript/package-lock.json tests/clients/javascript/node_modules/installed; } >"$logs/javascript" 2>&1 &
    names+=(tests/clients/javascript)
    pids+=($!)
fi
for at in "${!pids[@]}"; do
    wait "${pids[$at]}" || { cat "$logs/$(basename "${names[$at]}")"; give_up "${names[$at]} could not be installed"; }
done
echo "== installed after $((SECONDS - began)) s"

.venv/bin/python -m pytest -q --durations 0 --junitxml "$logs/pytest.xml" tests/clients "$@"
status=$?
counts=$(.venv/bin/python tests/count.py "$logs/pytest.xml") || counts="0 1"
read -r passed failed <<<"$counts"
((status != 0 && failed == 0)) && failed=1
echo "== $((SECONDS - began)) s"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
