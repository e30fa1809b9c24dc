export type * from './archiver.ts';
export { decompress, detectCompression, magicLength, type Compression } from './compression.ts';
export { tarHeader, type SparseRun, type StoredHeader, type TarHeader, type TarType } from './tar/header.ts';
export { readTar, type TarEntry } from './tar/read-tar.ts';
export { writeTar, type NewTarEntry } from './tar/write-tar.ts';
export { createArchiver, type ArchiverOptions } from './thread-archiver.ts';
