export type * from './archiver.ts';
