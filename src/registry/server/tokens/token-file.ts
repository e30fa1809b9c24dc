import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { invalidArgument, messageOf } from '#kernel';
import { readFields } from '../configuration/fields.ts';
import { TrustedKeys } from './trusted-keys.ts';
import type { TokenServiceSettings } from './token-service.ts';

/** What `--token-service` says, YAML or JSON. Throws invalidArgument that names the file and the place in it. */
export function readTokenFile(path: string): TokenServiceSettings {
  try {
    const document: unknown = parse(readFileSync(path, 'utf8'));
    return readFields(document, '', (fields) => ({
      realm: fields.parsed('realm', webAddress),
      service: fields.parsed('service', plain),
      issuer: fields.string('issuer'),
      keys: new TrustedKeys(resolve(dirname(path), fields.string('keys'))),
    }));
  } catch (error) {
    throw invalidArgument(`${path}: ${messageOf(error)}`, error);
  }
}

function webAddress(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/["\s]/.test(text)) return text;
  throw invalidArgument(`${JSON.stringify(text)} is no web address`);
}

/** It becomes part of a header. */
function plain(text: string): string {
  if (/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(text)) return text;
  throw invalidArgument(`${JSON.stringify(text)} has characters that a name of a service cannot have`);
}
