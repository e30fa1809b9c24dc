/** What of an answer depends on the run, the host or the engine's name becomes a placeholder; types stay. */

export type Names = ReadonlyMap<string, string>;

const time = /\b(?!0001-)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const address = /\b(?:10|172\.(?:1[6-9]|2\d|3[01])|192\.168)(?:\.\d{1,3}){2,3}\b/g;
const mac = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g;
const duration = /(?:Less than a second|About an? \w+|\d+ seconds?|\d+ minutes?)/g;

/** Host paths of the engine's own files. */
const paths = new Set([
  'ResolvConfPath',
  'HostnamePath',
  'HostsPath',
  'LogPath',
  'SandboxKey',
  'Mountpoint',
  'LowerDir',
  'MergedDir',
  'UpperDir',
  'WorkDir',
]);
/** Numbers that no two runs share; 0 stays. */
const numbers = new Map([
  ['Pid', '<pid>'],
  ['pid', '<pid>'],
  ['Created', '<seconds>'],
  ['SizeRw', '<bytes>'],
  ['SizeRootFs', '<bytes>'],
  ['SpaceReclaimed', '<bytes>'],
]);

function normaliseText(text: string, key: string, names: Names): string {
  if (paths.has(key) && text.startsWith('/')) return '<path>';
  if (key === 'DockerVersion' && text !== '') return '<version>';
  if (key === 'Runtime' && /^(?:runc|crun)$/.test(text)) return '<default runtime>';
  let found = text;
  for (const [name, placeholder] of names) {
    found = found.replaceAll(name, placeholder);
    if (/^[0-9a-f]{64}$/.test(name))
      found = found.replaceAll(name.slice(0, 12), `${placeholder.slice(0, -1)} short>`);
  }
  if (key === 'Status') found = found.replace(duration, '<duration>');
  return found
    .replace(time, '<time $1>')
    .replace(/sha256:[0-9a-f]{64}/g, '<digest>')
    .replace(/[0-9a-f]{64}/g, '<id>')
    .replace(address, '<address>')
    .replace(mac, '<mac>')
    .replace(/\/\S*\/volumes\/\S*?\/_data/g, '<volume data>')
    .replace(/there are only \d+ CPUs/, 'there are only <n> CPUs')
    .replace(/\/\S*\/docker-import-\d+\//, '<temporary folder>/')
    .replace(/\/\S*\/imagedb\//, '<data root>/')
    .replace(/from 0\.01 to \d+\.\d\d/, 'from 0.01 to <n>')
    .replace(/available: [\d,-]+/, 'available: <cpus>');
}

/** The value with placeholders. `key` is the name it stands under. */
export function normalise(value: unknown, names: Names, key = ''): unknown {
  if (typeof value === 'string') {
    const port = /^(?:HostPort)$/.test(key) && Number(value) >= 32_768;
    return port ? '<port>' : normaliseText(value, key, names);
  }
  if (typeof value === 'number') {
    if (key === 'PublicPort' && value >= 32_768) return '<port>';
    return value > 0 ? (numbers.get(key) ?? value) : value;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => normalise(item, names, key));
    // The reference tells of mounts in no order.
    return key === 'Mounts' ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, field]: [string, unknown]) => [
    normaliseText(name, '', names),
    normalise(field, names, name),
  ]);
  return Object.fromEntries(entries) as object;
}

/** Headers of the connection, and those that name the engine. */
const ofConnection = new Set(['date', 'content-length', 'transfer-encoding', 'connection', 'keep-alive']);
const ofEngine = new Map([
  ['server', '<engine>'],
  ['api-version', '<version>'],
  ['docker-experimental', '<boolean>'],
]);

export function normaliseHeaders(
  headers: Readonly<Record<string, string>>,
  names: Names,
): Readonly<Record<string, string>> {
  const kept = Object.entries(headers).filter(([name]) => !ofConnection.has(name));
  const values = kept.map(([name, value]) => {
    if (name === 'x-docker-container-path-stat') {
      return [name, JSON.stringify(normalise(JSON.parse(Buffer.from(value, 'base64').toString()), names))];
    }
    return [name, ofEngine.get(name) ?? normaliseText(value, '', names)];
  });
  return Object.fromEntries(values.sort()) as Record<string, string>;
}
