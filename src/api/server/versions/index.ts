export { liftBody, liftQuery } from './lift.ts';
export { lowerAnswer } from './lower.ts';
export { lowerStats } from './stats.ts';
export { eventFormat, legacyEventKeys, streamContentType, webSocketFrameKind } from './streams.ts';
export { createWarnings } from './warnings.ts';
