import { knowsFlag, Ring } from "../ring.ts";
import { ask, RingError } from "../ring_questions.ts";
import type { Rig } from "./rig.ts";
import { usualRing, wholeFlags } from "./ring_shape.ts";

/** Bytes of a file. */
const size = 1024;

const clients = 16;

/** Files that are pushed between two words about it. */
const stepFiles = 4_000;

/** What the directory of a filled ring says of itself. */
interface Filled {
  readonly basePort: number;
  readonly files: number;
}

/**
 * A ring whose catalog has many small files: filled by pushes, which takes minutes, or taken from a
 * directory where an earlier run left it. The rig stops it.
 *
 * @throws {RingError} When the catalog has fewer files than were pushed.
 */
export async function startFilledRing(rig: Rig): Promise<Ring> {
  const { manyFiles: files, manyDirectory } = rig.options;
  const directory = manyDirectory ?? `${rig.options.directory}/many`;
  await Deno.mkdir(directory, { recursive: true });
  const note = `${directory}/filled.json`;
  const filled = await readNote(note);
  rig.options.say(`starting a ring for ${files} files`);
  const nodes = `${directory}/nodes`;
  rig.own({ [Symbol.asyncDispose]: () => removeWiped(nodes) });
  const ring = await Ring.start({
    directory: nodes,
    nodeCount: usualRing.nodes,
    durability: "relaxed",
    // A killed node is to come back soon.
    gossipIntervalMs: 500,
    signal: rig.options.signal,
    flags: await knowsFlag("--min-part-bytes") ? wholeFlags : [],
    ...(filled !== undefined && { basePort: filled.basePort }),
  });
  rig.own(ring);
  if ((filled?.files ?? 0) < files) await fill(rig, ring, files);
  await Deno.writeTextFile(note, JSON.stringify({ basePort: ring.basePort, files }));
  return ring;
}

/** Deletes what wiped nodes had, which takes long and slows the file system down for a while. */
async function removeWiped(directory: string): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  for (const name of names.filter((name) => name.includes("-wiped-"))) {
    await Deno.remove(`${directory}/${name}`, { recursive: true });
  }
}

async function fill(rig: Rig, ring: Ring, files: number): Promise<void> {
  const address = ring.addressOf("direct");
  let pushed = 0;
  for (let step = 0; pushed < files; step++) {
    rig.options.say(`pushing ${files} files: ${pushed}`);
    const count = Math.min(stepFiles, files - pushed);
    const { callsMs } = await rig.options.load.run({
      operation: "push",
      addresses: [address],
      size,
      namePrefixes: Array.from({ length: clients }, (_, client) => `many-${step}-${client}`),
      nameCount: 1,
      callsMax: Math.ceil(count / clients),
      lengthMs: 600_000,
      hashed: false,
    });
    pushed += callsMs.length;
  }
  const known = Number(/^files: ([0-9]+)$/m.exec(await ask(address, "NODE INFO"))?.[1]);
  if (known < files) throw new RingError(`${files} files were pushed, the catalog has ${known}`);
}

async function readNote(path: string): Promise<Filled | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as Filled;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
