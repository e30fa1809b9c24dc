import { messageOf } from '#kernel';
import { ExitStatus } from '../command.ts';
import type { Context } from '../context.ts';
import { typed } from '../format/go-value.ts';
import { encodeJson, indentJson } from '../format/json.ts';
import { compileFormat } from '../format/struct.ts';
import { TemplateError } from '../format/template.ts';
import type { Template } from '../format/template.ts';

/** Asks for each name and prints the answers: a JSON array, or each through the format. */
export async function inspectAll(
  context: Context,
  names: readonly string[],
  format: string,
  get: (name: string) => Promise<string>,
): Promise<void> {
  const template = format === '' || format === 'json' ? undefined : compileFormat(format);
  const found: string[] = [];
  const errors: string[] = [];
  let lines = '';
  for (const name of names) {
    try {
      const text = (await get(name)).trim();
      if (template) lines += `${execute(template, text)}\n`;
      else found.push(text);
    } catch (error) {
      if (error instanceof ExitStatus) {
        context.out.write(lines === '' ? '\n' : lines);
        throw error;
      }
      errors.push(messageOf(error));
    }
  }
  if (template) context.out.write(lines === '' ? '\n' : lines);
  else context.out.write(format === 'json' ? `${compact(found)}\n` : pretty(found));
  if (errors.length > 0) throw new ExitStatus(1, errors.join('\n'));
}

function execute(template: Template, text: string): string {
  try {
    return template.execute(typed(JSON.parse(text)));
  } catch (error) {
    throw error instanceof TemplateError
      ? new ExitStatus(1, `template parsing error: ${error.message}`)
      : error;
  }
}

const compact = (texts: readonly string[]): string =>
  encodeJson(texts.map((text) => JSON.parse(text) as unknown));

const pretty = (texts: readonly string[]): string =>
  texts.length === 0 ? '[]\n' : `${indentJson(`[${texts.join(',')}]`)}\n`;
