import { assertEquals, assertRejects } from "@std/assert";
import { ByteReader, type ByteSource, LongLineBudget } from "../../src/net/byte_reader.ts";
import { connectionPair } from "../support/fake_connection.ts";
import { SeededRandom } from "../support/seeded_random.ts";

const pure = { permissions: "none" } as const;
const KiB = 1024;

/** Gives the bytes of a text or an array in runs of at most `runBytes`. */
class Source implements ByteSource {
  readonly requests: number[] = [];
  #rest: Uint8Array;
  readonly #runBytes: number;

  constructor(content: string | Uint8Array, runBytes = Infinity) {
    this.#rest = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.#runBytes = runBytes;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    this.requests.push(buffer.length);
    if (this.#rest.length === 0) return Promise.resolve(null);
    const count = Math.min(buffer.length, this.#runBytes, this.#rest.length);
    buffer.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return Promise.resolve(count);
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function lineOf(reader: ByteReader, cap = 64 * KiB): Promise<string> {
  const line = await reader.readLine(cap);
  return typeof line === "string" ? `<${line}>` : new TextDecoder().decode(line);
}

const runs = [1, 2, 3, 7, Infinity];

for (const run of runs) {
  Deno.test(`readLine() then counted bytes then a line, ${run} bytes a read`, pure, async () => {
    const payload = "no\nlines\r\nhere\n";
    const source = new Source(`FILE PUSH 15 ä b\r\n${payload}NODE PING\n\nlast`, run);
    using reader = new ByteReader(source);
    assertEquals(await lineOf(reader), "FILE PUSH 15 ä b");
    const body = new Uint8Array(payload.length);
    assertEquals(await reader.readFull(body), payload.length);
    assertEquals(new TextDecoder().decode(body), payload);
    assertEquals(await lineOf(reader), "NODE PING");
    assertEquals(await lineOf(reader), "");
    assertEquals(await lineOf(reader), "last");
    assertEquals(reader.ended, true);
    assertEquals(await lineOf(reader), "<eof>");
    assertEquals(await lineOf(reader), "<eof>");
  });

  Deno.test(
    `readLine() takes a line of the cap and refuses one more, ${run} bytes a read`,
    pure,
    async () => {
      for (const end of ["\n", "\r\n", ""]) {
        using fits = new ByteReader(new Source(`12345${end}`, run));
        assertEquals(await lineOf(fits, 5), "12345");
        using over = new ByteReader(new Source(`123456${end}`, run));
        assertEquals(await lineOf(over, 5), "<too-long>");
        assertEquals(await lineOf(over, 100), "<too-long>");
      }
    },
  );

  Deno.test(`peekLine() leaves everything to be read, ${run} bytes a read`, pure, async () => {
    using reader = new ByteReader(new Source("GET / HTTP/1.1\r\nHost: x\r\n\r\n", run));
    const line = await reader.peekLine(100);
    assertEquals(new TextDecoder().decode(line as Uint8Array), "GET / HTTP/1.1");
    assertEquals(await lineOf(reader), "GET / HTTP/1.1");
    await reader.peekLine(100);
    const all = new Uint8Array(100);
    assertEquals(await reader.readFull(all), 11);
    assertEquals(new TextDecoder().decode(all.subarray(0, 11)), "Host: x\r\n\r\n");
    assertEquals(await reader.peekLine(100), "eof");
  });

  Deno.test(`discard() skips exactly the count, ${run} bytes a read`, pure, async () => {
    using reader = new ByteReader(new Source("a\n0123456789b\nxy", run));
    assertEquals(await lineOf(reader), "a");
    assertEquals(await reader.discard(10), 10);
    assertEquals(await lineOf(reader), "b");
    assertEquals(await reader.discard(10), 2);
    assertEquals(await reader.discard(10), 0);
  });
}

Deno.test("readLine() drops one carriage return only, and keeps those within", pure, async () => {
  using reader = new ByteReader(new Source("a\rb\r\r\n\r\nend\r"));
  assertEquals(await lineOf(reader), "a\rb\r");
  assertEquals(await lineOf(reader), "");
  assertEquals(await lineOf(reader), "end");
});

Deno.test("readLine() reads pipelined lines from one read", pure, async () => {
  const source = new Source("a\nb\nc\n");
  using reader = new ByteReader(source);
  for (const line of ["a", "b", "c"]) assertEquals(await lineOf(reader), line);
  assertEquals(source.requests.length, 1);
});

Deno.test("readLine() asks longCapFor once a line outgrows its cap", pure, async () => {
  const tags = `FILE TAGS-SET ${"x".repeat(100 * KiB)}`;
  const prefixes: string[] = [];
  const longCap = (prefix: Uint8Array) => {
    prefixes.push(new TextDecoder().decode(prefix.subarray(0, 13)));
    return 200 * KiB;
  };
  for (const run of [1000, Infinity]) {
    using reader = new ByteReader(new Source(`${tags}\nNODE PING\n`, run));
    const line = await reader.readLine(64 * KiB, longCap);
    assertEquals((line as Uint8Array).length, tags.length);
    assertEquals(await lineOf(reader), "NODE PING");
  }
  assertEquals(prefixes, ["FILE TAGS-SET", "FILE TAGS-SET"]);
  using over = new ByteReader(new Source("x".repeat(201 * KiB)));
  assertEquals(await over.readLine(64 * KiB, longCap), "too-long");
});

Deno.test("readLine() stops reading a line without end at the cap", pure, async () => {
  const source = new Source(new Uint8Array(10 * KiB * KiB).fill(0x61));
  const budget = new LongLineBudget();
  const before = budget.leftBytes;
  using reader = new ByteReader(source, budget);
  assertEquals(await reader.readLine(64 * KiB), "too-long");
  const asked = source.requests.reduce((sum, request) => sum + request, 0);
  assertEquals(asked <= 64 * KiB + 2, true, `${asked} bytes were asked for`);
  assertEquals(budget.leftBytes, before);
});

Deno.test("readLine() gives the memory of a long line back at the next line", pure, async () => {
  const budget = new LongLineBudget(KiB * KiB);
  const source = new Source(`${"x".repeat(40 * KiB)}\nshort\n${"y".repeat(20 * KiB)}\n`, 9_999);
  using reader = new ByteReader(source, budget);
  await reader.readLine(64 * KiB);
  assertEquals(budget.leftBytes < KiB * KiB, true);
  assertEquals(await lineOf(reader), "short");
  assertEquals(await lineOf(reader), "y".repeat(20 * KiB));
  assertEquals(await lineOf(reader), "<eof>");
  reader[Symbol.dispose]();
  reader[Symbol.dispose]();
  assertEquals(budget.leftBytes, KiB * KiB);
});

Deno.test("readLine() is too-long when all long lines together take too much", pure, async () => {
  const budget = new LongLineBudget(100 * KiB);
  const long = `${"x".repeat(60 * KiB)}\n`;
  const first = new ByteReader(new Source(long), budget);
  using second = new ByteReader(new Source(long), budget);
  using third = new ByteReader(new Source(long), budget);
  assertEquals((await lineOf(first)).length, 60 * KiB);
  assertEquals(await lineOf(second), "<too-long>");
  first[Symbol.dispose]();
  assertEquals((await lineOf(third)).length, 60 * KiB);
});

Deno.test(
  "ByteReader hands its buffer on, but never one that is being read into",
  pure,
  async () => {
    const budget = new LongLineBudget();
    const first = budget.takeRest();
    budget.giveRest(first);
    const one = new ByteReader(new Source("a\nb"), budget);
    assertEquals(await lineOf(one), "a");
    assertEquals(budget.takeRest() === first, false);
    one[Symbol.dispose]();
    assertEquals(budget.takeRest() === first, true);

    budget.giveRest(first);
    const [near, far] = connectionPair();
    const other = new ByteReader(near, budget);
    const line = other.readLine(64 * KiB);
    other[Symbol.dispose]();
    assertEquals(budget.takeRest() === first, false);
    await far.write(bytesOf("late\n"));
    assertEquals(await line, "eof");
  },
);

Deno.test(
  "discard() throws away much, also where the reader has no buffer left",
  pure,
  async () => {
    const source = new Source("x".repeat(300 * KiB));
    using reader = new ByteReader(source);
    assertEquals(await reader.readLine(10), "too-long");
    const before = source.requests.length;
    assertEquals(await reader.discard(200 * KiB), 200 * KiB);
    assertEquals(source.requests.length - before <= 5, true, `${source.requests.length - before}`);
  },
);

Deno.test(
  "readLine() gives a long line's memory back when the connection breaks",
  pure,
  async () => {
    const [near, far] = connectionPair();
    const budget = new LongLineBudget();
    const before = budget.leftBytes;
    const reader = new ByteReader(near, budget);
    await far.write(new Uint8Array(50 * KiB).fill(0x61));
    const line = reader.readLine(64 * KiB);
    await far.write(new Uint8Array(1).fill(0x61));
    far.cut();
    await assertRejects(() => line, Deno.errors.ConnectionReset);
    assertEquals(budget.leftBytes, before);
  },
);

Deno.test(
  "readInto() gives the leftover first, then reads straight into the buffer",
  pure,
  async () => {
    const payload = new Uint8Array(300 * KiB).map((_, index) => index * 31);
    const header = bytesOf("FILE PUSH 307200 x\n");
    const content = new Uint8Array([...header, ...payload, ...bytesOf("next\n")]);
    const source = new Source(content);
    using reader = new ByteReader(source);
    await reader.readLine(64 * KiB);
    const leftover = reader.bufferedBytes;
    assertEquals(leftover, 4 * KiB - header.length);
    const buffer = new Uint8Array(payload.length);
    assertEquals(await reader.readInto(buffer), leftover);
    assertEquals(reader.bufferedBytes, 0);
    assertEquals(await reader.readInto(buffer.subarray(leftover)), payload.length - leftover);
    assertEquals(source.requests, [4 * KiB, payload.length - leftover]);
    assertEquals(buffer, payload);
    assertEquals(await lineOf(reader), "next");
  },
);

Deno.test("readInto() never takes more than the buffer holds", pure, async () => {
  using reader = new ByteReader(new Source("line\nabcdef\nrest\n"));
  await reader.readLine(10);
  const three = new Uint8Array(3);
  assertEquals(await reader.readInto(three), 3);
  assertEquals(await reader.readInto(new Uint8Array()), 0);
  assertEquals(await lineOf(reader), "def");
  assertEquals(await lineOf(reader), "rest");
  assertEquals(await reader.readInto(three), null);
  assertEquals(await reader.readFull(three), 0);
});

Deno.test("readInto() and readLine() pass over reads of 0 bytes", pure, async () => {
  const runs = ["", "a", "", "\n", "", "b"].map(bytesOf);
  const source = {
    read(buffer: Uint8Array): Promise<number | null> {
      const run = runs.shift();
      if (run !== undefined) buffer.set(run);
      return Promise.resolve(run?.length ?? null);
    },
  };
  using reader = new ByteReader(source);
  assertEquals(await lineOf(reader), "a");
  const buffer = new Uint8Array(5);
  assertEquals(await reader.readInto(buffer), 1);
  assertEquals(await reader.readInto(buffer), null);
});

Deno.test("prefetch() hands its bytes to whoever reads next", pure, async () => {
  for (const read of ["line", "bytes"]) {
    const [near, far] = connectionPair();
    using reader = new ByteReader(near);
    let news = 0;
    reader.prefetch(() => news++);
    reader.prefetch(() => news++);
    const reading = read === "line"
      ? lineOf(reader)
      : reader.readFull(new Uint8Array(5)).then((count) => `${count} bytes`);
    await far.write(bytesOf("PONG\n"));
    assertEquals(await reading, read === "line" ? "PONG" : "5 bytes");
    assertEquals(news, 1);
    far.close();
    near.close();
  }
});

Deno.test("prefetch() tells the end and errors, and readers get them", pure, async () => {
  const [near, far] = connectionPair();
  using reader = new ByteReader(near);
  const ended = Promise.withResolvers<void>();
  reader.prefetch(ended.resolve);
  far.close();
  await ended.promise;
  assertEquals(reader.ended, true);
  assertEquals(await lineOf(reader), "<eof>");

  const [near2, far2] = connectionPair();
  using reader2 = new ByteReader(near2);
  const failed = Promise.withResolvers<void>();
  reader2.prefetch(failed.resolve);
  far2.cut();
  await failed.promise;
  await assertRejects(() => reader2.readLine(10), Deno.errors.ConnectionReset);
  await assertRejects(() => reader2.readInto(new Uint8Array(1)), Deno.errors.ConnectionReset);
});

Deno.test("ByteReader reads a random mix the same in runs of any size", pure, async () => {
  const seed = 20_261_123;
  const random = new SeededRandom(seed);
  for (let round = 0; round < 50; round++) {
    const parts: Uint8Array[] = [];
    const script: { line: boolean; bytes: Uint8Array }[] = [];
    for (let item = 0; item < 20; item++) {
      const line = random.pick([true, false]);
      const bytes = random.bytes(random.integer(random.pick([1, 30, 9_000])));
      if (line) bytes.forEach((byte, index) => bytes[index] = 0x20 + byte % 90);
      script.push({ line, bytes });
      parts.push(bytes);
      if (line) parts.push(bytesOf("\n"));
    }
    const content = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    using reader = new ByteReader(new Source(content, 1 + random.integer(5_000)));
    for (const { line, bytes } of script) {
      if (line) {
        const came = await reader.readLine(16 * KiB);
        assertEquals(came, bytes, `seed ${seed}, round ${round}`);
      } else {
        const came = new Uint8Array(bytes.length);
        assertEquals(await reader.readFull(came), bytes.length);
        assertEquals(came, bytes, `seed ${seed}, round ${round}`);
      }
    }
    assertEquals(await reader.readLine(10), "eof");
  }
});
