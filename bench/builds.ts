import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerProgram, succeed } from '../test/setup/index.ts';
import type { Job } from './jobs.ts';
import { time } from './measure.ts';
import { cli, type Peer } from './peers.ts';

/** Files of a context: their texts by their paths. */
type Files = Readonly<Record<string, string>>;

/** What a build has for one peer: the folder of its context. */
type Place = string;

const image = 'bench-build';

async function write(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

const build = (
  peer: Peer,
  folder: Place,
  { flags = [], program = peer.cli }: { flags?: readonly string[]; program?: string } = {},
): Promise<string> =>
  succeed(program, ['build', '--progress', 'plain', '-t', image, ...flags, folder], {
    env: { ...peer.env, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' },
    timeout: 600_000,
  });

/** Builds from a folder that each peer has for itself. */
abstract class Build implements Job {
  abstract readonly name: string;
  readonly budget: number = 0.6;
  readonly better = 'less';
  readonly unit = 'ms';
  readonly rounds: number = 7;
  readonly #places = new Map<Peer, Place>();
  #round = 0;

  async prepare(peer: Peer): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'wharf-bench-build-'));
    this.#places.set(peer, folder);
    await write(folder, this.files());
    await this.warm(peer, folder);
  }

  async measure(peer: Peer): Promise<number> {
    const folder = this.#places.get(peer);
    if (folder === undefined) throw new Error('measured before it was prepared');
    this.#round += 1;
    await this.change?.(folder, this.#round);
    return time(() =>
      build(peer, folder, { flags: this.flags(), ...(this.program && { program: this.program() }) }),
    );
  }

  /** Removes the image, the cache and the folder. */
  async clean(peer: Peer): Promise<void> {
    const folder = this.#places.get(peer);
    this.#places.delete(peer);
    if (folder !== undefined) await rm(folder, { recursive: true });
    await cli(peer, ['rmi', '-f', image]).catch(() => '');
    await this.prune(peer);
  }

  protected abstract files(): Files;

  /** What has been built before the first round. */
  protected async warm(peer: Peer, folder: Place): Promise<void> {
    await build(peer, folder, this.program && { program: this.program() });
  }

  /** What is changed before each round. */
  protected change?(folder: Place, round: number): Promise<void>;

  protected flags(): readonly string[] {
    return [];
  }

  /** In place of the command line of each peer's own users. */
  protected program?(): string;

  protected async prune(peer: Peer): Promise<void> {
    await succeed('curl', [
      '-sf',
      '-X',
      'POST',
      '--unix-socket',
      peer.socket,
      'http://engine/build/prune?all=1',
    ]);
  }
}

/** Twenty instructions, as an application has them: half of them commands. */
const twenty = [
  'FROM busybox',
  'ENV MODE=production',
  'WORKDIR /app',
  ...Array.from({ length: 6 }, (_, n) => `RUN mkdir -p /opt/${n} && echo step ${n} > /opt/${n}/done`),
  'COPY package.json ./',
  'RUN cat package.json > installed',
  'COPY src src',
  'COPY config/settings.json /etc/app/',
  'RUN cat src/*.js > bundle.js',
  'RUN wc -c bundle.js > size',
  'LABEL stage=bench',
  'EXPOSE 80',
  'USER 1000',
  'RUN id > /tmp/who',
  'CMD ["cat", "bundle.js"]',
];

const application: Files = {
  Dockerfile: `${twenty.join('\n')}\n`,
  'package.json': '{"name":"bench"}',
  'config/settings.json': '{}',
  ...Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`src/file${n}.js`, `line ${n}\n`.repeat(200)])),
};

class Cached extends Build {
  readonly name: string = 'build, everything cached';

  protected files(): Files {
    return application;
  }
}

/** As long as with the reference, within what runs differ by: most of the time is the client's own. */
const clientBound = 1.1;

/** Here the client's own work is most of the time, on both peers alike. */
class CachedForDocker extends Cached {
  override readonly name = 'build, everything cached, docker command';
  override readonly budget = clientBound;

  protected override program(): string {
    return dockerProgram();
  }
}

class OneLine extends Build {
  readonly name = 'build after a change of one line';

  protected files(): Files {
    return application;
  }

  protected override async change(folder: Place, round: number): Promise<void> {
    await write(folder, { 'src/file7.js': `changed in round ${round} at ${Date.now()}\n` });
  }
}

class Cold extends Build {
  readonly name = 'build of 20 instructions, cold';
  override readonly budget = 0.3;
  override readonly rounds = 3;

  protected files(): Files {
    return application;
  }

  protected override flags(): readonly string[] {
    return ['--no-cache'];
  }
}

class Stages extends Build {
  readonly name = 'build of 10 stages at once, cold';
  override readonly rounds = 3;

  protected files(): Files {
    const stages = Array.from({ length: 10 }, (_, n) => [
      `FROM busybox AS stage${n}`,
      `RUN echo ${n} > /first`,
      'RUN cat /first /first > /second',
    ]);
    const copies = stages.map((_, n) => `COPY --from=stage${n} /second /from/${n}`);
    return { Dockerfile: [...stages.flat(), 'FROM busybox', ...copies, ''].join('\n') };
  }

  protected override flags(): readonly string[] {
    return ['--no-cache'];
  }
}

/** Files of a large context; 500 in a folder. */
const many = 50_000;

/** Each round with files that are new in their contents, and so in nobody's cache. */
class ManyFiles extends Build {
  readonly name: string = 'build with 50,000 files';
  override readonly rounds: number = 2;

  protected files(): Files {
    return { Dockerfile: 'FROM busybox\nCOPY . /app\n' };
  }

  protected override async change(folder: Place, round: number): Promise<void> {
    for (let at = 0; at < many; at += 500) {
      const batch = join(folder, 'files', String(at));
      await mkdir(batch, { recursive: true });
      const numbers = Array.from({ length: 500 }, (_, n) => at + n);
      await Promise.all(
        numbers.map((n) => writeFile(join(batch, `${n}.txt`), `file ${n} of round ${round}\n`)),
      );
    }
  }
}

class ManyFilesAgain extends ManyFiles {
  override readonly name: string = 'build with 50,000 files again, unchanged';
  override readonly rounds = 3;

  protected override async warm(peer: Peer, folder: Place): Promise<void> {
    await super.change(folder, 0);
    await super.warm(peer, folder);
  }

  protected override change(): Promise<void> {
    return Promise.resolve();
  }
}

/** Docker's client sends each file's attributes in a frame of its own, which takes it longer than both engines. */
class ManyFilesForDocker extends ManyFilesAgain {
  override readonly name = 'the same by the docker command';
  override readonly budget = clientBound;

  protected override program(): string {
    return dockerProgram();
  }
}

export const builds: readonly Job[] = [
  new Cached(),
  new CachedForDocker(),
  new OneLine(),
  new Cold(),
  new Stages(),
  new ManyFiles(),
  new ManyFilesAgain(),
  new ManyFilesForDocker(),
];
