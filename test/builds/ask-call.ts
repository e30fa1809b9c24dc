import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../setup/index.ts';
import type { Call } from './call-cases.ts';
import type { CallAnswer } from './call-golden.ts';

/** BuildKit says where it has a file from in its own terms; nobody reads that. */
const definition = /"definition": \{[\s\S]*?\n {6}\},\n {6}/g;

/** Asks an engine about a Dockerfile with docker's command line. */
export async function askCall(docker: Client, dockerfile: string, call: Call): Promise<CallAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-call-'));
  const ask = async (kind: string): Promise<{ readonly shown: string; readonly code: number | null }> => {
    const args = ['buildx', 'build', '--quiet', '--call', kind, folder];
    const { code, stdout, stderr } = await docker(args);
    const shown = (stdout + stderr).replaceAll(`${folder}/`, '').trimStart();
    return { shown, code };
  };
  try {
    await writeFile(join(folder, 'Dockerfile'), dockerfile);
    const { shown: json } = await ask(`${call},format=json`);
    const { shown: text, code } = await ask(call);
    return { dockerfile, call, json: json.replace(definition, ''), text, code: code ?? -1 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
