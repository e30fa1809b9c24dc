/** Stores of blobs: what is in them, and what is on its way in. */
export * from './generated/content_pb.js';
export * from './generated/ingest_pb.js';
