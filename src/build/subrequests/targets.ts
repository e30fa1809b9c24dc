import type { Target } from '../graph/outline.ts';
import { base64, goJson, locationJson, present, version, type Answer, type AskedFile } from './answer.ts';
import { columns } from './columns.ts';

function shownName({ name, default: isDefault }: Target): string {
  if (!isDefault) return name;
  return name === '' ? '(default)' : `${name} (default)`;
}

/** `frontend.targets`: the stages of a file (BuildKit's subrequests/targets). */
export function targetsAnswer(file: AskedFile, targets: readonly Target[]): Answer {
  const json = {
    targets: targets.map((target) => ({
      ...present('name', target.name),
      ...present('default', target.default),
      ...present('description', target.description),
      ...present('base', target.base),
      ...present('platform', target.platform),
      location: locationJson([target.location]),
    })),
    sources: [base64(file.text)],
  };
  const rows = targets.map((target) => [shownName(target), target.description]);
  return {
    'result.json': goJson(json),
    'result.txt': columns([['TARGET', 'DESCRIPTION'], ...rows], 1),
    version,
  };
}
