import { parseBool } from '../../flags/flag.ts';
import { splitCsv } from '../../flags/csv.ts';
import type { BuildCall } from '../build-options.ts';

/** `check`, `outline,format=json` of --call; nothing for `build`. Throws buildx's texts. */
export function parseCall(text: string): BuildCall | undefined {
  let name = '';
  let format: 'text' | 'json' = 'text';
  let ignoreStatus = false;
  for (const field of splitCsv(text)) {
    const [key = '', value] = field.split('=', 2);
    if (value === undefined && name === '') name = key;
    else if (key === 'format' && (value === 'json' || value === 'text')) format = value;
    else if (key === 'ignorestatus') ignoreStatus = parseBool(value ?? 'true');
    else throw new Error(`invalid value ${JSON.stringify(field)} in --call`);
  }
  if (name === '' || name === 'build') return undefined;
  return { name: name === 'check' ? 'lint' : name, format, ignoreStatus };
}
