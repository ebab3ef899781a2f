import type { OriginalPeer } from "./original_peer.ts";

/** What an {@linkcode OriginalRing} is made of. */
export interface OriginalRingOptions {
  readonly port: number;
  readonly peer: OriginalPeer;
  readonly later: (task: () => Promise<void>) => void;
}

/** Who waits for the walk that has a token. */
interface Waiting {
  readonly timer: ReturnType<typeof setTimeout>;
  readonly end: (answer: string) => void;
}

/** What a stand-in of the original knows of its ring: its next hop, a netmap, and the edges. */
export class OriginalRing {
  /** Netmap entries by port. */
  readonly statuses = new Map<number, string>();
  next: number | undefined;
  readonly #port: number;
  readonly #peer: OriginalPeer;
  readonly #later: (task: () => Promise<void>) => void;
  readonly #nextOf = new Map<number, number>();
  readonly #waiting = new Map<string, Waiting>();

  constructor({ port, peer, later }: OriginalRingOptions) {
    this.#port = port;
    this.#peer = peer;
    this.#later = later;
  }

  /** All nodes in ring order from one of them; only this node while it knows no edges. */
  orderFrom(start: number): number[] {
    const order = [start];
    for (let at = this.#nextOf.get(start); at !== undefined && at !== start;) {
      order.push(at);
      if (order.length > this.#nextOf.size) break;
      at = this.#nextOf.get(at);
    }
    return order;
  }

  /** The next one of a node. */
  after(port: number): number | undefined {
    return this.#nextOf.get(port);
  }

  /** The node whose next one a node is. */
  before(port: number): number | undefined {
    return [...this.#nextOf].find(([, next]) => next === port)?.[0];
  }

  /** Notes a node as dead, and tells the others. */
  found(port: number, status: "Alive" | "Dead"): void {
    if (this.statuses.get(port) === status || port === this.#port) return;
    this.statuses.set(port, status);
    this.#tellAll(`NETMAP SET ${this.#entries()}`);
  }

  /** Looks whether the next node is there. */
  async look(): Promise<void> {
    if (this.next === undefined || this.next === this.#port) return;
    const { next } = this;
    const answer = await this.#peer.ask(next, "NODE PING").catch(() => undefined);
    this.found(next, answer === "PONG" ? "Alive" : "Dead");
  }

  /** Ends all waits. */
  stop(): void {
    for (const { timer, end } of this.#waiting.values()) {
      clearTimeout(timer);
      end("ERR stopped\n");
    }
    this.#waiting.clear();
  }

  /** `NODE …` */
  async node(verb: string, [first = "", start = ""]: readonly string[]): Promise<string> {
    switch (verb) {
      case "PING":
        return "PONG\n";
      case "STATUS":
        return `PORT 127.0.0.1:${this.#port}\nNEXT ${
          this.next === undefined ? "<unset>" : `127.0.0.1:${this.next}`
        }\nOK\n`;
      case "NEXT":
        this.next = portOf(first);
        return `OK next=${first}\n`;
      case "HEAL": {
        const token = `heal-${this.#port}-${Math.random()}`;
        return await this.#walk(token, () => this.#healHop(token, this.#port));
      }
      case "HEAL-HOP":
        this.#later(() => this.#healHop(first, portOf(start)));
        return "OK\n";
      case "HEAL-DONE":
        this.#end(first, "OK network healed\n");
        return "OK\n";
      default:
        return "ERR unknown NODE command\n";
    }
  }

  /** `NETMAP …` */
  netmap(verb: string, parameters: readonly string[]): string {
    const [first = "", second = "", third = ""] = parameters;
    switch (verb) {
      case "GET": {
        const sorted = [...this.statuses].sort(([a], [b]) => a - b);
        const lines = sorted.map(([port, status]) => `${port}=${status}\n`).join("");
        return `${lines === "" ? "(empty)\n" : lines}OK\n`;
      }
      case "DISCOVER":
        if (this.next === undefined) return "ERR no next hop set\n";
        this.#later(() => this.#hop("NETMAP", `map-${Math.random()}`, this.#port, ""));
        return "OK\n";
      case "HOP":
        this.#later(() => this.#hop("NETMAP", first, portOf(second), third));
        return "OK\n";
      case "DONE":
        this.#set(second);
        this.#tellAll(`NETMAP SET ${second}`);
        return "OK\n";
      case "SET":
        this.#set(first);
        return "OK\n";
      default:
        return "ERR unknown NETMAP command\n";
    }
  }

  /** `TOPOLOGY …` */
  async topology(verb: string, parameters: readonly string[]): Promise<string> {
    const [first = "", second = "", third = ""] = parameters;
    switch (verb) {
      case "WALK": {
        if (this.next === undefined) return "ERR no next hop set\n";
        const token = `walk-${Math.random()}`;
        return await this.#walk(token, () => this.#hop("TOPOLOGY", token, this.#port, ""));
      }
      case "HOP":
        this.#later(() => this.#hop("TOPOLOGY", first, portOf(second), third));
        return "OK\n";
      case "DONE":
        this.#setEdges(second);
        this.#tellAll(`TOPOLOGY SET ${second}`);
        this.#end(first, `${second.split(";").join("\n")}\nOK\n`);
        return "OK\n";
      case "SET":
        this.#setEdges(first);
        return "OK\n";
      default:
        return "ERR unknown TOPOLOGY command\n";
    }
  }

  /** Adds this node to a walk and sends it on, or home. */
  async #hop(noun: string, token: string, start: number, gathered: string): Promise<void> {
    if (this.next === undefined) return;
    const isMap = noun === "NETMAP";
    const own = isMap ? `${this.#port}=Alive` : `${this.#port}->${this.next}`;
    const all = gathered === "" ? own : `${gathered}${isMap ? "," : ";"}${own}`;
    const line = this.next === start
      ? `${noun} DONE ${token} ${all}`
      : `${noun} HOP ${token} 127.0.0.1:${start} ${all}`;
    await this.#peer.ask(this.next, line);
  }

  async #healHop(token: string, start: number): Promise<void> {
    if (this.next === undefined) return;
    await this.#peer.ask(this.next, "NODE PING");
    const line = this.next === start
      ? `NODE HEAL-DONE ${token}`
      : `NODE HEAL-HOP ${token} 127.0.0.1:${start}`;
    await this.#peer.ask(this.next, line);
  }

  async #walk(token: string, begin: () => Promise<void>): Promise<string> {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => this.#end(token, "ERR walk timeout\n"), 30_000);
      this.#waiting.set(token, { timer, end: resolve });
      this.#later(begin);
    });
  }

  #end(token: string, answer: string): void {
    const waiting = this.#waiting.get(token);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(token);
    waiting?.end(answer);
  }

  #set(entries: string): void {
    this.statuses.clear();
    for (const entry of entries.split(",")) {
      const [port = "", status = ""] = entry.split("=");
      this.statuses.set(Number(port), status);
    }
  }

  #setEdges(history: string): void {
    this.#nextOf.clear();
    for (const edge of history.split(";")) {
      const [from = "", to = ""] = edge.split("->");
      this.#nextOf.set(Number(from), Number(to));
    }
  }

  #entries(): string {
    return [...this.statuses].map(([port, status]) => `${port}=${status}`).join(",");
  }

  #tellAll(line: string): void {
    for (const [port, status] of this.statuses) {
      if (port === this.#port || status !== "Alive") continue;
      this.#later(async () => void await this.#peer.ask(port, line));
    }
  }
}

/** The port of `host:port`. */
function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
