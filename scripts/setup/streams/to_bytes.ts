// deno-lint-ignore-file no-import-prefix -- a copy in vendor/ has no import map of its own
/**
 * Stand-in for `@std/streams/to-bytes`. The code behind it is the same library in its npm
 * edition, which comes without types.
 *
 * @module
 */
import { toBytes as untyped } from "npm:deno-std@1.4.0/streams/to_bytes.js";

/** Reads a stream to its end, as bytes. */
export const toBytes: (
  stream: ReadableStream<Uint8Array>,
) => Promise<Uint8Array<ArrayBuffer>> = untyped;
