/** Where the output of a container goes. */
export interface OutputSink {
  stdout(bytes: Uint8Array): void | Promise<void>;
  stderr(bytes: Uint8Array): void | Promise<void>;
}

/** The chunks of a connection until its end. */
export async function* chunksOf(connection: {
  read(): Promise<Uint8Array | undefined>;
}): AsyncGenerator<Uint8Array, void, undefined> {
  for (let chunk = await connection.read(); chunk; chunk = await connection.read()) yield chunk;
}

/**
 * Takes apart the framing of attach, exec and logs without a TTY: a byte for the stream (1 stdout, 2 stderr,
 * 3 an error of the engine's), three zeros, the length as a big-endian uint32, then the bytes. Throws the
 * engine's own errors.
 */
export async function demultiplex(source: AsyncIterable<Uint8Array>, sink: OutputSink): Promise<void> {
  let header = new Uint8Array();
  let stream = 0;
  let missing = 0;
  let failure = '';
  for await (const chunk of source) {
    let rest = chunk;
    while (rest.length > 0) {
      if (missing === 0) {
        const taken = rest.subarray(0, 8 - header.length);
        header = concat(header, taken);
        rest = rest.subarray(taken.length);
        if (header.length < 8) continue;
        stream = header[0] ?? 0;
        missing = new DataView(header.buffer).getUint32(4);
        header = new Uint8Array();
        continue;
      }
      const bytes = rest.subarray(0, missing);
      missing -= bytes.length;
      rest = rest.subarray(bytes.length);
      if (stream === 3) failure += Buffer.from(bytes).toString();
      else await (stream === 2 ? sink.stderr(bytes) : sink.stdout(bytes));
    }
  }
  if (failure !== '') throw new Error(`error from daemon in stream: ${failure}`);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
