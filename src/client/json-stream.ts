/** The values of a stream of JSON texts, one a line. Lines that are no JSON are skipped. */
export async function* jsonLines(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<unknown, void, undefined> {
  for await (const line of lines(source)) {
    if (line.trim() !== '') yield JSON.parse(line);
  }
}

/** The lines of a UTF-8 stream without their ends. */
export async function* lines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
