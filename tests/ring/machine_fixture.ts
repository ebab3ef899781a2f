import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import type { RingConfig } from "../../src/ring/config.ts";
import type { Answer, Effect, RequestEffect } from "../../src/ring/effects.ts";
import { type RingCommand, type RingEvent, RingMachine } from "../../src/ring/machine.ts";
import type { Member } from "../../src/ring/member.ts";
import { initialView, parseView, type ViewMessage } from "../../src/ring/view_codec.ts";

/** The address of a node of the tests, by its port. */
export function at(port: number): NodeAddress {
  return formatAddress("127.0.0.1", port);
}

/** What a member of our program says of itself. */
export function member(port: number, fields: Partial<Member> = {}): Member {
  return {
    address: at(port),
    status: "Alive",
    epoch: 1,
    program: "ouroboros",
    options: "{}",
    ...fields,
  };
}

/** The options of a {@linkcode MachineFixture}. */
export interface MachineFixtureOptions extends Partial<RingConfig> {
  /** The ring it is wired into; none: it is not wired. */
  readonly ports?: readonly number[];
}

/**
 * One ring machine on a clock that the test moves. Its requests wait until the test answers them; so
 * a test can have others silent, dead or slow.
 */
export class MachineFixture {
  readonly machine: RingMachine;
  nowMs = 1_000;
  /** Requests without an answer. */
  readonly requests: RequestEffect[] = [];
  /** All other effects, oldest first. */
  readonly effects: Effect[] = [];
  #lastId = 0;

  constructor(options: MachineFixtureOptions = {}) {
    this.machine = new RingMachine({
      self: at(7000),
      incarnation: "abc",
      gossipIntervalMs: 1_000,
      options: "{}",
      catalogDigest: () => "c0",
      ...options,
    });
  }

  /** A machine that is ready in a ring of these ports, where all are Alive and have been met. */
  static ready(options: MachineFixtureOptions = {}): MachineFixture {
    const fixture = new MachineFixture(options);
    const order = (options.ports ?? [7000, 7001, 7002, 7003, 7004]).map(at);
    const saved = parseView(initialView({ order, options: "{}" }));
    fixture.step({ kind: "start", saved });
    fixture.answerAll();
    fixture.caughtUp();
    fixture.takeEffects();
    return fixture;
  }

  step(event: RingEvent): void {
    for (const effect of this.machine.step(event, this.nowMs)) {
      if (effect.kind === "request") this.requests.push(effect);
      else this.effects.push(effect);
    }
  }

  /** Lets time pass, with a step whenever the machine wants one. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const atMs = this.machine.wakeAtMs;
      if (atMs === undefined || atMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      this.step({ kind: "wake" });
    }
    this.nowMs = endMs;
  }

  /** Lets time pass without the process running. */
  sleep(ms: number): void {
    this.nowMs += ms;
  }

  /** Sends a command and gives the answer, if there is one at once. */
  command(command: RingCommand): string | undefined {
    const id = ++this.#lastId;
    this.step({ kind: "command", id, command, token: `token-${id}` });
    return this.replyOf(id);
  }

  /** The id of the last command. */
  get lastId(): number {
    return this.#lastId;
  }

  /** The answer to a command, if there is one by now. */
  replyOf(id: number): string | undefined {
    const reply = this.effects.find((effect) => effect.kind === "reply" && effect.id === id);
    return reply?.kind === "reply" ? reply.text : undefined;
  }

  /** Sends a `RING VIEW` and gives the answer. */
  view(view: Partial<ViewMessage>): ViewMessage {
    const id = ++this.#lastId;
    this.step({ kind: "view", id, view: { full: false, members: [], ...view } });
    const reply = this.effects.find((effect) => effect.kind === "reply-view" && effect.id === id);
    if (reply?.kind !== "reply-view") throw new Error("RING VIEW was not answered at once");
    return reply.view;
  }

  /** Takes out the requests that wait, all or those to one node. */
  takeRequests(port?: number): RequestEffect[] {
    const taken = this.requests.filter(({ to }) => port === undefined || to === at(port));
    for (const request of taken) this.requests.splice(this.requests.indexOf(request), 1);
    return taken;
  }

  /** Takes out the other effects, all or those of a kind. */
  takeEffects(kind?: Effect["kind"]): Effect[] {
    const taken = this.effects.filter((effect) => kind === undefined || effect.kind === kind);
    for (const effect of taken) this.effects.splice(this.effects.indexOf(effect), 1);
    return taken;
  }

  answer(request: RequestEffect, answer: Answer): void {
    this.step({ kind: "answered", id: request.id, answer });
  }

  /** Answers a `RING VIEW` with nothing new. */
  answerView(request: RequestEffect, view: Partial<ViewMessage> = {}): void {
    const answer = { from: request.to, full: false, members: [], ...view };
    this.answer(request, { kind: "view", view: answer });
  }

  /** Answers a ping as a node does that sees the same ring. */
  answerPing(request: RequestEffect, digests: { view?: string; catalog?: string } = {}): void {
    const { view = this.machine.view.digest, catalog = "c0" } = digests;
    this.answer(request, { kind: "line", line: `PONG ${request.to} abc ${view} ${catalog} ready` });
  }

  /** Answers whatever waits as a ring would in which all is well. */
  answerAll(): void {
    for (let requests = this.takeRequests(); requests.length > 0; requests = this.takeRequests()) {
      for (const request of requests) {
        if (request.message.kind === "view") this.answerView(request, { isReady: true });
        else if (request.message.command.kind === "ring-ping") this.answerPing(request);
        else this.answer(request, { kind: "line", line: "OK" });
      }
    }
  }

  /** Every request to these nodes is refused, and the machine's answers to that are kept. */
  refuse(...ports: number[]): void {
    for (const port of ports) {
      for (const request of this.takeRequests(port)) this.answer(request, { kind: "refused" });
    }
  }

  /** The catch-up that was asked for last is done. */
  caughtUp(): void {
    const asked = this.effects.findLast((effect) => effect.kind === "catch-up");
    if (asked?.kind !== "catch-up") throw new Error("No catch-up was asked for");
    this.step({ kind: "caught-up", round: asked.round });
  }

  /** What the machine takes a member for, such as `Dead 3`. */
  statusOf(port: number): string {
    const known = this.machine.view.member(at(port));
    return known === undefined ? "unknown" : `${known.status} ${known.epoch}`;
  }
}

/** What a request is, in a word or two. */
export function describe({ message }: RequestEffect): string {
  return message.kind === "view" ? "view" : message.command.kind;
}
