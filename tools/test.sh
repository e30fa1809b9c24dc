#!/bin/sh
# Every test, from a fresh clone on: sets up what is missing, then runs unit and conformance tests, then scenarios.
#
#   test.sh                    everything
#   test.sh unit|scenarios     one half
#   test.sh PATH...            these test files only
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh packages test-packages modules build >&2
PATH=$PWD/node_modules/.bin:$PATH
export PATH
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
failed=0

# run NAME TIMEOUT_MS CONCURRENCY FILE...: one run of Node's test runner; its totals go to a file for the sum.
run() {
  name=$1 timeout=$2 concurrency=$3; shift 3
  [ $# -gt 0 ] || return 0
  echo "== $name"
  node --test --test-concurrency="$concurrency" --test-timeout="$timeout" \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$results/$name.tap" "$@" || failed=1
}

unit() {
  # shellcheck disable=SC2046 # paths without blanks
  run unit 120000 "$(nproc)" $(find src test/setup -name '*.test.ts' 2>/dev/null | sort)
}

# Scenarios own a daemon each and measure the host around it, so they run one after the other.
scenarios() {
  [ -d test/scenarios ] || return 0
  node test/setup/prepare.ts >&2
  # shellcheck disable=SC2046
  run scenarios 600000 1 $(find test/scenarios -name '*.test.ts' | sort)
}

case ${1:-all} in
  all) unit; scenarios ;;
  unit | scenarios) "$1" ;;
  *) run chosen 600000 1 "$@" ;;
esac

# The sum of the runs, in the runner's own words.
cat "$results"/*.tap 2>/dev/null | awk '
  /^# (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [0-9.]+$/ { sum[$2] += $3 }
  END {
    split("tests suites pass fail cancelled skipped todo duration_ms", names, " ")
    print "== total"
    for (i = 1; i in names; i++) printf "ℹ %s %s\n", names[i], sum[names[i]] + 0
  }'
exit $failed
