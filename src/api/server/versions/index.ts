export { liftBody, liftQuery } from './lift.ts';
export { lowerAnswer } from './lower.ts';
export { olderFacts } from './older-facts.ts';
export { lowerStats } from './stats.ts';
export {
  eventFormat,
  legacyEventKeys,
  streamContentType,
  tellsEvent,
  webSocketFrameKind,
} from './streams.ts';
export { createWarnings } from './warnings.ts';
