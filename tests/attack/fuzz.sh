#!/usr/bin/env bash
# Coverage-guided fuzzing, each target for FUZZ_SECONDS (60): no crash, no hang of 25 s, no more than 1 GiB.
# TARGETS names some of them. What was found to reach new code is kept below the target directory, and
# taken up the next time; a crash is kept beside it.
set -euo pipefail
cd "$(dirname "$0")/../.."

fuzz=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
seconds=${FUZZ_SECONDS:-60}
here=$(rustc -vV | sed -n 's/^host: //p')
read -ra targets <<<"${TARGETS:-intake token cookie query multipart frame head}"

# What cargo-fuzz would set, with the compiler that is there: the address sanitizer is in every toolchain,
# though stable ones want to be told that it is meant.
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters'
coverage+=' -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=4'
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="$coverage -Zsanitizer=address --cfg fuzzing"
cargo build --release --locked --manifest-path tests/fuzz/Cargo.toml --target "$here" --target-dir "$fuzz/build"

failed=0
for target in "${targets[@]}"; do
  corpus=$fuzz/corpus/$target
  log=$fuzz/$target.log
  mkdir -p "$corpus" "$fuzz/crashes"
  if nice -n 15 "$fuzz/build/$here/release/$target" "$corpus" "tests/fuzz/seeds/$target" \
    -dict=tests/fuzz/words.dict -max_total_time="$seconds" -timeout=25 -rss_limit_mb=1024 -max_len=4096 \
    -artifact_prefix="$fuzz/crashes/$target-" -print_final_stats=1 >"$log" 2>&1; then
    verdict=ok
  else
    verdict=FAILED
    failed=$((failed + 1))
    tail -n 30 "$log"
  fi
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  covered=$(grep -o 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$log" | tail -n 1)
  echo "fuzz $target: $verdict, ${executed:-0} executions in $seconds s, ${covered:-no coverage}"
done
echo "$((${#targets[@]} - failed)) passed, $failed failed"
exit "$((failed > 0))"
