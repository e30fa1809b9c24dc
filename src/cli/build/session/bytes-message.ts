import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BytesMessageSchema } from '#buildkit';

/** A piece of a stream of bytes, encoded as BuildKit's `BytesMessage`. */
export const bytesMessage = (data: Uint8Array): Uint8Array =>
  toBinary(BytesMessageSchema, create(BytesMessageSchema, { data }));

/** The bytes of a piece. Throws for what is none. */
export const bytesOfMessage = (message: Uint8Array): Uint8Array =>
  fromBinary(BytesMessageSchema, message).data;
