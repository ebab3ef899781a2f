import { assertEquals } from "@std/assert";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { TcpTransport } from "../../src/net/tcp_transport.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { askRing } from "../../src/node/ring_request.ts";
import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import type { Answer, RingMessage } from "../../src/ring/effects.ts";
import { formatView, parseView } from "../../src/ring/view_codec.ts";
import { SystemClock } from "../../src/runtime/clock.ts";
import { type LineCall, LineNode } from "../support/line_node.ts";

const ping: RingMessage = { kind: "command", command: { kind: "node-ping" } };
const view: RingMessage = { kind: "view", view: { full: false, members: [] } };

/** A port of this machine that nobody listens on. */
function freeAddress(): NodeAddress {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return formatAddress("127.0.0.1", (listener.addr as Deno.NetAddr).port);
}

/** Sends messages to a node that answers lines as `answer` does; real sockets. */
async function askNode(
  answer:
    | ((line: string, call: LineCall) => string | undefined | "close" | Promise<undefined>)
    | undefined,
  messages: readonly RingMessage[],
): Promise<Answer[]> {
  const clock = new SystemClock();
  using watchdog = new Watchdog(clock, { sweepMs: 20 });
  using peers = new PeerPool({ transport: new TcpTransport(), watchdog, clock });
  const to = freeAddress();
  await using _node = answer === undefined
    ? undefined
    : new LineNode(new TcpTransport(), to, answer);
  const { signal } = new AbortController();
  const answers: Answer[] = [];
  for (const message of messages) {
    answers.push(await askRing({ peers, clock, signal }, { to, message, deadlineMs: 300 }));
  }
  return answers;
}

/** Answers a view as our nodes do. */
async function answerView(line: string, { conn, reader }: LineCall): Promise<undefined> {
  const body = new Uint8Array(Number(line.split(" ")[2]));
  await reader.readFull(body);
  const reply = formatView({ ...parseView(new TextDecoder().decode(body)), digest: "d1" });
  await conn.write(new TextEncoder().encode(`VIEW ${reply.length}\n${reply}`));
}

Deno.test("askRing() gives the line or the view that a node answers", async () => {
  const answer = (line: string, call: LineCall) =>
    line.startsWith("RING VIEW") ? answerView(line, call) : "PONG\n";
  assertEquals(await askNode(answer, [ping, view, ping]), [
    { kind: "line", line: "PONG" },
    { kind: "view", view: { digest: "d1", full: false, members: [] } },
    { kind: "line", line: "PONG" },
  ]);
});

Deno.test("askRing() tells refusal, silence, and an error apart", async () => {
  assertEquals(await askNode(undefined, [ping, view]), [{ kind: "refused" }, { kind: "refused" }]);
  assertEquals(await askNode(() => undefined, [ping, view]), [
    { kind: "silent" },
    { kind: "silent" },
  ]);
  assertEquals(await askNode(() => "ERR busy\n", [ping, view]), [
    { kind: "error", error: "busy" },
    { kind: "error", error: "busy" },
  ]);
});

Deno.test("askRing() takes a connection that breaks without an answer for a refusal", async () => {
  assertEquals(await askNode(() => "close", [ping, view]), [
    { kind: "refused" },
    { kind: "refused" },
  ]);
});

Deno.test("askRing() does not use a connection again on which an original read a view as commands", async () => {
  // What an original makes of the line, and then of the body, which has no line end.
  const answer = (line: string) =>
    line === "NODE PING" ? "PONG\n" : "ERR unknown RING command\nERR unknown command namespace\n";
  assertEquals(await askNode(answer, [view, ping, ping]), [
    { kind: "error", error: "unknown RING command" },
    { kind: "line", line: "PONG" },
    { kind: "line", line: "PONG" },
  ]);
});

Deno.test("askRing() takes an answer that is no view for an error", async () => {
  for (const reply of ["OK\n", "VIEW x\n", "VIEW 2\n[]", "VIEW 99999999999\n"]) {
    const [answer] = await askNode(() => reply, [view]);
    assertEquals(answer?.kind, "error", reply);
  }
});

Deno.test("askRing() that is aborted says nothing of the peer", async () => {
  const clock = new SystemClock();
  using watchdog = new Watchdog(clock);
  using peers = new PeerPool({ transport: new TcpTransport(), watchdog, clock });
  const signal = AbortSignal.abort(new Error("a test"));
  const request = { to: freeAddress(), message: ping, deadlineMs: 300 };
  assertEquals(await askRing({ peers, clock, signal }, request), { kind: "local" });
});
