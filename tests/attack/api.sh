#!/usr/bin/env bash
# The admin API against its own document: schemathesis makes requests that it allows and requests that it
# forbids, and checks every answer. CASES for each operation; SEED to do the same again.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
binary=${CARGO_TARGET_DIR:-$root/target}/debug/tributary
dir=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap cleanup EXIT

python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5

read -r edge admin ops shop < <(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(s.getsockname()[1] for s in held))')
"$binary" dev --data-dir "$dir/data" --edge-listen "127.0.0.1:$edge" --admin-listen "127.0.0.1:$admin" \
  --ops-listen "127.0.0.1:$ops" --shop-listen "127.0.0.1:$shop" \
  --api-key-per-second=0 --junk-per-second=0 --junk-address-per-second=0 >"$dir/dev.log" 2>&1 &
server=$!
for _ in $(seq 600); do
  [ -s "$dir/data/dev.json" ] && break
  kill -0 "$server" || { cat "$dir/dev.log"; exit 1; }
  sleep 0.1
done
key=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["admin_key"])' "$dir/data/dev.json")

# Something to decide upon.
demo() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["demo"][sys.argv[2]])' "$dir/data/dev.json" "$1"; }
pixel=$(demo pixel_url)
for order in $(seq 40); do
  python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read()' \
    "${pixel%%\?*}?amount=19.95&id=$order&coupon=MORNING10"
done

status=0
cd "$dir"
ADMIN_KEY=$key SCHEMATHESIS_HOOKS=$root/tests/attack/api/hooks.py "$dir/venv/bin/st" \
  --config-file "$root/tests/attack/api/schemathesis.toml" run "http://127.0.0.1:$admin/openapi.json" \
  --url "http://127.0.0.1:$admin" --checks all --workers 1 \
  --max-examples "${CASES:-600}" --request-timeout 20 ${SEED:+--seed "$SEED"} --no-color \
  >"$dir/report.txt" 2>&1 || status=$?
cat "$dir/report.txt"
echo "faults of the server: $(grep -c '"level":"ERROR"\|ERROR' "$dir/dev.log" || true)"
grep 'ERROR' "$dir/dev.log" | head -20 || true
exit "$status"
