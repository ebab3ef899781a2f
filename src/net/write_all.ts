/** The part of a connection that takes bytes. */
export interface ByteWriter {
  /** Writes some of `bytes` and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes all of `bytes`, in as many writes as it takes; each one moves at least a byte. */
export async function writeAll(conn: ByteWriter, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += await conn.write(written === 0 ? bytes : bytes.subarray(written));
  }
}

/** Writes a text in UTF-8. */
export function writeText(conn: ByteWriter, text: string): Promise<void> {
  return writeAll(conn, encoder.encode(text));
}

/** Copies runs of bytes into one, so that a line and a small body leave in one packet. */
export function joinBytes(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

const encoder = new TextEncoder();
