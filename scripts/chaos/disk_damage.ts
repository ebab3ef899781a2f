import type { SeededRandom } from "../../tests/support/seeded_random.ts";

/** Removes a directory that is being written to; attempts until nothing new appeared. */
const wipeAttemptsMax = 50;

/**
 * Takes a node's directory away in one go, before its node can be started again; of one that is a disk of
 * its own it removes what is on it.
 *
 * @param aside Where nothing is yet.
 */
export async function takeDirectory(directory: string, aside: string): Promise<void> {
  try {
    await Deno.rename(directory, aside);
    await Deno.remove(aside, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    await wipeDirectory(directory);
  }
}

/**
 * Removes a node's directory with everything in it; of one that is a disk of its own only what is on it.
 */
export async function wipeDirectory(directory: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(directory, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      const { length: left } = await Array.fromAsync(Deno.readDir(directory)).catch(() => []);
      if (left === 0 || attempt === wipeAttemptsMax) return;
    }
  }
}

/** What {@linkcode damageChunks} does to how many files. */
export interface ChunkDamage {
  readonly how: "flip" | "truncate" | "remove";
  readonly count: number;
  readonly random: SeededRandom;
}

/** Damages some of a node's chunks, drawn from all that have bytes; their file names. */
export async function damageChunks(
  directory: string,
  { how, count, random }: ChunkDamage,
): Promise<string[]> {
  const paths = (await Promise.all(
    ["content", "backup"].map((place) =>
      Array.fromAsync(Deno.readDir(`${directory}/${place}`), ({ name }) => `${place}/${name}`)
        .catch(() => [])
    ),
  )).flat().sort();
  const damaged: string[] = [];
  while (paths.length > 0 && damaged.length < count) {
    const [path = ""] = paths.splice(random.integer(paths.length), 1);
    if (await damageFile(`${directory}/${path}`, how, random)) damaged.push(path);
  }
  return damaged;
}

async function damageFile(
  path: string,
  how: ChunkDamage["how"],
  random: SeededRandom,
): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    const { size } = await file.stat();
    if (size === 0) return false;
    if (how === "remove") {
      await Deno.remove(path);
    } else if (how === "truncate") {
      await file.truncate(random.integer(size));
    } else {
      const offset = random.integer(size);
      const byte = new Uint8Array(1);
      await file.seek(offset, Deno.SeekMode.Start);
      await file.read(byte);
      byte[0] = (byte[0] ?? 0) ^ (1 << random.integer(8));
      await file.seek(offset, Deno.SeekMode.Start);
      await file.write(byte);
    }
    return true;
  } catch (error) {
    // It was replaced or deleted by a client meanwhile.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Truncates or removes a node's catalog; what was done. */
export async function damageCatalog(
  directory: string,
  how: "truncate" | "remove",
  random: SeededRandom,
): Promise<string> {
  const path = `${directory}/catalog.db`;
  try {
    if (how === "truncate") {
      const { size } = await Deno.stat(path);
      const length = random.pick([0, 100, Math.floor(size / 2), Math.max(0, size - 4096)]);
      await Deno.truncate(path, length);
      return `truncated the catalog to ${length} of ${size} bytes`;
    }
    const suffixes = random.pick([["", "-wal", "-shm"], [""], ["-wal"]]);
    for (const suffix of suffixes) await Deno.remove(path + suffix).catch(ignoreNotFound);
    return `removed ${suffixes.map((suffix) => `catalog.db${suffix}`).join(", ")}`;
  } catch (error) {
    ignoreNotFound(error);
    return "found no catalog";
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
