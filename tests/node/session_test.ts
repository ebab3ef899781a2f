import { assertEquals } from "@std/assert";
import { LongLineBudget } from "../../src/net/byte_reader.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeText } from "../../src/net/write_all.ts";
import type { NodeContext } from "../../src/node/context.ts";
import { Session } from "../../src/node/session.ts";
import { idleMs, stallMs } from "../../src/protocol/limits.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import {
  connectionPair,
  type FakeConnection,
  type FakeConnectionOptions,
} from "../support/fake_transport.ts";

const pure = { permissions: "none" } as const;

/** A node's side of one connection, and the client at its other end. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly watchdog = new Watchdog(this.clock);
  readonly client: FakeConnection;
  /** Whether the node has ended the connection. */
  isOver = false;
  readonly #running: Promise<void>;

  constructor(options: FakeConnectionOptions = {}) {
    const [client, served] = connectionPair(options);
    this.client = client;
    const context = {
      clock: this.clock,
      log: silentLogger,
      hostname: "127.0.0.1",
      counters: { served: () => {}, refused: () => {} },
    } as unknown as NodeContext;
    const session = new Session(context, this.watchdog.guard(served, 0), new LongLineBudget());
    this.#running = session.run().catch(() => {/* a limit has passed */}).finally(() => {
      this.isOver = true;
    });
  }

  /** What the node says next. */
  async answer(): Promise<string> {
    const buffer = new Uint8Array(1_000);
    const count = await this.client.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.clock.advance(idleMs);
    await this.#running;
    this.watchdog.close();
  }
}

Deno.test("Session ends a connection on which no command comes for a minute", pure, async () => {
  await using stage = new Stage();
  await stage.clock.advance(idleMs - 1_000);
  assertEquals(stage.isOver, false);
  await stage.clock.advance(1_500);
  assertEquals(stage.isOver, true);
  assertEquals(await stage.answer(), "");
});

Deno.test("Session gives a minute anew for each command", pure, async () => {
  await using stage = new Stage();
  for (let command = 0; command < 3; command++) {
    await stage.clock.advance(idleMs - 1_000);
    await writeText(stage.client, "NODE PING\n");
    assertEquals(await stage.answer(), "PONG\n");
  }
  await stage.clock.advance(idleMs - 1_000);
  assertEquals(stage.isOver, false);
  await stage.clock.advance(1_500);
  assertEquals(stage.isOver, true);
});

Deno.test("Session gives no more time for a command that comes byte by byte", pure, async () => {
  await using stage = new Stage();
  let sent = 0;
  while (!stage.isOver && sent < 100) {
    await writeText(stage.client, "FILE LIST ".charAt(sent++ % 10));
    await stage.clock.advance(5_000);
  }
  assertEquals(sent * 5_000, idleMs);
});

Deno.test(
  "Session ends a connection whose client reads no answer, not even those to nonsense",
  pure,
  async () => {
    await using stage = new Stage({ windowBytes: 100 });
    for (let line = 0; line < 20; line++) {
      writeText(stage.client, "NONSENSE\n").catch(() => {/* the node has ended it */});
    }
    await stage.clock.advance(stallMs - 1_000);
    assertEquals(stage.isOver, false);
    await stage.clock.advance(1_500);
    assertEquals(stage.isOver, true);
  },
);
