import { assert, assertEquals } from "@std/assert";
import { ByteReader } from "../../src/net/byte_reader.ts";
import { lingeringClose } from "../../src/net/lingering_close.ts";
import { TcpTransport } from "../../src/net/tcp_transport.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { formatAddress } from "../../src/protocol/address.ts";
import { SystemClock } from "../../src/runtime/clock.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { connectionPair, type FakeConnectionOptions } from "../support/fake_connection.ts";

const pure = { permissions: "none" } as const;

function refused(options?: FakeConnectionOptions) {
  const clock = new FakeClock();
  const [near, far] = connectionPair(options);
  const conn = new Watchdog(clock).guard(near, 0);
  return { clock, near, far, conn, reader: new ByteReader(conn) };
}

Deno.test(
  "lingeringClose() ends its side, reads what comes, and closes at the peer's end",
  pure,
  async () => {
    const { near, far, conn, reader } = refused();
    await writeText(conn, "ERR busy\n");
    const closing = lingeringClose(conn, reader);
    const peer = new ByteReader(far);
    assertEquals((await peer.readLine(100) as Uint8Array).length, 8);
    assertEquals(await peer.readLine(100), "eof");
    await writeAll(far, new Uint8Array(100_000));
    assertEquals(near.closed, false);
    far.close();
    await closing;
    assertEquals(near.closed, true);
  },
);

Deno.test("lingeringClose() reads no more than its limit", pure, async () => {
  const { near, far, conn, reader } = refused();
  const sending = writeAll(far, new Uint8Array(500_000)).catch((error: Error) => error.name);
  await lingeringClose(conn, reader, { drainBytesMax: 100_000 });
  assertEquals([near.closed, await sending], [true, "BrokenPipe"]);
});

Deno.test("lingeringClose() waits no longer than its limit, and throws nothing", pure, async () => {
  const silent = refused();
  const closing = lingeringClose(silent.conn, silent.reader, { ms: 1_000 });
  await silent.clock.advance(1_250);
  await closing;
  assertEquals(silent.near.closed, true);
  const cut = refused();
  cut.far.cut();
  await lingeringClose(cut.conn, cut.reader);
  await lingeringClose(cut.conn, cut.reader);
  assertEquals(cut.near.closed, true);
});

Deno.test("lingeringClose() gets the reply to a TCP peer that is still sending", async () => {
  const transport = new TcpTransport();
  using watchdog = new Watchdog(new SystemClock());
  using listener = transport.listen("127.0.0.1", 0);
  for (let round = 0; round < 20; round++) {
    const address = formatAddress("127.0.0.1", listener.address.port);
    using client = await transport.dial(address, { timeoutMs: 5_000 });
    const accepted = await listener.accept();
    assert(accepted !== undefined);
    const conn = watchdog.guard(accepted, 0);
    const sending = writeAll(client, new Uint8Array(900_000));
    await writeText(conn, "ERR line too long\n");
    const closing = lingeringClose(conn, new ByteReader(conn));
    await sending;
    const line = await new ByteReader(client).readLine(100);
    assertEquals(new TextDecoder().decode(line as Uint8Array), "ERR line too long");
    client.close();
    await closing;
  }
});
