import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, invalidArgument, messageOf } from '#kernel';

/** A certificate that says who we are, with its key; PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Whom TLS believes, and what it shows of us. */
export interface Trust {
  /** False where an unverified certificate is allowed. */
  readonly verifies: boolean;
  /** PEM, beside the authorities of the host. */
  readonly authorities: readonly string[];
  readonly clients: readonly ClientCertificate[];
  /** The same for the same settings. */
  readonly id: string;
}

function trustOf(
  verifies: boolean,
  authorities: readonly string[] = [],
  clients: readonly ClientCertificate[] = [],
): Trust {
  const id = createHash('sha256')
    .update(JSON.stringify([verifies, authorities, clients]))
    .digest('base64');
  return { verifies, authorities, clients, id };
}

export const verified = trustOf(true);
export const unverified = trustOf(false);

/** What holds for another host that a registry sends us to: its authorities count, nobody is told who we are. */
export const elsewhere = ({ authorities }: Trust): Trust => trustOf(true, authorities);

/**
 * Certificates by registry, as Docker has them: `<folder>/<host[:port]>/*.crt` are authorities, `x.cert` and `x.key`
 * a client's certificate. Read anew for each operation, so that changes need no restart.
 */
export class CertificateFolders {
  readonly #roots: readonly string[];

  constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  /** `hosts`: names that a registry goes by. Throws invalidArgument for a folder that makes no sense. */
  async trust(hosts: readonly string[], verifies: boolean): Promise<Trust> {
    const authorities: string[] = [];
    const clients: ClientCertificate[] = [];
    for (const root of this.#roots) {
      for (const host of hosts) {
        // A host never holds a slash; one that did would lead out of the folder.
        if (host.includes('/') || host.startsWith('.')) continue;
        const found = await readCertificates(join(root, host));
        authorities.push(...found.authorities);
        clients.push(...found.clients);
      }
    }
    if (authorities.length + clients.length === 0) return verifies ? verified : unverified;
    return trustOf(verifies, authorities, clients);
  }
}

async function readCertificates(folder: string): Promise<Pick<Trust, 'authorities' | 'clients'>> {
  const names = await namesIn(folder);
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (error) {
      throw invalidArgument(`cannot read the certificate ${join(folder, name)}: ${messageOf(error)}`, error);
    }
  };
  const authorities: string[] = [];
  const clients: ClientCertificate[] = [];
  for (const name of names) {
    if (name.endsWith('.crt')) authorities.push(await read(name));
    else if (name.endsWith('.cert')) {
      const key = name.replace(/\.cert$/, '.key');
      if (!names.includes(key)) {
        throw invalidArgument(
          `missing key ${key} for client certificate ${name}. CA certificates must use the extension .crt`,
        );
      }
      clients.push({ cert: await read(name), key: await read(key) });
    } else if (name.endsWith('.key')) {
      const cert = name.replace(/\.key$/, '.cert');
      if (!names.includes(cert)) throw invalidArgument(`missing client certificate ${cert} for key ${name}`);
    }
  }
  return { authorities, clients };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw invalidArgument(`cannot read the certificates in ${folder}: ${messageOf(error)}`, error);
  }
}
