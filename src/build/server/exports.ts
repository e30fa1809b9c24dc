import type { SolveRequest } from '#buildkit';
import { invalidArgument } from '#kernel';
import { parseReference } from '#oci';
import type { RegistryAuth } from '#registry/client';
import type { Exporter } from '../export/exporter.ts';
import type { ExportAttributes } from '../export/export-attributes.ts';
import { ImageExporter, imageExportOf } from '../export/image-exporter.ts';
import { ArchiveExporter } from '../export/archive-exporter.ts';
import { LocalExporter } from '../export/local-exporter.ts';
import { TarExporter } from '../export/tar-exporter.ts';
import type { BuildJob } from './build-job.ts';
import { ClientOutput } from './client-outputs.ts';

/** What a client wants of the result, in the order in which it names it. Throws invalidArgument for what is unknown. */
export function exportersOf(request: SolveRequest, job: BuildJob): readonly Exporter[] {
  const { exporters, exporter, exporterAttrs } = request;
  const asked = exporters.length > 0 ? exporters : [{ type: exporter, attrs: exporterAttrs }];
  return asked
    .filter(({ type }) => type !== '')
    .map(({ type, attrs }, id) => exporterOf(type, attrs, job, id));
}

/** `id`: by which the client knows where the output goes. */
function exporterOf(type: string, attributes: ExportAttributes, job: BuildJob, id: number): Exporter {
  const sink = new ClientOutput(job.session, id);
  const credentials = (name: string): Promise<RegistryAuth | undefined> => credentialsFor(job, name);
  switch (type) {
    case 'moby':
    case 'image':
      return new ImageExporter(imageExportOf(attributes), credentials);
    case 'local':
      return new LocalExporter(sink, attributes);
    case 'tar':
      return new TarExporter(sink, attributes);
    case 'oci':
    case 'docker':
      return new ArchiveExporter(type, sink, attributes);
    default:
      throw invalidArgument(`exporter ${JSON.stringify(type)} could not be found`);
  }
}

/** The client's credentials for the registry of a name. */
export function credentialsFor({ files }: BuildJob, name: string): Promise<RegistryAuth | undefined> {
  const { domain } = parseReference(name);
  return files.credentials(domain === 'docker.io' ? hub : domain);
}

/** Name by which clients know the Hub's credentials in a session. */
const hub = 'registry-1.docker.io';
