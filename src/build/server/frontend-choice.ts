import { findSyntax, isBuiltInSyntax } from '../dockerfile/directives.ts';
import { DockerfileError, lines } from '../dockerfile/location.ts';
import { unimplemented } from '#kernel';
import type { FrontendOptions } from './frontend-options.ts';

const refusal = (image: string): string =>
  `the frontend ${image} is not supported: Dockerfiles are read by the engine itself, as docker/dockerfile reads them`;

/** Throws unimplemented for a frontend other than that for Dockerfiles, whether by its name or as an image. */
export function checkFrontend(frontend: string, options: FrontendOptions): void {
  if (frontend === 'dockerfile.v0') return;
  const image = options['source'] ?? '';
  if (frontend !== 'gateway.v0') throw unimplemented(refusal(JSON.stringify(frontend)));
  if (!isBuiltInSyntax(image)) throw unimplemented(refusal(image));
}

/**
 * Throws DockerfileError where a file, or BUILDKIT_SYNTAX, asks for a frontend that would have to be run as an image.
 * Every version of docker/dockerfile is the one that is built in.
 */
export function checkSyntax(text: string, options: FrontendOptions): void {
  const given = options['build-arg:BUILDKIT_SYNTAX'];
  const asked = given === undefined ? findSyntax(text) : { image: given, line: undefined };
  if (!asked || asked.image === '' || isBuiltInSyntax(asked.image)) return;
  const places = asked.line === undefined ? [] : [lines(asked.line)];
  throw new DockerfileError(refusal(asked.image), places, { kind: 'unimplemented' });
}
