import { adminVerbs, runAdministration, runRegistry } from '#registry/server';

const [first, ...rest] = process.argv.slice(2);
const verb = adminVerbs.find((name) => name === first);
process.exitCode =
  verb === undefined ? await runRegistry(process.argv.slice(2)) : await runAdministration(verb, rest);
