import { createHash, createPrivateKey, constants, privateDecrypt, randomUUID } from 'node:crypto';
import { hashSync } from 'bcryptjs';
import { messageOf } from '#kernel';
import { ArgumentError } from '../eval/scope.ts';
import { fromJson, toJson } from '../values/json.ts';
import type { Value } from '../values/value.ts';
import { listValue, objectValue, stringType, stringValue, textOf } from '../values/value.ts';
import { parseCsv } from './csv.ts';
import type { Functions } from './define.ts';
import { anyOrNull, define, number, text, textFunction, variadic, wholeNumber } from './define.ts';

const hash = (algorithm: string): Functions[string] =>
  textFunction('str', (source) => createHash(algorithm).update(source).digest('hex'));

const base64decode = textFunction('str', (source) => {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(source)) {
    throw new ArgumentError(0, `failed to decode base64 data ${JSON.stringify(source)}`);
  }
  return Buffer.from(source, 'base64').toString();
});

/** As url.QueryEscape of Go. */
const queryEscape = (source: string): string =>
  encodeURIComponent(source)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

const csvdecode = define([text('str')], (value) => {
  const [header, ...rows] = parseCsv(textOf(value));
  if (!header) throw new Error('missing header line');
  const again = header.fields.find((name, at) => header.fields.indexOf(name) !== at);
  if (again !== undefined) throw new Error(`duplicate column name ${JSON.stringify(again)}`);
  const items = rows.map(({ fields, line }) => {
    if (fields.length !== header.fields.length) {
      throw new Error(`CSV parse error on line ${line}: wrong number of fields`);
    }
    return objectValue(header.fields.map((name, at) => [name, stringValue(fields[at] ?? '')] as const));
  });
  const attributes = new Map([...header.fields].sort().map((name) => [name, stringType] as const));
  return listValue(items, { kind: 'object', attributes });
});

const rsadecrypt = define([text('ciphertext'), text('privatekey')], (ciphertext, key) => {
  try {
    const decrypted = privateDecrypt(
      { key: createPrivateKey(textOf(key)), padding: constants.RSA_PKCS1_PADDING },
      Buffer.from(textOf(ciphertext), 'base64'),
    );
    return stringValue(decrypted.toString());
  } catch (error) {
    throw new Error(`failed to decrypt: ${messageOf(error)}`, { cause: error });
  }
});

const bcrypt = variadic([text('str')], number('cost'), (source, ...costs) => {
  const [cost] = costs;
  const rounds = cost ? wholeNumber(cost, 1) : 10;
  if (rounds < 4 || rounds > 31) {
    throw new ArgumentError(1, `crypto/bcrypt: cost ${rounds} is outside allowed inclusive range 4..31`);
  }
  return stringValue(hashSync(textOf(source), rounds));
});

/** The well-known name spaces of RFC 4122. */
const nameSpaces: Readonly<Record<string, string>> = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
};

const uuidv5 = define([text('namespace'), text('name')], (space, name) => {
  const given = textOf(space);
  const id = nameSpaces[given] ?? given;
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) {
    throw new ArgumentError(0, `uuidv5() doesn't support namespace ${given}`);
  }
  const bytes = createHash('sha1')
    .update(Buffer.from(id.replaceAll('-', ''), 'hex'))
    .update(textOf(name))
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return stringValue(bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
});

const jsondecode = define([text('str')], (source): Value => {
  try {
    return fromJson(textOf(source));
  } catch (error) {
    throw new ArgumentError(0, messageOf(error));
  }
});

/** Other forms of the same data, digests and ids. */
export const encodingFunctions: Functions = {
  base64decode,
  base64encode: textFunction('str', (source) => Buffer.from(source).toString('base64')),
  bcrypt,
  csvdecode,
  jsondecode,
  jsonencode: define([anyOrNull('val')], (value) => stringValue(toJson(value))),
  md5: hash('md5'),
  rsadecrypt,
  sha1: hash('sha1'),
  sha256: hash('sha256'),
  sha512: hash('sha512'),
  urlencode: textFunction('str', queryEscape),
  uuidv4: define([], () => stringValue(randomUUID())),
  uuidv5,
};
