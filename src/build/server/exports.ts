import type { SolveRequest } from '#buildkit';
import { unimplemented } from '#kernel';
import type { Exporter } from '../export/exporter.ts';
import { ImageExporter } from '../export/image-exporter.ts';
import type { BuildJob } from './build-job.ts';
import type { BuildProgress } from './progress.ts';

/** What a client wants of the result. Other exporters than that into the image store are refused. */
export function exportersOf(request: SolveRequest, job: Pick<BuildJob, 'progress'>): readonly Exporter[] {
  const { exporters, exporter, exporterAttrs, cache } = request;
  if ((cache?.exports ?? []).length > 0)
    throw unimplemented('exporting the build cache is not supported yet');
  const asked = exporters.length > 0 ? exporters : [{ type: exporter, attrs: exporterAttrs }];
  if (asked.length > 1) throw unimplemented('several outputs of one build are not supported yet');
  const { type, attrs } = asked[0] ?? { type: '', attrs: {} };
  if (!['', 'moby', 'image'].includes(type)) {
    throw unimplemented(`the output ${type} is not supported yet`);
  }
  if (attrs['push'] === 'true') {
    throw unimplemented('pushing from a build is not supported yet: push afterwards');
  }
  const names = (attrs['name'] ?? '').split(',').filter((name) => name !== '');
  return [toldOf(new ImageExporter(names), job.progress, names)];
}

/** Tells of an export as a step. */
const toldOf = (exporter: Exporter, progress: BuildProgress, names: readonly string[]): Exporter => ({
  export: (built) =>
    progress.during('exporting to image', async (step) => {
      const response = await exporter.export(built);
      step.did('exporting layers');
      step.did(`writing image ${response['containerimage.config.digest'] ?? ''}`);
      for (const name of names) step.did(`naming to ${name}`);
      return response;
    }),
});
