import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { errnoOf, invalidArgument } from '#kernel';
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
 * group has the group of that number, by name that of /etc/passwd. Throws invalidArgument for an unknown name.
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
  if (row) return { uid: Number(row[2]), gid: Number(row[3]) };
  throw invalidArgument(
    `invalid user index: -1: unable to find user ${user}: no matching entries in passwd file`,
  );
}

function findGroup(group: string, root: string): number {
  if (isNumber(group)) return Number(group);
  const row = rows(readIn(root, 'etc/group')).find(([name]) => name === group);
  if (row) return Number(row[2]);
  throw invalidArgument(
    `invalid user index: -1: unable to find group ${group}: no matching entries in group file`,
  );
}
