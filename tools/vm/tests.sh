#!/bin/sh
# Every test of test/vm in the virtual machine, with a reboot between those of test/vm/reboot.
tests() { node_modules/.bin/node --test --test-concurrency=1 --test-reporter=spec "$@"; }
if [ -e /clone/rebooted ]; then
  code=$(cat /clone/rebooted)
  tests test/vm/reboot/after.test.ts || code=1
  exit "$code"
fi
code=0
tests test/vm/*.test.ts || code=1
tests test/vm/reboot/before.test.ts || code=1
echo "$code" >/clone/rebooted
: >/clone/reboot
