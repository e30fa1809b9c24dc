import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * What the reference engine answered in the same scenario. With WHARF_TEST_HOST and WHARF_TEST_RECORD set, what that
 * engine answers now is written down first.
 */
export async function recorded<T>(name: string, answers: T): Promise<T> {
  const path = join(import.meta.dirname, '../../golden/isolation', `${name}.json`);
  if (process.env['WHARF_TEST_HOST'] && process.env['WHARF_TEST_RECORD']) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${JSON.stringify(answers, undefined, 2)}\n`);
  }
  return JSON.parse(await readFile(path, 'utf8')) as T; // written above, of this very type
}
