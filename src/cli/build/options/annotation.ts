const levels = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'];

/** The exporters' attributes for `[TYPE[PLATFORM],…:]KEY=VALUE` of --annotation. Throws buildx's texts. */
export function annotationAttributes(annotations: readonly string[]): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const text of annotations) {
    const at = text.indexOf('=');
    if (at < 0) throw new Error(`invalid annotation ${JSON.stringify(text)}, expected key=value`);
    const [prefix, key] = splitKey(text.slice(0, at));
    for (const place of prefix === '' ? [''] : prefix.split(',')) {
      attributes[`annotation${place === '' ? '' : `-${place}`}.${key}`] = text.slice(at + 1);
    }
  }
  return attributes;
}

/** Keys may hold a colon: only behind places that are known it parts these from the key. */
function splitKey(text: string): readonly [places: string, key: string] {
  const place = `(?:${levels.join('|')})(?:\\[[^\\]]*\\])?`;
  const match = new RegExp(`^(${place}(?:,${place})*):(.*)$`).exec(text);
  return match ? [match[1] ?? '', match[2] ?? ''] : ['', text];
}
