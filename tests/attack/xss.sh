#!/usr/bin/env bash
# What strangers send, on the pages of the portal, in a real browser: every payload in every field.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${CARGO_TARGET_DIR:-$PWD/target}/debug/tributary
cd tests/browser
npm ci --no-audit --no-fund
TRIBUTARY_XSS=all TRIBUTARY_BIN=$binary exec node --test xss.test.mjs
