#!/usr/bin/env bash
# The proofs of tests/it/proofs with all their numbers, and what only an attack measures: 100,000 order ids claimed
# over the wire under both settings, two million changed tokens, the time that refusals take, and what the
# deployment may do; and the histories of money (tests/it/histories). Prints counts; ends non-zero when anything got through. Run by `make attack`.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=(cargo test --locked --features failpoints --test it)
failed=0
counts='^(test .* \.\.\. )?(open redirect|click tokens|signed pixels|unsigned|click token|signature|bearer|a naive comparison|a million lines|Tellings|Verdicts|Payouts|\[[A-Z][a-z, A-Z]*\]):|^sealed in|^seal_|^test result'

# One proof after the other: each may want the machine for itself.
proof() {
  echo "== $1"
  local log began=$SECONDS
  log=$(mktemp)
  if RUST_BACKTRACE=0 TRIBUTARY_ATTACK=1 "${build[@]}" -- --nocapture --test-threads 1 --include-ignored "$1" >"$log" 2>&1; then
    grep -E "$counts" "$log" || true
  else
    tail -n 40 "$log"
    echo "FAILED: $1"
    failed=1
  fi
  rm -f "$log"
  echo "   $((SECONDS - began)) s"
}

"${build[@]}" --no-run
for name in tokens redirects signing claims holding preclaims pages timing; do
  proof "proofs::$name"
done
proof "histories::"

for name in reconciling::lists::a_million_lines seals::sealing::a_million_transfers; do
  proof "$name"
done

echo "== systemd"
if command -v systemd-analyze >/dev/null; then
  units=$(mktemp -d)
  trap 'rm -rf "$units"' EXIT
  for unit in deploy/systemd/*.service; do
    # What is to be started is not installed here.
    sed 's|^ExecStart=/usr/local/bin/tributary|ExecStart=/bin/true|' "$unit" >"$units/$(basename "$unit")"
  done
  systemd-analyze verify "$units"/*.service || { echo "FAILED: systemd-analyze verify"; failed=1; }
  # 0 is a service that can do nothing, 10 one that can do all; beyond 1.5 it fails.
  systemd-analyze security --offline=true --threshold=15 --no-pager "$units"/*.service |
    grep Overall || { echo "FAILED: systemd-analyze security"; failed=1; }
else
  echo "systemd-analyze is not here: skipped"
fi

exit "$failed"
