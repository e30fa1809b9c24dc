import { DockerfileError, type Location } from '../dockerfile/location.ts';
import { sourceExcerpt } from '../dockerfile/source-excerpt.ts';
import type { CheckWarning } from '../checks/checks.ts';
import { base64, goJson, locationJson, present, version, type Answer, type AskedFile } from './answer.ts';

const locationsOf = (error: Error): readonly Location[] =>
  error instanceof DockerfileError ? error.locations : [];

function warningText({ rule, message, location }: CheckWarning, { name, text }: AskedFile): string {
  const address = rule.url === '' ? '' : ` - ${rule.url}`;
  return `\nWARNING: ${rule.name}${address}\n${message}\n${sourceExcerpt(name, text, [location])}`;
}

/** `frontend.lint`: all warnings, and what keeps the file from being built (BuildKit's subrequests/lint). */
export function lintAnswer(
  file: AskedFile,
  { warnings, error }: { readonly warnings: readonly CheckWarning[]; readonly error: Error | undefined },
): Answer {
  const json = {
    warnings:
      warnings.length === 0
        ? null
        : warnings.map(({ rule, message, location }) => ({
            ruleName: rule.name,
            ...present('description', rule.description),
            ...present('url', rule.url),
            ...present('detail', message),
            location: locationJson([location]),
          })),
    sources: [{ filename: file.name, data: base64(file.text), language: 'Dockerfile' }],
    ...(error && { buildError: { message: error.message, location: locationJson(locationsOf(error)) } }),
  };
  const inOrder = warnings.toSorted((a, b) => a.location.firstLine - b.location.firstLine);
  return {
    'result.json': goJson(json),
    'result.txt': inOrder.map((warning) => warningText(warning, file)).join(''),
    'result.statuscode': warnings.length > 0 || error ? '1' : '0',
    version,
  };
}
