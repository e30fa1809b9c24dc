export type * from './types.ts';
export * from './media-types.ts';
export * from './digest.ts';
export * from './chain-id.ts';
export * from './reference.ts';
export * from './platform.ts';
export * from './platform-match.ts';
export { parseDescriptor, parseIndex, parseManifest } from './manifest.ts';
export { parseImageConfig } from './image-config.ts';
