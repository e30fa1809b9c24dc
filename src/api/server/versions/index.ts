export { liftBody, liftQuery } from './lift.ts';
export { lowerAnswer } from './lower.ts';
export { eventFormat, legacyEventKeys, streamContentType } from './streams.ts';
