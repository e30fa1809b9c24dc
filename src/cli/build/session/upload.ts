import { Code, ConnectError } from '@connectrpc/connect';
import { bytesMessage } from './bytes-message.ts';
import { newId } from './build-session.ts';
import type { SessionService } from './session-service.ts';

/** Bytes of one piece. */
const piece = 1024 * 1024;

/** Serves a stream, once, under an address that a build's `context` may be. */
export function upload(chunks: AsyncIterable<Uint8Array>): {
  readonly url: string;
  readonly service: SessionService;
} {
  const id = newId();
  let isTaken = false;
  return {
    url: `http://buildkit-session/${id}`,
    service: {
      '/moby.upload.v1.Upload/Pull': async (call) => {
        if (isTaken || (call.value('urlpath') ?? '').replace(/^\//, '') !== id) {
          throw new ConnectError('the upload is not there, or was taken already', Code.NotFound);
        }
        isTaken = true;
        for await (const chunk of chunks) {
          for (let at = 0; at < chunk.length; at += piece) {
            await call.send(bytesMessage(chunk.subarray(at, at + piece)));
          }
        }
      },
    },
  };
}
