export { clearLogs } from './log-file.ts';
export { readLogs, type LogRecord, type ReadLogsOptions } from './log-reader.ts';
export { openLogSink, type LogSink, type LogSinkConfig, type LogSinkState } from './log-sink.ts';
export type { LogStream } from './record-encoder.ts';
