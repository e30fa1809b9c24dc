import type { Platform } from '#oci';
import { defineCommand, exactly } from '../../command.ts';
import { string, strings } from '../../flags/index.ts';
import { withPlatform } from './image-manifest.ts';
import { listName, ManifestStore } from './manifest-store.ts';

/** What Go can build for; a list with anything else is of no use. */
const known = new Set(
  (
    'darwin/386 darwin/amd64 darwin/arm darwin/arm64 dragonfly/amd64 freebsd/386 freebsd/amd64 freebsd/arm linux/386 ' +
    'linux/amd64 linux/arm linux/arm64 linux/mips64 linux/mips64le linux/ppc64le linux/riscv64 linux/s390x netbsd/386 ' +
    'netbsd/amd64 netbsd/arm openbsd/386 openbsd/amd64 openbsd/arm plan9/386 plan9/amd64 solaris/amd64 windows/386 windows/amd64'
  ).split(' '),
);

export const command = defineCommand({
  synopsis: '[OPTIONS] MANIFEST_LIST MANIFEST',
  summary: 'Say for which platform a manifest of a list is',
  arguments: exactly(2),
  flags: {
    arch: string('Architecture'),
    os: string('Operating system'),
    'os-features': strings('Features of the operating system'),
    'os-version': string('Version of the operating system'),
    variant: string('Variant of the architecture'),
  },
  run(context, { flags, args: [list = '', name = ''] }) {
    const store = new ManifestStore(context.config.folder);
    const manifest = store.find(list, name);
    if (!manifest) {
      throw new Error(`manifest for image ${listName(name)} does not exist in ${listName(list)}`);
    }
    const before = manifest.Descriptor.platform ?? { os: '', architecture: '' };
    const platform: Platform = {
      ...before,
      ...(flags.os !== '' && { os: flags.os }),
      ...(flags.arch !== '' && { architecture: flags.arch }),
      ...(flags.variant !== '' && { variant: flags.variant }),
      ...(flags['os-version'] !== '' && { 'os.version': flags['os-version'] }),
      ...(flags['os-features'].length > 0 && { 'os.features': flags['os-features'] }),
    };
    if (!known.has(`${platform.os}/${platform.architecture}`)) {
      throw new Error(
        `manifest entry for image has unsupported os/arch combination: ${flags.os}/${flags.arch}`,
      );
    }
    store.save(list, withPlatform(manifest, platform));
    return Promise.resolve();
  },
});
