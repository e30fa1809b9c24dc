/**
 * Records of `Name: value` lines, separated by empty lines; a line that begins with a blank goes on with the value
 * before it. As dpkg, Python's metadata and mail have them. Of a name that comes twice the first value counts.
 */
export function* stanzas(text: string): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>();
  let last = '';
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      last = '';
    } else if (/^[ \t]/.test(line)) {
      if (last !== '') fields.set(last, `${fields.get(last) ?? ''}\n${line.trim()}`);
    } else {
      const colon = line.indexOf(':');
      const name = colon === -1 ? '' : line.slice(0, colon);
      last = fields.has(name) ? '' : name;
      if (last !== '') fields.set(last, line.slice(colon + 1).trim());
    }
  }
  if (fields.size > 0) yield fields;
}
