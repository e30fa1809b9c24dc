export type * from './container-record.ts';
export type * from './containers.ts';
