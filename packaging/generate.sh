#!/usr/bin/env bash
# packaging/generate.sh BINARY FOLDER: what a package holds and the binary itself knows: manual pages and completions.
set -euo pipefail
binary=$1
folder=$2

mkdir -p "$folder"
"$binary" man --dir "$folder/man"
"$binary" completions bash >"$folder/bailiwick.bash"
"$binary" completions zsh >"$folder/_bailiwick"
"$binary" completions fish >"$folder/bailiwick.fish"
