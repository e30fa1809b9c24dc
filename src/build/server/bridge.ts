import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConnectError, HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { Definition, gateway } from '#buildkit';
import { formatPlatform } from '#oci';
import { buildError } from './build-error.ts';
import type { BuildJob, Prepared } from './build-job.ts';
import { resolveDefinition, resultDefinition } from './definitions.ts';
import { checkFrontend } from './frontend-choice.ts';
import type { BuildInput } from '../build-request.ts';
import type { Jobs } from './jobs.ts';
import { jobOfReference } from './references.ts';
import { listFolder, readFileRange, statFile } from './result-files.ts';
import { resultMetadata } from './result-metadata.ts';

type Bridge = Omit<ServiceImpl<typeof gateway.LLBBridge>, 'ping'>;
type Result = MessageInitShape<typeof gateway.ResultSchema>;

/** The calls by which a client has the frontend run inside its build, and looks into what comes of it. */
export function bridgeService(jobs: Jobs): Bridge {
  const jobOf = async (context: HandlerContext): Promise<BuildJob> =>
    jobs.get(context.requestHeader.get('buildkit-controlapi-buildid') ?? '', context.signal);
  const resultOf = async (name: string, signal: AbortSignal): Promise<BuildInput> =>
    (await jobs.get(jobOfReference(name), signal)).references.get(name);
  const definitionOf = (job: BuildJob, definition: Definition): Promise<BuildInput> =>
    resolveDefinition(definition, {
      ...job.sourceParts(),
      result: (name) => resultOf(name, job.signal),
    });
  /** What calls of a job failed with last: clients hand it back as the result of the build, without its details. */
  const failures = new WeakMap<BuildJob, ConnectError>();
  const told = async <T>(job: BuildJob, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const failure = buildError(error, job.prepared);
      failures.set(job, failure);
      throw failure;
    }
  };
  const returned = (job: BuildJob, message: string): ConnectError => {
    const last = failures.get(job);
    return last && message.includes(last.rawMessage) ? last : buildError(new Error(message), job.prepared);
  };
  const files = async (name: string, context: HandlerContext) => {
    const job = await jobOf(context);
    return told(job, () => resultOf(name, context.signal));
  };
  return {
    solve: async (request, context) => {
      const job = await jobOf(context);
      return told(job, async () => {
        const { definition, frontend, frontendOpt, frontendInputs, evaluate } = request;
        if (definition) {
          const id = job.references.add(() => definitionOf(job, definition));
          if (evaluate) await job.references.get(id);
          return { result: { result: { case: 'ref', value: { id, def: definition } } } };
        }
        checkFrontend(frontend, frontendOpt);
        job.takeInputs((name) => {
          const input = frontendInputs[name];
          return input && definitionOf(job, input);
        });
        const question = frontendOpt['requestid'];
        if (question === undefined) return { result: await describe(job, await job.prepare(frontendOpt)) };
        return { result: { metadata: encoded(await job.answer(question, frontendOpt)) } };
      });
    },
    return: async ({ error, result }, context) => {
      const job = await jobOf(context);
      if (error) job.fail(returned(job, error.message));
      else job.return(hasFileSystem(result) ? job.prepared : undefined);
      return {};
    },
    evaluate: async ({ ref }, context) => {
      await files(ref, context);
      return {};
    },
    readFile: async ({ ref, filePath, range }, context) => {
      const data = await readFileRange(await files(ref, context), filePath, range);
      return { data };
    },
    statFile: async ({ ref, path }, context) => ({ stat: statFile(await files(ref, context), path) }),
    readDir: async ({ ref, dirPath, includePattern }, context) => ({
      entries: listFolder(await files(ref, context), dirPath, includePattern),
    }),
  };
}

/** The result of a frontend: something to come, by a name, and what is known of it already. */
async function describe(job: BuildJob, prepared: Prepared): Promise<Result> {
  const plans = await job.plans(prepared);
  const refs = plans.map(({ platform }, index) => {
    const name = formatPlatform(platform);
    const id = job.references.add(async () => {
      const built = (await job.evaluate(prepared))[index];
      return { kind: 'layers', layers: built?.layers ?? [] };
    });
    return [name, { id, def: resultDefinition(id, `${prepared.name} ${name}`) }] as const;
  });
  const metadata = resultMetadata(plans);
  const [only, ...others] = refs;
  if (only && others.length === 0) return { metadata, result: { case: 'ref', value: only[1] } };
  return { metadata, result: { case: 'refs', value: { refs: Object.fromEntries(refs) } } };
}

/** The answer to a question has none. */
function hasFileSystem(result: gateway.Result | undefined): boolean {
  if (result?.result.case === 'ref') return result.result.value.id !== '';
  return result?.result.case === 'refs';
}

const encoded = (texts: Readonly<Record<string, string>>): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
