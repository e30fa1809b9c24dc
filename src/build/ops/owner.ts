import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { errnoOf } from '#kernel';
import { openUnder } from '#linux';
import type { CopyOwner } from '../files/plan-copy.ts';

const limit = 1 << 20;

/** A small file inside a root; '' where there is none. */
function readIn(root: string, path: string): string {
  const top = openSync(root, constants.O_DIRECTORY);
  try {
    const fd = openUnder(top, path, { flags: constants.O_RDONLY | constants.O_NONBLOCK, resolve: 'root' });
    try {
      const stat = fstatSync(fd);
      return stat.isFile() && stat.size <= limit ? readFileSync(fd, 'utf8') : '';
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return '';
    throw error;
  } finally {
    closeSync(top);
  }
}

const rows = (text: string): string[][] => text.split('\n').map((line) => line.split(':'));

/**
 * `user[:group]` by name or number, looked up in a file system's /etc/passwd and /etc/group. A user by number without a
 * group has the group of that number, by name that of /etc/passwd. Names that nobody has stand for root, as with Docker.
 */
export function resolveOwner(owner: string, root: string): CopyOwner | undefined {
  if (owner === '') return undefined;
  const [user = '', group] = owner.split(':');
  const account = findUser(user, root);
  if (group === undefined || group === '') return account;
  return { uid: account.uid, gid: findGroup(group, root) };
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

function findUser(user: string, root: string): CopyOwner {
  if (isNumber(user)) return { uid: Number(user), gid: Number(user) };
  const row = rows(readIn(root, 'etc/passwd')).find(([name]) => name === user);
  return { uid: Number(row?.[2] ?? 0), gid: Number(row?.[3] ?? 0) };
}

function findGroup(group: string, root: string): number {
  if (isNumber(group)) return Number(group);
  return Number(rows(readIn(root, 'etc/group')).find(([name]) => name === group)?.[2] ?? 0);
}
