import { SeededRandom } from "../../tests/support/seeded_random.ts";
import { damageCatalog, damageChunks, takeDirectory, wipeDirectory } from "./disk_damage.ts";
import type { OwnDisk } from "./own_disk.ts";
import { pause } from "./pause.ts";
import type { Fault, FaultKind } from "./plan.ts";
import type { ProxyMode } from "./proxy.ts";
import type { ChaosRing } from "./ring.ts";

/** What faults are injected into. */
export interface FaultContext {
  readonly ring: ChaosRing;
  readonly ownDisk: OwnDisk | undefined;
  readonly signal: AbortSignal;
  /** Waits until every file has all its copies, or throws. */
  readonly redundant: () => Promise<void>;
}

/** What was done, for people. */
export type Done = string;

type Inject = (context: FaultContext, fault: Fault) => Promise<Done>;

/** Injects a fault, and undoes what does not heal by itself: resolves when healing can begin. */
export async function inject(context: FaultContext, fault: Fault): Promise<Done> {
  return await injections[fault.kind](context, fault);
}

const injections: Readonly<Record<FaultKind, Inject>> = {
  "kill-node": (context, { node }) => killNodes(context, [node]),
  "kill-two-adjacent": async (context, { node, amount, seed }) => {
    if (amount > 3) return await killNodes(context, [node, node + 1]);
    // The second one just when the first is being healed.
    const first = await killNodes(context, [node]);
    const laterMs = new SeededRandom(seed).integer(1_500);
    await pause(laterMs, context.signal);
    return `${first}; ${laterMs} ms later ${await killNodes(context, [node + 1])}`;
  },
  "kill-all": async ({ ring }) => {
    await ring.kill([...ring.ports, ring.gatewayPort]);
    return "killed all nodes and the gateway";
  },
  "kill-gateway": async ({ ring }) => {
    await ring.kill([ring.gatewayPort]);
    return "killed the gateway";
  },
  "stop-node": async ({ ring, signal }, { node, seconds }) => {
    const port = ring.port(node);
    const pids = await ring.signal([port], "SIGSTOP");
    await pause(1_000 * seconds, signal).finally(() => {
      for (const pid of pids) resume(pid);
    });
    return `stopped ${port} for ${seconds} s`;
  },
  "new-start": async ({ ring, signal }, { amount }) => {
    await ring.killEverything();
    await pause(200 * amount, signal);
    await ring.start();
    return "killed everything, the supervisor too, and started it anew";
  },
  "wipe-dead-node": wipeDead,
  "wipe-running-node": async ({ ring }, { node }) => {
    const port = ring.port(node);
    await wipeDirectory(ring.nodeDirectory(port));
    return `removed the directory of ${port} under it`;
  },
  "wipe-neighbours": async (context, fault) => {
    const first = await wipeDead(context, fault);
    await context.ring.healed(0, neighbourMs);
    await context.redundant();
    const step = fault.amount % 2 === 0 ? 1 : -1;
    return `${first}; repaired; ${await wipeDead(context, { ...fault, node: fault.node + step })}`;
  },
  "flip-chunks": (context, fault) => damage(context, fault, "flip"),
  "truncate-chunks": (context, fault) => damage(context, fault, "truncate"),
  "remove-chunks": (context, fault) => damage(context, fault, "remove"),
  "truncate-catalog": (context, fault) => damageCatalogOf(context, fault, "truncate"),
  "remove-catalog": (context, fault) => damageCatalogOf(context, fault, "remove"),
  "full-disk": async ({ ring, ownDisk, signal }, { node, seconds, amount }) => {
    if (ownDisk === undefined) throw new RangeError("No node has a disk of its own");
    const freeBytes = (amount - 1) * 64 * 1024;
    await ownDisk.fill(freeBytes);
    await pause(1_000 * seconds, signal).finally(() => ownDisk.empty());
    return `left ${freeBytes} bytes on the disk of ${ring.port(node)} for ${seconds} s`;
  },
  "few-descriptors": fewDescriptors,
  "net-delay": (context, fault) =>
    changeNet(context, fault, { kind: "delay", delayMs: 40 * fault.amount }),
  "net-stall": (context, fault) => changeNet(context, fault, { kind: "stall" }),
  "net-refuse": (context, fault) => changeNet(context, fault, { kind: "refuse" }),
  "net-cut": async ({ ring, signal }, { node, amount, seed }) => {
    const port = ring.port(node);
    const random = new SeededRandom(seed);
    let cut = 0;
    for (let round = 0; round < 2 * amount; round++) {
      cut += ring.proxies.get(port)?.cut() ?? 0;
      await pause(random.integer(400), signal);
    }
    return `cut ${cut} connections to ${port}`;
  },
};

/** How long the healing of the first of two neighbours may take, in ms. */
const neighbourMs = 60_000;

async function killNodes({ ring }: FaultContext, nodes: readonly number[]): Promise<Done> {
  const ports = nodes.map((node) => ring.port(node));
  await ring.kill(ports);
  return `killed ${ports.join(" and ")}`;
}

async function wipeDead({ ring }: FaultContext, { node }: Fault): Promise<Done> {
  const port = ring.port(node);
  await ring.signal([port], "SIGKILL");
  await takeDirectory(ring.nodeDirectory(port), `${ring.logDirectory}/${crypto.randomUUID()}`);
  return `killed ${port} and removed its directory`;
}

async function damage(
  { ring }: FaultContext,
  { node, amount, seed }: Fault,
  how: "flip" | "truncate" | "remove",
): Promise<Done> {
  const port = ring.port(node);
  const random = new SeededRandom(seed);
  const files = await damageChunks(ring.nodeDirectory(port), { how, count: 2 * amount, random });
  return `${how}: ${files.length} chunks of ${port} (${files.join(", ")})`;
}

async function damageCatalogOf(
  { ring }: FaultContext,
  { node, amount, seed }: Fault,
  how: "truncate" | "remove",
): Promise<Done> {
  const port = ring.port(node);
  const isDead = amount % 2 === 0;
  if (isDead) await ring.signal([port], "SIGKILL");
  const random = new SeededRandom(seed);
  const what = await damageCatalog(ring.nodeDirectory(port), how, random);
  return `${isDead ? "killed" : "under the running"} ${port}: ${what}`;
}

async function fewDescriptors(
  { ring, signal }: FaultContext,
  { node, seconds, amount }: Fault,
): Promise<Done> {
  const port = ring.port(node);
  const [pid] = await ring.pidsOf(port);
  if (pid === undefined) return `${port} was not there`;
  const before = await limitDescriptors(pid);
  const { length: open } = await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`));
  await limitDescriptors(pid, open + amount);
  await pause(1_000 * seconds, signal).finally(() => limitDescriptors(pid, before));
  return `left ${port} ${amount} descriptors for ${seconds} s`;
}

/** Sets how many descriptors a process may have, or tells it. */
async function limitDescriptors(pid: number, count?: number): Promise<number> {
  const set = count === undefined ? "" : `=${count}:`;
  const { stdout } = await new Deno.Command("prlimit", {
    args: [`--pid=${pid}`, `--nofile${set}`, "--output=SOFT", "--noheadings"],
    stdout: "piped",
    stderr: "null",
  }).output();
  return Number(new TextDecoder().decode(stdout).trim());
}

async function changeNet(
  { ring, signal }: FaultContext,
  { node, seconds }: Fault,
  mode: ProxyMode,
): Promise<Done> {
  const port = ring.port(node);
  const proxy = ring.proxies.get(port);
  if (proxy === undefined) throw new RangeError(`${port} is behind no proxy`);
  proxy.set(mode);
  await pause(1_000 * seconds, signal).finally(() => proxy.set({ kind: "pass" }));
  const how = mode.kind === "delay" ? `delay of ${mode.delayMs} ms` : mode.kind;
  return `connections to ${port}: ${how} for ${seconds} s`;
}

function resume(pid: number): void {
  try {
    Deno.kill(pid, "SIGCONT");
  } catch {
    // Another fault has ended it meanwhile.
  }
}
