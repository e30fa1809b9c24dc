export { Database, integer, isFull, text, type Row } from './database.ts';
export { Leases, type Lease, type LeaseItem, type LeaseKind, type LeaseOptions } from './leases.ts';
