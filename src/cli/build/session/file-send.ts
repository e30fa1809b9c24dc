import { Code, ConnectError } from '@connectrpc/connect';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Output } from '../../output.ts';
import { bytesOfMessage } from './bytes-message.ts';
import type { IncomingCall } from './incoming-call.ts';
import { receiveFolder } from './receive-folder.ts';
import type { SessionService } from './session-service.ts';

/** Where a result that comes over the session goes. */
export type OutputSink =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdout'; readonly type: string };

/** Takes in the results of exporters, by their places in the list of them. */
export const fileSend = (sinks: ReadonlyMap<number, OutputSink>, stdout: Output): SessionService =>
  sinks.size === 0
    ? {}
    : {
        '/moby.filesync.v1.FileSend/DiffCopy': async (call) => {
          const place = Number(call.value('buildkit-attachable-exporter-id') ?? 0);
          // Engines that know one exporter only do not number it.
          const sink = sinks.get(place) ?? (sinks.size === 1 ? [...sinks.values()][0] : undefined);
          if (!sink) throw new ConnectError(`no output ${place}`, Code.InvalidArgument);
          if (sink.kind === 'folder') await receiveFolder(call, sink.path);
          else if (sink.kind === 'stdout') await receiveBytes(call, (data) => stdout.write(data));
          else await receiveFile(call, sink.path);
        },
      };

async function receiveBytes(call: IncomingCall, write: (data: Uint8Array) => void): Promise<void> {
  for await (const message of call.messages()) write(bytesOfMessage(message));
}

/** A file that is whole, or not there. */
async function receiveFile(call: IncomingCall, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.tmp`;
  const file = openSync(partial, 'w', 0o644);
  try {
    await receiveBytes(call, (data) => {
      for (let at = 0; at < data.length;) at += writeSync(file, data, at);
    });
    closeSync(file);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}
