import { parseBool } from '../../flags/flag.ts';
import { fieldsOf } from './pairs.ts';

/** What --provenance and --sbom stand for: `type=provenance,mode=max`. Empty for an empty word. */
export function attestWord(type: string, text: string): string {
  if (text === '') return '';
  try {
    return `type=${type},disabled=${!parseBool(text)}`;
  } catch {
    return `type=${type},${text}`;
  }
}

/** Settings of attestations by type; a later one of a type replaces an earlier one. Throws buildx's texts. */
export function parseAttestations(texts: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const text of texts) {
    const fields = fieldsOf(text, (field) => {
      throw new Error(`invalid value ${field}`);
    });
    const type = fields.find(([key]) => key === 'type')?.[1] ?? '';
    if (type === '') throw new Error('attestation type not specified');
    const disabled = fields.find(([key]) => key === 'disabled')?.[1];
    const rest = fields.filter(([key]) => key !== 'type' && key !== 'disabled');
    if (disabled === undefined || !parseBool(disabled)) {
      found[type] = rest.map(([key, value]) => `${key}=${value}`).join(',');
    }
  }
  return found;
}
