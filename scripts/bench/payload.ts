/** Bytes that a {@linkcode Payload} makes at once; the size at which loopback and files are fastest. */
export const payloadBlockBytes = 256 * 1024;

/** Bytes of a stamp: the seed of the name and the number of the block, 32 bits each. */
const stampBytes = 8;

/**
 * The content of a file of the benchmark: bytes that do not compress, made while they are sent. It is
 * the same noise in every block, under a stamp that differs by name and block, so that a block which
 * ends in the wrong place or the wrong file changes the SHA-256.
 */
export class Payload {
  readonly #block: Uint8Array<ArrayBuffer>;
  readonly #stamp: DataView;
  readonly #size: number;
  #sent = 0;

  /** @param size Bytes. */
  constructor(name: string, size: number) {
    this.#size = size;
    // A file shorter than a stamp is the beginning of one.
    const length = Math.max(stampBytes, Math.min(size, payloadBlockBytes));
    this.#block = noise.slice(0, length);
    this.#stamp = new DataView(this.#block.buffer);
    this.#stamp.setUint32(0, seedOf(name));
  }

  /** The next bytes, valid until the next call; `undefined` when all were given. */
  next(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#sent >= this.#size) return undefined;
    this.#stamp.setUint32(4, this.#sent / payloadBlockBytes);
    const length = Math.min(payloadBlockBytes, this.#size - this.#sent);
    this.#sent += length;
    return length === this.#block.length ? this.#block : this.#block.subarray(0, length);
  }
}

const noise = makeNoise();

/** Fills a block by xorshift, which is noise enough for anything that looks for repetitions. */
function makeNoise(): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(payloadBlockBytes / 4);
  let state = 0x2545_f491;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer);
}

/** FNV-1a. */
function seedOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x0100_0193);
  }
  return hash >>> 0;
}
