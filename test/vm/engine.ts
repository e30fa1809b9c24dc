import assert from 'node:assert/strict';
import { busyboxArchive, startDaemon, type Daemon } from '../setup/index.ts';

/** An engine with busybox, for several sets of tests: on an emulated machine each start takes long. */
export interface Engine {
  readonly daemon: Daemon;
  /** docker against it; an exit code other than 0 is an error. */
  readonly docker: (...args: string[]) => Promise<string>;
}

export async function startEngine(): Promise<Engine> {
  const daemon = await startDaemon();
  const docker = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await daemon.docker(args);
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout.trim();
  };
  await docker('load', '-i', await busyboxArchive());
  return { daemon, docker };
}
