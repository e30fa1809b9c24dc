import { demultiplex, type EngineClient } from '#client';
import type { ContainerInspectResponse } from '#api/types';
import { defineCommand, exactly } from '../../command.ts';
import { printLine } from '../../context.ts';
import { string } from '../../flags/index.ts';
import { typed } from '../../format/go-value.ts';
import { encodeJson } from '../../format/json.ts';
import { compileFormat } from '../../format/struct.ts';
import { explain } from '../../why/explain.ts';
import { renderExplanation } from '../../why/explanation.ts';
import { containerPath } from '../each.ts';

const logLines = 10;

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER',
  summary: 'Tell why a container stopped, will not start or is unhealthy, and what to try',
  aliases: ['container why', 'why'],
  arguments: exactly(1),
  flags: {
    format: string("Format output: 'json', or a Go template of its fields", { short: 'f' }),
  },
  async run(context, { flags, args: [name = ''] }) {
    const template = flags.format === '' || flags.format === 'json' ? undefined : compileFormat(flags.format);
    const path = containerPath(name);
    const container = await context.engine.json<ContainerInspectResponse>({
      method: 'GET',
      path: `${path}/json`,
    });
    const log = await lastLines(context.engine, path, container.Config.Tty === true);
    const { program } = context;
    const explanation = explain(container, { program, log, now: context.now() });
    if (template) printLine(context.out, template.execute(typed(explanation)));
    else if (flags.format === 'json') printLine(context.out, encodeJson(explanation));
    else printLine(context.out, renderExplanation(explanation));
  },
});

/** The end of the log; empty where it cannot be read, since that is no answer to why. */
async function lastLines(engine: EngineClient, path: string, tty: boolean): Promise<readonly string[]> {
  const chunks: Uint8Array[] = [];
  const keep = (bytes: Uint8Array): void => void chunks.push(bytes);
  try {
    const { body } = await engine.send({
      method: 'GET',
      path: `${path}/logs`,
      query: { stdout: true, stderr: true, tail: String(logLines) },
    });
    if (tty) for await (const chunk of body) keep(chunk);
    else await demultiplex(body, { stdout: keep, stderr: keep });
  } catch {
    return [];
  }
  const text = Buffer.concat(chunks).toString().replaceAll('\r\n', '\n').trimEnd();
  return text === '' ? [] : text.split('\n').slice(-logLines);
}
