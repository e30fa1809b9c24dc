import type { ImageRecord } from '#images';
import { EngineError, invalidArgument } from '#kernel';
import type { BaseImages, BaseOptions, ClientImages, LayoutImage } from '../base-images.ts';
import type { BuildFiles } from './client-files.ts';
import { readClientLayout } from './client-layout.ts';
import type { ClientSession } from './client-session.ts';
import type { BuildProgress } from './progress.ts';

export interface JobBasesOptions {
  readonly images: ClientImages;
  readonly files: Pick<BuildFiles, 'credentials'>;
  readonly session: ClientSession | undefined;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
}

/** What one build of a client begins with. Each image is looked for once, however often the build is planned, unless it is gone. */
export class JobBases implements BaseImages {
  readonly #options: JobBasesOptions;
  readonly #images = new Map<string, Promise<ImageRecord>>();
  readonly #layouts = new Map<string, Promise<LayoutImage>>();

  constructor(options: JobBasesOptions) {
    this.#options = options;
  }

  resolve(reference: string, asked: BaseOptions): Promise<ImageRecord> {
    const key = JSON.stringify([reference, asked.platform, asked.pull]);
    const known = this.#images.get(key);
    if (known && asked.again !== true) return known;
    const { images, files, progress } = this.#options;
    const credentials: BuildFiles['credentials'] = (host) => files.credentials(host);
    const found = progress
      .during(`[internal] load metadata for ${reference}`, () =>
        images.resolve(reference, { ...asked, credentials }),
      )
      .catch((error: unknown) => {
        throw unresolved(reference, asked.written, error);
      });
    this.#images.set(key, found);
    return found;
  }

  async layout(
    place: { readonly store: string; readonly digest: string },
    { platform, written }: BaseOptions,
  ): Promise<LayoutImage> {
    const { session, progress, signal } = this.#options;
    if (!session) throw invalidArgument('an OCI layout as a context needs a session of the client');
    const key = JSON.stringify([place, platform]);
    const known = this.#layouts.get(key);
    if (known) return known;
    const name = `[context ${written ?? place.store}] load metadata for ${place.digest}`;
    const found = progress.during(name, () => readClientLayout(session, place, platform, { signal }));
    this.#layouts.set(key, found);
    return found;
  }
}

/** Why an image cannot be found out about, in BuildKit's words. */
function unresolved(reference: string, written: string | undefined, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const what = `failed to resolve source metadata for ${reference}: ${error.message}`;
  const message = written === undefined ? what : `${written}: ${what}`;
  return new EngineError(error.kind, message, { cause: error });
}
