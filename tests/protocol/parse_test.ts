import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Command } from "../../src/protocol/command.ts";
import { formatCommand } from "../../src/protocol/format.ts";
import { lineBytesMax, listLineBytesMax } from "../../src/protocol/limits.ts";
import { decodeLine, lineBytesCap, parseCommand } from "../../src/protocol/parse.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { assertParsesAny } from "./any_line.ts";
import { local, randomCommands } from "./samples.ts";

const pure = { permissions: "none" } as const;

function accepts(line: string, command: Command): void {
  assertEquals(parseCommand(line), { ok: true, command }, line);
}

function refuses(line: string, error: string, body: number | "unknown" = 0): void {
  const bodyBytes = body === "unknown" ? undefined : body;
  assertEquals(parseCommand(line), { ok: false, error, bodyBytes }, line);
}

Deno.test("parseCommand() and formatCommand() are inverse for every kind of command", pure, () => {
  for (let seed = 1; seed <= 300; seed++) {
    for (const command of randomCommands(new SeededRandom(seed))) {
      for (const hostname of ["127.0.0.1", "::1"]) {
        const line = formatCommand(command, { hostname });
        const parsed = parseCommand(line, { hostname });
        assertEquals(parsed, { ok: true, command }, `seed ${seed}: ${line}`);
      }
    }
  }
});

Deno.test("parseCommand() reads the lines of the original's clients and nodes", pure, () => {
  accepts("NODE NEXT 127.0.0.1:7001", { kind: "node-next", address: local(7001) });
  accepts("FILE PUSH 0 empty", { kind: "file-push", bodyBytes: 0, name: "empty" });
  accepts("RING FORWARD 3 hello ring", { kind: "ring-forward", ttl: 3, message: "hello ring" });
  accepts("NODE HEAL-HOP t1 127.0.0.1:7000", {
    kind: "node-heal-hop",
    token: "t1",
    start: local(7000),
  });
  accepts("TOPOLOGY HOP t1 127.0.0.1:7000 7000->7001;7001->7002", {
    kind: "topology-hop",
    token: "t1",
    start: local(7000),
    edges: [{ from: local(7000), to: local(7001) }, { from: local(7001), to: local(7002) }],
  });
  accepts("NETMAP SET 7000=Alive,7001=Dead", {
    kind: "netmap-set",
    entries: [{ address: local(7000), status: "Alive" }, { address: local(7001), status: "Dead" }],
  });
  accepts("FILE RELAY-STREAM t 127.0.0.1:7000 12 5 1 my file", {
    kind: "file-relay-stream",
    token: "t",
    start: local(7000),
    fileBytes: 12,
    parts: 5,
    index: 1,
    name: "my file",
    bodyBytes: 9,
  });
  accepts("FILE TAGS-SET a.txt:7000:12:5;b.txt:7001:0:5", {
    kind: "file-tags-set",
    tags: [
      { name: "a.txt", start: local(7000), size: 12, parts: 5 },
      { name: "b.txt", start: local(7001), size: 0, parts: 5 },
    ],
  });
});

Deno.test("parseCommand() takes noun and verb in any case, names as they are", pure, () => {
  accepts("file pull ReadMe.TXT", { kind: "file-pull", name: "ReadMe.TXT" });
  accepts("Node Heal-Done T", { kind: "node-heal-done", token: "T" });
});

Deno.test("parseCommand() gives a name the rest of the line, spaces included", pure, () => {
  accepts("FILE PULL  a  b ", { kind: "file-pull", name: " a  b " });
  accepts("FILE PUSH 3 12 x", { kind: "file-push", bodyBytes: 3, name: "12 x" });
});

Deno.test("parseCommand() normalises names of files and chunks", pure, () => {
  accepts("FILE PUSH 1 ../../etc/pass|wd", { kind: "file-push", bodyBytes: 1, name: "pass_wd" });
  accepts("FILE GET-CHUNK ../a:b.part-001-of-003", {
    kind: "file-get-chunk",
    chunk: "a_b.part-001-of-003",
  });
  refuses("FILE GET-CHUNK a.txt", "invalid chunk name 'a.txt'");
  refuses("FILE GET-CHUNK ...part-001-of-001", "invalid file name '..'");
  refuses("FILE NOTIFY-CHUNK-SAVED", "missing chunk name for FILE NOTIFY-CHUNK-SAVED");
});

Deno.test("parseCommand() ignores spaces at the end of a line without a name", pure, () => {
  accepts("FILE LIST ", { kind: "file-list" });
  accepts("NODE HEAL-DONE t  ", { kind: "node-heal-done", token: "t" });
  accepts("NETMAP SET 7000=Dead ", {
    kind: "netmap-set",
    entries: [{ address: local(7000), status: "Dead" }],
  });
});

Deno.test("parseCommand() takes an empty list with and without the space before it", pure, () => {
  for (const line of ["TOPOLOGY SET", "TOPOLOGY SET "]) {
    accepts(line, { kind: "topology-set", edges: [] });
  }
  for (const line of ["FILE TAGS-SET", "FILE TAGS-SET ;"]) {
    accepts(line, { kind: "file-tags-set", tags: [] });
  }
  accepts("RING FORWARD 2", { kind: "ring-forward", ttl: 2, message: "" });
});

Deno.test("parseCommand() answers NODE PING whatever follows, but nothing else", pure, () => {
  accepts("NODE PING are you there", { kind: "node-ping" });
  refuses("NODE STATUS please", "too many parameters for NODE STATUS");
  refuses("NODE NEXT 127.0.0.1:7001 7002", "too many parameters for NODE NEXT");
});

Deno.test("parseCommand() names the namespace or the noun of an unknown command", pure, () => {
  refuses("FOO BAR", "unknown command namespace: 'FOO'");
  refuses("foo", "unknown command namespace: 'foo'");
  refuses("FILE FROB 10 x", "unknown FILE command");
  refuses("file", "unknown FILE command");
  refuses("FILE  LIST", "unknown FILE command");
  refuses("NODE FROB", "unknown NODE command");
  refuses("NETMAP FROB", "unknown NETMAP command");
  refuses("TOPOLOGY FROB", "unknown TOPOLOGY command");
  refuses("RING FROB", "unknown RING command");
  refuses("CATALOG FROB", "unknown CATALOG command");
  refuses("constructor x", "unknown command namespace: 'constructor'");
  refuses("FILE constructor", "unknown FILE command");
  refuses("", "empty command");
  refuses("   ", "empty command");
});

Deno.test(
  "parseCommand() repeats little of a refused line, and no control characters",
  pure,
  () => {
    const result = parseCommand(`\x1b[2J${"x".repeat(10_000)} y`);
    assert(!result.ok);
    assertEquals(result.error, `unknown command namespace: '?[2J${"x".repeat(76)}…'`);
  },
);

Deno.test("parseCommand() refuses a bad FILE PUSH and says what follows it", pure, () => {
  for (
    const size of ["", " ", " abc x", " -1 x", " 1.5 x", " 1e3 x", " 0x10 x", "  5 x", " +5 x"]
  ) {
    refuses(`FILE PUSH${size}`, "invalid size for FILE PUSH", "unknown");
  }
  refuses("FILE PUSH 9007199254740992 x", "invalid size for FILE PUSH", "unknown");
  refuses("FILE PUSH 99999999999999999999999 x", "invalid size for FILE PUSH", "unknown");
  refuses("FILE PUSH 5", "missing file name for FILE PUSH", 5);
  refuses("FILE PUSH 5 ", "missing file name for FILE PUSH", 5);
  refuses("FILE PUSH 5 ..", "invalid file name '..'", 5);
  refuses("FILE PUSH 5 a/", "invalid file name 'a/'", 5);
  refuses(`FILE PUSH 5 ${"é".repeat(308)}`, "file name too long (616 > 200 bytes)", 5);
});

Deno.test(
  "parseCommand() names the missing file name of every command that takes one",
  pure,
  () => {
    for (const verb of ["PULL", "GET", "STAT", "DELETE"]) {
      refuses(`FILE ${verb}`, `missing file name for FILE ${verb}`);
      refuses(`FILE ${verb} `, `missing file name for FILE ${verb}`);
    }
  },
);

Deno.test("parseCommand() refuses a RELAY-STREAM with a bad index, its body unknown", pure, () => {
  const bad = "bad FILE RELAY-STREAM index";
  refuses("FILE RELAY-STREAM t 127.0.0.1:7000 10 5 5 x", bad, "unknown");
  refuses("FILE RELAY-STREAM t 127.0.0.1:7000 10 5 -1 x", bad, "unknown");
  refuses("FILE RELAY-STREAM t 127.0.0.1:7000 10 5", bad, "unknown");
  refuses(
    "FILE RELAY-STREAM t 127.0.0.1:7000 10 0 0 x",
    "invalid parts for FILE RELAY-STREAM",
    "unknown",
  );
  refuses(
    "FILE RELAY-STREAM t 127.0.0.1:7000 ten 5 0 x",
    "invalid size for FILE RELAY-STREAM",
    "unknown",
  );
  refuses(
    "FILE RELAY-STREAM t 127.0.0.1:7000 10 10001 0 x",
    "invalid parts for FILE RELAY-STREAM",
    "unknown",
  );
});

Deno.test("parseCommand() finds the length of a body behind an earlier fault", pure, () => {
  refuses("FILE RELAY-STREAM t 7000 12 5 1 x", "invalid start address for FILE RELAY-STREAM", 9);
  refuses("FILE RELAY-STREAM t 127.0.0.1:7000 12 5 1 ..", "invalid file name '..'", 9);
  refuses("FILE RELAY-BLOB t nowhere 12 x", "invalid start address for FILE RELAY-BLOB", 12);
  refuses("FILE STAGE t 0 4 12 x", "invalid copy for FILE STAGE", 12);
  refuses("FILE COMMIT 999999999999", "invalid size for FILE COMMIT", 999999999999);
  refuses("RING VIEW many", "invalid size for RING VIEW", "unknown");
  refuses("CATALOG PULL 8193", "invalid size for CATALOG PULL", 8193);
});

Deno.test("parseCommand() refuses missing and malformed parameters in like words", pure, () => {
  refuses("NODE NEXT", "missing address for NODE NEXT");
  refuses("NODE NEXT 7001", "invalid address for NODE NEXT");
  refuses("NODE NEXT 127.0.0.1:70000", "invalid address for NODE NEXT");
  refuses("NODE STOP", "missing incarnation for NODE STOP");
  refuses("NODE STOP a/b", "invalid incarnation for NODE STOP");
  refuses("NODE HEAL-HOP", "missing token for NODE HEAL-HOP");
  refuses("NODE HEAL-DONE t\x1b", "invalid token for NODE HEAL-DONE");
  refuses("NODE HEAL-HOP t", "missing start address for NODE HEAL-HOP");
  refuses("TOPOLOGY SET 7000", "invalid history for TOPOLOGY SET");
  refuses("NETMAP DONE t 7000=Asleep", "invalid entries for NETMAP DONE");
  refuses("FILE TAGS-SET a:7000:x:5", "invalid tags for FILE TAGS-SET");
  refuses("RING FORWARD x y", "invalid ttl for RING FORWARD");
  refuses("RING FORWARD 65536 y", "invalid ttl for RING FORWARD");
  refuses("RING STOPPING 601", "invalid seconds for RING STOPPING");
  refuses("RING PING 127.0.0.1:7000 i v", "missing catalog digest for RING PING");
  refuses("FILE ABORT ../x", "invalid push id for FILE ABORT");
  refuses("FILE OPEN p 10000 x", "invalid part for FILE OPEN");
  refuses("FILE FETCH p 10000", "invalid parts for FILE FETCH");
  refuses("FILE FETCH p", "invalid parts for FILE FETCH");
  refuses("FILE FETCH p 1,", "invalid parts for FILE FETCH");
  refuses(`FILE FETCH p ${Array(65).fill("1").join(",")}`, "invalid parts for FILE FETCH");
  refuses("FILE READ 0", "invalid count for FILE READ");
});

Deno.test("parseCommand() never throws, whatever the line", pure, () => {
  assertParsesAny({ firstSeed: 1, lines: 2_000 });
});

Deno.test("parseCommand() costs time in proportion to the line", pure, () => {
  const long = 400_000;
  for (
    const unit of [
      " ",
      ":",
      ";",
      ",",
      "->",
      "7000->7001;",
      ".part-",
      "a:1:1:1;",
      "7=Dead,",
      "[",
      "/",
    ]
  ) {
    for (
      const start of [
        "",
        "FILE PULL ",
        "FILE TAGS-SET ",
        "TOPOLOGY SET ",
        "NETMAP SET ",
        "FILE GET-CHUNK ",
      ]
    ) {
      const startedMs = performance.now();
      parseCommand(start + unit.repeat(long / unit.length));
      const tookMs = performance.now() - startedMs;
      assert(tookMs < 500, `${start}${unit}… took ${tookMs} ms`);
    }
  }
});

Deno.test("formatCommand() refuses a parameter that would make two lines of one", pure, () => {
  assertThrows(() => formatCommand({ kind: "file-pull", name: "a\nFILE DELETE b" }), RangeError);
});

Deno.test("decodeLine() takes UTF-8 and nothing else", pure, () => {
  const encoder = new TextEncoder();
  for (const text of ["", "FILE PULL a", "FILE PULL ü漢\u{1F600}", "x\0y"]) {
    assertEquals(decodeLine(encoder.encode(text)), text);
  }
  assertEquals(decodeLine(encoder.encode("\uFEFFFILE LIST")), "FILE LIST");
  const encoded = encoder.encode("漢");
  assertEquals(decodeLine(encoded.subarray(0, 2)), undefined);
  assertEquals(decodeLine(new Uint8Array([0xc0, 0xaf])), undefined);
  assertEquals(decodeLine(new Uint8Array([0x46, 0xff])), undefined);
});

Deno.test("lineBytesCap() lets only lists be long", pure, () => {
  const encoder = new TextEncoder();
  for (const start of ["NETMAP SET ", "netmap hop", "Topology Done t", "FILE TAGS-SET a:1:1:1"]) {
    assertEquals(lineBytesCap(encoder.encode(start)), listLineBytesMax, start);
  }
  for (const start of ["", "NETMAP", "FILE TAGS-SE", "FILE PUSH 1 NETMAP ", "\xff"]) {
    assertEquals(lineBytesCap(encoder.encode(start)), lineBytesMax, start);
  }
});
