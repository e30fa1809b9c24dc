import { invalidArgument } from '#kernel';
import type { Platform } from './types.ts';

const knownSystems = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  ),
);
const knownArchitectures = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ' +
    'ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);
/** Node's names where they differ from Go's. */
const nodeArchitectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

const systemComponent = /^[A-Za-z0-9_-]+(?:\([A-Za-z0-9_.%-]*(?:\+[A-Za-z0-9_.%-]+)*\))?$/;
const otherComponent = /^[A-Za-z0-9_.-]+$/;
// Shown in errors, in the reference engine's notation.
const systemPattern = '^([A-Za-z0-9_-]+)(?:\\\\(([A-Za-z0-9_.%-]*)((?:\\\\+[A-Za-z0-9_.%-]+)*)\\\\))?$';

/** What this process runs on. */
export function hostPlatform(): Platform {
  return { os: process.platform, architecture: nodeArchitectures[process.arch] ?? process.arch };
}

function normalizeArchitecture(
  given: string,
  givenVariant: string,
): { architecture: string; variant: string } {
  const architecture = given.toLowerCase();
  const variant = givenVariant.toLowerCase();
  switch (architecture) {
    case 'i386':
      return { architecture: '386', variant: '' };
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return { architecture: 'amd64', variant: variant === 'v1' ? '' : variant };
    case 'aarch64':
    case 'arm64':
      return { architecture: 'arm64', variant: ['8', 'v8', 'v8.0'].includes(variant) ? '' : variant };
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' };
    case 'armel':
      return { architecture: 'arm', variant: 'v6' };
    case 'arm':
      if (variant === '') return { architecture, variant: 'v7' };
      return { architecture, variant: /^[5-8]$/.test(variant) ? `v${variant}` : variant };
    default:
      return { architecture, variant };
  }
}

const normalizeSystem = (os: string): string => {
  const lower = os === '' ? hostPlatform().os : os.toLowerCase();
  return lower === 'macos' ? 'darwin' : lower;
};

function build(os: string, architecture: string, variant: string): Platform {
  return { os, architecture, ...(variant !== '' && { variant }) };
}

/** One spelling per platform: `linux/aarch64/v8` → `linux/arm64`, `linux/arm` → `linux/arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const { architecture, variant } = normalizeArchitecture(platform.architecture, platform.variant ?? '');
  const rest: Partial<Record<string, unknown>> = { ...platform };
  delete rest.variant;
  return { ...rest, ...build(normalizeSystem(platform.os), architecture, variant) };
}

function checkComponents(specifier: string, parts: readonly string[]): void {
  const quoted = JSON.stringify(specifier);
  if (specifier.includes('*')) {
    throw invalidArgument(`${quoted}: wildcards not yet supported: invalid argument`);
  }
  parts.forEach((part, index) => {
    const wrong = `${JSON.stringify(part)} is an invalid`;
    if (index === 0 && !systemComponent.test(part)) {
      throw invalidArgument(
        `${wrong} OS component of ${quoted}: OSAndVersion specifier component must match "${systemPattern}": invalid argument`,
      );
    }
    if (index > 0 && !otherComponent.test(part)) {
      throw invalidArgument(
        `${wrong} component of ${quoted}: platform specifier component must match "${otherComponent.source}": invalid argument`,
      );
    }
  });
}

/**
 * `linux`, `arm64`, `linux/arm/v7`, `windows(10.0.17763)/amd64`. What is left out is the host's.
 * Throws invalidArgument in Docker's words.
 */
export function parsePlatform(specifier: string): Platform {
  const parts = specifier.split('/');
  checkComponents(specifier, parts);
  const [first = '', second, third] = parts;
  const [name = '', version = ''] = first.replace(/\)$/, '').split('(');
  const [osVersion = '', ...features] = version.split('+').map(decodeVersion);
  const os = normalizeSystem(name);
  const system = {
    ...(osVersion !== '' && { 'os.version': osVersion }),
    ...(features.length > 0 && { 'os.features': features }),
  };
  if (parts.length > 3) {
    throw invalidArgument(`${JSON.stringify(specifier)}: cannot parse platform specifier: invalid argument`);
  }
  if (second !== undefined) {
    const { architecture, variant } = normalizeArchitecture(second, third ?? '');
    // Written out where it was, as the reference engine keeps it.
    const given = third !== undefined && architecture === 'arm64' && variant === '' ? 'v8' : variant;
    return { ...build(os, architecture, given), ...system };
  }
  if (knownSystems.has(os)) return { ...hostPlatform(), ...system, os };
  const { architecture, variant } = normalizeArchitecture(name, '');
  if (knownArchitectures.has(architecture)) return build(hostPlatform().os, architecture, variant);
  throw invalidArgument(
    `${JSON.stringify(specifier)}: unknown operating system or architecture: invalid argument`,
  );
}

function decodeVersion(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `linux/arm/v7` */
export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os || 'unknown', architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
