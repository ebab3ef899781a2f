import type { NodeAddress } from "../protocol/address.ts";
import { spreadFanout, wholeViewMax } from "./config.ts";
import type { RingCore } from "./core.ts";
import { compareMembers, type Member } from "./member.ts";
import { compareShapes } from "./view.ts";
import { fullView, type SpreadRange, type ViewMessage } from "./view_codec.ts";

/**
 * How news of the ring travels.
 *
 * 1. Who finds something out tells all: its message goes to at most `spreadFanout` members, each of
 *    which passes it on to a stretch of the ring. A relay that fails is replaced by the next.
 * 2. Nothing depends on it: two views that differ, as a ping shows, are compared. In a large ring
 *    first what changed last, then, if that was not it, all.
 * 3. Originals get the netmap, as they know no news.
 */
export class Exchange {
  readonly #core: RingCore;
  readonly #comparing = new Set<NodeAddress>();
  /** The whole view is to go out, as the ring has another shape that this node has found. */
  #isShapeNews = false;

  constructor(core: RingCore) {
    this.#core = core;
  }

  /** Takes a view, from whomever. */
  merge(view: ViewMessage): void {
    if (view.from !== undefined) this.#core.met(view.from);
    if (view.shape !== undefined) this.#core.adopt(view.shape);
    // Views of one digest are the same: what is told is known.
    if (view.digest === this.#core.view.digest) return;
    for (const member of view.members) this.#core.apply(member);
  }

  /** Serves `RING VIEW`: takes the sender's view, passes it on if asked to, answers what it lacks. */
  serve(view: ViewMessage): ViewMessage {
    this.merge(view);
    if (view.spread !== undefined) {
      const own = view.members.flatMap((member) => this.#core.view.member(member.address) ?? []);
      this.#spread(view.spread, view.full ? this.#whole() : this.#core.newsOf(own));
    }
    return view.full ? this.#answerFull(view) : this.#answerNews(view);
  }

  /** Compares views with a peer whose digest differs. */
  compare(peer: NodeAddress): void {
    if (this.#comparing.has(peer)) return;
    const { view } = this.#core;
    const isWhole = view.fromSelf.length <= wholeViewMax;
    this.#send(peer, isWhole ? this.#whole() : this.#core.newsOf(view.recent()));
  }

  /** Gives a node all that this one knows. */
  handOver(peer: NodeAddress, then: () => void): void {
    this.#core.ask(peer, { kind: "view", view: this.#whole() }, (answer) => {
      if (answer.kind === "view") this.merge(answer.view);
      then();
    });
  }

  /** Has the others told of the ring's new shape. */
  announceShape(): void {
    this.#isShapeNews = true;
  }

  /** Tells the others what this node has found out. */
  flush(): void {
    const { view, news } = this.#core;
    if (news.size === 0 && !this.#isShapeNews) return;
    const members = [...news].flatMap((address) => view.member(address) ?? []);
    const message = this.#isShapeNews ? this.#whole() : this.#core.newsOf(members);
    news.clear();
    this.#isShapeNews = false;
    this.#spread({ after: view.self, count: view.fromSelf.length - 1 }, message);
  }

  #send(peer: NodeAddress, message: ViewMessage): void {
    this.#comparing.add(peer);
    this.#core.ask(peer, { kind: "view", view: message }, (answer) => {
      this.#comparing.delete(peer);
      if (answer.kind !== "view") return;
      this.merge(answer.view);
      const differs = answer.view.digest !== this.#core.view.digest;
      if (differs && !message.full) this.#send(peer, this.#whole());
    });
  }

  #whole(): ViewMessage {
    return { ...this.#core.newsOf([]), ...fullView(this.#core.view) };
  }

  #spread(range: SpreadRange, message: ViewMessage): void {
    const targets = this.#targets(range);
    const stretch = Math.ceil(targets.length / spreadFanout);
    for (let at = 0; at < targets.length; at += stretch) {
      const [relay, ...others] = targets.slice(at, at + stretch);
      if (relay !== undefined) this.#spreadVia(relay, others, message);
    }
  }

  #spreadVia(relay: NodeAddress, others: readonly NodeAddress[], message: ViewMessage): void {
    const last = others.at(-1);
    const spread = last === undefined ? undefined : this.#rangeTo(relay, last);
    const view = spread === undefined ? message : { ...message, spread };
    this.#core.ask(relay, { kind: "view", view }, (answer) => {
      if (answer.kind === "view") this.merge(answer.view);
      else if (spread !== undefined) this.#spread(spread, message);
    });
  }

  /** The members of a stretch that understand news; the originals in it get the netmap. */
  #targets({ after, count }: SpreadRange): NodeAddress[] {
    const { view } = this.#core;
    const start = view.position(after);
    const ring = view.fromSelf;
    const targets: NodeAddress[] = [];
    if (start === undefined) return targets;
    for (let step = 1; step <= Math.min(count, ring.length - 1); step++) {
      const member = view.at((start + step) % ring.length);
      if (member === undefined || member.status === "Dead") continue;
      if (member.address === view.self) continue;
      if (member.program === "original") this.#sendNetmap(member.address);
      else targets.push(member.address);
    }
    return targets;
  }

  #rangeTo(after: NodeAddress, last: NodeAddress): SpreadRange {
    const { view } = this.#core;
    const size = view.fromSelf.length;
    const steps = (view.position(last) ?? 0) - (view.position(after) ?? 0);
    return { after, count: (steps + size) % size };
  }

  #sendNetmap(original: NodeAddress): void {
    const command = { kind: "netmap-set", entries: this.#core.netmap() } as const;
    this.#core.askCommand(original, command, () => {});
  }

  #answerFull(view: ViewMessage): ViewMessage {
    const mine = this.#core.view;
    const theirs = new Map(view.members.map((member) => [member.address, member]));
    const shape = { version: 0, order: [], ...view.shape };
    const isShapeNews = mine.isWired && compareShapes(mine.shape, shape) > 0;
    const members = mine.members().filter((member) => isNews(member, theirs));
    return { ...this.#core.newsOf(members), ...(isShapeNews ? { shape: mine.shape } : {}) };
  }

  #answerNews(view: ViewMessage): ViewMessage {
    const mine = this.#core.view;
    if (view.digest === mine.digest) return this.#core.newsOf([mine.own]);
    const theirs = new Map(view.members.map((member) => [member.address, member]));
    const answer = new Map([[mine.self, mine.own]]);
    const candidates = view.members.flatMap(({ address }) => mine.member(address) ?? []);
    candidates.push(...mine.recent());
    for (const member of candidates) {
      if (isNews(member, theirs)) answer.set(member.address, member);
    }
    return this.#core.newsOf([...answer.values()]);
  }
}

function isNews(member: Member, theirs: ReadonlyMap<NodeAddress, Member>): boolean {
  const known = theirs.get(member.address);
  return known === undefined || compareMembers(member, known) > 0;
}
