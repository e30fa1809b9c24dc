export type * from './auth.ts';
export type * from './checkpoint.ts';
export type * from './common.ts';
export type * from './container-answers.ts';
export type * from './container-config.ts';
export type * from './container-inspect.ts';
export type * from './container-summary.ts';
export type * from './disk-usage.ts';
export type * from './endpoint.ts';
export type * from './events.ts';
export type * from './exec.ts';
export type * from './health.ts';
export type * from './host-config.ts';
export type * from './image.ts';
export type * from './mount.ts';
export type * from './network.ts';
export type * from './port.ts';
export type * from './progress.ts';
export type * from './resources.ts';
export type * from './stats.ts';
export type * from './system.ts';
export type * from './volume.ts';
export type * from './wharf-disk.ts';
export type * from './wharf-facts.ts';
export { parseAuthConfig } from './requests/auth.ts';
export {
  parseContainerConfig,
  parseContainerCreateRequest,
  parseUpdateConfig,
} from './requests/container.ts';
export { parseCheckpointRequest } from './requests/checkpoint.ts';
export { parseExecConfig, parseExecStartConfig } from './requests/exec.ts';
export {
  parseNetworkConnectRequest,
  parseNetworkCreateRequest,
  parseNetworkDisconnectRequest,
} from './requests/network.ts';
export { parseVolumeCreateRequest } from './requests/volume.ts';
