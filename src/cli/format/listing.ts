import { Row, asMap } from './go-value.ts';
import { tabulate } from './tabwriter.ts';
import { Template, TemplateError } from './template.ts';
import type { TemplateFunction } from './template-functions.ts';

/** The columns of one kind of row. */
export interface Listing<T> {
  /** Docker's name of the type, for error texts. */
  readonly typeName: string;
  /** Headings by column. */
  readonly headers: Readonly<Record<string, string>>;
  columns(item: T): Row['columns'];
  /** What precedes Go's error; differs among Docker's commands. */
  readonly failures?: { readonly parse: string; readonly execute: string };
}

const defaultFailures = { parse: 'template parsing error', execute: 'template parsing error' };

const same: TemplateFunction = (value) => value;

/** In a heading the functions that change text leave it alone. */
const headerFunctions: Readonly<Record<string, TemplateFunction>> = {
  json: same,
  split: same,
  join: same,
  title: same,
  lower: same,
  upper: same,
  truncate: same,
};

/** The heading of `{{.Label "com.example.build-id"}}`: `build id`. */
function labelHeader(name: unknown): string {
  const last = String(name).split('.').at(-1) ?? '';
  return last.replaceAll(/[-_]/g, ' ');
}

/** Shows items by a format: `table`, `table TEMPLATE`, `json` or a template, one line per item. */
export function renderListing<T>(items: Iterable<T>, format: string, listing: Listing<T>): string {
  const isTable = format.startsWith('table');
  const text = (isTable ? format.slice('table'.length) : format).replace(/^ +| +$/g, '');
  const source = (text === 'json' ? '{{json .}}' : text).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const failures = listing.failures ?? defaultFailures;
  const template = compile(source, failures.parse);
  let body = '';
  for (const item of items) {
    body += `${execute(template, new Row(listing.typeName, listing.columns(item)), failures.execute)}\n`;
  }
  if (!isTable) return body;
  const header = new Template(source, { functions: headerFunctions });
  const heading = header.execute(asMap({ ...listing.headers, Label: labelHeader }));
  return tabulate(`${heading}\n${body}`);
}

function compile(source: string, prefix: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw error instanceof TemplateError ? new Error(`${prefix}: ${error.message}`, { cause: error }) : error;
  }
}

function execute(template: Template, row: Row, prefix: string): string {
  try {
    return template.execute(row);
  } catch (error) {
    throw error instanceof TemplateError ? new Error(`${prefix}: ${error.message}`, { cause: error }) : error;
  }
}
