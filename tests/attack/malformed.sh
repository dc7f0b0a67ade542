#!/usr/bin/env bash
# Malformed requests on the wire: ATTACK_REQUESTS of them (200000), from ATTACK_SEED on.
set -euo pipefail
cd "$(dirname "$0")/../.."
ulimit -n "$(ulimit -Hn)"
exec cargo test --locked --features failpoints --test attack malformed:: -- --nocapture --test-threads 1
