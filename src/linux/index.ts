export * from './libc.ts';
export * from './mount.ts';
