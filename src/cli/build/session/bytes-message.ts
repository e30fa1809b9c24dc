import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A piece of a stream of bytes: BuildKit's `BytesMessage`, whose field 1 they are. */
export const bytesMessage = (data: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(data).finish();

/** The bytes of a piece. Throws RangeError for what is none. */
export function bytesOfMessage(message: Uint8Array): Uint8Array {
  const reader = new BinaryReader(message);
  let data: Uint8Array = new Uint8Array();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) data = reader.bytes();
    else reader.skip(wire, field);
  }
  return data;
}
