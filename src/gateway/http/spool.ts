import type { PieceSource } from "../../client/put.ts";
import { blockBytes } from "../../protocol/limits.ts";
import { randomId } from "../../runtime/random.ts";
import { Problem } from "./problem.ts";

/** Where a spooled body comes from. */
export type PieceInput = Pick<PieceSource, "next" | "recycle">;

/** A body of up to so many bytes is kept in memory. */
const memoryBytesMax = 64 * 1024;

/** How the files of a spool begin. */
const prefix = "upload-";

/**
 * Keeps uploads whose length nobody has announced until they have all come: the ring places a file by
 * its size, so it cannot begin before.
 *
 * 1. A small body stays in memory, a larger one goes to a file, which is deleted whatever happens.
 *    Where the system allows it, the file loses its name as soon as it is open, so that it is gone with
 *    the process; what a crash has left elsewhere is deleted when the next gateway starts.
 * 2. A body is given up as soon as it is longer than the ring takes.
 */
export class Spool implements AsyncDisposable {
  readonly #directory: string;
  readonly #isTemporary: boolean;

  private constructor(directory: string, isTemporary: boolean) {
    this.#directory = directory;
    this.#isTemporary = isTemporary;
  }

  /**
   * Opens the spool and deletes what a crash has left in it.
   *
   * @param directory of this gateway alone; without it a temporary one is made.
   */
  static async open(directory: string | undefined): Promise<Spool> {
    if (directory === undefined) {
      return new Spool(await Deno.makeTempDir({ prefix: "ouroboros-uploads-" }), true);
    }
    await Deno.mkdir(directory, { recursive: true });
    for await (const { name } of Deno.readDir(directory)) {
      if (name.startsWith(prefix)) await removeFile(`${directory}/${name}`);
    }
    return new Spool(directory, false);
  }

  /**
   * Takes a whole body.
   *
   * @param bytesMax the longest one taken.
   * @throws {Problem} 413 when it is longer, 507 when the disk is full.
   */
  async take(input: PieceInput, bytesMax: number): Promise<SpooledBody> {
    const body = new SpooledBody(`${this.#directory}/${prefix}${randomId()}`);
    try {
      for (let piece = await input.next(); piece !== null; piece = await input.next()) {
        if (body.size + piece.length > bytesMax) {
          throw new Problem(413, `The file is too large: ${bytesMax} bytes are taken`);
        }
        await body.append(piece);
        input.recycle(piece);
      }
      await body.rewind();
      return body;
    } catch (error) {
      await body[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Deletes a temporary directory; nobody may be using it any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isTemporary) return;
    await Deno.remove(this.#directory, { recursive: true }).catch((error: unknown) => {
      // Somebody has tidied up.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** An upload that is here as a whole, and can be read once. */
export class SpooledBody implements PieceSource, AsyncDisposable {
  readonly #path: string;
  readonly #memory: Uint8Array<ArrayBuffer>[] = [];
  readonly #spares: Uint8Array<ArrayBuffer>[] = [];
  #file: Deno.FsFile | undefined;
  #isNamed = false;
  #size = 0;
  #read = 0;

  /** @param path of the file that it gets if it is large. */
  constructor(path: string) {
    this.#path = path;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds bytes at the end. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length;
    try {
      if (this.#file === undefined && this.#size <= memoryBytesMax) {
        this.#memory.push(bytes.slice());
        return;
      }
      const file = this.#file ?? await this.#open();
      await writeFile(file, bytes);
    } catch (error) {
      throw diskProblem(error);
    }
  }

  /** Goes to the beginning, to be read. */
  async rewind(): Promise<void> {
    await this.#file?.seek(0, Deno.SeekMode.Start);
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#file === undefined) return this.#memory.shift() ?? null;
    if (this.#read === this.#size) return null;
    const buffer = this.#spares.pop() ?? new Uint8Array(blockBytes);
    const count = await this.#file.read(buffer);
    if (count === null) return null;
    this.#read += count;
    return buffer.subarray(0, count);
  }

  recycle(piece: Uint8Array<ArrayBuffer>): void {
    if (this.#file !== undefined) this.#spares.push(new Uint8Array(piece.buffer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.close();
    this.#file = undefined;
    if (this.#isNamed) await removeFile(this.#path);
  }

  async #open(): Promise<Deno.FsFile> {
    const options = { read: true, write: true, createNew: true, mode: 0o600 };
    const file = await Deno.open(this.#path, options);
    this.#file = file;
    this.#isNamed = true;
    try {
      await Deno.remove(this.#path);
      this.#isNamed = false;
    } catch {
      // Some systems keep the name of an open file; then it is deleted when it is closed.
    }
    for (const bytes of this.#memory.splice(0)) await writeFile(file, bytes);
    return file;
  }
}

async function writeFile(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

/** A full disk as what it is to a client; anything else as it came. */
function diskProblem(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new Problem(507, "The gateway has no room for an upload without Content-Length", {
    cause: error,
  });
}

async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch((error: unknown) => {
    // It is gone, which is what was wanted.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
