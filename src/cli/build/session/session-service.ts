import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { IncomingCall } from './incoming-call.ts';

/** Answers one call, reading it to its end. What it throws is the call's error. */
export type Answer = (call: IncomingCall) => Promise<void>;

/** What a session serves to the engine: answers by method, such as `/moby.filesync.v1.FileSync/DiffCopy`. */
export type SessionService = Readonly<Record<string, Answer>>;

/** A method with one message each way. */
export function unary<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  answer: (request: MessageShape<I>) => MessageInitShape<O> | Promise<MessageInitShape<O>>,
): SessionService {
  return {
    [`/${method.parent.typeName}/${method.name}`]: async (call) => {
      let request: MessageShape<I> | undefined;
      for await (const message of call.messages()) request ??= fromBinary(method.input, message);
      if (!request) throw new ConnectError('the call has no message', Code.InvalidArgument);
      await call.send(toBinary(method.output, create(method.output, await answer(request))));
    },
  };
}
