import { contentBytes } from "./content.ts";
import type { State } from "./model.ts";

/** What the bytes of a `FILE PULL` are. */
export type Pulled =
  | { readonly kind: "whole" }
  /** The connection ended before the answer did: nothing is known but that what came was right. */
  | { readonly kind: "cut" }
  /** The ring said no; the text is what followed `ERR`. */
  | { readonly kind: "refused"; readonly error: string }
  /** Neither a version that the name may have, nor the beginning of one, nor of an error. */
  | { readonly kind: "wrong" };

/** What every error begins with. */
const errorStart = "ERR ";

/** An error is at most so long, in bytes. */
const errorBytesMax = 500;

/**
 * Tells what a pull gave. Its answer has no length, so that one which is cut looks like a shorter one,
 * and one that is cut before its first byte looks like an empty file, whatever the name stands for.
 *
 * @param allowed The states that the name may have.
 */
export function readPulled(allowed: readonly State[], bytes: Uint8Array): Pulled {
  const isVersion = (state: State) => state?.size === bytes.length && begins(state, bytes);
  if (allowed.some(isVersion)) return { kind: "whole" };
  const text = new TextDecoder().decode(bytes.subarray(0, errorBytesMax));
  const error = /^ERR ([^\n]*)\n$/.exec(text)?.[1];
  if (error !== undefined) return { kind: "refused", error };
  const isCutError = bytes.length < errorBytesMax && !text.includes("\n") &&
    text.slice(0, errorStart.length) === errorStart.slice(0, text.length);
  if (isCutError || allowed.some((state) => begins(state, bytes))) return { kind: "cut" };
  return { kind: "wrong" };
}

/** Whether bytes are the beginning of a version, or all of it. */
function begins(state: State, bytes: Uint8Array): boolean {
  if (state === undefined || bytes.length > state.size) return false;
  const all = contentBytes(state);
  return bytes.every((byte, at) => byte === all[at]);
}
