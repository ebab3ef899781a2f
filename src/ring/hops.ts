import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { ringNodesMax } from "../protocol/limits.ts";
import type { Edge, NetmapEntry } from "../protocol/lists.ts";
import { tokensMax } from "./config.ts";
import type { RingCore } from "./core.ts";

/** A walk on its way round the ring, with what it has gathered. */
export type Walk =
  & { readonly token: string; readonly start: NodeAddress }
  & (
    | { readonly kind: "netmap"; readonly entries: readonly NetmapEntry[] }
    | { readonly kind: "topology"; readonly edges: readonly Edge[] }
  );

/** The next hop of a node: what `NODE NEXT` said last, else its successor. */
export function nextHop(core: RingCore): NodeAddress | undefined {
  return core.nextOverride ?? core.view.successor;
}

/** The node that follows another in ring order; `undefined` when this node does not know it. */
export function nodeAfter(core: RingCore, address: NodeAddress): NodeAddress | undefined {
  const { fromSelf } = core.view;
  const at = core.view.position(address);
  return at === undefined ? undefined : fromSelf[(at + 1) % fromSelf.length];
}

/** Adds this node to a walk: itself to a netmap, the edge to `next` to a topology. */
export function addSelf(core: RingCore, walk: Walk, next: NodeAddress): Walk {
  if (walk.kind === "topology") return addEdge(walk, { from: core.self, to: next });
  return { ...walk, entries: [...walk.entries, { address: core.self, status: "Alive" }] };
}

/**
 * Sends a walk on to `to`, or to the next after it that takes it: who is passed by is Dead, and is
 * entered for what it is. A walk that has come round goes to its start.
 */
export function sendOn(core: RingCore, walk: Walk, to: NodeAddress): void {
  if (to === walk.start) return core.askCommand(walk.start, doneCommand(walk), () => {});
  const gathered = walk.kind === "topology" ? walk.edges : walk.entries;
  if (gathered.length > ringNodesMax) return;
  const passBy = () => {
    const following = nodeAfter(core, to);
    if (following === undefined) return core.log("info", "walk ends: no way on", { at: to });
    sendOn(core, addPassedBy(walk, to, following), following);
  };
  if (core.view.member(to)?.status === "Dead") return passBy();
  core.askCommand(to, hopCommand(walk), (answer) => {
    if (answer.kind !== "line") passBy();
  });
}

/** The tokens of walks that have passed, so that a repeated message walks no second time. */
export class SeenTokens {
  readonly #tokens = new Set<string>();

  /** Notes a token; false when it was known. */
  add(token: string): boolean {
    if (this.#tokens.has(token)) return false;
    this.#tokens.add(token);
    const [oldest] = this.#tokens;
    if (this.#tokens.size > tokensMax && oldest !== undefined) this.#tokens.delete(oldest);
    return true;
  }
}

function addEdge(walk: Walk & { readonly kind: "topology" }, edge: Edge): Walk {
  return { ...walk, edges: [...walk.edges, edge] };
}

function addPassedBy(walk: Walk, address: NodeAddress, following: NodeAddress): Walk {
  if (walk.kind === "topology") return addEdge(walk, { from: address, to: following });
  return { ...walk, entries: [...walk.entries, { address, status: "Dead" }] };
}

function hopCommand(walk: Walk): Command {
  const { token, start } = walk;
  if (walk.kind === "netmap") {
    return { kind: "netmap-hop", token, start, entries: walk.entries };
  }
  return { kind: "topology-hop", token, start, edges: walk.edges };
}

function doneCommand(walk: Walk): Command {
  const { token } = walk;
  if (walk.kind === "netmap") return { kind: "netmap-done", token, entries: walk.entries };
  return { kind: "topology-done", token, edges: walk.edges };
}
