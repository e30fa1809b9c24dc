import { ExitStatus } from '../command.ts';
import { encodeJson } from './json.ts';
import { Template, TemplateError } from './template.ts';

export interface StructFormat {
  /** The template's name in error texts. */
  readonly name?: string;
  /** Docker's name for the type of the data, for fields that it does not have. */
  readonly typeName: string;
}

/** Reads a format; a bad one ends the program as docker does. */
export function compileFormat(format: string, name = ''): Template {
  try {
    return new Template(format === 'json' ? '{{json .}}' : format, { name });
  } catch (error) {
    throw error instanceof TemplateError
      ? new ExitStatus(64, `template parsing error: ${error.message}`)
      : error;
  }
}

/** Shows one object by a format, with a line end. What fails is reported after an empty line, as docker does. */
export function renderStruct(
  data: object,
  format: string,
  { name = '', typeName }: StructFormat,
): { text: string; error?: string } {
  if (format === 'json') return { text: `${encodeJson(data)}\n` };
  const template = compileFormat(format, name);
  try {
    return { text: `${template.execute(data)}\n` };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return {
      text: '\n',
      error: error.message.replace(
        /map has no entry for key "(\w+)"/,
        (_, field: string) => `can't evaluate field ${field} in type ${typeName}`,
      ),
    };
  }
}
