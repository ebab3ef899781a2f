import { askText, freePorts } from "./live_ring.ts";
import { Program, waitUntil } from "./program.ts";

/** How {@linkcode liveNodes} starts nodes. */
export interface LiveNodeOptions {
  /** Further arguments of `run`. */
  readonly args?: readonly string[];
  /** Milliseconds between two looks at the next node; 0, the default: never. */
  readonly waitTimeMs?: number;
}

/** A process that `ouroboros run` started, without a supervisor. */
export interface LiveNode {
  readonly port: number;
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  readonly program: Program;
}

/** Nodes that know nothing of each other until somebody wires them; dispose ends all of them. */
export class LiveNodes implements AsyncDisposable {
  /** In the order of their ports, with gaps where a stand-in is to be. */
  readonly nodes: readonly LiveNode[];
  readonly dataDir: string;

  constructor(nodes: readonly LiveNode[], dataDir: string) {
    this.nodes = nodes;
    this.dataDir = dataDir;
  }

  get ports(): number[] {
    return this.nodes.map(({ port }) => port);
  }

  /** A node by its place. */
  at(index: number): LiveNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`There is no node ${index}`);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody may bring back whom this ends.
    for (const { port } of this.nodes) await tell(port, "RING STOPPING 60");
    for (const { program } of this.nodes) program.signal("SIGTERM");
    for (const { port, program } of this.nodes) {
      const late = setTimeout(() => program.signal("SIGKILL"), 8_000);
      await program.exited;
      clearTimeout(late);
      await program[Symbol.asyncDispose]();
      // One that a neighbour respawned is no child of this process.
      const incarnation = /^incarnation: (.+)$/m.exec(await tell(port, "NODE INFO"))?.[1];
      if (incarnation === undefined) continue;
      await tell(port, `NODE STOP ${incarnation}`);
      await waitUntil("it ends", 8_000, async () => await tell(port, "NODE PING") === "");
    }
    await Deno.remove(this.dataDir, { recursive: true });
  }
}

/** Starts nodes on these ports, or on as many free ones, and waits until each answers. */
export async function liveNodes(
  where: number | readonly number[],
  options: LiveNodeOptions = {},
): Promise<LiveNodes> {
  const ports = typeof where === "number" ? portsInRow(where) : where;
  const dataDir = await Deno.makeTempDir({ prefix: "ouroboros-nodes-" });
  const nodes = ports.map((port): LiveNode => ({
    port,
    address: `127.0.0.1:${port}`,
    program: new Program([
      "run",
      `--addr=127.0.0.1:${port}`,
      `--data-dir=${dataDir}`,
      `--wait-time=${options.waitTimeMs ?? 0}`,
      "--durability=relaxed",
      ...options.args ?? [],
    ]),
  }));
  const started = new LiveNodes(nodes, dataDir);
  try {
    for (const { port, program } of nodes) {
      await waitUntil(`the node on ${port} is ready`, 30_000, async () => {
        if (program.ended) throw new Error(`The node on ${port} ended:\n${program.stderr}`);
        return (await tell(port, "NODE INFO")).includes("state: ready");
      });
    }
    return started;
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
}

/** So many free ports in a row. */
export function portsInRow(count: number): number[] {
  const first = freePorts(count);
  return Array.from({ length: count }, (_, index) => first + index);
}

/**
 * Wires nodes into a ring as a person with netcat does: each gets its next one, then the first looks
 * round. Resolves when all of them, whatever their program, know all, and ours are ready to serve.
 */
export async function wireRing(ports: readonly number[]): Promise<void> {
  for (const [index, port] of ports.entries()) {
    const next = ports[(index + 1) % ports.length];
    await tell(port, `NODE NEXT 127.0.0.1:${next}`);
  }
  const [first = 0] = ports;
  await tell(first, "NETMAP DISCOVER");
  const netmap = `${ports.toSorted((a, b) => a - b).map((port) => `${port}=Alive\n`).join("")}OK\n`;
  await allAnswer(ports, "every node knows all", async (port) => {
    return await tell(port, "NETMAP GET") === netmap;
  });
  const edges = ports.map((port, index) => `${port}->${ports[(index + 1) % ports.length]}\n`);
  const walked = await tell(first, "TOPOLOGY WALK");
  if (walked !== `${edges.join("")}OK\n`) throw new Error(`The ring was walked as ${walked}`);
  await allAnswer(ports, "every node serves the ring", async (port) => {
    const info = await tell(port, "NODE INFO");
    // Only ours know the question.
    return info.startsWith("ERR ") || isWired(info, ports.length);
  });
}

async function allAnswer(
  ports: readonly number[],
  what: string,
  isSo: (port: number) => Promise<boolean>,
): Promise<void> {
  await waitUntil(what, 20_000, async () => (await Promise.all(ports.map(isSo))).every(Boolean));
}

function isWired(info: string, members: number): boolean {
  return info.includes("state: ready\n") && info.includes(`members: ${members}\n`);
}

/** Says a line and gives the answer; nothing when nobody listens. */
async function tell(port: number, line: string): Promise<string> {
  try {
    return await askText(port, `${line}\n`);
  } catch {
    // It has not begun to listen, or has ended.
    return "";
  }
}
