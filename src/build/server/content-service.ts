import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { content } from '#buildkit';
import type { HistoryStore } from '../history/history-store.ts';

/** Reads what records of builds name, and nothing else of the engine. */
export function contentService(history: HistoryStore): {
  info(request: content.InfoRequest): Promise<MessageInitShape<typeof content.InfoResponseSchema>>;
  read(
    request: content.ReadContentRequest,
  ): AsyncGenerator<MessageInitShape<typeof content.ReadContentResponseSchema>, void>;
} {
  const sizeOf = async (digest: string): Promise<number> => {
    const size = await history.size(digest);
    if (size === undefined) throw new ConnectError(`content ${digest}: not found`, Code.NotFound);
    return size;
  };
  return {
    async info({ digest }) {
      return { info: { digest, size: BigInt(await sizeOf(digest)) } };
    },
    async *read({ digest, offset, size }) {
      const whole = await sizeOf(digest);
      const start = Number(offset);
      if (start < 0 || size < 0n) throw new ConnectError('a range begins before its blob', Code.OutOfRange);
      const end = size === 0n ? whole : Math.min(whole, start + Number(size));
      let at = start;
      for await (const data of history.open(digest, { start, end })) {
        yield { offset: BigInt(at), data: Uint8Array.from(data) };
        at += data.length;
      }
    },
  };
}
