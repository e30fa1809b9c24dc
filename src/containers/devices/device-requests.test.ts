import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCdiSpec } from './cdi-spec.ts';
import { requestedDevices } from './device-requests.ts';

const lines: object[] = [];
const log = (fields: object): void => void lines.push(fields);
const logger = { debug: log, info: log, warn: log, error: log };

/** Folders of CDI files, one for each argument. */
function folders(
  t: { after(f: () => void): void },
  ...contents: readonly Readonly<Record<string, string>>[]
): string[] {
  const root = mkdtempSync(join(tmpdir(), 'wharf-cdi-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return contents.map((files, index) => {
    const folder = join(root, String(index));
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  });
}

const spec = (kind: string, devices: Readonly<Record<string, object>>, common: object = {}): string =>
  JSON.stringify({
    cdiVersion: '0.6.0',
    kind,
    containerEdits: common,
    devices: Object.entries(devices).map(([name, containerEdits]) => ({ name, containerEdits })),
  });
const cdi = (...DeviceIDs: string[]) => [{ Driver: 'cdi', DeviceIDs }];

test('requestedDevices() adds the edits of the file once and those of each device', async (t) => {
  const common = { env: ['ALL=1'], mounts: [{ hostPath: '/a', containerPath: '/x/y' }] };
  const one = { env: ['ONE=1'], mounts: [{ hostPath: '/b', containerPath: '/x', options: ['bind', 'ro'] }] };
  const two = { deviceNodes: [{ path: '/dev/two' }], additionalGids: [7, 0, 7] };
  const dirs = folders(t, { 'a.json': spec('v.com/c', { one, two }, common) });
  const edits = await requestedDevices(cdi('v.com/c=one', 'v.com/c=two'), dirs, logger);
  assert.deepEqual(edits.env, ['ALL=1', 'ONE=1']);
  assert.deepEqual(
    edits.mounts.map(({ containerPath, type, options }) => [containerPath, type, ...options]),
    [
      ['/x', 'bind', 'bind', 'ro'],
      ['/x/y', 'bind', 'rbind'],
    ],
  );
  assert.deepEqual(edits.additionalGids, [7]);
  assert.deepEqual(
    edits.deviceNodes.map(({ path, hostPath, permissions }) => [path, hostPath, permissions]),
    [['/dev/two', '/dev/two', 'rwm']],
  );
});

test('requestedDevices() prefers the later folder and refuses what two files of one folder claim', async (t) => {
  const env = (value: string) => spec('v.com/c', { d: { env: [`V=${value}`] } });
  const dirs = folders(t, { 'a.json': env('low') }, { 'b.json': env('high') });
  assert.deepEqual((await requestedDevices(cdi('v.com/c=d'), dirs, logger)).env, ['V=high']);
  const twice = folders(t, { 'a.json': env('1'), 'b.json': env('2') });
  await assert.rejects(requestedDevices(cdi('v.com/c=d', 'v.com/c=e'), twice, logger), {
    kind: 'internal',
    message: 'CDI device injection failed: unresolvable CDI devices v.com/c=d, v.com/c=e',
  });
});

test('requestedDevices() reads YAML and passes over files that make no sense', async (t) => {
  const yaml =
    'cdiVersion: "0.5.0"\nkind: nvidia.com/gpu\ndevices:\n- name: all\n  containerEdits:\n    deviceNodes:\n' +
    '    - path: /dev/nvidia0\n      type: c\n      major: 195\n      minor: 0\n      fileMode: 0666\n';
  const dirs = folders(t, { 'gpu.yaml': yaml, 'bad.json': '{', 'worse.yml': 'kind: 5' });
  lines.length = 0;
  const all = [{ Count: -1, Capabilities: [['gpu']] }];
  const { deviceNodes } = await requestedDevices(all, dirs, logger);
  assert.deepEqual(deviceNodes[0]?.fileMode, 0o666);
  assert.equal(lines.length, 2);
});

test('requestedDevices() says which driver is missing', async () => {
  const wanted = [{ Driver: 'x', Capabilities: [['gpu', 'compute']] }];
  await assert.rejects(requestedDevices(wanted, ['/none-such'], logger), {
    message: 'could not select device driver "x" with capabilities: [[gpu compute]]',
  });
});

test('parseCdiSpec() refuses what it does not know', () => {
  const base = { cdiVersion: '0.6.0', kind: 'v.com/c', devices: [] };
  const device = (containerEdits: object) => ({ ...base, devices: [{ name: 'd', containerEdits }] });
  for (const [document, why] of [
    [{ ...base, cdiVersion: '9.0.0' }, /version 9.0.0/],
    [{ ...base, kind: 'nokind' }, /invalid CDI kind nokind/],
    [{ ...base, devices: {} }, /devices is not a list/],
    [device({ intelRdt: {} }), /edits of intelRdt are not supported/],
    [device({ hooks: [{ hookName: 'x', path: '/p' }] }), /invalid hook x/],
    [device({ deviceNodes: [{ path: 'dev' }] }), /not an absolute path/],
    [device({ env: ['A'] }), /A is not NAME=value/],
  ] as const) {
    assert.throws(() => parseCdiSpec(document), { kind: 'invalidArgument', message: why });
  }
});
