/** Gives the lines of a stream one by one. */
export interface LineReader {
  /** The next line without its end; `undefined` when there is none any more. */
  next(): Promise<string | undefined>;
}

/**
 * Reads the lines of a stream of UTF-8, of which another process of the benchmark writes one at a time.
 * Imports nothing, as the load and the floor processes do: they start faster so.
 */
export function readLines(stream: ReadableStream<Uint8Array>): LineReader {
  const reader = stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .getReader();
  let text = "";
  return {
    async next(): Promise<string | undefined> {
      while (true) {
        const end = text.indexOf("\n");
        if (end !== -1) {
          const line = text.slice(0, end);
          text = text.slice(end + 1);
          return line;
        }
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value;
      }
    },
  };
}
