import { demultiplex } from '#client';
import type { ContainerInspectResponse } from '#api/types';
import { defineCommand, exactly } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { timestamp } from '../../format/timestamp.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER',
  summary: 'Show what a container has printed',
  aliases: ['container logs', 'logs'],
  arguments: exactly(1),
  flags: {
    clear: bool('Empty the log instead of showing it'),
    details: bool('Show what the log driver knows besides'),
    follow: bool('Go on as more is printed', { short: 'f' }),
    since: string('Leave out what is older: a time ("2013-01-02T13:23:37Z") or a span ("42m")'),
    tail: string('Number of lines from the end', { short: 'n', initial: 'all' }),
    timestamps: bool('Show when each line was printed', { short: 't' }),
    until: string('Leave out what is newer: a time ("2013-01-02T13:23:37Z") or a span ("42m")'),
  },
  async run(context, { flags, changed, args: [container = ''] }) {
    const other = [...changed].find((name) => name !== 'clear');
    if (flags.clear && other !== undefined) throw new Error(`--clear and --${other} exclude each other`);
    const path = `/containers/${encodeURIComponent(container)}`;
    if (flags.clear) {
      await context.engine.done({ method: 'DELETE', path: `${path}/logs` });
      return;
    }
    const { Config } = await context.engine.json<ContainerInspectResponse>({
      method: 'GET',
      path: `${path}/json`,
    });
    const answer = await context.engine.send({
      method: 'GET',
      path: `${path}/logs`,
      query: {
        stdout: true,
        stderr: true,
        follow: flags.follow,
        timestamps: flags.timestamps,
        details: flags.details,
        tail: flags.tail,
        since: timestamp(flags.since, context.now(), 'since'),
        until: timestamp(flags.until, context.now(), 'until'),
      },
    });
    if (Config.Tty) {
      for await (const chunk of answer.body) context.out.write(chunk);
      return;
    }
    await demultiplex(answer.body, {
      stdout: (bytes) => context.out.write(bytes),
      stderr: (bytes) => context.err.write(bytes),
    });
  },
});
