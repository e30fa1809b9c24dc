import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { extraHosts, updateEtcFiles, writeEtcFiles } from './etc-files.ts';

test('updateEtcFiles() keeps the lines that a container has added to hosts, and a resolv.conf it has edited', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-etc-'));
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  try {
    const first = { hostname: 'box', hosts: '1.1.1.1\ta\n2.2.2.2\tb\n', resolvConf: 'nameserver 1.1.1.1\n' };
    writeEtcFiles(folder, first);
    updateEtcFiles(folder, { ...first, hosts: '1.1.1.1\ta\n', resolvConf: 'nameserver 2.2.2.2\n' });
    assert.equal(read('hosts'), '1.1.1.1\ta\n');
    assert.equal(read('resolv.conf'), 'nameserver 2.2.2.2\n');
    appendFileSync(join(folder, 'hosts'), '9.9.9.9 own\n');
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 9.9.9.9\n');
    updateEtcFiles(folder, { ...first, hosts: '3.3.3.3\tc\n' });
    assert.equal(read('hosts'), '3.3.3.3\tc\n9.9.9.9 own\n');
    assert.equal(read('resolv.conf'), 'nameserver 9.9.9.9\n');
    assert.equal(read('hostname'), 'box\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('extraHosts() reads both separators, brackets and host-gateway', () => {
  assert.deepEqual(extraHosts(['a:1.2.3.4', 'b=::1', 'c:[::2]', 'd:host-gateway'], '10.0.0.1'), [
    { address: '1.2.3.4', names: ['a'] },
    { address: '::1', names: ['b'] },
    { address: '::2', names: ['c'] },
    { address: '10.0.0.1', names: ['d'] },
  ]);
  assert.throws(() => extraHosts(['d:host-gateway'], undefined), /unable to derive the IP value/);
});
