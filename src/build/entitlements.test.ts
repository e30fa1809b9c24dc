import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWithTestImages } from '../../test/builds/plan-case.ts';
import { checkEntitlements, grantEntitlements, noEntitlements } from './entitlements.ts';

const all = { networkHost: true, securityInsecure: true, device: true };

test('grantEntitlements() takes what the engine allows, and refuses the rest by name', () => {
  assert.deepEqual(grantEntitlements([], all), noEntitlements);
  assert.deepEqual(grantEntitlements(['network.host', 'device=a.com/b=c', 'device=d.com/e,alias=f'], all), {
    networkHost: true,
    securityInsecure: false,
    devices: new Set(['a.com/b=c', 'd.com/e']),
  });
  assert.equal(grantEntitlements(['device=a.com/b', 'device'], all).devices, 'all');
  assert.throws(() => grantEntitlements(['security.insecure'], { ...all, securityInsecure: false }), {
    message: 'granting entitlement security.insecure is not allowed by build daemon configuration',
  });
  for (const text of ['fs.read', 'network.host=x', '']) {
    assert.throws(() => grantEntitlements([text], all), { message: `unknown entitlement ${text}` });
  }
});

test('checkEntitlements() names what a command lacks, and where', () => {
  const check = (run: string, asked: readonly string[]): void => {
    const plan = planWithTestImages(`FROM busybox\nRUN ${run} true\n`, {});
    assert(plan.kind === 'plan');
    checkEntitlements(plan.graph, grantEntitlements(asked, all));
  };
  check('--network=none', []);
  check('--network=host --security=insecure', ['network.host', 'security.insecure']);
  check('--device=a.com/b=c', ['device=a.com/b']);
  for (const [run, message] of [
    ['--network=host', 'failed to load LLB: network.host is not allowed'],
    ['--security=insecure', 'failed to load LLB: security.insecure is not allowed'],
    ['--device=a.com/b=c', 'failed to load LLB: device a.com/b=c is not allowed'],
  ] as const) {
    assert.throws(() => check(run, []), { message });
  }
});
