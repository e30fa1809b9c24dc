import { atMost, defineCommand } from '../../command.ts';
import { eraseAuth } from '../../config/credentials.ts';
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
    eraseAuth(context.config, key);
  },
});
