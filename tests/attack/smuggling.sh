#!/usr/bin/env bash
# Requests hidden in others: directly, and behind nginx and haproxy. First, that a real haproxy's PROXY header
# is understood.
set -euo pipefail
cd "$(dirname "$0")/../.."
ulimit -n "$(ulimit -Hn)"
cargo test --locked --features failpoints --test it walls::door::haproxy_is_understood -- --exact --ignored
exec cargo test --locked --features failpoints --test attack smuggling:: -- --nocapture --test-threads 1
