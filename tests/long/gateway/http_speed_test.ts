/**
 * What HTTP costs beside the line protocol, in the same run: printed, as a busy machine tells nothing, and
 * the memory of the gateway, which is bounded.
 *
 * @module
 */
import { assertEquals, assertLess } from "@std/assert";
import { liveRing } from "../../support/live_ring.ts";
import { peakMemoryMiB } from "../../support/system_processes.ts";

const fileBytes = 512 * 1024 * 1024;
const rounds = 3;
const gatewayMiBMax = 200;

const piece = new Uint8Array(256 * 1024);
crypto.getRandomValues(piece.subarray(0, 64 * 1024));

/** The seconds that something takes on a connection of its own. */
async function seconds(
  port: number,
  action: (conn: Deno.TcpConn) => Promise<unknown>,
): Promise<number> {
  const startMs = performance.now();
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  await action(conn);
  return (performance.now() - startMs) / 1000;
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await conn.write(bytes.subarray(written));
  }
}

/** Sends a head and the file, and reads until the answer has come. */
async function send(conn: Deno.TcpConn, head: string, done: RegExp): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(head));
  for (let left = fileBytes; left > 0; left -= piece.length) await writeAll(conn, piece);
  const buffer = new Uint8Array(4_096);
  let text = "";
  while (!done.test(text)) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`answered '${text}'`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

/** Sends a request and reads the file behind the end of its head. */
async function receive(conn: Deno.TcpConn, request: string, headEnd: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(request));
  const buffer = new Uint8Array(1024 * 1024);
  let left: number | undefined;
  for (let head = ""; left === undefined || left > 0;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`ended ${left} bytes too early: ${head.slice(0, 200)}`);
    if (left !== undefined) {
      left -= count;
      continue;
    }
    head += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    const at = head.indexOf(headEnd);
    if (at >= 0) left = fileBytes - (head.length - at - headEnd.length);
  }
  assertEquals(left, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

Deno.test("512 MiB over HTTP beside the line protocol, in constant memory", async () => {
  await using ring = await liveRing(5, { args: ["--file-size=0"] });
  const port = ring.gatewayPort;
  const host = "HTTP/1.1\r\nHost: localhost\r\n";
  const times = { pushLine: [], pushHttp: [], pullLine: [], pullHttp: [] } as Record<
    "pushLine" | "pushHttp" | "pullLine" | "pullHttp",
    number[]
  >;
  for (let round = 0; round < rounds; round++) {
    times.pushLine.push(
      await seconds(port, (conn) => send(conn, `FILE PUSH ${fileBytes} line\n`, /OK\n$/)),
    );
    const put = `PUT /files/http ${host}Content-Length: ${fileBytes}\r\n\r\n`;
    times.pushHttp.push(await seconds(port, (conn) => send(conn, put, /^HTTP\/1\.1 20[01] /)));
    times.pullLine.push(await seconds(port, (conn) => receive(conn, "FILE GET line\n", "\n")));
    const get = `GET /files/http ${host}\r\n`;
    times.pullHttp.push(await seconds(port, (conn) => receive(conn, get, "\r\n\r\n")));
  }
  const shown = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(" ");
  for (const [what, values] of Object.entries(times)) console.log(`${what} ${shown(values)} s`);
  const ratio = (http: readonly number[], line: readonly number[]) =>
    (median(http) / median(line)).toFixed(2);
  console.log(`PUT takes ${ratio(times.pushHttp, times.pushLine)} times FILE PUSH`);
  console.log(`GET takes ${ratio(times.pullHttp, times.pullLine)} times FILE GET`);
  assertLess(await peakMemoryMiB(await ring.pid(port)), gatewayMiBMax);
});
