export * from './socket.ts';
export * from './link.ts';
export * from './address.ts';
export * from './route.ts';
