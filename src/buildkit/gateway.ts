/** The frontend bridge: builds by their parts, and the files of results. */
export * from './generated/gateway_pb.js';
export * from './generated/gateway_files_pb.js';
