#!/usr/bin/env bash
# Installs the programs of the system that the tests talk to, where one is missing: git, OpenSSH's client and server, openssl. By apt, as root or by
# sudo; where that cannot be, it says what is missing, and the tests that need it fail.
set -uo pipefail
PATH=$PATH:/usr/sbin:/usr/local/sbin

missing=()
for tool in git:git ssh:openssh-client ssh-keygen:openssh-client sshd:openssh-server openssl:openssl; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
((${#missing[@]} == 0)) && exit 0
root=()
((EUID == 0)) || root=(sudo -n)
install() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; }
install || { "${root[@]}" apt-get update && install; } || { echo "missing: ${missing[*]}" >&2; exit 1; }
