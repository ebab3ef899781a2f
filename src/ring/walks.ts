import { errors } from "../protocol/errors.ts";
import type { Edge, NetmapEntry } from "../protocol/lists.ts";
import { errorReply, okReply, topologyReply } from "../protocol/replies.ts";
import { walksMax } from "./config.ts";
import type { RingCore } from "./core.ts";
import type { Exchange } from "./exchange.ts";
import { addSelf, nextHop, SeenTokens, sendOn, type Walk } from "./hops.ts";
import type { Netmap } from "./netmap.ts";
import { orderOfEdges } from "./topology.ts";

/** A walk that this node has begun. */
interface Begun {
  readonly kind: Walk["kind"];
  /** The command that waits for it; `undefined` when nobody does. */
  readonly id: number | undefined;
}

/**
 * The walks round the ring that wire it as the original does: each node adds itself and sends the
 * walk to its next hop, the last one sends it back to the start.
 *
 * 1. `NETMAP DISCOVER` finds the nodes and tells them all of each other, then their order.
 * 2. `TOPOLOGY WALK` finds the edges. A closed ring that this node did not know becomes the shape.
 * 3. A walk visits a node once; a repeated or late message of it changes nothing.
 */
export class Walks {
  readonly #core: RingCore;
  readonly #exchange: Exchange;
  readonly #netmap: Netmap;
  readonly #begun = new Map<string, Begun>();
  readonly #seen = new SeenTokens();

  constructor(core: RingCore, exchange: Exchange, netmap: Netmap) {
    this.#core = core;
    this.#exchange = exchange;
    this.#netmap = netmap;
  }

  /** `NETMAP DISCOVER`: gives the answer, and goes on without the client. */
  discover(token: string): string {
    if (nextHop(this.#core) === undefined) return errorReply(errors.noNextHop);
    if (this.#begun.size >= walksMax) return errorReply(errors.busy);
    this.#begin(token, "netmap", undefined);
    return okReply;
  }

  /** `TOPOLOGY WALK`: the answer to the command `id` follows within `walkMs`. */
  walk(token: string, id: number): void {
    if (nextHop(this.#core) === undefined) return this.#reply(id, errorReply(errors.noNextHop));
    if (this.#begun.size >= walksMax) return this.#reply(id, errorReply(errors.busy));
    this.#begin(token, "topology", id);
  }

  /** A walk has come to this node. */
  hop(walk: Walk): void {
    const next = nextHop(this.#core);
    if (!this.#seen.add(walk.token)) return;
    if (next === undefined) return this.#core.log("info", "walk ends: no next hop is set");
    sendOn(this.#core, addSelf(this.#core, walk, next), next);
  }

  /** A walk for the netmap has come back. */
  netmapDone(token: string, entries: readonly NetmapEntry[]): void {
    if (this.#end(token, "netmap") === undefined) return;
    this.#netmap.set(entries);
    for (const { address } of entries) {
      if (address === this.#core.self) continue;
      this.#core.askCommand(address, { kind: "netmap-set", entries }, () => {});
    }
    this.#begin(`${token}-order`, "topology", undefined);
  }

  /** A walk for the topology has come back. */
  topologyDone(token: string, edges: readonly Edge[]): void {
    const begun = this.#end(token, "topology");
    if (begun === undefined) return;
    const isNews = this.adopt(edges);
    if (isNews) this.#exchange.announceShape();
    if (isNews || begun.id === undefined) this.#sendTopology(edges);
    if (begun.id !== undefined) {
      this.#reply(begun.id, topologyReply(edges, { hostname: this.#core.hostname }));
    }
  }

  /** Takes the edges of a `TOPOLOGY SET`, or of a walk; false when they are no other ring. */
  adopt(edges: readonly Edge[]): boolean {
    const order = orderOfEdges(edges);
    const { shape } = this.#core.view;
    if (order === undefined || order.join(" ") === shape.order.join(" ")) return false;
    const isNews = this.#core.adopt({ version: shape.version + 1, order });
    if (isNews) this.#netmap.wired();
    return isNews;
  }

  #begin(token: string, kind: Walk["kind"], id: number | undefined): void {
    const { self, timing } = this.#core;
    const next = nextHop(this.#core);
    if (next === undefined) return;
    this.#begun.set(token, { kind, id });
    this.#seen.add(token);
    this.#core.later(`walk ${token}`, timing.walkMs, () => {
      if (this.#begun.delete(token) && id !== undefined) {
        this.#reply(id, errorReply(errors.walkTimeout));
      }
    });
    const walk: Walk = kind === "netmap"
      ? { kind, token, start: self, entries: [] }
      : { kind, token, start: self, edges: [] };
    sendOn(this.#core, addSelf(this.#core, walk, next), next);
  }

  #end(token: string, kind: Walk["kind"]): Begun | undefined {
    const begun = this.#begun.get(token);
    if (begun?.kind !== kind) return undefined;
    this.#begun.delete(token);
    this.#core.cancel(`walk ${token}`);
    return begun;
  }

  #sendTopology(edges: readonly Edge[]): void {
    for (const { from } of edges) {
      if (from === this.#core.self) continue;
      this.#core.askCommand(from, { kind: "topology-set", edges }, () => {});
    }
  }

  #reply(id: number, text: string): void {
    this.#core.emit({ kind: "reply", id, text });
  }
}
