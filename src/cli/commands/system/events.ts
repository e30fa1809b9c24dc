import type { EventMessage } from '#api/types';
import { lines } from '#client';
import { defineCommand, noArguments } from '../../command.ts';
import { filter, string } from '../../flags/index.ts';
import { asMap, sortedKeys } from '../../format/go-value.ts';
import { Template, TemplateError } from '../../format/template.ts';
import { localRfc3339 } from '../../format/time.ts';
import { timestamp } from '../../format/timestamp.ts';
import { formatUsage } from '../../format/usage.ts';
import { ExitStatus } from '../../command.ts';
import { encodeFilters } from '../filters.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Follow what happens in the engine',
  aliases: ['system events', 'events'],
  arguments: noArguments,
  flags: {
    filter: filter('Show only what meets these conditions'),
    format: string(formatUsage(false)),
    since: string('Begin with what happened since this time'),
    until: string('End at this time'),
  },
  async run(context, { flags }) {
    const show = printer(flags.format);
    const answer = await context.engine.send({
      method: 'GET',
      path: '/events',
      query: {
        since: timestamp(flags.since, context.now()),
        until: timestamp(flags.until, context.now()),
        filters: encodeFilters(flags.filter),
      },
    });
    for await (const line of lines(answer.body)) {
      if (line.trim() !== '') context.out.write(`${show(line)}\n`);
    }
  },
});

function printer(format: string): (line: string) => string {
  if (format === 'json') return (line) => line.trim();
  if (format === '') return describe;
  try {
    const template = new Template(format);
    return (line) => template.execute(asStruct(line));
  } catch (error) {
    throw error instanceof TemplateError
      ? new ExitStatus(64, `Error parsing format: ${error.message}`)
      : error;
  }
}

/** The fields by the names of Docker's type. */
function asStruct(line: string): object {
  const event = JSON.parse(line) as EventMessage;
  return {
    Status: event.status ?? '',
    ID: event.id ?? '',
    From: event.from ?? '',
    Type: event.Type,
    Action: event.Action,
    Actor: { ID: event.Actor.ID, Attributes: asMap(event.Actor.Attributes) },
    Scope: event.scope ?? '',
    Time: event.time,
    TimeNano: nanosOf(line),
    toJSON: () => event,
  };
}

/** From the text: a JavaScript number loses the digits below the microsecond. */
const nanosOf = (line: string): bigint => BigInt(/"timeNano":\s*(\d+)/.exec(line)?.[1] ?? 0);

function describe(line: string): string {
  const { Type, Action, Actor } = JSON.parse(line) as EventMessage;
  const nanos = nanosOf(line);
  const fraction = (nanos % 1_000_000_000n).toString().padStart(9, '0');
  const stamp = localRfc3339(Number(nanos / 1_000_000n)).replace(/^.{19}/, (text) => `${text}.${fraction}`);
  const attributes = sortedKeys(Actor.Attributes).map((name) => `${name}=${Actor.Attributes[name] ?? ''}`);
  const tail = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${stamp} ${Type} ${Action} ${Actor.ID}${tail}`;
}
