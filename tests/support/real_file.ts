import { createHash, randomFillSync } from "node:crypto";

/** A directory that is deleted with its `await using`. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** Makes a temporary directory. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await Deno.makeTempDir({ prefix: "ouroboros-e2e-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Bytes that nothing can make shorter or guess. */
export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return randomFillSync(new Uint8Array(count));
}

/** The bytes that are random, read, and hashed at a time. */
const pieceBytes = 4 * 1024 * 1024;

/** Writes a file of random bytes, none of which is left out on the disk; its SHA-256. */
export async function makeRandomFile(path: string, bytes: number): Promise<string> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const hash = createHash("sha256");
  for (let left = bytes; left > 0;) {
    const piece = randomBytes(Math.min(left, pieceBytes));
    hash.update(piece);
    for (let written = 0; written < piece.length;) {
      written += await file.write(piece.subarray(written));
    }
    left -= piece.length;
  }
  return hash.digest("hex");
}

/** The SHA-256 of a file on disk. */
export async function sha256OfFile(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(pieceBytes);
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) return hash.digest("hex");
    hash.update(buffer.subarray(0, count));
  }
}
