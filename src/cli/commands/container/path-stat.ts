import { posix } from 'node:path';
import type { ContainerPathStat } from '#api/types';
import { isNotFound, readText } from '#client';
import type { Context } from '../../context.ts';

/** Go's os.FileMode bits. */
export const modeFolder = 2 ** 31;
export const modeLink = 2 ** 27;

export const hasMode = (stat: ContainerPathStat, bit: number): boolean =>
  Math.trunc(stat.mode / bit) % 2 === 1;

export const statHeader = (header: string | undefined): ContainerPathStat =>
  JSON.parse(Buffer.from(header ?? '', 'base64').toString()) as ContainerPathStat;

/** What lies at a path of a container; undefined for nothing. */
export async function findPath(
  context: Context,
  container: string,
  path: string,
): Promise<ContainerPathStat | undefined> {
  try {
    const answer = await context.engine.send({
      method: 'HEAD',
      path: `${container}/archive`,
      query: { path },
    });
    await readText(answer.body);
    return statHeader(answer.headers.get('x-docker-container-path-stat'));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Where a symbolic link leads, as the container sees it. */
export const followLink = (path: string, stat: ContainerPathStat): string =>
  posix.isAbsolute(stat.linkTarget) ? stat.linkTarget : posix.join(posix.dirname(path), stat.linkTarget);
