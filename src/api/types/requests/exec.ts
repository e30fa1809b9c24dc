import type { ExecConfig, ExecStartConfig } from '../exec.ts';
import { boolean, consoleSize, list, read, string, struct } from './shape.ts';

const text = string();
const texts = list(text);

const execConfig = struct<ExecConfig>('container.ExecOptions', {
  User: text,
  Privileged: boolean,
  Tty: boolean,
  ConsoleSize: consoleSize,
  AttachStdin: boolean,
  AttachStderr: boolean,
  AttachStdout: boolean,
  DetachKeys: text,
  Env: texts,
  WorkingDir: text,
  Cmd: texts,
  Detach: boolean,
});

/** Reads the body of POST /containers/{id}/exec. Throws invalidArgument `invalid JSON: …`. */
export const parseExecConfig = (body: unknown): ExecConfig =>
  read(execConfig, body, { owner: 'ExecOptions' });

const execStartConfig = struct<ExecStartConfig>('container.ExecStartOptions', {
  Detach: boolean,
  Tty: boolean,
  ConsoleSize: consoleSize,
});

/** Reads the body of POST /exec/{id}/start. */
export const parseExecStartConfig = (body: unknown): ExecStartConfig =>
  read(execStartConfig, body, { owner: 'ExecStartOptions' });
