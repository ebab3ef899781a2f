import { writeFileDurably } from "../store/sync.ts";
import { NetworkError } from "./network_error.ts";
import { type NetworkPlan, type RingShape, showPorts } from "./plan.ts";

/** The file in a ring's directory that tells its members. */
const shapeFile = "ring.json";

/**
 * Makes sure that the data directory holds the planned ring or room for it, and writes down the
 * ring's shape. With `overwrite`, what the planned nodes have stored is deleted first, and nothing
 * else. No node of the plan may run.
 *
 * @throws {NetworkError} With exit code 2, when the directory holds a ring of another shape.
 */
export async function claimRingDirectory(plan: NetworkPlan, overwrite: boolean): Promise<void> {
  const dataDir = dataDirOf(plan);
  if (overwrite) await deleteOwn(plan);
  else await assertRoomFor(plan);
  await Deno.mkdir(plan.ringDirectory, { recursive: true });
  await writeFileDurably(`${plan.ringDirectory}/${shapeFile}`, JSON.stringify(plan.shape) + "\n");
  for (const port of plan.shape.ports) {
    await Deno.mkdir(`${dataDir}/${port}`, { recursive: true });
  }
}

/** The rings that keep their files in a data directory, by their directory `ring-<port>`. */
export async function ringsIn(dataDir: string): Promise<Map<string, RingShape>> {
  const rings = new Map<string, RingShape>();
  for (const name of await directoriesIn(dataDir)) {
    if (!/^ring-[0-9]{1,5}$/.test(name)) continue;
    const directory = `${dataDir}/${name}`;
    const shape = await readShape(`${directory}/${shapeFile}`);
    if (shape !== undefined) rings.set(directory, shape);
  }
  return rings;
}

/**
 * Makes sure that the data directory holds the planned ring or room for it; writes nothing.
 *
 * @throws {NetworkError} With exit code 2, when the directory holds a ring of another shape.
 */
export async function assertRoomFor(plan: NetworkPlan): Promise<void> {
  const dataDir = dataDirOf(plan);
  const rings = [...(await ringsIn(dataDir)).values()];
  if (rings.some((ring) => sameShape(ring, plan.shape))) return;
  const [other] = rings;
  if (other !== undefined) throw otherShape(plan, other);
  // Nodes that were started one by one, or by the original program, have left no shape.
  const ports = (await directoriesIn(dataDir)).filter((name) => /^[0-9]{1,5}$/.test(name))
    .map(Number).sort((a, b) => a - b);
  const planned = new Set(plan.shape.ports);
  const overlaps = ports.some((port) => planned.has(port));
  if (overlaps && ports.some((port) => !planned.has(port))) {
    throw otherShape(plan, { host: plan.shape.host, ports });
  }
}

function otherShape(plan: NetworkPlan, found: RingShape): NetworkError {
  const where = found.host === plan.shape.host ? "" : ` on ${found.host}`;
  return new NetworkError(
    `'${dataDirOf(plan)}' holds a ring of ${count(found)}${where} (${
      showPorts(found.ports)
    }), not ` +
      `${count(plan.shape)} (${showPorts(plan.shape.ports)}); start that one, choose another ` +
      "--data-dir, or delete what these ports have stored with --overwrite-nodes-dir",
    { exitCode: 2 },
  );
}

function count(shape: RingShape): string {
  return shape.ports.length === 1 ? "1 node" : `${shape.ports.length} nodes`;
}

async function deleteOwn(plan: NetworkPlan): Promise<void> {
  const dataDir = dataDirOf(plan);
  const planned = new Set(plan.shape.ports);
  for (const [directory, shape] of await ringsIn(dataDir)) {
    // A ring that has lost members is no ring any more; its other nodes' files are left alone.
    const lost = shape.ports.some((port) => planned.has(port));
    if (lost) await removeIfThere(`${directory}/${shapeFile}`);
  }
  for (const port of planned) await removeIfThere(`${dataDir}/${port}`);
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function sameShape(a: RingShape, b: RingShape): boolean {
  return a.host === b.host && a.ports.length === b.ports.length &&
    a.ports.every((port, index) => port === b.ports[index]);
}

async function readShape(path: string): Promise<RingShape | undefined> {
  try {
    const parsed: unknown = JSON.parse(await Deno.readTextFile(path));
    return isShape(parsed) ? parsed : undefined;
  } catch (error) {
    // A file that is damaged tells nothing; the directories of the nodes still do.
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isShape(value: unknown): value is RingShape {
  if (typeof value !== "object" || value === null) return false;
  const { host, ports } = value as Partial<Record<keyof RingShape, unknown>>;
  return typeof host === "string" && Array.isArray(ports) && ports.length > 0 &&
    ports.every((port) => Number.isInteger(port) && port > 0 && port < 65536);
}

async function directoriesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) if (entry.isDirectory) names.push(entry.name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

function dataDirOf(plan: NetworkPlan): string {
  return plan.ringDirectory.slice(0, plan.ringDirectory.lastIndexOf("/"));
}
