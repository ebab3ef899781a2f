import { assertEquals, assertRejects } from "@std/assert";
import { PeerClocks } from "../../src/node/peer_clocks.ts";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { address, FakeTransport } from "../support/fake_transport.ts";
import { LineNode } from "../support/line_node.ts";

const pure = { permissions: "none" } as const;
const self = address("127.0.0.1:7000");
const members = [self, address("127.0.0.1:7001"), address("127.0.0.1:7002")];
const [, slow = self, other = self] = members;
const dayMs = 24 * 3_600_000;
/** What the calendars say at first, in ms. */
const todayMs = 1_800_000_000_000;

/** Two members whose calendars a test sets, and what this node knows of them. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly watchdog = new Watchdog(this.clock);
  readonly transport = new FakeTransport();
  /** What a member answers to `NODE INFO` besides who it is. */
  readonly tells = new Map([[slow, ""], [other, ""]]);
  readonly nodes: readonly LineNode[];
  readonly peers: PeerPool;
  readonly clocks: PeerClocks;

  constructor() {
    this.peers = new PeerPool({
      transport: this.transport,
      watchdog: this.watchdog,
      clock: this.clock,
      onInfo: (from, info) => this.clocks.heard(from, info),
    });
    const ring = { commitMembers: () => members, programOf: () => "unknown" as const };
    const { clock, peers } = this;
    this.clocks = new PeerClocks({ clock, log: silentLogger, peers, ring, self });
    this.nodes = [slow, other].map((node) =>
      new LineNode(
        this.transport,
        node,
        () => this.tells.get(node) ?? "ERR unknown NODE command\n",
      )
    );
    this.says(slow, todayMs);
    this.says(other, todayMs);
  }

  /** From now on a member says that its calendar is there. */
  says(member: typeof self, wallMs: number): void {
    this.tells.set(member, `address: ${member}\ntime_ms: ${wallMs}\nOK\n`);
  }

  /** How often the members were asked. */
  get asked(): number[] {
    return this.nodes.map(({ lines }) => lines.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.peers.close();
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
    this.watchdog.close();
    assertEquals(this.transport.open, 0);
  }
}

Deno.test(
  "PeerClocks asks each member once, and never again while nothing is wrong",
  pure,
  async () => {
    await using stage = new Stage();
    await stage.clocks.require(todayMs);
    await stage.clock.advance(60_000);
    // By now the others are as far as this one.
    await stage.clocks.require(todayMs + 365 * dayMs + 60_000);
    assertEquals(stage.asked, [1, 1]);
    assertEquals(stage.clocks.wallMs(slow), todayMs + 60_000);
  },
);

Deno.test(
  "PeerClocks refuses what a member would refuse, until that has another calendar",
  pure,
  async () => {
    await using stage = new Stage();
    stage.says(slow, todayMs - 400 * dayMs);
    const reason =
      "this would be dated 2027-01-15T08:00:00Z, and at 127.0.0.1:7001 it is 2025-12-11T";
    await assertRejects(() => stage.clocks.require(todayMs), Error, reason);
    // A calendar that was set right meanwhile is found right before anything is refused for it.
    stage.says(slow, todayMs);
    await stage.clocks.require(todayMs);
    await stage.clocks.require(todayMs);
    assertEquals(stage.asked, [2, 1]);
  },
);

Deno.test("PeerClocks notices a calendar of this node that jumps", pure, async () => {
  await using stage = new Stage();
  await stage.clocks.require(todayMs);
  await assertRejects(() => stage.clocks.require(todayMs + 366 * dayMs), Error, "clocks differ");
  await stage.clocks.require(todayMs + 364 * dayMs);
});

Deno.test("PeerClocks asks again at an address that somebody else may have", pure, async () => {
  await using stage = new Stage();
  await stage.clocks.require(todayMs);
  stage.says(slow, todayMs - 400 * dayMs);
  stage.peers.forget(slow);
  stage.clocks.forget(slow);
  await assertRejects(() => stage.clocks.require(todayMs), Error, "clocks differ");
});

Deno.test("PeerClocks lets pass who does not tell the time, or is not there", pure, async () => {
  await using stage = new Stage();
  stage.tells.delete(slow);
  stage.tells.set(other, `address: ${other}\nOK\n`);
  await stage.clocks.require(todayMs);
  await stage.clocks.require(todayMs + 1_000 * dayMs);
  assertEquals(stage.asked, [1, 1]);
  stage.clocks.forget(slow);
  stage.transport.refuse(slow);
  await stage.clocks.require(todayMs);
});
