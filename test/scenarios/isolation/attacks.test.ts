import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Engine } from '../docker-cli/engine.ts';
import { recorded } from './recorded.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

/** Numbers on x86-64, with arguments that do no harm where a call is let through. */
const calls: Readonly<Record<string, readonly number[]>> = {
  acct: [163, 0],
  add_key: [248, 0, 0, 0, 0, 0],
  bpf: [321, 99, 0, 0],
  clock_settime: [227, 99, 0],
  clone_newuser: [56, 0x10000000 + 0x1000000, 0, 0, 0, 0],
  clone3: [435, 0, 0],
  delete_module: [176, 0, 0],
  fanotify_init: [300, 0xffffff, 0],
  finit_module: [313, -1, 0, 0],
  fsopen: [430, 0, 0],
  init_module: [175, 0, 0, 0],
  io_uring_setup: [425, 0, 0],
  ioperm: [173, 0, 99999999, 0],
  iopl: [172, 9],
  kcmp: [312, 0, 0, 99, 0, 0],
  kexec_load: [246, 0, 99, 0, 0],
  keyctl: [250, 9999, 0, 0, 0, 0],
  lookup_dcookie: [212, 0, 0, 0],
  mbind: [237, 0, 0, 99, 0, 0, 0],
  mount: [165, 0, 0, 0, 0, 0],
  mount_setattr: [442, -1, 0, 0, 0, 0],
  move_mount: [429, -1, 0, -1, 0, 0],
  move_pages: [279, 0, 1, 0, 0, 0, 99],
  name_to_handle_at: [303, -1, 0, 0, 0, 0],
  open_by_handle_at: [304, -1, 0, 0],
  open_tree: [428, -1, 0, 0],
  perf_event_open: [298, 0, 0, -1, -1, 0],
  personality_odd: [135, 0x1234],
  pidfd_getfd: [438, -1, 0, 0],
  pivot_root: [155, 0, 0],
  process_vm_readv: [310, 0, 0, 0, 0, 0, 99],
  ptrace: [101, 9999, 0, 0, 0],
  quotactl: [179, 0, 0, 0, 0],
  reboot: [169, 0, 0, 0, 0],
  request_key: [249, 0, 0, 0, 0],
  set_mempolicy: [238, 99, 0, 0],
  setns: [308, -1, 0],
  settimeofday: [164, 1, 0],
  socket_alg: [41, 38, 5, 0],
  socket_vsock: [41, 40, 1, 0],
  swapoff: [168, 0],
  swapon: [167, 0, 0],
  syslog: [103, 99, 0, 0],
  umount2: [166, 0, 0],
  unshare_newns: [272, 0x20000],
  unshare_newuser: [272, 0x10000000],
  userfaultfd: [323, 99],
  vhangup: [153],
};

/** Debian's perl from the host, with what it needs: it makes any system call without a compiler. */
const perl = '/usr/bin/perl';
const libraries = ['/lib/x86_64-linux-gnu', '/lib64'].flatMap((path) => ['-v', `${path}:${path}:ro`]);
const noPerl = !existsSync(perl) || process.arch !== 'x64' ? 'needs perl on x86-64' : false;

test('system calls are refused as by the reference engine', { skip: noPerl, timeout: 120_000 }, async () => {
  const script = Object.entries(calls)
    // Each in a process of its own; EPERM is a refusal, ENOSYS (38) as well.
    .map(
      ([name, call]) =>
        `unless ($p = fork) { $r = syscall(${call.join(',')}); print "${name} ", ($r != -1 || ($! != 1 && $! != 38) ? "passed" : $! == 1 ? "refused" : "unknown"), "\\n"; exit } waitpid $p, 0;`,
    )
    .join(' ');
  const answers: Record<string, string[]> = {};
  for (const flags of ['', '--cap-drop ALL', '--user 1000', '--cap-add SYS_ADMIN', '--cap-add SYS_PTRACE']) {
    const options = [
      ...flags.split(' ').filter((word) => word !== ''),
      ...libraries,
      '-v',
      `${perl}:/perl:ro`,
    ];
    // A child that clone() makes would answer a second time.
    const lines = await engine.docker(
      'run',
      '--rm',
      ...options,
      'busybox',
      '/perl',
      '-e',
      `$| = 1; ${script}`,
    );
    answers[flags] = [...new Set(lines.split('\n'))].toSorted();
  }
  assert.deepEqual(answers, await recorded('system-calls', answers));
});

test("the kernel's switches cannot be turned from inside", async () => {
  const files = [
    '/proc/sysrq-trigger',
    '/proc/sys/kernel/core_pattern',
    '/proc/sys/kernel/hostname',
    '/proc/sys/vm/drop_caches',
    '/proc/sys/net/ipv4/ip_forward',
    '/proc/irq/0/smp_affinity',
    '/proc/timer_list',
    '/sys/kernel/profiling',
    '/sys/kernel/uevent_helper',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes',
    '/sys/fs/cgroup/memory.max',
    '/sys/power/state',
    '/sys/module/kernel/parameters/panic',
  ];
  const attempt = files
    .map((file) => `[ -e ${file} ] && (echo 1 >${file}) 2>/dev/null && echo ${file}`)
    .join('; ');
  // Even with every capability but no privilege, the mounts are read-only.
  for (const flags of [[], ['--cap-add', 'DAC_READ_SEARCH', '--cap-add', 'NET_ADMIN'], ['--user', '1000']]) {
    const written = await engine.script(flags, `${attempt}; true`);
    // Null devices lie over what is masked: writing there goes nowhere.
    assert.deepEqual(
      written.split('\n').filter((path) => path !== '' && path !== '/proc/timer_list'),
      [],
    );
  }
  const remount =
    'mount -o remount,rw /proc/sys 2>&1; mount -o remount,rw /sys 2>&1; umount /proc/sys 2>&1; true';
  const said = (await engine.script([], remount)).split('\n');
  assert.equal(said.length, 3);
  assert.ok(
    said.every((line) => /permission denied|not permitted/i.test(line)),
    said.join('\n'),
  );
});

test('devices of the host cannot be opened through nodes made inside', async () => {
  const nodes = ['b 7 0', 'b 254 0', 'b 259 0', 'b 8 0', 'c 1 1', 'c 1 2', 'c 1 4', 'c 1 11', 'c 10 237'];
  const attempt = nodes
    .map(
      (node, index) => `mknod /n${index} ${node} && (: </n${index}) 2>&1 | grep -o "Operation not permitted"`,
    )
    .join('; ');
  const said = (await engine.script([], attempt)).split('\n');
  assert.deepEqual(
    said,
    nodes.map(() => 'Operation not permitted'),
  );
  const widen =
    'for f in /sys/fs/cgroup/devices/devices.allow; do (echo a >$f) 2>/dev/null && echo widened; done; true';
  assert.equal(await engine.script([], widen), '');
});

test('no path leads out: not by .., by links, through /proc or by a working directory', async () => {
  await writeFile(join(engine.folder, 'secret'), 'secret of the host');
  const out = `../../../../../../../../../..${engine.folder}/secret`;
  const paths = [out, `/proc/1/root/${out}`, `/proc/self/cwd/${out}`, `/proc/1/cwd/${out}`];
  const attempt = paths.map((path) => `cat ${path} 2>/dev/null`).join('; ');
  assert.equal(await engine.script([], `ln -s ${out} /link; cat /link 2>/dev/null; ${attempt}; true`), '');
  for (const folder of ['/proc/self/fd/7', '/proc/self/fd/8', '../../../..']) {
    const { stdout } = await engine.try(['run', '--rm', '-w', folder, 'busybox', 'cat', out]);
    assert.equal(stdout, '', folder);
  }
  // What is mounted at a path that the image makes a link is mounted inside all the same.
  await mkdir(join(engine.folder, 'shared'));
  await symlink('/etc', join(engine.folder, 'shared', 'etc'));
  const mounts = ['-v', `${join(engine.folder, 'shared')}:/shared`, '--tmpfs', '/shared/etc/wharf-escape'];
  await engine.try(['run', '--rm', ...mounts, 'busybox', 'true']);
  assert.ok(!existsSync('/etc/wharf-escape'));
  await engine.docker('create', '--name', 'escape', 'busybox');
  const inside = join(engine.folder, 'copied');
  for (const path of [`/${out}`, `/tmp/${out}`])
    assert.notEqual((await engine.try(['cp', `escape:${path}`, inside])).code, 0);
  assert.ok(!existsSync(inside));
  await engine.docker('rm', 'escape');
});

test('processes of the host are neither seen nor signalled', async () => {
  const mine = String(process.pid);
  const script = `kill -0 ${mine} 2>&1 | grep -c -i "no such"; ls /proc | grep -c -x ${mine}; true`;
  assert.equal(await engine.script([], script), '1\n0');
  assert.equal(await engine.script([], 'ls /proc | grep -c -E "^[0-9]+$"'), '3');
  // The host's processes are seen with --pid host, and still not to be traced.
  const traced = `cat /proc/${mine}/environ 2>&1 | grep -c -i "denied\\|not permitted"; ls /proc/${mine}/root/ 2>&1 | grep -c -i "denied\\|not permitted"; true`;
  if (engine.daemon) assert.equal(await engine.script(['--pid', 'host'], traced), '1\n1');
});

test('the daemon tells containers nothing of itself', async () => {
  const environment = await engine.script([], "tr '\\0' '\\n' </proc/1/environ | cut -d= -f1 | sort");
  assert.equal(environment, 'HOME\nHOSTNAME\nPATH');
  // 0 to 2, and the folder that ls itself opens.
  assert.equal(await engine.script([], 'ls /proc/self/fd | wc -l'), '4');
});
