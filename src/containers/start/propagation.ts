import { invalidArgument } from '#kernel';
import { listMounts, type MountInfo } from '#linux';

/** The mount that a path of the host lies on. */
function mountOf(path: string): MountInfo | undefined {
  const holds = ({ target }: MountInfo): boolean =>
    target === '/' || path === target || path.startsWith(`${target}/`);
  return listMounts()
    .filter(holds)
    .reduce<MountInfo | undefined>(
      (best, one) => (best && best.target.length > one.target.length ? best : one),
      undefined,
    );
}

/** Throws invalidArgument when mounts cannot travel as asked, since the host's own mount does not let them. */
export function requirePropagation(path: string, propagation: string): void {
  const shared = propagation.endsWith('shared');
  if (!shared && !propagation.endsWith('slave')) return;
  const mount = mountOf(path);
  const has = (tag: string): boolean => mount?.tags.some((one) => one.startsWith(`${tag}:`)) ?? false;
  if (has('shared') || (!shared && has('master'))) return;
  throw invalidArgument(
    `path ${path} is mounted on ${mount?.target ?? '/'} but it is not a shared${shared ? '' : ' or slave'} mount`,
  );
}
