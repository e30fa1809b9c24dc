export type * from './events.ts';
export { EventBroker } from './event-broker.ts';
