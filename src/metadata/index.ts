export { Database, integer, text, type Row } from './database.ts';
export { Leases, type Lease, type LeaseKind } from './leases.ts';
