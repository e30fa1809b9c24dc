import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInterfaceCounters } from './interface-counters.ts';
import { parseSystemCpu } from './system-cpu.ts';

test('parseSystemCpu() sums what all processors spent, without guests and what was stolen', () => {
  const text =
    'cpu  10 1 20 300 5 0 4 99 7 7\ncpu0 5 0 10 150 2 0 2 0 0 0\ncpu1 5 1 10 150 3 0 2 0 0 0\nintr 1 2\n';
  assert.deepEqual(parseSystemCpu(text), { usage: 340 * 10_000_000, cpus: 2 });
});

test('parseInterfaceCounters() reads /proc/net/dev', () => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls',
    '    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0',
    '  eth0:    1042      11    1    2    0     0          0         0      126       3    4    5    0     0',
  ].join('\n');
  const interfaces = parseInterfaceCounters(text);
  assert.deepEqual([...interfaces.keys()], ['lo', 'eth0']);
  assert.deepEqual(interfaces.get('eth0'), {
    rxBytes: 1042,
    rxPackets: 11,
    rxErrors: 1,
    rxDropped: 2,
    txBytes: 126,
    txPackets: 3,
    txErrors: 4,
    txDropped: 5,
  });
});
