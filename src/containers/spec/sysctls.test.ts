import assert from 'node:assert/strict';
import { test } from 'node:test';
import { specSysctls, type SysctlInput } from './sysctls.ts';

const own = [{ type: 'network' }, { type: 'ipc' }, { type: 'uts' }] as const;
const sysctls = (Sysctls: Record<string, string>, more: Partial<SysctlInput> = {}): Record<string, string> =>
  specSysctls({ config: {}, hostConfig: { Sysctls }, namespaces: own, hostNetwork: false, ...more });

test('specSysctls() adds what lets every user open low ports and ping, unless told otherwise', () => {
  const defaults = {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 2147483647',
  };
  assert.deepEqual(sysctls({}), defaults);
  assert.deepEqual(sysctls({ 'net.ipv4.ping_group_range': '1 0' }), {
    ...defaults,
    'net.ipv4.ping_group_range': '1 0',
  });
  assert.deepEqual(sysctls({ 'kernel.sem': '1' }, { hostConfig: { Privileged: true } }), {});
  assert.equal(sysctls({}, { config: { Domainname: 'd.example' } })['kernel.domainname'], 'd.example');
});

test('specSysctls() refuses what belongs to the host', () => {
  const host = { namespaces: [], hostNetwork: true };
  for (const [name, more, why] of [
    ['net.core.somaxconn', host, 'not allowed in host network namespace'],
    ['kernel.shmmax', host, 'is not allowed in the hosts ipc namespace'],
    ['fs.mqueue.msg_max', host, 'is not allowed in the hosts ipc namespace'],
    ['kernel.domainname', host, 'is not in a separate kernel namespace'],
    ['vm.swappiness', {}, 'is not in a separate kernel namespace'],
    ['kernel.hostname', {}, 'conflicts with OCI "hostname" field'],
  ] as const) {
    assert.throws(() => sysctls({ [name]: '1' }, more), new RegExp(`sysctl "${name}" ${why}`));
  }
});
