// deno-lint-ignore-file no-import-prefix -- a copy in vendor/ has no import map of its own
/**
 * Stand-in for `@std/streams/text-line-stream`. The code behind it is the same library in its npm
 * edition, which comes without types.
 *
 * @module
 */
import { TextLineStream as untyped } from "npm:deno-std@1.4.0/streams/text_line_stream.js";

/** The options of a {@linkcode TextLineStream}. */
export interface TextLineStreamOptions {
  /** Whether a carriage return alone ends a line, too. */
  allowCR?: boolean;
}

/** Splits text into lines, without their ends. */
export type TextLineStream = TransformStream<string, string>;

/** The constructor of {@linkcode TextLineStream}. */
export const TextLineStream: new (options?: TextLineStreamOptions) => TextLineStream = untyped;
