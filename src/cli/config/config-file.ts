import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, messageOf } from '#kernel';

/** What `auths` of config.json holds for a registry. */
export interface StoredAuth {
  /** base64 of `user:password` */
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** The keys of config.json that this program knows; others are kept. */
export interface ConfigData {
  auths?: Record<string, StoredAuth>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
  HttpHeaders?: Record<string, string>;
  currentContext?: string;
  detachKeys?: string;
  psFormat?: string;
  imagesFormat?: string;
  networksFormat?: string;
  volumesFormat?: string;
  statsFormat?: string;
  proxies?: Record<string, Record<string, string>>;
  pruneFilters?: string[];
  [key: string]: unknown;
}

/** `config.json` in the client's configuration folder, read when it is first asked for. */
export class ConfigFile {
  readonly folder: string;
  readonly #warn: (message: string) => void;
  #data: ConfigData | undefined;

  constructor(folder: string, warn: (message: string) => void) {
    this.folder = folder;
    this.#warn = warn;
  }

  get path(): string {
    return join(this.folder, 'config.json');
  }

  get data(): ConfigData {
    return (this.#data ??= this.#read());
  }

  #read(): ConfigData {
    try {
      const parsed: unknown = JSON.parse(readFileSync(this.path, 'utf8'));
      if (typeof parsed !== 'object' || parsed === null) throw new Error('not an object');
      const data: ConfigData = { ...parsed };
      const flaw = Object.values(data.auths ?? {}).map(({ auth = '' }) => flawOf(auth));
      const at = flaw.find((each) => each !== undefined);
      if (at === undefined) return data;
      this.#warn(
        `WARNING: Error parsing config file (${this.path}): illegal base64 data at input byte ${at}\n`,
      );
      return {};
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') {
        this.#warn(`WARNING: Error loading config file: ${this.path}: ${messageOf(error)}\n`);
      }
      return {};
    }
  }

  /** Writes the file whole, readable by its owner only. */
  save(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const temp = `${this.path}.${process.pid}.tmp`;
    const { auths, ...rest } = this.data;
    const ordered = auths === undefined ? rest : { auths, ...rest };
    writeFileSync(temp, JSON.stringify(ordered, undefined, '\t'), { mode: 0o600 });
    renameSync(temp, this.path);
  }
}

/** Where a text stops being base64; undefined where it does not. */
function flawOf(text: string): number | undefined {
  const good = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(text)?.[0] ?? '';
  return good.length === text.length ? undefined : /^[A-Za-z0-9+/]*/.exec(text)?.[0].length;
}
