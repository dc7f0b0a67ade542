#!/usr/bin/env bash
# Slow clients, by slowhttptest: each with 2,000 connections.
set -euo pipefail
cd "$(dirname "$0")/../.."
ulimit -n "$(ulimit -Hn)"
exec cargo test --locked --features failpoints --test attack slow:: -- --nocapture --test-threads 1
