// deno-lint-ignore-file no-import-prefix -- a copy in vendor/ has no import map of its own
/**
 * Stand-in for `@std/streams/to-text`. The code behind it is the same library in its npm
 * edition, which comes without types.
 *
 * @module
 */
import { toText as untyped } from "npm:deno-std@1.4.0/streams/to_text.js";

/** Reads a stream to its end, as text. */
export const toText: (stream: ReadableStream) => Promise<string> = untyped;
