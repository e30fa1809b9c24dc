import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitFiles } from './units.ts';

test('unitFiles() quotes what systemd would read otherwise', () => {
  const files = unitFiles({
    command: ['/opt/a b/node', '/opt/wharf/wharfd.js'],
    args: ['--label', 'price=$5 "100%"'],
    pidFile: '/run/wharf/wharfd.pid',
  });
  assert.match(
    files['wharfd.service'] ?? '',
    /^ExecStart="\/opt\/a b\/node" \/opt\/wharf\/wharfd\.js --pidfile \/run\/wharf\/wharfd\.pid --label "price=\$\$5 \\"100%%\\""$/m,
  );
  assert.match(
    files['wharf-supervisor.service'] ?? '',
    /^ExecStart="\/opt\/a b\/node" \/opt\/wharf\/wharfd\.js supervise --label /m,
  );
});

test('unitFiles() lets containers outlive both services', () => {
  const files = Object.values(unitFiles({ command: ['/w'], args: [], pidFile: '/p' }));
  assert.equal(files.length, 2);
  for (const text of files) assert.match(text, /^KillMode=process$/m);
});
