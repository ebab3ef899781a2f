import { assertEquals, assertThrows } from "@std/assert";
import { formatAddress } from "../../src/protocol/address.ts";
import {
  errors,
  fileTooLarge,
  isUnknownCommand,
  notEnoughDiskSpace,
  notEnoughNodes,
  outcomeUnknown,
  refusedHere,
} from "../../src/protocol/errors.ts";
import { fileListHeader, fileListRow, parseFileList } from "../../src/protocol/file_list.ts";
import {
  chunkHeader,
  decodeChunkLength,
  encodeChunkLength,
  fileHeader,
  filePushedReply,
  fileStoredLocallyReply,
  parseChunkHeader,
  parseFileHeader,
} from "../../src/protocol/file_replies.ts";
import {
  commitReply,
  countedReply,
  parseCommitReply,
  parseCountedReply,
  parsePushState,
  parseRingPong,
  pushStateReply,
  ringPongReply,
} from "../../src/protocol/peer_replies.ts";
import {
  errorReply,
  healedReply,
  netmapReply,
  nodeInfoReply,
  nodeNextReply,
  nodeStatusReply,
  okReply,
  parseErrorReply,
  parseNetmapReply,
  parseNodeInfo,
  parseNodeNextReply,
  parseNodeStatus,
  parseTopologyReply,
  pongReply,
  topologyReply,
} from "../../src/protocol/replies.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { local, nasty, randomName } from "./samples.ts";

const pure = { permissions: "none" } as const;
const version = "01HF7YAT000000000000000000";

Deno.test("replies to clients are those of the original, byte for byte", pure, () => {
  assertEquals(okReply, "OK\n");
  assertEquals(pongReply, "PONG\n");
  assertEquals(healedReply, "OK network healed\n");
  assertEquals(
    nodeStatusReply({ address: local(7000), next: local(7001) }),
    "PORT 127.0.0.1:7000\nNEXT 127.0.0.1:7001\nOK\n",
  );
  assertEquals(
    nodeStatusReply({ address: local(7000), next: undefined }),
    "PORT 127.0.0.1:7000\nNEXT <unset>\nOK\n",
  );
  assertEquals(nodeNextReply(local(7001)), "OK next=127.0.0.1:7001\n");
  assertEquals(netmapReply([]), "(empty)\nOK\n");
  assertEquals(
    topologyReply([{ from: local(7000), to: local(7001) }]),
    "7000->7001\nOK\n",
  );
  assertEquals(
    filePushedReply(12, 5),
    "FILE 12 bytes split into 5 chunks and distributed\nOK\n",
  );
  assertEquals(fileStoredLocallyReply(3, "a b"), "FILE 3 bytes 'a b' stored locally\nOK\n");
  assertEquals(fileListHeader, "name,start,size\n");
});

Deno.test("error texts are those of the protocol, byte for byte", pure, () => {
  assertEquals(errorReply(errors.fileNotFound), "ERR file not found\n");
  assertEquals(errorReply(errors.chunkNotFound), "ERR chunk not found\n");
  assertEquals(errorReply(errors.noNextHop), "ERR no next hop set\n");
  assertEquals(errorReply(errors.walkTimeout), "ERR walk timeout\n");
  assertEquals(errorReply(errors.healWalkTimeout), "ERR heal walk timeout\n");
  assertEquals(errorReply(errors.lineTooLong), "ERR line too long\n");
  assertEquals(errorReply(errors.notUtf8), "ERR line is not UTF-8\n");
  assertEquals(errorReply(errors.busy), "ERR busy\n");
  assertEquals(errorReply(errors.catchingUp), "ERR catching up\n");
  assertEquals(errorReply(errors.noNodeAlive), "ERR no node is alive\n");
  assertEquals(errorReply(fileTooLarge(11, 10)), "ERR File size is too large (11 > 10)\n");
  assertEquals(errorReply(notEnoughNodes(1, 2)), "ERR not enough nodes alive (1 of 2)\n");
  assertEquals(errorReply(notEnoughDiskSpace(40, 12)), "ERR Not enough disk space (40 > 12)\n");
  assertEquals(errorReply(outcomeUnknown("x")), "ERR outcome unknown: x\n");
  assertEquals(
    errorReply(refusedHere("NODE STOP")),
    "ERR NODE STOP is refused on this connection\n",
  );
});

Deno.test("errorReply() stays on one line", pure, () => {
  assertEquals(errorReply("a\r\nOK\nb"), "ERR a OK b\n");
  assertEquals(parseErrorReply("ERR a b"), "a b");
  assertEquals(parseErrorReply("ERR"), "");
  for (const line of ["", "OK", "ERROR x", "err x"]) assertEquals(parseErrorReply(line), undefined);
});

Deno.test("isUnknownCommand() knows how an original refuses our verbs", pure, () => {
  for (
    const error of [
      "unknown FILE command",
      "unknown NODE command",
      "unknown command namespace: 'CATALOG'",
    ]
  ) {
    assertEquals(isUnknownCommand(error), true, error);
  }
  for (const error of ["", "file not found", "outcome unknown: no command", "unknown"]) {
    assertEquals(isUnknownCommand(error), false, error);
  }
});

Deno.test("netmapReply() sorts by host and port", pure, () => {
  const entries = [10000, 9999, 7000].map((
    port,
  ) => ({ address: local(port), status: "Alive" } as const));
  const far = { address: formatAddress("127.0.0.2", 1), status: "Dead" } as const;
  const reply = "7000=Alive\n9999=Alive\n10000=Alive\n127.0.0.2:1=Dead\nOK\n";
  assertEquals(netmapReply([far, ...entries]), reply);
  assertEquals(parseNetmapReply(reply), [...entries.toReversed(), far]);
});

Deno.test("parse functions refuse an answer that is cut short or another one", pure, () => {
  for (
    const text of [
      "",
      "OK",
      "7000=Alive\n",
      "7000=Alive\nO",
      "ERR busy\n",
      "\nOK\n",
      "x\nOK\n",
      "7000=AliveOK\n",
    ]
  ) {
    assertEquals(parseNetmapReply(text), undefined, text);
    assertEquals(parseTopologyReply(text), undefined, text);
    assertEquals(parseNodeStatus(text), undefined, text);
    assertEquals(parseNodeInfo(text), undefined, text);
    assertEquals(parseNodeNextReply(text), undefined, text);
    assertEquals(parseFileList(text), undefined, text);
    assertEquals(parseFileHeader(text), undefined, text);
    assertEquals(parseChunkHeader(text), undefined, text);
    assertEquals(parseRingPong(text), undefined, text);
    assertEquals(parsePushState(text), undefined, text);
    assertEquals(parseCountedReply("VIEW", text), undefined, text);
  }
  assertEquals(parseTopologyReply("OK\n"), []);
  assertEquals(parseNodeNextReply("OK next=127.0.0.1:7001") as string, "127.0.0.1:7001");
});

Deno.test("nodeInfoReply() keeps order and one line a key", pure, () => {
  const reply = nodeInfoReply(
    new Map<string, string | number>([["pid", 7], ["verbs", "A\nOK\nB: C"]]),
  );
  assertEquals(reply, "pid: 7\nverbs: A OK B: C\nOK\n");
  assertEquals([...parseNodeInfo(reply) ?? []], [["pid", "7"], ["verbs", "A OK B: C"]]);
});

Deno.test("parseFileList() is inverse to fileListRow()", pure, () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new SeededRandom(seed);
    const rows = Array.from({ length: random.integer(8) }, () => ({
      name: randomName(random),
      start: formatAddress(random.pick(["127.0.0.1", "::1"]), 1 + random.integer(65535)),
      size: random.integer(2 ** 40),
    }));
    const text = fileListHeader + rows.map((row) => fileListRow(row)).join("");
    assertEquals(parseFileList(text), rows, `seed ${seed}: ${text}`);
    const cut = parseFileList(text.slice(0, -1 - random.integer(5)));
    if (rows.length > 0) assertEquals(cut, undefined, `seed ${seed}`);
  }
});

Deno.test("parseFileList() refuses what is malformed", pure, () => {
  for (
    const row of [
      "a",
      "a,7000",
      "a,7000,1,2",
      "a,x,1",
      "a,7000,x",
      '"a,7000,1',
      '"a"b,7000,1',
      "a,,1",
    ]
  ) {
    assertEquals(parseFileList(`name,start,size\n${row}\n`), undefined, row);
  }
  assertEquals(parseFileList("name,start,size\r\na,7000,1\r\n")?.length, 1);
  for (let seed = 1; seed <= 3000; seed++) {
    const random = new SeededRandom(seed);
    parseFileList(`name,start,size\n${random.text([...nasty, ",7000,1\n", '""'], 20)}`);
  }
});

Deno.test("headers of files and chunks are inverse to their parse functions", pure, () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const name = randomName(random);
    const size = random.integer(2 ** 40);
    const header = { size, version, sha256: random.pick(["", "ab".repeat(32)]), name };
    assertEquals(parseFileHeader(fileHeader(header).slice(0, -1)), header, `seed ${seed}`);
    const chunk = { next: local(7001), size, chunk: `${name}.part-001-of-003` };
    assertEquals(parseChunkHeader(chunkHeader(chunk).slice(0, -1)), chunk, `seed ${seed}`);
  }
  assertEquals(
    chunkHeader({ next: local(7001), size: 5, chunk: "a.part-001-of-003" }),
    "FILE RESP-CHUNK 127.0.0.1:7001 5 a.part-001-of-003\n",
  );
  assertEquals(parseFileHeader(`FILE 5 ${version} x a`), undefined);
  assertEquals(parseFileHeader(`FILE 5 ${version} - ..`), undefined);
  assertEquals(parseChunkHeader("FILE RESP-CHUNK 127.0.0.1:7001 x a.part-001-of-003"), undefined);
});

Deno.test("decodeChunkLength() is inverse to encodeChunkLength() and bounded", pure, () => {
  for (const length of [0, 1, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const framed = new Uint8Array([9, ...encodeChunkLength(length), 9]);
    assertEquals(decodeChunkLength(framed.subarray(1, 9)), length);
  }
  assertEquals(decodeChunkLength(new Uint8Array(8).fill(255)), undefined);
  assertEquals(decodeChunkLength(new Uint8Array(7)), undefined);
  assertThrows(() => encodeChunkLength(0.5), RangeError);
});

Deno.test("answers between our nodes are inverse to their parse functions", pure, () => {
  for (const state of ["ready", "catching-up", "stopping"] as const) {
    const pong = {
      address: local(1),
      incarnation: "i",
      viewDigest: "v",
      catalogDigest: "c",
      state,
    };
    assertEquals(parseRingPong(ringPongReply(pong).trimEnd()), pong);
  }
  for (
    const line of [
      "PONG 127.0.0.1:1 i v c",
      "PONG 127.0.0.1:1 i v c ready x",
      "PONG x i v c ready",
      "PONG 127.0.0.1:1 i v c busy",
    ]
  ) {
    assertEquals(parseRingPong(line), undefined, line);
  }
  for (const state of ["pending", "committed", "aborted"] as const) {
    const reply = { state, incarnation: "i" };
    assertEquals(parsePushState(pushStateReply(reply).trimEnd()), reply);
  }
  for (const reply of [{ kind: "stored" }, { kind: "higher", version }] as const) {
    assertEquals(parseCommitReply(commitReply(reply).trimEnd()), reply);
  }
  assertEquals(parseCommitReply("HIGHER x"), undefined);
  for (const word of ["VIEW", "RECORDS", "DATA", "PART"] as const) {
    assertEquals(parseCountedReply(word, countedReply(word, 12).trimEnd()), 12);
    assertEquals(parseCountedReply(word, `${word} 12`, 11), undefined);
    assertEquals(parseCountedReply(word, `${word}`), undefined);
  }
});
