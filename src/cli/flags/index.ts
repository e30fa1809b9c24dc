export * from './flag.ts';
export * from './parse.ts';
export * from './csv.ts';
export * from './mount.ts';
export * from './limits.ts';
export * from './network.ts';
export * from './ports.ts';
export * from './words.ts';
