export type * from './content-store.ts';
export { createLocalContentStore, type LocalContentStoreOptions } from './local/local-content-store.ts';
