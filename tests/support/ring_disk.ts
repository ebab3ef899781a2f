import { exists } from "@std/fs/exists";
import { walk } from "@std/fs/walk";
import { sha256 } from "./live_ring.ts";

/** Chunk files of a ring, `<port>/content/<chunk name>`, each with the SHA-256 of its bytes. */
export type Chunks = ReadonlyMap<string, string>;

/** Where a file's chunks have to lie. */
export interface PlacedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The port of the node that took it. */
  readonly start: number;
  /** How many parts it has; as many as the ring has nodes if nothing is said. */
  readonly parts?: number;
}

/**
 * The chunk files that a whole ring keeps of some files, as PROTOCOL.md has it: sizes differ by one
 * at most and the longer come first; part i lies on the i-th node from the one that took the file,
 * and its backups on the nodes before that. A ring of one keeps no backup.
 *
 * @param ports The nodes in ring order.
 */
export function chunksOf(
  ports: readonly number[],
  files: readonly PlacedFile[],
  { copies = 2 }: { readonly copies?: number } = {},
): Chunks {
  const nodes = ports.length;
  const chunks = new Map<string, string>();
  for (const { name, bytes, start, parts = nodes } of files) {
    const first = ports.indexOf(start);
    let from = 0;
    for (let part = 0; part < parts; part++) {
      const length = Math.floor(bytes.length / parts) + (part < bytes.length % parts ? 1 : 0);
      const chunk = `${name}.part-${digits(part + 1)}-of-${digits(parts)}`;
      const sum = sha256(bytes.subarray(from, from + length));
      from += length;
      for (let copy = 0; copy < Math.min(copies, nodes); copy++) {
        const port = ports[(first + part + nodes - copy) % nodes];
        chunks.set(`${port}/${copy === 0 ? "content" : "backup"}/${chunk}`, sum);
      }
    }
  }
  return chunks;
}

/** The chunk files that lie in the `content/` and `backup/` of some nodes. */
export async function storedChunks(dataDir: string, ports: readonly number[]): Promise<Chunks> {
  const chunks = new Map<string, string>();
  for (const port of ports) {
    for (const place of ["content", "backup"]) {
      const directory = `${dataDir}/${port}/${place}`;
      for await (const { path, name } of walk(directory, { includeDirs: false })) {
        chunks.set(`${port}/${place}/${name}`, sha256(await Deno.readFile(path)));
      }
    }
  }
  return chunks;
}

/** Those chunk files that are not there at this moment, whatever their bytes. */
export async function missingChunks(dataDir: string, chunks: Chunks): Promise<string[]> {
  const paths = [...chunks.keys()];
  const isThere = await Promise.all(paths.map((path) => exists(`${dataDir}/${path}`)));
  return paths.filter((_, index) => !isThere[index]);
}

/** The names of all that lies in a node's `staging/`. */
export async function stagedFiles(dataDir: string, port: number): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(`${dataDir}/${port}/staging`), ({ name }) => name);
}

/** How many chunk files lie in `content/` and `backup/` of a node's directory. */
export async function chunkCount(directory: string): Promise<number> {
  let count = 0;
  for (const place of ["content", "backup"]) {
    try {
      for await (const _file of Deno.readDir(`${directory}/${place}`)) count++;
    } catch (error) {
      // Its node has not begun to make its directory.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return count;
}

/** Removes the catalog of a node that does not run, with its log. */
export async function removeCatalog(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (name.startsWith("catalog.db")) await Deno.remove(`${directory}/${name}`);
  }
}

function digits(number: number): string {
  return String(number).padStart(3, "0");
}
