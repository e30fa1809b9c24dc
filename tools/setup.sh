#!/bin/sh
# Makes this clone ready; each step is skipped when it is done already. One line of output per step.
#
#   setup.sh [packages] [test-packages] [modules] [build]
set -eu
cd "$(dirname "$0")/.."
mkdir -p dist
# First runs at the same time take turns: the second finds the work done.
if command -v flock >/dev/null; then
  exec 9>dist/.lock
  flock -n 9 || { echo 'wharf: waiting for another set-up of this clone'; flock 9; }
fi

say() { echo "wharf: $*"; }
fail() { echo "wharf: $*" >&2; exit 1; }

# present PROOF: whether a program (or one of `a|b`), a static program or a shared library is on this machine.
present() {
  case $1 in
    static:*)
      # A dynamic program names its loader near its start.
      present "${1#static:}" && ! head -c 2048 "$(command -v "${1#static:}")" | grep -q -e ld-linux -e ld-musl
      return ;;
    *.so*)
      for folder in /lib /usr/lib /lib64 /usr/lib64 /lib/*-linux-gnu* /usr/lib/*-linux-gnu* /usr/local/lib; do
        [ ! -e "$folder/$1" ] || return 0
      done
      return 1 ;;
  esac
  old_ifs=$IFS; IFS='|'
  for program in $1; do
    IFS=$old_ifs
    for folder in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
      [ ! -x "$folder/$program" ] || return 0
    done
    ! command -v "$program" >/dev/null 2>&1 || return 0
  done
  IFS=$old_ifs
  return 1
}

# packages LIST: installs what the list names and the machine lacks.
packages() {
  missing='' proofs=''
  while read -r package proof _; do
    case $package in '' | '#'*) continue ;; esac
    if ! present "$proof"; then missing="$missing $package" proofs="$proofs $proof"; fi
  done <"$1"
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null ||
    fail "this is not a Debian system: please install these programs and libraries yourself:$proofs"
  [ "$(id -u)" = 0 ] || fail "these Debian packages are missing (run once as root, or install them):$missing"
  say "installing Debian packages:$missing"
  # shellcheck disable=SC2086 # the list is meant to be split
  install_packages $missing >dist/apt.log 2>&1 || { tail -n 20 dist/apt.log >&2; fail "apt-get could not install:$missing"; }
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  set -- apt-get -y -q -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"
  # An index that is old or not there at all is the usual reason for a first failure.
  "$@" </dev/null || { apt-get -q -o DPkg::Lock::Timeout=600 update && "$@" </dev/null; }
}

# modules: what package-lock.json names. A folder that exists is brought up to date rather than removed, since
# other programs of this clone may be running from it.
modules() {
  stamp=node_modules/.wharf-stamp
  if [ -f "$stamp" ] && [ ! package-lock.json -nt "$stamp" ]; then return 0; fi
  if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then touch "$stamp"; return 0; fi
  command -v npm >/dev/null || fail 'npm is missing: please install Node.js 20 or newer with npm'
  # Install scripts run on the Node that comes with them, which links a library of the list.
  packages tools/packages.txt
  if [ -f node_modules/.package-lock.json ]; then verb='install --no-save'; else verb=ci; fi
  say "npm $verb"
  # shellcheck disable=SC2086 # two words
  NODE_ENV='' npm $verb --include=dev --no-audit --no-fund >dist/npm.log 2>&1 ||
    { tail -n 20 dist/npm.log >&2; fail 'npm could not install the packages'; }
  cp package-lock.json "$stamp"
}

[ $# -gt 0 ] || set -- packages modules build
for step in "$@"; do
  case $step in
    packages) packages tools/packages.txt ;;
    test-packages) packages tools/test-packages.txt ;;
    modules) modules ;;
    build)
      : >dist/checking
      sh tools/build.sh
      mv dist/checking dist/checked ;; # what changed meanwhile is newer
    *) fail "no such step: $step" ;;
  esac
done
