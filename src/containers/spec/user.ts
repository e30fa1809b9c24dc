import { EngineError, invalidArgument } from '#kernel';
import type { SpecUser } from './oci-spec.ts';

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

export interface ResolvedUser {
  readonly user: SpecUser;
  /** From the image's passwd file; `/` for a number that is not in it. */
  readonly home: string;
}

/** The image's own /etc/passwd and /etc/group; undefined when missing. */
export interface AccountFiles {
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

const highestId = 2 ** 31 - 1;

/**
 * Resolves `user[:group]` (names or numbers) and extra groups in the image's account files, as Docker does: a name
 * must exist, a number need not. Throws invalidArgument in its words.
 */
export function resolveUser(user: string, groupAdd: readonly string[], files: AccountFiles): ResolvedUser {
  const passwd = parsePasswd(files.passwd ?? '');
  const groups = parseGroup(files.group ?? '');
  const [userPart, groupPart] = splitOnce(user, ':');
  const entry = findUser(userPart === '' ? '0' : userPart, passwd);
  const gid = groupPart ? findGroup(groupPart, groups) : entry.gid;
  const name = entry.name;
  const supplementary =
    groupPart || name === ''
      ? []
      : groups.filter((group) => group.members.includes(name)).map((group) => group.gid);
  const added = groupAdd.map((group) => findGroup(group, groups));
  const additionalGids = [...new Set([gid, ...supplementary, ...added])];
  return { user: { uid: entry.uid, gid, additionalGids }, home: entry.home };
}

function findUser(text: string, passwd: readonly PasswdEntry[]): PasswdEntry {
  const named = passwd.find((entry) => entry.name === text);
  if (named) return named;
  const uid = parseId(text);
  if (uid === undefined) {
    throw new EngineError('internal', `unable to find user ${text}: no matching entries in passwd file`);
  }
  return passwd.find((entry) => entry.uid === uid) ?? { name: '', uid, gid: 0, home: '/' };
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const named = groups.find((entry) => entry.name === text);
  if (named) return named.gid;
  const gid = parseId(text);
  if (gid === undefined) {
    throw new EngineError('internal', `unable to find group ${text}: no matching entries in group file`);
  }
  return gid;
}

function parseId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > highestId) {
    throw invalidArgument(`uids and gids must be in range 0-${highestId}`);
  }
  return id;
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return records(text, 4).map(([name = '', , uid, gid, , home]) => ({
    name,
    uid: Number(uid),
    gid: Number(gid),
    home: home === undefined || home === '' ? '/' : home,
  }));
}

function parseGroup(text: string): readonly GroupEntry[] {
  return records(text, 3).map(([name = '', , gid, members = '']) => ({
    name,
    gid: Number(gid),
    members: members.split(',').filter((member) => member !== ''),
  }));
}

function records(text: string, fields: number): readonly string[][] {
  return text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter((record) => record.length >= fields && !record[0]?.startsWith('#'));
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
