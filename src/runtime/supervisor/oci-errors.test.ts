import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translateOciError, type OciErrorContext } from './oci-errors.ts';

const create =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ';
const start = `${create}unable to start container process: `;
const exec = 'OCI runtime exec failed: exec failed: unable to start container process: ';
const mountHint =
  ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';

/** What crun 1.8 or runc 1.1 says, and what Docker 28.5 says in that case. */
const table: [
  said: string,
  verb: OciErrorContext['verb'],
  program: string,
  expected: string,
  kind: string,
][] = [
  [
    'write file `/proc/thread-self/attr/exec`: No such file or directory',
    'run',
    'x',
    `${start}error during container init: unable to apply apparmor profile: apparmor failed to apply profile: write /proc/thread-self/attr/apparmor/exec: no such file or directory`,
    'invalidArgument',
  ],
  [
    'executable file `nosuch` not found in $PATH: No such file or directory',
    'run',
    'nosuch',
    `${start}exec: "nosuch": executable file not found in $PATH`,
    'invalidArgument',
  ],
  [
    'executable file `./x` not found in $PATH: No such file or directory',
    'exec',
    './x',
    `${exec}exec: "./x": stat ./x: no such file or directory`,
    'invalidArgument',
  ],
  [
    'open executable: Operation not permitted',
    'run',
    '/etc',
    `${start}exec: "/etc": permission denied`,
    'invalidArgument',
  ],
  [
    'open executable: Permission denied',
    'run',
    '/f',
    `${start}exec: "/f": permission denied`,
    'invalidArgument',
  ],
  [
    'open executable: Operation not permitted',
    'run',
    '',
    `${start}exec: "": executable file not found in $PATH`,
    'invalidArgument',
  ],
  [
    'chdir `/nosuch`: No such file or directory',
    'exec',
    'true',
    `${exec}chdir to cwd ("/nosuch") set in config.json failed: no such file or directory`,
    'invalidArgument',
  ],
  [
    'chdir `/etc/passwd`: Not a directory',
    'exec',
    'true',
    `${exec}chdir to cwd ("/etc/passwd") set in config.json failed: not a directory${mountHint}`,
    'invalidArgument',
  ],
  [
    'mount `/tmp` to `etc/passwd`: Not a directory',
    'run',
    'true',
    `${start}error during container init: error mounting "/tmp" to rootfs at "/etc/passwd": mount /tmp:/etc/passwd: not a directory${mountHint}`,
    'invalidArgument',
  ],
  [
    'setrlimit `RLIMIT_NOFILE`: Operation not permitted',
    'run',
    'true',
    `${start}error during container init: error setting rlimits for ready process: error setting rlimit type 7: operation not permitted`,
    'internal',
  ],
  [
    'open /proc/sys/net/foo/bar: No such file or directory',
    'run',
    'true',
    `${start}error during container init: open /proc/sys/net/foo/bar: no such file or directory`,
    'invalidArgument',
  ],
  [
    'exec container process `/bin/x`: Exec format error',
    'run',
    '/bin/x',
    `${start}exec: "/bin/x": exec format error`,
    'invalidArgument',
  ],
  [
    'runc run failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
    'run',
    'nosuch',
    `${start}exec: "nosuch": executable file not found in $PATH`,
    'invalidArgument',
  ],
  [
    'exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
    'exec',
    'nosuch',
    `${exec}exec: "nosuch": executable file not found in $PATH`,
    'invalidArgument',
  ],
  [
    'runc run failed: container with given ID already exists',
    'run',
    'true',
    `${create}container with given ID already exists`,
    'internal',
  ],
];

for (const [said, verb, program, expected, kind] of table) {
  test(`translateOciError() of ${said}`, () => {
    const error = translateOciError(said, { verb, program });
    assert.equal(error.message, expected);
    assert.equal(error.kind, kind);
  });
}
