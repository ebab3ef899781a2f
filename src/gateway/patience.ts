import { scrubMs } from "../client/deadlines.ts";

/** How long both ends of a connection may be silent. */
export interface Patience {
  /** In ms; 0: for ever. May grow. */
  readonly idleMs: number;
  /** Looks at what a client sends, a piece after the other; whether there is more patience from here on. */
  heard(bytes: Uint8Array): boolean;
}

/** The same patience whatever is sent. */
export function constantPatience(idleMs: number): Patience {
  return { idleMs, heard: () => false };
}

/**
 * Patience that grows to {@linkcode scrubMs} with a line `NODE SCRUB`, as a scrub reads all that the ring
 * stores before it answers.
 *
 * It does not follow the protocol, and so takes for one what ends like it, a name or a line of a file: that
 * costs nothing but that the connection, if it is silent then, may be so for longer. It remembers as little of
 * what was sent as the line has.
 */
export class LinePatience implements Patience {
  #idleMs: number;
  /** What was sent last, one character a byte. */
  #end = "";

  /** @param idleMs before there is such a line, in ms */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  get idleMs(): number {
    return this.#idleMs;
  }

  heard(bytes: Uint8Array): boolean {
    if (this.#idleMs === scrubMs) return false;
    const text = this.#end + byteDecoder.decode(bytes);
    this.#end = text.slice(-endChars);
    if (!slowLine.test(text)) return false;
    this.#idleMs = scrubMs;
    return true;
  }
}

/** The end of the line. What is before it is not looked at: behind a file's bytes the line just begins. */
const slowLine = /NODE SCRUB\r?(?:\n|$)/i;

/** The characters of it that a piece can leave to the next one. */
const endChars = "NODE SCRUB\r".length;

const byteDecoder = new TextDecoder("latin1");
