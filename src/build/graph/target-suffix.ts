import { formatPlatform, normalizePlatform, parsePlatform } from '#oci';
import type { Platform } from '#oci';
import type { Environment } from '../dockerfile/variables.ts';

function targetOf(base: Platform, environment: Environment): Platform | undefined {
  const whole = environment.get('TARGETPLATFORM');
  if (whole !== undefined) {
    try {
      return parsePlatform(whole);
    } catch {
      // The parts may still say it.
    }
  }
  const os = environment.get('TARGETOS');
  const architecture = environment.get('TARGETARCH');
  const variant = environment.get('TARGETVARIANT');
  if (os === undefined && architecture === undefined && variant === undefined) return undefined;
  return {
    os: os || base.os,
    architecture: architecture || base.architecture,
    ...(variant !== undefined && variant !== '' && { variant }),
  };
}

/** `->arm64` where a stage works for another platform than the one that it runs on. */
export function targetSuffix(base: Platform, environment: Environment): string {
  const target = targetOf(base, environment);
  if (!target) return '';
  const { os, architecture, variant } = normalizePlatform(target);
  if (os !== base.os) return `->${formatPlatform(normalizePlatform(target))}`;
  if (architecture === base.architecture) return '';
  return `->${architecture}${variant === undefined || variant === '' ? '' : `/${variant}`}`;
}
