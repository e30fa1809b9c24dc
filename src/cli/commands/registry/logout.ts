import { atMost, defineCommand } from '../../command.ts';
import { helperFor, runHelper } from '../../config/credentials.ts';
import { printLine } from '../../context.ts';
import { serverOf } from './login.ts';

export const command = defineCommand({
  synopsis: '[SERVER]',
  summary: 'Sign out of a registry',
  description: 'Sign out of a registry.\nWithout a server Docker Hub is meant.',
  arguments: atMost(1),
  flags: {},
  run(context, { args: [server] }) {
    const key = serverOf(server);
    printLine(context.out, `Removing login credentials for ${key}`);
    const { data } = context.config;
    const helper = helperFor(context.config, key);
    if (helper !== undefined) runHelper(helper, 'erase', key);
    if (data.auths === undefined) return;
    const names = new Set([key, `http://${key}`, `https://${key}`]);
    data.auths = Object.fromEntries(Object.entries(data.auths).filter(([name]) => !names.has(name)));
    context.config.save();
  },
});
