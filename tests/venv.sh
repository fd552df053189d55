#!/usr/bin/env bash
# tests/venv.sh FOLDER REQUIREMENTS: a Python environment with what the file lists, made anew only when the file has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
requirements=$2

[ -x "$folder/bin/python" ] || python3 -m venv "$folder"
cmp -s "$requirements" "$folder/installed" && exit 0
"$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$folder/installed"
