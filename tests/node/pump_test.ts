import { setImmediate } from "node:timers";
import { assertEquals, assertRejects } from "@std/assert";
import { type Body, MemoryBody, readWhole, ShortBodyError } from "../../src/node/body.ts";
import { pump, type Sink } from "../../src/node/pump.ts";
import { SeededRandom } from "../support/seeded_random.ts";

const pure = { permissions: "none" as const };

/** A sink that keeps what it gets, a turn of the event loop after it was given. */
class SlowSink implements Sink {
  readonly bytes: number[] = [];
  writing = 0;
  mostWriting = 0;

  async write(bytes: Uint8Array): Promise<void> {
    this.mostWriting = Math.max(this.mostWriting, ++this.writing);
    await new Promise((resolve) => setImmediate(resolve));
    this.bytes.push(...bytes);
    this.writing--;
  }
}

/** A body whose reads give a few bytes at a time. */
function piecewise(bytes: Uint8Array, pieceMax: number): Body {
  const inner = new MemoryBody(bytes);
  return {
    get remaining() {
      return inner.remaining;
    },
    read: (buffer) => inner.read(buffer.subarray(0, pieceMax)),
  };
}

function buffers(bytes: number): [Uint8Array, Uint8Array] {
  return [new Uint8Array(bytes), new Uint8Array(bytes)];
}

function noise(count: number): Uint8Array {
  return new SeededRandom(count).bytes(count);
}

Deno.test("pump() gives every sink every byte in order, whatever the pieces", pure, async () => {
  const bytes = noise(1_000);
  for (const [piece, buffer] of [[1, 7], [3, 64], [64, 64], [1_000, 256], [5, 1_000]] as const) {
    const sinks = [new SlowSink(), new SlowSink()];
    let seen = 0;
    await pump(piecewise(bytes, piece), bytes.length, {
      sinks,
      buffers: buffers(buffer),
      onBytes: (run) => void (seen += run.length),
    });
    for (const sink of sinks) {
      assertEquals(Uint8Array.from(sink.bytes), bytes);
      assertEquals(sink.mostWriting, 1);
    }
    assertEquals(seen, bytes.length);
  }
});

Deno.test("pump() fills a buffer with what comes in a moment, and no longer", pure, async () => {
  const piece = 16 * 1024;
  for (
    const { msPerRead, pieceBytes, runs } of [
      { msPerRead: 1, pieceBytes: piece, runs: [4, 4, 2] },
      { msPerRead: 30, pieceBytes: piece, runs: [2, 2, 2, 2, 2] },
      { msPerRead: 1, pieceBytes: piece / 2, runs: Array.from({ length: 20 }, () => 1 / 2) },
    ]
  ) {
    const bytes = noise(10 * piece);
    const came = piecewise(bytes, pieceBytes);
    let nowMs = 0;
    const body: Body = {
      get remaining() {
        return came.remaining;
      },
      read: (buffer) => {
        nowMs += msPerRead;
        return came.read(buffer);
      },
    };
    const seen: number[] = [];
    const sink = new SlowSink();
    await pump(body, bytes.length, {
      sinks: [sink],
      buffers: buffers(4 * piece),
      clock: { nowMs: () => nowMs },
      onBytes: (run) => void seen.push(run.length / piece),
    });
    assertEquals(seen, runs);
    assertEquals(Uint8Array.from(sink.bytes), bytes);
  }
});

Deno.test("pump() takes exactly the count and leaves the rest of the body", pure, async () => {
  const body = new MemoryBody(noise(100));
  const sink = new SlowSink();
  await pump(body, 60, { sinks: [sink], buffers: buffers(16) });
  assertEquals([sink.bytes.length, body.remaining], [60, 40]);
});

Deno.test(
  "pump() reports a sink that fails, after the other sink has let go of the buffer",
  pure,
  async () => {
    const slow = new SlowSink();
    const broken: Sink = { write: () => Promise.reject(new Error("disk full")) };
    await assertRejects(
      () => pump(new MemoryBody(noise(64)), 64, { sinks: [broken, slow], buffers: buffers(16) }),
      Error,
      "disk full",
    );
    assertEquals(slow.writing, 0);
  },
);

Deno.test(
  "pump() reports a body that ends early, after the last write has ended",
  pure,
  async () => {
    const slow = new SlowSink();
    const inner = new MemoryBody(noise(20));
    const body: Body = {
      remaining: 64,
      read: (buffer) =>
        inner.remaining === 0
          ? Promise.reject(new ShortBodyError("body too short"))
          : inner.read(buffer),
    };
    await assertRejects(
      () => pump(body, 64, { sinks: [slow], buffers: buffers(16) }),
      ShortBodyError,
    );
    assertEquals([slow.bytes.length, slow.writing], [20, 0]);
  },
);

Deno.test("readWhole() fills the beginning of the buffer", pure, async () => {
  const bytes = noise(50);
  assertEquals(await readWhole(piecewise(bytes, 7), new Uint8Array(64)), bytes);
});
