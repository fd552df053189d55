#!/usr/bin/env bash
# The main job, step by step, against a fresh server and with the real aws-cli. `make demo` builds what it needs and calls it.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
bailiwick=${BAILIWICK_BIN:-$here/target/release/bailiwick}
unset BAILIWICK_BIN # the server refuses settings that it does not know
python=${PYTHON:-$here/.venv/bin/python}
aws=${AWS:-$here/.venv/bin/aws}
work=$(mktemp -d)
free() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free)
store_port=$(free)
url=http://127.0.0.1:$port

server= store=
finish() {
    [ -z "$store" ] || kill "$store" 2>/dev/null || true
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

export AWS_ENDPOINT_URL=$url AWS_DEFAULT_REGION=us-east-1 AWS_PAGER= AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=$work/config AWS_SHARED_CREDENTIALS_FILE=$work/credentials

step() { printf '\n== %s\n' "$*"; }
# Runs a command as whoever has the key in a file, and shows it with its answer.
as() {
    local who=$1
    shift
    printf '\n%s$ %s\n' "$who" "$(printf '%s ' "$@" | cut -c1-160)"
    (
        # shellcheck disable=SC1090
        . "$work/$who.sh"
        "$@"
    )
}
# The same, for what must be refused.
refused() {
    if as "$@" 2>"$work/error"; then
        echo "this should have been refused" >&2
        exit 1
    fi
    sed '/^$/d' "$work/error"
}
# Reads a JSON answer's key pair into a file of its own.
key_of() {
    "$python" -c '
import json, sys
key = json.load(sys.stdin)
key = key.get("AccessKey") or key["Credentials"]
print("export AWS_ACCESS_KEY_ID=" + key["AccessKeyId"])
print("export AWS_SECRET_ACCESS_KEY=" + key["SecretAccessKey"])
print("export AWS_SESSION_TOKEN=" + key["SessionToken"] if "SessionToken" in key else "unset AWS_SESSION_TOKEN")
' >"$work/$1.sh"
}
quietly() { as "$@" >/dev/null; }

step "0. A first start makes the account and prints root's key once"
"$bailiwick" serve --data-dir "$work/data" --listen "127.0.0.1:$port" >"$work/root.sh" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    "$python" -c "import urllib.request; urllib.request.urlopen('$url/health')" 2>/dev/null && break
    sleep 0.05
done
[ -s "$work/root.sh" ] || { cat "$work/log" >&2; exit 1; }
sed 's/\(SECRET_ACCESS_KEY=....\).*/\1…/' "$work/root.sh"
as root "$aws" sts get-caller-identity
account=$(. "$work/root.sh" && "$aws" sts get-caller-identity --query Account --output text)

step "1. A user has no permission until a policy gives one"
quietly root "$aws" iam create-user --user-name alice
quietly root "$aws" iam create-group --group-name developers
as root "$aws" iam add-user-to-group --group-name developers --user-name alice
(. "$work/root.sh" && "$aws" iam create-access-key --user-name alice) | key_of alice
refused alice "$aws" iam list-users
cat >"$work/read.json" <<'JSON'
{"Version": "2012-10-17", "Statement": [
  {"Sid": "Look", "Effect": "Allow", "Action": ["iam:ListUsers", "iam:ListRoles"], "Resource": "*"},
  {"Sid": "Become", "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"},
  {"Sid": "Files", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
]}
JSON
quietly root "$aws" iam create-policy --policy-name look --policy-document "file://$work/read.json"
as root "$aws" iam attach-group-policy --group-name developers --policy-arn "arn:aws:iam::$account:policy/look"
as alice "$aws" iam list-users --query 'Users[].UserName' --output text

step "   Why was she denied before? The operator asks by the request's id"
id=$(grep -h '"errorCode":"AccessDenied"' "$work"/data/trail/*.jsonl | "$python" -c 'import json, sys; print(json.loads(sys.stdin.readline())["requestID"])')
"$bailiwick" explain "$id" --data-dir "$work/data" | head -60

step "2. A session may do what role, session policy and boundary allow together"
cat >"$work/trust.json" <<JSON
{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::$account:user/alice"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}}
JSON
quietly root "$aws" iam create-role --role-name auditor --assume-role-policy-document "file://$work/trust.json"
as root "$aws" iam attach-role-policy --role-name auditor --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess
narrow='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}}'
(. "$work/alice.sh" && "$aws" sts assume-role --role-arn "arn:aws:iam::$account:role/auditor" --role-session-name review \
    --policy "$narrow" --tags Key=team,Value=blue) | key_of session
as session "$aws" sts get-caller-identity
as session "$aws" iam list-roles --query 'Roles[].RoleName' --output text
refused session "$aws" iam list-users
sed 's/SESSION_TOKEN=A/SESSION_TOKEN=B/' "$work/session.sh" >"$work/forged.sh"
refused forged "$aws" sts get-caller-identity

step "3. A second account crosses over by a role with an external id"
"$bailiwick" account create --name partner --email partner@example.com --data-dir "$work/data" >"$work/partner.out"
partner=$(head -1 "$work/partner.out")
{ tail -2 "$work/partner.out"; echo 'unset AWS_SESSION_TOKEN'; } >"$work/partner-root.sh"
quietly partner-root "$aws" iam create-user --user-name bob
as partner-root "$aws" iam put-user-policy --user-name bob --policy-name cross --policy-document \
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:AssumeRole","s3:GetObject"],"Resource":"*"}}'
(. "$work/partner-root.sh" && "$aws" iam create-access-key --user-name bob) | key_of bob
cat >"$work/external.json" <<JSON
{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::$partner:root"}, "Action": "sts:AssumeRole",
 "Condition": {"StringEquals": {"sts:ExternalId": "42-is-agreed"}}}}
JSON
quietly root "$aws" iam create-role --role-name shared --assume-role-policy-document "file://$work/external.json"
refused bob "$aws" sts assume-role --role-arn "arn:aws:iam::$account:role/shared" --role-session-name bob
as bob "$aws" sts assume-role --role-arn "arn:aws:iam::$account:role/shared" --role-session-name bob --external-id 42-is-agreed \
    --query AssumedRoleUser.Arn --output text

step "4. Another server asks: a file server that boto3 and the aws-cli take for S3"
quietly root "$aws" iam create-user --user-name file-server
as root "$aws" iam put-user-policy --user-name file-server --policy-name ask --policy-document \
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"bailiwick:Authorize","Resource":"*","Condition":{"StringEquals":{"bailiwick:Host":"127.0.0.1:'"$store_port"'","bailiwick:Service":"s3"}}}}'
(. "$work/root.sh" && "$aws" iam create-access-key --user-name file-server) | key_of file-server
(. "$work/file-server.sh" && exec "$python" "$here/examples/file-server/server.py" \
    --listen "127.0.0.1:$store_port" --bailiwick "$url" --root "$work/files") &
store=$!
s3=("$aws" --endpoint-url "http://127.0.0.1:$store_port" s3api)
for _ in $(seq 100); do
    "$python" -c "import socket; socket.create_connection(('127.0.0.1', $store_port))" 2>/dev/null && break
    sleep 0.05
done
echo "quarter one" >"$work/q1.csv"
as alice "${s3[@]}" create-bucket --bucket reports
as alice "${s3[@]}" put-object --bucket reports --key public/q1.csv --body "$work/q1.csv"
as alice "${s3[@]}" put-object --bucket reports --key private/plan.txt --body "$work/q1.csv"
as alice "${s3[@]}" list-objects-v2 --bucket reports --query 'Contents[].Key' --output text
refused bob "${s3[@]}" get-object --bucket reports --key public/q1.csv "$work/out"
cat >"$work/bucket.json" <<JSON
{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "$partner"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/public/*"}}
JSON
as alice "${s3[@]}" put-bucket-policy --bucket reports --policy "file://$work/bucket.json"
as bob "${s3[@]}" get-object --bucket reports --key public/q1.csv "$work/out"
cat "$work/out"
refused bob "${s3[@]}" get-object --bucket reports --key private/plan.txt "$work/out"

step "5. Taking away acts on the very next request, for sessions too"
as root "$aws" iam detach-role-policy --role-name auditor --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess
refused session "$aws" iam list-roles
alice_key=$(sed -n 's/export AWS_ACCESS_KEY_ID=//p' "$work/alice.sh")
as root "$aws" iam update-access-key --user-name alice --access-key-id "$alice_key" --status Inactive
refused alice "$aws" sts get-caller-identity
as root "$aws" iam delete-role --role-name auditor
refused session "$aws" sts get-caller-identity

printf '\nAll five steps did what they should.\n'
