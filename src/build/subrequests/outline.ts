import type { Outline, OutlineSecret } from '../graph/outline.ts';
import { base64, goJson, locationJson, present, version, type Answer, type AskedFile } from './answer.ts';
import { columns } from './columns.ts';

const gap = 3;

const secretJson = ({ name, required, location }: OutlineSecret): object => ({
  name,
  ...present('required', required),
  location: locationJson([location]),
});

function secretTable(title: string, secrets: readonly OutlineSecret[]): string {
  if (secrets.length === 0) return '';
  const rows = secrets.map(({ name, required }) => [name, required ? 'true' : '']);
  return `${columns([[title, 'REQUIRED'], ...rows], gap)}\n`;
}

function outlineText({ name, description, arguments: args, secrets, ssh }: Outline): string {
  let text = '';
  if (name !== '' || description !== '') {
    const rows = [['TARGET:', name === '' ? '(default)' : name]];
    if (description !== '') rows.push(['DESCRIPTION:', description]);
    text += `${columns(rows, 1)}\n`;
  }
  if (args.length > 0) {
    const rows = args.map((one) => [one.name, one.value, one.description]);
    text += `${columns([['BUILD ARG', 'VALUE', 'DESCRIPTION'], ...rows], gap)}\n`;
  }
  return text + secretTable('SECRET', secrets) + secretTable('SSH', ssh);
}

/** `frontend.outline`: what the target can be given (BuildKit's subrequests/outline). */
export function outlineAnswer(file: AskedFile, outline: Outline): Answer {
  const { name, description, arguments: args, secrets, ssh } = outline;
  const json = {
    ...present('name', name),
    ...present('description', description),
    ...(args.length > 0 && {
      args: args.map((one) => ({
        name: one.name,
        ...present('description', one.description),
        ...present('value', one.value),
        location: locationJson([one.location]),
      })),
    }),
    ...(secrets.length > 0 && { secrets: secrets.map(secretJson) }),
    ...(ssh.length > 0 && { ssh: ssh.map(secretJson) }),
    sources: [base64(file.text)],
  };
  return { 'result.json': goJson(json), 'result.txt': outlineText(outline), version };
}
