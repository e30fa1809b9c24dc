export * from './commands.ts';
export * from './cache.ts';
export * from './images.ts';
export * from './registry.ts';
export * from './host-state.ts';
export * from './clients.ts';
export * from './terminal.ts';
export * from './daemon.ts';
