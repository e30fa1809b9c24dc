// The layers of ARCHITECTURE.md: a module imports only from lower layers, and only through a folder's index.
const layers = [
  ['kernel', 'linux'],
  ['oci', 'api/types', 'metadata', 'patterns', 'filesync', 'buildkit'],
  ['archive', 'content', 'snapshots', 'runtime', 'volumes', 'networks', 'logs', 'events', 'registry/client'],
  ['images', 'registry/server'],
  ['containers', 'build', 'disk'],
  ['cluster'],
  ['api/server'],
  ['daemon'],
];
const serverSide = layers.flat();
const clientSide = {
  client: ['kernel', 'api/types'],
  compose: ['kernel', 'api/types', 'client', 'oci'],
  hcl: ['kernel'],
  bake: ['kernel', 'hcl'],
  cli: [
    'kernel',
    'linux',
    'oci',
    'api/types',
    'archive',
    'client',
    'compose',
    'patterns',
    'filesync',
    'buildkit',
    'bake',
  ],
};
/** Modules of one layer that may see each other although they stand side by side. */
const siblings = { linux: ['kernel'], buildkit: ['filesync'], content: ['archive'], snapshots: ['archive'] };
const folder = (name) => `^src/${name}/`;
const rules = [];
layers.forEach((layer, index) => {
  for (const name of layer) {
    const allowed = [...layers.slice(0, index).flat(), name, ...(siblings[name] ?? [])];
    rules.push({
      name: `layer-${name.replace('/', '-')}`,
      comment: `${name} may import only from the layers below it`,
      severity: 'error',
      from: { path: folder(name) },
      to: { path: '^src/', pathNot: allowed.map(folder) },
    });
  }
});
for (const [name, allowed] of Object.entries(clientSide)) {
  rules.push({
    name: `client-side-${name}`,
    severity: 'error',
    from: { path: folder(name) },
    to: { path: '^src/', pathNot: [name, ...allowed].map(folder) },
  });
}
module.exports = {
  forbidden: [
    ...rules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'index-is-the-only-door',
      severity: 'error',
      from: { path: '^src/([^/]+|api/[^/]+|registry/[^/]+)/' },
      to: {
        path: '^src/(api/[^/]+|registry/[^/]+|[^/]+)/',
        pathNot: ['^src/(api/[^/]+|registry/[^/]+|[^/]+)/index\\.ts$', '^src/$1/'],
      },
    },
    {
      name: 'koffi-only-in-linux',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/linux/' },
      to: { path: 'node_modules/koffi' },
    },
    { name: 'bin-is-a-leaf', severity: 'error', from: {}, to: { path: '^src/bin/' } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
