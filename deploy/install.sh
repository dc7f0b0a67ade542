#!/usr/bin/env bash
# Installs what is missing on a Debian machine for `make demo` (demo), `make test` (test), `make bench`
# (bench) or `make attack` (attack). Does nothing, and needs no rights, where all is there.
set -euo pipefail

has() {
  case $1 in
    postgresql) command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' ;;
    redis-server | chromium | npm | nginx | ruby | strace | wrk | haproxy | slowhttptest) command -v "$1" ;;
    e2fsprogs) command -v mkfs.ext4 || test -x /sbin/mkfs.ext4 ;;
    nodejs) command -v node ;;
    php-cli) command -v php ;;
    python3) command -v python3 ;;
    python3-venv) python3 -c "import ensurepip, venv" ;;
    gcc) command -v cc ;;
    g++) command -v c++ ;;
    libc6-dev) test -e /usr/include/stdlib.h ;;
    libfaketime) compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' ;;
    fonts-dejavu-core) test -d /usr/share/fonts/truetype ;;
    *) false ;;
  esac >/dev/null
}

fail() {
  echo "install: $*" >&2
  exit 1
}

case ${1:-} in
  demo) wanted=(gcc libc6-dev postgresql redis-server) ;;
  test) wanted=(gcc libc6-dev postgresql redis-server libfaketime strace e2fsprogs chromium fonts-dejavu-core nodejs npm php-cli python3 python3-venv ruby) ;;
  bench) wanted=(gcc libc6-dev postgresql redis-server nginx wrk) ;;
  attack) wanted=(gcc g++ libc6-dev postgresql redis-server nginx haproxy slowhttptest chromium fonts-dejavu-core nodejs npm python3 python3-venv) ;;
  *) fail "say demo, test, bench or attack" ;;
esac

command -v cargo >/dev/null || fail "cargo is missing: install Rust, see https://rustup.rs"
if [ "$1" = test ]; then
  for tool in clippy fmt; do
    cargo "$tool" --version >/dev/null 2>&1 && continue
    component=${tool/#fmt/rustfmt}
    echo "install: adding the Rust component $component"
    rustup component add "$component" || fail "could not add the Rust component $component"
  done
fi

missing=()
for package in "${wanted[@]}"; do
  has "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || fail "missing, and there is no apt-get to install it: ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || fail "missing: ${missing[*]}; as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
remove_policy=
cleanup() {
  rm -f "$log"
  if [ -n "$remove_policy" ]; then "${as_root[@]}" rm -f "$policy"; fi
}
trap cleanup EXIT

echo "install: installing with apt-get: ${missing[*]}"
# The packages would start servers of their own; ours are private.
if [ ! -e "$policy" ]; then
  remove_policy=yes
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
quietly() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >>"$log" 2>&1
}
quietly apt-get update || true
if ! quietly apt-get install -y --no-install-recommends "${missing[@]}"; then
  tail -n 15 "$log" >&2
  fail "could not install: ${missing[*]}"
fi
for package in "${missing[@]}"; do
  has "$package" || fail "$package is installed, but what it should bring is still missing"
done
