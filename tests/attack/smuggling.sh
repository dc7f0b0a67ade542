#!/usr/bin/env bash
# Requests hidden in others: directly, and behind nginx and haproxy.
set -euo pipefail
cd "$(dirname "$0")/../.."
ulimit -n "$(ulimit -Hn)"
exec cargo test --locked --features failpoints --test attack smuggling:: -- --nocapture --test-threads 1
