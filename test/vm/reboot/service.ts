import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { client, clientEnvironment, dockerProgram } from '../../setup/clients.ts';
import { succeed } from '../../setup/commands.ts';

/** Where a person would have unpacked the project. */
export const installed = '/opt/wharf';

const run = client(dockerProgram(), clientEnvironment('unix:///run/wharf/wharf.sock', '/root/.docker'));

/** docker against the machine's own engine; an exit code other than 0 is an error. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  assert.equal(code, 0, `docker ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout.trim();
}

export const wharf = (...args: string[]): Promise<string> => succeed(`${installed}/dist/wharf`, args);

export const inspect = (name: string, format: string): Promise<string> =>
  docker('inspect', '-f', format, name);

/** The unit whose control group a process is in. */
export const unitOf = (pid: number): string =>
  /\/([^/]+\.service)/.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';

export async function mainPid(unit: string): Promise<number> {
  return Number((await succeed('systemctl', ['show', '-P', 'MainPID', unit])).trim());
}
