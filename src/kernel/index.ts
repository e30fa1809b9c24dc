export * from './errors.ts';
export * from './keyed-lock.ts';
export * from './limiter.ts';
export * from './single-flight.ts';
export * from './ids.ts';
export * from './clock.ts';
export * from './logger.ts';
export * from './files.ts';
