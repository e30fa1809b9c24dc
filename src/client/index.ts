export * from './connection.ts';
export * from './endpoint.ts';
export * from './errors.ts';
export * from './raw-stream.ts';
export * from './json-stream.ts';
export * from './engine-client.ts';
