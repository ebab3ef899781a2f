import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ByteReader } from "../../src/net/byte_reader.ts";
import { TcpTransport } from "../../src/net/tcp_transport.ts";
import { type Connection, DialError } from "../../src/net/transport.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { formatAddress } from "../../src/protocol/address.ts";

const transport = new TcpTransport();
const timeoutMs = 5_000;

/** A connection over loopback, and the accepted end of it. */
async function connected() {
  using listener = transport.listen("127.0.0.1", 0);
  const address = formatAddress("127.0.0.1", listener.address.port);
  const near = await transport.dial(address, { timeoutMs });
  const far = await listener.accept();
  assert(far !== undefined);
  return { near, far };
}

function gone(conn: Connection): void {
  conn.close();
  conn.close();
}

Deno.test("TcpTransport carries bytes both ways, with half-close", async () => {
  const { near, far } = await connected();
  await writeText(near, "NODE PING\n");
  await near.closeWrite();
  const asked = new ByteReader(far);
  assertEquals(new TextDecoder().decode(await asked.readLine(100) as Uint8Array), "NODE PING");
  assertEquals(await asked.readLine(100), "eof");
  await writeText(far, "PONG\n");
  gone(far);
  const answered = new ByteReader(near);
  assertEquals(new TextDecoder().decode(await answered.readLine(100) as Uint8Array), "PONG");
  assertEquals(await answered.readLine(100), "eof");
  assertEquals([near.remote.hostname, far.remote.hostname], ["127.0.0.1", "127.0.0.1"]);
  gone(near);
});

Deno.test("TcpTransport carries a large body in its order", async () => {
  const { near, far } = await connected();
  const body = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const writing = writeAll(near, body).then(() => near.close());
  const came = new Uint8Array(body.length + 1);
  assertEquals(await new ByteReader(far).readFull(came), body.length);
  await writing;
  assert(came.subarray(0, body.length).every((byte, index) => byte === index % 251));
  gone(far);
});

Deno.test("close() ends reads and writes that are pending", async () => {
  const { near, far } = await connected();
  const reading = assertRejects(() => near.read(new Uint8Array(1)));
  const writing = assertRejects(() => writeAll(near, new Uint8Array(50_000_000)));
  gone(near);
  await Promise.all([reading, writing]);
  await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
  gone(far);
});

Deno.test("dial() is refused where nobody listens", async () => {
  const listener = transport.listen("127.0.0.1", 0);
  const address = formatAddress("127.0.0.1", listener.address.port);
  listener.close();
  const error = await assertRejects(() => transport.dial(address, { timeoutMs }), DialError);
  assertEquals([error.kind, error.refused, error.address], ["refused", true, address]);
});

Deno.test({
  name: "dial() fails as other when the host has no address",
  // Deno 2.6 forgets a handle when a name cannot be resolved.
  sanitizeResources: false,
  async fn() {
    const address = formatAddress("no-such-host.invalid", 7000);
    const error = await assertRejects(() => transport.dial(address, { timeoutMs }), DialError);
    assertEquals(error.kind, "other");
  },
});

Deno.test("dial() gives up by its signal", async () => {
  const address = formatAddress("127.0.0.1", 1);
  const signal = AbortSignal.abort(new Error("stop"));
  await assertRejects(() => transport.dial(address, { timeoutMs, signal }), Error, "stop");
});

/** A socket as `connect` gives it, between two ports of this host. */
function socket(localPort: number, remotePort: number) {
  const state = { closed: false };
  const end = (port: number) => ({ transport: "tcp", hostname: "127.0.0.1", port });
  const conn = {
    localAddr: end(localPort),
    remoteAddr: end(remotePort),
    setNoDelay() {},
    close: () => state.closed = true,
  };
  return { state, conn: conn as unknown as Deno.TcpConn };
}

Deno.test("dial() is refused by a socket that connected to itself", async () => {
  const { state, conn } = socket(7000, 7000);
  const odd = new TcpTransport({ connect: () => Promise.resolve(conn) });
  const address = formatAddress("127.0.0.1", 7000);
  const error = await assertRejects(() => odd.dial(address, { timeoutMs }), DialError);
  assertEquals([error.kind, state.closed], ["refused", true]);
});

Deno.test("dial() times out at its deadline, and closes a socket that connects later", async () => {
  const { state, conn } = socket(40_000, 7000);
  const late = Promise.withResolvers<Deno.TcpConn>();
  const slow = new TcpTransport({ connect: () => late.promise });
  const address = formatAddress("127.0.0.1", 7000);
  const error = await assertRejects(() => slow.dial(address, { timeoutMs: 5 }), DialError);
  assertEquals(error.kind, "timeout");
  late.resolve(conn);
  await late.promise;
  assertEquals(state.closed, true);
});

Deno.test("dial() blames itself, not the peer, for what it lacks", async () => {
  const faults = [
    new Error("Too many open files (os error 24)"),
    new Deno.errors.AddrNotAvailable("Cannot assign requested address (os error 99)"),
    new Deno.errors.NotCapable("Requires net access"),
  ];
  for (const fault of faults) {
    const poor = new TcpTransport({ connect: () => Promise.reject(fault) });
    const address = formatAddress("127.0.0.1", 7000);
    const error = await assertRejects(() => poor.dial(address, { timeoutMs }), DialError);
    assertEquals([error.kind, error.cause], ["local", fault]);
  }
});

Deno.test("listen() refuses a port in use; close() ends accept() and gives the port back", async () => {
  const listener = transport.listen("127.0.0.1", 0);
  const { port } = listener.address;
  assertThrows(() => transport.listen("127.0.0.1", port), Deno.errors.AddrInUse);
  const accepting = listener.accept();
  listener.close();
  listener.close();
  assertEquals(await accepting, undefined);
  assertEquals(await listener.accept(), undefined);
  using again = transport.listen("127.0.0.1", port);
  assertEquals(again.address.port, port);
});
