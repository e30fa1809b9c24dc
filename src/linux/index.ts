export * from './libc.ts';
export * from './mount.ts';
export * from './openat2.ts';
export * from './xattr.ts';
