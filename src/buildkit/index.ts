/** BuildKit's protocol: the messages and services of its clients, and streams of gRPC on a bare connection. */
export * from './generated/auth_pb.js';
export * as content from './content.ts';
export * from './generated/control_pb.js';
export * from './generated/errdefs_pb.js';
export * as gateway from './gateway.ts';
export * from './generated/health_pb.js';
export * from './generated/history_pb.js';
export * from './generated/ops_pb.js';
export * from './generated/progress_pb.js';
export * from './generated/secrets_pb.js';
export * as sshforward from './generated/sshforward_pb.js';
export * from './generated/trace_pb.js';
export * as upload from './generated/upload_pb.js';
export * from './generated/usage_pb.js';
export * from './generated/worker_pb.js';
export { GrpcStream } from './grpc-stream.ts';
