import { request } from 'node:http';
import { errnoOf, unavailable } from '#kernel';
import { adminSocket } from '../registry-folder.ts';

/** Asks the registry that serves a folder. Throws unavailable when none does, and what the registry says. */
export async function askRegistry(root: string, verb: string, options: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const asking = request({ socketPath: adminSocket(root), method: 'POST', path: `/${verb}` }, (answer) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => (text += chunk));
    answer.on('end', () => {
      const value: unknown = JSON.parse(text);
      if (answer.statusCode === 200) resolve(value);
      else reject(new Error((value as { readonly message: string }).message));
    });
    answer.on('error', reject);
  });
  asking.on('error', (error) => {
    const isAbsent = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(errnoOf(error) ?? '');
    reject(isAbsent ? unavailable(`no registry serves ${root}: start it with wharf registry serve`) : error);
  });
  asking.end(JSON.stringify(options));
  return await promise;
}
