// deno-lint-ignore-file no-import-prefix -- a copy in vendor/ has no import map of its own
/**
 * Stand-in for `@std/streams/merge-readable-streams`. The code behind it is the same library in its npm
 * edition, which comes without types.
 *
 * @module
 */
import { mergeReadableStreams as untyped } from "npm:deno-std@1.4.0/streams/merge_readable_streams.js";

/** Makes one stream of several, in the order in which their chunks come. */
export const mergeReadableStreams: <T>(...streams: ReadableStream<T>[]) => ReadableStream<T> =
  untyped;
