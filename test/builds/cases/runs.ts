import { rows } from '../build-case.ts';
import type { BuildCase } from '../build-case.ts';

const one = (name: string, lines: readonly string[], rest: Partial<BuildCase> = {}): BuildCase => ({
  name: `run/${name}`,
  dockerfile: rows('FROM busybox', ...lines),
  ...rest,
});

/** RUN: its forms, mounts and surroundings. */
export const runs: readonly BuildCase[] = [
  one('shell', ['RUN echo a   "b  c" >/out && echo $HOME $PWD $USER >>/out']),
  one('exec', ['RUN ["sh", "-c", "echo $0 $1 >/out", "x", "y z"]']),
  one('exec-no-shell', ['RUN ["touch", "/a b", "$HOME"]']),
  one('continued', ['RUN echo a \\', '  # comment', '  b \\', '', '  c >/out']),
  one('continued-and-quoted', ['RUN echo "a \\', 'b" >/out']),
  one('heredoc', ['RUN <<EOF', 'echo a >/out', 'echo "$HOME" >>/out', 'EOF']),
  one('heredoc-chomped', ['RUN <<-EOF', '\tif true; then', '\t\techo a >/out', '\tfi', '\tEOF']),
  one('heredoc-script', ['RUN <<EOF', '#!/bin/sh -x', 'echo $0 >/out', 'EOF']),
  one('heredoc-script-quoted', ['RUN <<"EOF"', '#!/bin/cat', 'text $HOME', 'EOF']),
  one('heredoc-to-command', ['RUN cat <<EOF >/out', 'a $HOME', 'EOF']),
  one('heredoc-several', ['RUN cat <<A - <<B >/out'.replace(' -', ''), 'first', 'A', 'second', 'B']),
  one('heredoc-fd', ['RUN cat /dev/fd/3 3<<EOF >/out', 'three', 'EOF']),
  one('fails', ['RUN exit 7'], { fails: true }),
  one('fails-unknown-command', ['RUN nothing-like-this'], { fails: true }),
  one('fails-exec-unknown', ['RUN ["nothing-like-this"]'], { fails: true }),
  one('removes', ['RUN rm /etc/group && rmdir /var/www']),
  one('removes-and-makes-again', ['RUN rm -r /home /var && mkdir /var && echo new >/var/new']),
  one('replaces-folder-by-file', ['RUN rm -r /var/www && echo f >/var/www']),
  one('replaces-link', ['RUN ln -s /etc /e', 'RUN rm /e && mkdir /e']),
  one('modes-and-owners', [
    'RUN touch /a && chmod 4711 /a && chown 1:2 /a && mkdir -m 1777 /t && chown -h 3:4 /t',
  ]),
  one('links', ['RUN echo 1 >/a && ln /a /b && ln -s a /c && mkdir /d && ln /a /d/e']),
  one('fifo', ['RUN mkfifo -m 620 /p']),
  one('chmod-only', ['RUN chmod 600 /etc/passwd']),
  one('no-change', ['RUN true']),
  one('background-process', ['RUN sleep 1 & echo a >/out']),
  one('tmp-is-kept', ['RUN echo a >/tmp/a', 'RUN cat /tmp/a >/out']),
  one('environment', ['ENV a=1 PATH=/x:$PATH', 'RUN env | grep -v HOSTNAME | sort >/out']),
  one('hostname', ['RUN hostname >/out; cat /etc/hostname >>/out; true']),
  one('etc-files-stay-out', [
    'RUN echo "1.2.3.4 x" >>/etc/hosts; true',
    'RUN ls -la /etc/hosts /etc/resolv.conf >/dev/null; true',
  ]),
  one('devices', ['RUN ls /dev | sort >/out; ls /proc/self/fd >/dev/null']),
  one('network-none', ['RUN --network=none ip -o link | grep -c . >/out']),
  one('network-default', ['RUN --network=default ip -o link | grep -c lo: >/out']),
  one('workdir', ['WORKDIR /a b', 'RUN pwd >out']),
  one('user-home', ['USER nobody', 'RUN echo $HOME $(id -un) >/tmp/out']),
  one('mount-bind', ['RUN --mount=target=/ctx cat /ctx/f >/out'], { files: { f: '1' } }),
  one('mount-bind-read-only', ['RUN --mount=type=bind,target=/ctx echo x >/ctx/f'], {
    files: { f: '1' },
    fails: true,
  }),
  one('mount-bind-rw', ['RUN --mount=type=bind,target=/ctx,rw echo x >/ctx/f && cat /ctx/f >/out'], {
    files: { f: '1' },
  }),
  one('mount-bind-source', ['RUN --mount=type=bind,source=d/g,target=/g cat /g >/out'], {
    files: { 'd/g': '2', f: '1' },
  }),
  one('mount-bind-relative', ['WORKDIR /w', 'RUN --mount=source=d,target=m cat m/g >out'], {
    files: { 'd/g': '2' },
  }),
  one('mount-bind-image', ['RUN --mount=from=busybox,source=/etc,target=/e cat /e/passwd >/out']),
  one('mount-bind-stage', ['RUN --mount=from=src,target=/s cp /s/f /out'], {
    dockerfile: rows(
      'FROM busybox AS src',
      'RUN echo s >/f',
      'FROM busybox',
      'RUN --mount=from=src,target=/s cp /s/f /out',
    ),
  }),
  one('mount-point-stays', [
    'RUN --mount=type=tmpfs,target=/new/mount true',
    'RUN ls -d /new /new/mount >/out; true',
  ]),
  one('mount-tmpfs', ['RUN --mount=type=tmpfs,target=/tmp echo x >/tmp/x', 'RUN ls /tmp | wc -l >/out']),
  one('mount-cache', [
    'RUN --mount=type=cache,target=/c,id=case1 echo kept >/c/k',
    'RUN --mount=type=cache,target=/c,id=case1 cat /c/k >/out; ls -d /c',
  ]),
  one('mount-cache-owner', [
    'RUN --mount=type=cache,id=case2,target=/c,uid=12,gid=34,mode=0700 stat -c "%a %u %g" /c >/out',
  ]),
  one('mount-cache-default-mode', ['RUN --mount=type=cache,id=case3,target=/c stat -c "%a %u %g" /c >/out']),
  one('mount-cache-from', [
    'RUN --mount=type=cache,id=case4,target=/c,from=busybox,source=/etc cat /c/passwd >/out',
  ]),
  one('mount-cache-locked', [
    'RUN --mount=type=cache,id=case5,sharing=locked,target=/c echo 1 >/c/f && cat /c/f >/out',
  ]),
  one('mount-cache-read-only', ['RUN --mount=type=cache,id=case6,ro,target=/c echo 1 >/c/f'], {
    fails: true,
  }),
  one(
    'mount-secret',
    ['RUN --mount=type=secret,id=s cat /run/secrets/s >/out; stat -c "%a %u" /run/secrets/s >>/out'],
    { secrets: { s: 'hidden' } },
  ),
  one(
    'mount-secret-target',
    ['RUN --mount=type=secret,id=s,target=/a/b,mode=0444,uid=5 cat /a/b >/out; stat -c "%a %u" /a/b >>/out'],
    { secrets: { s: 'hidden' } },
  ),
  one(
    'mount-secret-env',
    ['RUN --mount=type=secret,id=s,env=S echo $S >/out; ls /run/secrets >>/out 2>&1; true'],
    { secrets: { s: 'hidden' } },
  ),
  one(
    'mount-secret-env-and-target',
    ['RUN --mount=type=secret,id=s,env=S,target=/s test "$S" = "$(cat /s)" && echo same >/out'],
    { secrets: { s: 'hidden' } },
  ),
  one('mount-secret-missing', ['RUN --mount=type=secret,id=none ls /run/secrets >/out 2>&1; echo $? >>/out']),
  one('mount-secret-required', ['RUN --mount=type=secret,id=none,required true'], { fails: true }),
  one(
    'mount-secret-leaves-nothing',
    ['RUN --mount=type=secret,id=s true', 'RUN ls -d /run /run/secrets >/out 2>&1; true'],
    { secrets: { s: 'hidden' } },
  ),
  one('mount-ssh-missing', ['RUN --mount=type=ssh,required true'], { fails: true }),
  one(
    'mount-several',
    [
      'RUN --mount=type=tmpfs,target=/t --mount=target=/c --mount=type=cache,id=case7,target=/k cp /c/f /t/f && cp /t/f /k/f && cp /k/f /out',
    ],
    { files: { f: '1' } },
  ),
  one('security-insecure', ['RUN --security=insecure true'], {
    unrecorded: 'needs an entitlement, and 1.20',
  }),
];
