/**
 * Bytes that no client sends, on the ports of nodes and gateway: whatever comes, the process stays, its
 * memory too, the next command is answered, and what is stored stays as it is.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { lineFuzzTest } from "../support/faults/line_fuzz.ts";
import { encoder, readToEnd, seedsOr } from "../support/fuzz.ts";
import { liveRing } from "../support/live_ring.ts";
import { SeededRandom } from "../support/seeded_random.ts";

lineFuzzTest(seedsOr(1, 2));

Deno.test("nodes and gateway answer commands in any pieces, one after the other", async () => {
  await using ring = await liveRing(3);
  const random = new SeededRandom(7);
  const body = random.bytes(3_000);
  const expected: string[] = [];
  const pieces: Uint8Array[] = [];
  const say = (sent: string | Uint8Array, answer: string) => {
    pieces.push(typeof sent === "string" ? encoder.encode(sent) : sent);
    expected.push(answer);
  };
  for (let round = 0; round < 20; round++) {
    say("NODE PING\n", "PONG\n");
    say("FOO BAR\r\n", "ERR unknown command namespace: 'FOO'\n");
    say(`FILE PUSH 3000 piece-${round}\n`, "");
    say(body, "FILE 3000 bytes split into 3 chunks and distributed\nOK\n");
    say("FILE PUSH 5 \nnoise", "ERR missing file name for FILE PUSH\n");
    say(new Uint8Array([0xff, 0xfe, 10]), "ERR line is not UTF-8\n");
  }
  say("NODE PING", "PONG\n");
  const sent = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  for (const port of [ring.port(0), ring.gatewayPort]) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const heard = readToEnd(conn);
    for (let at = 0; at < sent.length;) {
      const count = random.integer(4) === 0 ? 1 : 1 + random.integer(900);
      at += await conn.write(sent.subarray(at, at + count));
    }
    await conn.closeWrite();
    assertEquals(new TextDecoder().decode(await heard), expected.join(""));
  }
});
