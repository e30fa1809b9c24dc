import {
  isIndex,
  parseIndex,
  parseReference,
  withDefaultTag,
  familiarString,
  objectOf,
  type Descriptor,
} from '#oci';
import { defineCommand, exactly, ExitStatus } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { RegistryAccess } from '../manifest/registry-access.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NAME',
  summary: 'Show an image in a registry',
  arguments: exactly(1),
  flags: {
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
    raw: bool('The manifest as the registry has it'),
  },
  async run(context, { flags, args: [name = ''] }) {
    const reference = withDefaultTag(parseReference(name));
    const isLocal = /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(reference.domain);
    const access = new RegistryAccess(context.config, reference, isLocal);
    const document = await access.findManifest(objectOf(reference));
    if (!document)
      throw new ExitStatus(
        1,
        `ERROR: ${reference.domain}/${reference.path}:${objectOf(reference)}: not found`,
      );
    const text = Buffer.from(document.bytes).toString();
    if (flags.raw) {
      context.out.write(text);
      return;
    }
    const full = `${reference.domain}/${reference.path}`;
    const shown = familiarString(reference).includes('@') ? full : `${full}:${objectOf(reference)}`;
    printLine(context.out, `Name:      ${shown}`);
    printLine(context.out, `MediaType: ${document.mediaType}`);
    printLine(context.out, `Digest:    ${document.digest}`);
    if (!isIndex(document.mediaType)) return;
    const manifests = parseIndex(document.bytes).manifests.map((entry) => describe(full, entry));
    context.out.write(`           \nManifests: \n${manifests.join('\n')}`);
  },
});

function describe(repository: string, { digest, mediaType, platform, annotations }: Descriptor): string {
  const parts = platform && [platform.os, platform.architecture, platform.variant].filter((part) => part);
  const notes = Object.entries(annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(0, ...notes.map(([key]) => key.length + 1));
  return [
    `  Name:        ${repository}@${digest}`,
    `  MediaType:   ${mediaType}`,
    ...(parts ? [`  Platform:    ${parts.join('/')}`] : []),
    ...(notes.length > 0
      ? ['  Annotations: ', ...notes.map(([key, value]) => `    ${`${key}:`.padEnd(width)} ${value}`)]
      : []),
    '',
  ].join('\n');
}
