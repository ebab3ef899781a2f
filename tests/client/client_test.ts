import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ClientError } from "../../src/client/client_error.ts";
import { connectRing } from "../../src/client/connect.ts";
import { listFiles, listFilesText } from "../../src/client/list.ts";
import { pullFile } from "../../src/client/pull.ts";
import { pushFile, type PushSource } from "../../src/client/push.ts";
import { askInfo, askNetmap, askPing, healRing } from "../../src/client/questions.ts";
import { ringTarget } from "../../src/client/target.ts";
import { PeerError } from "../../src/net/peer_errors.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { formatAddress } from "../../src/protocol/address.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { type FakeConnectionOptions, FakeTransport } from "../support/fake_transport.ts";
import { type Answer, LineNode } from "../support/line_node.ts";

/** SHA-256 comes from node:crypto, which needs no permission. */
const pure = { permissions: "none" } as const;
const gateway = formatAddress("127.0.0.1", 8000);
const node = formatAddress("127.0.0.1", 7000);
/** Of `hello`. */
const helloSha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/** Somebody to talk to, and a way to connect to them. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly watchdog = new Watchdog(this.clock);
  readonly transport: FakeTransport;
  readonly node: LineNode;

  constructor(answer: Answer, options: FakeConnectionOptions = {}) {
    this.transport = new FakeTransport(options);
    this.node = new LineNode(this.transport, node, answer);
  }

  readonly connect = () => connectRing(this, ringTarget({ port: 7000 }));

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
    this.watchdog.close();
    assertEquals(this.transport.open, 0, "a connection was left open");
  }
}

function source(name: string, text: string, size = text.length): PushSource {
  let rest = new TextEncoder().encode(text);
  return {
    name,
    size,
    read(buffer) {
      const count = Math.min(3, rest.length, buffer.length);
      buffer.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return Promise.resolve(count === 0 ? null : count);
    },
  };
}

/** Pulls into a string. */
async function pullText(stage: Stage, name: string) {
  let text = "";
  const receipt = await pullFile(stage.connect, name, {
    write(bytes) {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve();
    },
  });
  return { text, receipt };
}

Deno.test(
  "connectRing() takes the first address that answers, and names all when none does",
  pure,
  async () => {
    await using stage = new Stage(() => "PONG\n");
    using peer = await connectRing(stage, ringTarget({}));
    assertEquals(peer.address, node);
    stage.transport.refuse(node);
    const error = await assertRejects(() => connectRing(stage, [gateway, node]), ClientError);
    assertEquals(
      error.message,
      "No ring answers at 127.0.0.1:8000 or 127.0.0.1:7000; start one with 'ouroboros set-network', or say where " +
        "it is with --host and --port",
    );
  },
);

Deno.test("pushFile() sends the size, the normalized name and the bytes", pure, async () => {
  let body = "";
  await using stage = new Stage(async (line, { reader }) => {
    const buffer = new Uint8Array(5);
    await reader.readFull(buffer);
    body = `${line}|${new TextDecoder().decode(buffer)}`;
    return "FILE 5 bytes split into 5 chunks and distributed\nOK\n";
  }, { writeBytesMax: 2 });
  using peer = await stage.connect();
  const receipt = await pushFile(peer, source("some/dir/a:b.txt", "hello"));
  assertEquals(body, "FILE PUSH 5 a_b.txt|hello");
  assertEquals(receipt, {
    name: "a_b.txt",
    answer: "FILE 5 bytes split into 5 chunks and distributed",
  });
});

Deno.test("pushFile() pushes an empty file", pure, async () => {
  await using stage = new Stage((line) => `${line}\nOK\n`);
  using peer = await stage.connect();
  assertEquals((await pushFile(peer, source("e", ""))).answer, "FILE PUSH 0 e");
});

Deno.test("pushFile() tells why the ring refuses, before and after the bytes", pure, async () => {
  const refusals: Answer[] = [
    // A node that refuses at once closes soon, though the bytes are still coming.
    async (_line, { conn }) => {
      await writeText(conn, "ERR File size is too large (90 > 10)\n");
      return "close";
    },
    async (_line, { reader }) => {
      await reader.discard(90);
      return "ERR File size is too large (90 > 10)\n";
    },
    async (_line, { reader }) => {
      await reader.discard(90);
      return "FILE 90 bytes split into 5 chunks and distributed\nERR File size is too large (90 > 10)\n";
    },
  ];
  for (const refusal of refusals) {
    await using stage = new Stage(refusal, { windowBytes: 64 });
    using peer = await stage.connect();
    const error = await assertRejects(
      () => pushFile(peer, source("big", "x".repeat(90))),
      ClientError,
    );
    assertEquals(
      error.message,
      "Cannot push 'big': File size is too large (90 > 10); --file-size of the ring is the limit",
    );
  }
});

Deno.test(
  "pushFile() notices a source that shrinks, and sends no more of one that grows",
  pure,
  async () => {
    await using stage = new Stage(async (line, { reader }) => {
      if (line === "NODE INFO") return "pid: 1\nOK\n";
      await reader.discard(4);
      return "stored\nOK\n";
    });
    {
      using peer = await stage.connect();
      const error = await assertRejects(() => pushFile(peer, source("s", "abc", 4)), ClientError);
      assertEquals(error.message, "'s' became shorter while it was read");
    }
    using peer = await stage.connect();
    await pushFile(peer, source("g", "abcdefg", 4));
    // What came after the fourth byte would be taken for a command.
    assertEquals([...await askInfo(peer)], [["pid", "1"]]);
  },
);

Deno.test("pushFile() refuses a name that cannot be, and a ring that goes away", pure, async () => {
  await using stage = new Stage(() => "close");
  using peer = await stage.connect();
  const name = await assertRejects(() => pushFile(peer, source("a/..", "x")), ClientError);
  assertEquals(name.message.startsWith("Cannot push 'a/..': "), true, name.message);
  const gone = await assertRejects(() => pushFile(peer, source("a", "x")), ClientError);
  assertEquals(
    gone.message,
    "Cannot push 'a': the connection to 127.0.0.1:7000 broke after all was sent, so it may be stored " +
      "or not; 'ouroboros stat' tells which",
  );
  assertEquals([gone.kind, gone.retryable], ["outcome-unknown", false]);
});

Deno.test("pushFile() knows that a ring has not stored what was cut off", pure, async () => {
  // So much fits on the way that the rest stays here.
  await using stage = new Stage(() => "close", { windowBytes: 300_000 });
  using peer = await stage.connect();
  const big: PushSource = {
    name: "big",
    size: 1_000_000,
    read: (buffer) => Promise.resolve(buffer.length),
  };
  const error = await assertRejects(() => pushFile(peer, big), ClientError);
  assertMatch(
    error.message,
    /^Cannot push 'big': the connection to 127\.0\.0\.1:7000 broke after \d+ of 1000000 bytes; nothing/,
  );
  assertEquals([error.kind, error.retryable], ["failed", false]);
});

Deno.test("errors say whether another try is safe, and what they mean", pure, async () => {
  const cases = [
    ["ERR busy\n", "failed", true],
    ["ERR catching up\n", "failed", true],
    ["ERR no node is alive\n", "failed", true],
    ["ERR stopping\n", "failed", false],
    ["ERR file not found\n", "not-found", false],
    ["ERR outcome unknown: one record\n", "outcome-unknown", false],
    ["close", "failed", true],
  ] as const;
  for (const [answer, kind, retryable] of cases) {
    await using stage = new Stage(() => answer);
    const error = await assertRejects(() => pullText(stage, "a"), ClientError);
    assertEquals([error.kind, error.retryable], [kind, retryable], answer);
  }
  await using stage = new Stage(async (_line, { conn }) => {
    await writeText(conn, `FILE 6 v1 ${helloSha256} a\nhello`);
    return "close";
  });
  // What came went to the sink already.
  const late = await assertRejects(() => pullText(stage, "a"), ClientError);
  assertEquals(late.retryable, false);
});

Deno.test("connectRing() gives up its connections when the signal aborts", pure, async () => {
  await using stage = new Stage(() => undefined);
  const stopping = new AbortController();
  const kept = await connectRing(stage, ringTarget({ port: 7000 }), stopping.signal);
  for (let index = 0; index < 3; index++) {
    using _peer = await connectRing(stage, ringTarget({ port: 7000 }), stopping.signal);
  }
  const asked = assertRejects(() => askPing(kept));
  stopping.abort(new Error("Ctrl-C"));
  await asked;
  kept.close();
  await assertRejects(
    () => connectRing(stage, ringTarget({ port: 7000 }), stopping.signal),
    Error,
    "Ctrl-C",
  );
});

Deno.test("pullFile() gives the bytes and checks size and SHA-256", pure, async () => {
  await using stage = new Stage(
    (line) => line === "FILE GET a b" ? `FILE 5 v1 ${helloSha256} a b\nhello` : "ERR wrong\n",
    { readBytesMax: 2 },
  );
  const { text, receipt } = await pullText(stage, "x/a b");
  assertEquals(text, "hello");
  assertEquals(receipt, { name: "a b", size: 5, sha256: helloSha256, verified: true });
});

Deno.test(
  "pullFile() fails on a short answer, on wrong bytes, and on a missing file",
  pure,
  async () => {
    const answers: [string, string][] = [
      [`FILE 6 v1 ${helloSha256} a\nhello`, "Cannot pull 'a': it ended after 5 of 6 bytes"],
      [
        `FILE 5 v1 ${"0".repeat(64)} a\nhello`,
        `Cannot pull 'a': its SHA-256 is ${helloSha256}, but ${"0".repeat(64)} was stored`,
      ],
      [
        "ERR file not found\n",
        "Cannot pull 'a': file not found; 'ouroboros list' shows what is stored",
      ],
      ["OK what\n", "Cannot pull 'a': answered 'OK what'"],
    ];
    for (const [answer, message] of answers) {
      await using stage = new Stage(async (_line, { conn }) => {
        await writeText(conn, answer);
        return "close";
      });
      assertEquals((await assertRejects(() => pullText(stage, "a"), ClientError)).message, message);
    }
  },
);

Deno.test("pullFile() takes a file without a known SHA-256 as it is", pure, async () => {
  await using stage = new Stage(() => "FILE 5 v1 - a\nhello");
  const { text, receipt } = await pullText(stage, "a");
  assertEquals([text, receipt.verified], ["hello", false]);
});

/** An original node with one file. */
function original(list: string, body: string): Answer {
  return async (line, { conn }) => {
    if (line === "FILE LIST") await writeText(conn, list);
    else if (line === "FILE PULL a") await writeText(conn, body);
    else return "ERR unknown FILE command\n";
    return "close";
  };
}

Deno.test("pullFile() falls back to LIST and PULL at an original, and counts", pure, async () => {
  const list = "name,start,size\na,7000,5\n";
  const cases: [string, string, string][] = [
    [list, "hello", "hello"],
    [list, "hell", "Cannot pull 'a': it ended after 4 of 5 bytes"],
    [list, "hello!", "Cannot pull 'a': more came than 5 bytes"],
    [
      "name,start,size\n",
      "",
      "Cannot pull 'a': file not found; 'ouroboros list' shows what is stored",
    ],
    ["name,sta", "", "Cannot pull 'a': the list of files was cut short"],
  ];
  for (const [listed, body, expected] of cases) {
    await using stage = new Stage(original(listed, body));
    const result = await pullText(stage, "a").then(({ text }) => text, (error) => error.message);
    assertEquals(result, expected);
  }
});

Deno.test("listFiles() reads the CSV to its end", pure, async () => {
  const text = 'name,start,size\n"a,b",7000,5\nü,7001,0\n';
  await using stage = new Stage(async (_line, { conn }) => {
    await writeAll(conn, new TextEncoder().encode(text));
    return "close";
  }, { readBytesMax: 1 });
  using first = await stage.connect();
  assertEquals(await listFilesText(first), text);
  using second = await stage.connect();
  assertEquals((await listFiles(second)).map(({ name, size }) => [name, size]), [["a,b", 5], [
    "ü",
    0,
  ]]);
});

Deno.test("listFiles() tells an error from a list", pure, async () => {
  await using stage = new Stage(() => "close");
  {
    using peer = await stage.connect();
    await assertRejects(() => listFiles(peer), PeerError, "the list of files was cut short");
  }
  await using busy = new Stage(async (_line, { conn }) => {
    await writeText(conn, "ERR catching up\n");
    return "close";
  });
  using peer = await busy.connect();
  await assertRejects(() => listFilesText(peer), PeerError, "catching up");
});

Deno.test("askNetmap() and askInfo() read answers of many lines", pure, async () => {
  await using stage = new Stage((line) =>
    line === "NETMAP GET"
      ? "7000=Alive\n7001=Dead\nOK\n"
      : line === "NODE INFO"
      ? "pid: 12\nstate: ready\nOK\n"
      : "ERR what\n"
  );
  using peer = await stage.connect();
  assertEquals(await askNetmap(peer), [
    { address: node, status: "Alive" },
    { address: formatAddress("127.0.0.1", 7001), status: "Dead" },
  ]);
  assertEquals([...await askInfo(peer)], [["pid", "12"], ["state", "ready"]]);
});

Deno.test("a question that is not answered in time fails", pure, async () => {
  await using stage = new Stage(() => undefined);
  using peer = await stage.connect();
  const asked = assertRejects(() => askNetmap(peer, { deadlineMs: 1_000 }));
  await stage.clock.advance(1_500);
  await asked;
});

Deno.test("healRing() waits for as long as a heal walk takes", pure, async () => {
  let answer = (_text: string) => {};
  await using stage = new Stage(() => new Promise((resolve) => answer = resolve));
  using peer = await stage.connect();
  const healed = healRing(peer);
  await stage.clock.advance(70_000);
  answer("OK network healed\n");
  assertEquals(await healed, "OK network healed");
  assert(stage.node.lines.includes("NODE HEAL"));
});
