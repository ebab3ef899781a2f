import { type LiveNode, type LiveNodes, liveNodes, portsInRow, wireRing } from "./live_node.ts";
import { OriginalNode } from "./original_node.ts";
import { type Chunks, chunksOf, type PlacedFile, storedChunks } from "./ring_disk.ts";

/** How {@linkcode mixedRing} wires nodes. */
export interface MixedRingOptions {
  /** Milliseconds between two looks at the next node, of both programs. Default: 0, never. */
  readonly waitTimeMs?: number;
  /** The place of the node that looks round first. Default: 0. */
  readonly wiredFrom?: number;
}

/** A ring of our nodes and stand-ins of the original; dispose ends all of them. */
export class MixedRing implements AsyncDisposable {
  /** All ports in ring order. */
  readonly ports: readonly number[];
  readonly ours: LiveNodes;
  readonly originals: readonly OriginalNode[];

  constructor(ports: readonly number[], ours: LiveNodes, originals: readonly OriginalNode[]) {
    this.ports = ports;
    this.ours = ours;
    this.originals = originals;
  }

  /** One of our nodes, by its place among them. */
  our(index: number): LiveNode {
    return this.ours.at(index);
  }

  /** A stand-in, by its place among them. */
  original(index: number): OriginalNode {
    const node = this.originals[index];
    if (node === undefined) throw new RangeError(`There is no stand-in ${index}`);
    return node;
  }

  /** The chunk files that some files have to have in the end: originals save no empty backup. */
  chunksOf(files: readonly PlacedFile[]): Chunks {
    const chunks = new Map(chunksOf(this.ports, files));
    for (const path of chunks.keys()) {
      const file = files.find(({ name }) => path.includes(`/backup/${name}.part-`));
      const isAtOriginal = this.originals.some(({ port }) => path.startsWith(`${port}/`));
      const part = Number(/\.part-([0-9]+)-of-[0-9]+$/.exec(path)?.[1]);
      if (isAtOriginal && file !== undefined && part > file.bytes.length) chunks.delete(path);
    }
    return chunks;
  }

  /**
   * Whether a chunk may be missing: the original tells of an empty part 1 before the file is known to
   * the end of the ring, and asked for it, says what it says of one that it does not have.
   */
  mayLack(path: string, files: readonly PlacedFile[]): boolean {
    return files.some(({ bytes, name, start }) =>
      bytes.length === 0 && path.includes(`/backup/${name}.part-001`) &&
      this.originals.some(({ port }) => port === start)
    );
  }

  /** The chunk files that there are. */
  async storedChunks(): Promise<Chunks> {
    return await storedChunks(this.ours.dataDir, this.ports);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.originals) await node.stop();
    await this.ours[Symbol.asyncDispose]();
  }
}

/**
 * Starts nodes and wires them into a ring.
 *
 * @param layout A letter for each node in ring order: `o` for one of ours, `s` for a stand-in.
 */
export async function mixedRing(
  layout: string,
  { waitTimeMs = 0, wiredFrom = 0 }: MixedRingOptions = {},
): Promise<MixedRing> {
  const ports = portsInRow(layout.length);
  const ours = await liveNodes(ports.filter((_, at) => layout[at] === "o"), { waitTimeMs });
  const { dataDir } = ours;
  const originals: OriginalNode[] = [];
  const ring = new MixedRing(ports, ours, originals);
  try {
    for (const [at, port] of ports.entries()) {
      if (layout[at] !== "s") continue;
      originals.push(new OriginalNode({ port, dataDir, gossipMs: waitTimeMs }));
    }
    await wireRing([...ports.slice(wiredFrom), ...ports.slice(0, wiredFrom)]);
    return ring;
  } catch (error) {
    await ring[Symbol.asyncDispose]();
    throw error;
  }
}
