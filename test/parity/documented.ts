import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from './compare.ts';

/** Fields of the specification's newest version by model: `string`, `list of X`, `map of X`, or a model's name. */
type Models = Readonly<Record<string, Readonly<Record<string, string>>>>;

const file = join(import.meta.dirname, '../golden/documented-fields.json');
// Made from the specification in this shape.
const models = JSON.parse(readFileSync(file, 'utf8')) as Models;

/** Where a value is not what the specification says of the model: wrong types, and fields that it does not have. */
export function undocumented(model: string, value: unknown): readonly string[] {
  function check(type: string, found: unknown, path: string): readonly string[] {
    if (found === null || found === undefined) return [];
    const list = /^list of (.*)$/.exec(type)?.[1];
    if (list !== undefined) {
      if (!Array.isArray(found)) return [`${path} is no list`];
      return found.flatMap((item, index) => check(list, item, `${path}[${index}]`));
    }
    const map = /^map of (.*)$/.exec(type)?.[1];
    if (map !== undefined) {
      if (!isObject(found)) return [`${path} is no map`];
      return Object.entries(found).flatMap(([name, item]) => check(map, item, `${path}.${name}`));
    }
    const fields = models[type];
    if (fields) return checkModel(fields, found, path);
    if (type === 'object') return isObject(found) ? [] : [`${path} is no object`];
    return typeof found === type ? [] : [`${path} is a ${typeof found}, not a ${type}`];
  }

  function checkModel(
    fields: Readonly<Record<string, string>>,
    found: unknown,
    path: string,
  ): readonly string[] {
    if (fields['[]'] !== undefined) return check(fields['[]'], found, path);
    if (!isObject(found)) return [`${path} is no object`];
    return Object.entries(found).flatMap(([name, item]) => {
      const type = fields[name] ?? fields['*'];
      return type === undefined
        ? [`${path}.${name} is not documented`]
        : check(type, item, `${path}.${name}`);
    });
  }

  return check(model, value, model);
}
