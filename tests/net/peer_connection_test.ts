import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ByteReader } from "../../src/net/byte_reader.ts";
import { PeerConnection } from "../../src/net/peer_connection.ts";
import { PeerError, PeerUnreachable, type Unreachable } from "../../src/net/peer_errors.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeText } from "../../src/net/write_all.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { address, type FakeConnection, FakeTransport } from "../support/fake_transport.ts";

const pure = { permissions: "none" } as const;
const node = address("127.0.0.1:7001");
const deadlineMs = 2_000;

/** A connection of ours, and the other end in the hands of the test. */
async function connected(options = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog(clock);
  const transport = new FakeTransport(options);
  const listener = transport.listen("127.0.0.1", 7001);
  const peer = await PeerConnection.dial({ transport, watchdog }, node, { timeoutMs: 1_000 });
  const far = await listener.accept() as FakeConnection;
  const reader = new ByteReader(far);
  const heard = async () => {
    const line = await reader.readLine(1_000);
    return typeof line === "string" ? `<${line}>` : new TextDecoder().decode(line);
  };
  return {
    clock,
    watchdog,
    transport,
    peer,
    far,
    reader,
    heard,
    say: (text: string) => writeText(far, text),
  };
}

async function assertUnreachable(kind: Unreachable, action: () => Promise<unknown>) {
  const error = await assertRejects(action, PeerUnreachable);
  assertEquals(error.kind, kind, error.message);
  assertEquals(error.address, node);
}

Deno.test("PeerConnection.dial() tells refused from silent", pure, async () => {
  const transport = new FakeTransport();
  const watchdog = new Watchdog(new FakeClock());
  const dial = () => PeerConnection.dial({ transport, watchdog }, node, { timeoutMs: 1_000 });
  await assertUnreachable("refused", dial);
  transport.hang(node);
  const dialling = assertUnreachable("timeout", dial);
  await settle();
  transport.expireDials(node);
  await dialling;
});

Deno.test("PeerConnection.dial() gives up by its signal", pure, async () => {
  const transport = new FakeTransport();
  transport.hang(node);
  const watchdog = new Watchdog(new FakeClock());
  const controller = new AbortController();
  const dialling = assertRejects(
    () => {
      const options = { timeoutMs: 1_000, signal: controller.signal };
      return PeerConnection.dial({ transport, watchdog }, node, options);
    },
    Error,
    "no longer needed",
  );
  await settle();
  controller.abort(new Error("no longer needed"));
  await dialling;
});

Deno.test("request() sends the line and gives the first line of the answer", pure, async () => {
  const { peer, heard, say } = await connected();
  const answer = peer.request({ kind: "node-ping" }, { deadlineMs });
  assertEquals(await heard(), "NODE PING");
  await say("PONG\r\n");
  assertEquals(await answer, "PONG");
});

Deno.test("request() sends a body of any size behind its line", pure, async () => {
  for (const size of [1, 3_000, 300_000]) {
    const { peer, heard, reader, say } = await connected();
    const body = new Uint8Array(size).map((_, index) => index * 7);
    const command = {
      kind: "file-stage",
      token: "t",
      part: 0,
      copy: 1,
      bodyBytes: size,
      name: "a b",
    };
    const answer = peer.request({ ...command, kind: "file-stage" }, { deadlineMs, body });
    assertEquals(await heard(), `FILE STAGE t 0 1 ${size} a b`);
    const came = new Uint8Array(size);
    await reader.readFull(came);
    assertEquals(came, body);
    await say("OK\n");
    assertEquals(await answer, "OK");
  }
});

Deno.test("sendTogether() sends all commands in one write", pure, async () => {
  const { peer, far, say } = await connected();
  await peer.sendTogether([{ kind: "node-ping" }, { kind: "node-status" }]);
  const buffer = new Uint8Array(1_000);
  const came = buffer.subarray(0, await far.read(buffer) ?? 0);
  assertEquals(new TextDecoder().decode(came), "NODE PING\nNODE STATUS\n");
  await say("PONG\nOK\n");
  assertEquals([await peer.readReply(), await peer.readReply()], ["PONG", "OK"]);
});

Deno.test("request() throws PeerError on ERR, and the connection stays usable", pure, async () => {
  const { peer, say } = await connected();
  await say("ERR chunk not found\nPONG\n");
  const refused = () =>
    peer.request({ kind: "file-get-chunk", chunk: "a.part-001-of-001" }, { deadlineMs });
  const error = await assertRejects(refused, PeerError, "chunk not found");
  assertEquals(error.address, node);
  assertEquals(await peer.request({ kind: "node-ping" }, { deadlineMs }), "PONG");
});

Deno.test(
  "request() is broken when the peer resets, ends, or cuts its line short",
  pure,
  async () => {
    const breakings: ((far: FakeConnection) => unknown)[] = [
      (far) => far.cut(),
      (far) => far.close(),
      async (far) => {
        await writeText(far, "FILE 12");
        far.close();
      },
      (far) => writeText(far, `${"x".repeat(70_000)}\n`),
      (far) => far.write(new Uint8Array([0xff, 0xfe, 0x0a])),
    ];
    for (const break_ of breakings) {
      const { peer, far, heard } = await connected();
      const answer = assertUnreachable(
        "broken",
        () => peer.request({ kind: "node-ping" }, { deadlineMs }),
      );
      await heard();
      break_(far);
      await answer;
    }
  },
);

Deno.test("request() times out when the peer is silent or sends byte by byte", pure, async () => {
  for (const dribbles of [false, true]) {
    const { peer, clock, say, watchdog } = await connected();
    const answer = assertUnreachable(
      "timeout",
      () => peer.request({ kind: "node-ping" }, { deadlineMs }),
    );
    for (let step = 0; step < 9; step++) {
      await clock.advance(250);
      if (dribbles && step < 7) await say("x");
    }
    await answer;
    assertEquals(watchdog.size, 0);
  }
});

Deno.test(
  "request() waits beyond the stall limit up to its deadline, and restores it",
  pure,
  async () => {
    const { peer, clock, say } = await connected();
    const answer = peer.request({ kind: "node-heal" }, { deadlineMs: 60_000 });
    await clock.advance(59_000);
    await say("OK network healed\n");
    assertEquals(await answer, "OK network healed");
    await clock.advance(120_000);
    const reading = assertUnreachable("timeout", () => peer.readLine());
    await clock.advance(30_250);
    await reading;
  },
);

Deno.test(
  "request() gives the answer of a peer that refused while the body was sent",
  pure,
  async () => {
    const { peer, far, heard } = await connected({ windowBytes: 1_000 });
    const body = new Uint8Array(100_000);
    const command = {
      kind: "file-stage",
      token: "t",
      part: 0,
      copy: 0,
      bodyBytes: body.length,
      name: "a",
    } as const;
    const answer = assertRejects(
      () => peer.request(command, { deadlineMs, body }),
      PeerError,
      "disk is full",
    );
    await heard();
    await writeText(far, "ERR disk is full\n");
    far.close();
    await answer;
  },
);

Deno.test("failure() keeps the error when the peer left no answer, and closes", pure, async () => {
  const { peer, far, transport } = await connected();
  far.cut();
  const error = await assertRejects(() => peer.writeBytes(new Uint8Array(1)), PeerUnreachable);
  assertStrictEquals(await peer.failure(error), error);
  assertEquals(transport.open, 0);
  const other = new Error("of the disk");
  assertStrictEquals(await peer.failure(other), other);
});

Deno.test("send() keeps the order of calls that nobody waits for", pure, async () => {
  const { peer, heard, say } = await connected({ windowBytes: 64, writeBytesMax: 3 });
  const sent = [1, 2, 3, 4].map((ttl) =>
    peer.send({ kind: "ring-forward", ttl, message: "m".repeat(100) })
  );
  for (const ttl of [1, 2, 3, 4]) {
    assertEquals(await heard(), `RING FORWARD ${ttl} ${"m".repeat(100)}`);
  }
  await Promise.all(sent);
  await say("OK\nERR two\nOK\nOK\n");
  assertEquals(await peer.readReply(), "OK");
  await assertRejects(() => peer.readReply(), PeerError, "two");
  assertEquals([await peer.readReply(), await peer.readReply()], ["OK", "OK"]);
});

Deno.test("ensureProgram() asks once, and knows ours by its answer", pure, async () => {
  const { peer, heard, say, reader } = await connected();
  assertEquals(peer.program, "unknown");
  const asked = peer.ensureProgram();
  assertEquals(await heard(), "NODE INFO");
  await say("address: 127.0.0.1:7001\npid: 12\nOK\n");
  assertEquals(await asked, "ouroboros");
  assertEquals([peer.program, peer.info.get("pid")], ["ouroboros", "12"]);
  assertEquals(await peer.ensureProgram(), "ouroboros");
  assertEquals(reader.bufferedBytes, 0);
});

Deno.test(
  "ensureProgram() takes an unknown command for an original, no other error",
  pure,
  async () => {
    const { peer, say } = await connected();
    await say("ERR busy\n");
    await assertRejects(() => peer.ensureProgram(), PeerError, "busy");
    assertEquals(peer.program, "unknown");
    await say("ERR unknown NODE command\n");
    assertEquals(await peer.ensureProgram(), "original");
  },
);

Deno.test("ensureProgram() does not believe nonsense", pure, async () => {
  for (const answer of ["PONG\n".repeat(300), "no colon\nOK\n"]) {
    const { peer, say } = await connected();
    await say(answer);
    await assertUnreachable("broken", () => peer.ensureProgram());
  }
});

Deno.test(
  "readExactly() fills the buffer or is broken; readInto() tells the end",
  pure,
  async () => {
    const { peer, far, say } = await connected();
    await say("DATA 5\nhelloxy");
    assertEquals(await peer.readLine(), "DATA 5");
    const five = new Uint8Array(5);
    await peer.readExactly(five);
    assertEquals(new TextDecoder().decode(five), "hello");
    far.close();
    assertEquals(await peer.readInto(new Uint8Array(1)), 1);
    await assertUnreachable("broken", () => peer.readExactly(five));
    assertEquals(await peer.readInto(five), null);
  },
);

Deno.test(
  "close() makes what is pending fail as local, never as the peer's fault",
  pure,
  async () => {
    const { peer, far, heard } = await connected();
    const reading = assertUnreachable("local", () => peer.readLine());
    await settle();
    peer.close();
    peer.close();
    await reading;
    await assertUnreachable("local", () => peer.writeText("x"));
    assertEquals(await heard(), "<eof>");
    assertEquals(far.closed, false);
  },
);

Deno.test(
  "close() at any moment of an answer gives the answer or fails as local",
  pure,
  async () => {
    const outcomes = new Set<string>();
    for (let turns = 0; turns < 30; turns++) {
      const { peer, say } = await connected();
      const reading = peer.readLine().catch((error: PeerUnreachable) => error.kind);
      await settle();
      const saying = say("OK\n");
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      peer.close();
      outcomes.add(await reading);
      await saying;
    }
    assertEquals(outcomes, new Set(["local", "OK"]));
  },
);
