export type * from './volumes.ts';
export { LocalVolumes, type LocalVolumesOptions } from './local-volumes.ts';
