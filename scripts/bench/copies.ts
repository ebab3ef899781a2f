/** The file whose copies are waited for. */
export interface AwaitedCopies {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Where the nodes keep their files: one directory a node. */
  readonly nodeDirectories: readonly string[];
  /** Whether it has been waited for long enough. */
  readonly isOver: () => boolean;
}

/** Milliseconds between two looks. */
const lookMs = 1;

/** How often every byte of a file is kept in a ring of two or more. */
const copies = 2;

/**
 * Waits until the nodes have every byte of a file twice, in `content/` and `backup/`: a program may say OK
 * before that. In a ring of one there is one copy.
 *
 * @throws {Error} When it is over first.
 */
export async function awaitCopies(options: AwaitedCopies): Promise<void> {
  const { name, size, nodeDirectories, isOver } = options;
  const wanted = size * Math.min(copies, nodeDirectories.length);
  let found = countBytes(name, nodeDirectories);
  while (found < wanted) {
    if (isOver()) throw new Error(`${found} bytes of copies of '${name}' came, ${wanted} expected`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    found = countBytes(name, nodeDirectories);
  }
}

/** The bytes of all files that hold a part of the file. */
function countBytes(name: string, nodeDirectories: readonly string[]): number {
  let bytes = 0;
  for (
    const directory of nodeDirectories.flatMap((node) => [`${node}/content`, `${node}/backup`])
  ) {
    for (const entry of Deno.readDirSync(directory)) {
      if (!entry.name.startsWith(`${name}.part-`)) continue;
      bytes += Deno.statSync(`${directory}/${entry.name}`).size;
    }
  }
  return bytes;
}
