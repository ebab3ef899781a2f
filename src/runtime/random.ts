/** A new random id, 128 bits in 32 lower-case hex digits. */
export function randomId(): string {
  let id = "";
  for (const byte of randomBytes(16)) id += byte.toString(16).padStart(2, "0");
  return id;
}

/**
 * Bytes that nobody can guess.
 *
 * @throws {RangeError} above 65,536 bytes, the most that the runtime gives at once.
 */
export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  if (count > 65_536) throw new RangeError(`Cannot make ${count} random bytes at once, only 65536`);
  return crypto.getRandomValues(new Uint8Array(count));
}
