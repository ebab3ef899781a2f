/**
 * What a node does with input that is wrong, too much or not there: a clear `ERR`, bounded memory,
 * nothing listed, nothing left in staging, and the ring goes on.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { formatRecord } from "../../src/protocol/record_codec.ts";
import { nextVersion } from "../../src/protocol/ulid.ts";
import { bytesOf, LineClient } from "../support/line_client.ts";
import { type LiveNodes, liveNodes, wireRing } from "../support/live_node.ts";
import { askText } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";
import { stagedFiles } from "../support/ring_disk.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { peakMemoryMiB } from "../support/system_processes.ts";
import { download, list, listOf, push } from "../support/wire_client.ts";

/** The most that a node may have had resident, in MiB: it has some 70 when nothing happens. */
const memoryMiBMax = 180;

/** How long aborted pushes may stay in staging, in ms: nodes that are not told ask after 5 s. */
const abortMs = 4_000;

/** A ring of three whose nodes look at each other often, so that a node that hangs is seen. */
async function ringOfThree(...args: string[]): Promise<LiveNodes> {
  const nodes = await liveNodes(3, { waitTimeMs: 250, args });
  await wireRing(nodes.ports);
  return nodes;
}

/** What has to be so after anything: all nodes are the same processes, empty-handed and ready. */
async function assertUnharmed(nodes: LiveNodes, memoryMax = memoryMiBMax): Promise<void> {
  const { dataDir, ports } = nodes;
  for (const { port } of nodes.nodes) {
    let staged: string[] = [];
    await waitUntil(`the staging of ${port} is empty`, abortMs, async () => {
      staged = await stagedFiles(dataDir, port);
      return staged.length === 0;
    }).catch(() => assertEquals(staged, []));
    assertEquals(await list(port), listOf([]), `the list of ${port}`);
    assertEquals(
      await askText(port, "NETMAP GET\n"),
      `${ports.map((each) => `${each}=Alive\n`).join("")}OK\n`,
    );
  }
  for (const { port, program } of nodes.nodes) {
    const answer = await push(port, "next", randomBytes(1_000));
    assertEquals(answer, "FILE 1000 bytes split into 3 chunks and distributed\nOK\n");
    assertEquals(await askText(port, "FILE DELETE next\n"), "OK\n");
    assert(!program.ended && !program.stderr.includes("respawning"), program.stderr);
    const peak = await peakMemoryMiB(program.pid);
    assertLess(peak, memoryMax, `${port} has had ${peak} MiB`);
  }
}

/** Sends what a node may refuse half-way, and gives all that it answers until it ends the connection. */
async function told(port: number, sent: string | Uint8Array): Promise<string> {
  using client = await LineClient.open(port);
  const sending = client.send(sent).catch(() => {/* it need not take all of it */});
  const answer = await client.restText();
  client.close();
  await sending;
  return answer;
}

Deno.test("nodes bear whatever comes, and the ring goes on", async (t) => {
  await using nodes = await ringOfThree();
  const step = async (name: string, fn: () => Promise<void>) => {
    // What the nodes print meanwhile is read by the test around it.
    await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
  };

  await step("noise is answered line by line", async () => {
    const random = new SeededRandom(7);
    const lines = Array.from({ length: 2_000 }, () => {
      const line = new Uint8Array(random.integer(200));
      for (const at of line.keys()) line[at] = random.integer(256);
      return line.map((byte) => byte === 10 ? 32 : byte);
    });
    using client = await LineClient.open(nodes.at(0).port);
    const sending = client.send(bytesOf(...lines.flatMap((line) => [line, "\n"])));
    for (const line of lines) assertMatch(await client.line(), /^ERR .+\n$/, `${line}`);
    await sending;
    await client.send(bytesOf("FILE PULL \xff\n").map((byte) => byte === 0xc3 ? 0xff : byte));
    assertEquals(await client.line(), "ERR line is not UTF-8\n");
    await client.send("NODE PING\n");
    assertEquals(await client.line(), "PONG\n");
    await assertUnharmed(nodes);
  });

  await step("10 MiB without a line end are refused and take no memory", async () => {
    const { port } = nodes.at(0);
    const endless = new Uint8Array(10 * 1024 * 1024).fill(65);
    const answers = await Promise.all([
      told(port, endless),
      ...["FILE PULL ", "FILE PUSH 5 ", "\xff\xfe", "\0"].map((start) =>
        told(port, bytesOf(start, endless))
      ),
      ...Array.from({ length: 15 }, () => told(port, endless)),
    ]);
    for (const answer of answers) assertEquals(answer, "ERR line too long\n");
    await assertUnharmed(nodes);
  });

  await step("a body that ends before its announced length stores nothing", async () => {
    for (
      const [announced, sent] of [
        [1, 0],
        [1_000, 10],
        [1_048_576, 300_000],
        [1_048_577, 1_048_576],
        [5_000_000, 300_000],
      ]
    ) {
      using client = await LineClient.open(nodes.at(1).port, `FILE PUSH ${announced} short\n`);
      await client.send(randomBytes(sent ?? 0));
      await client.endSending();
      assertEquals(
        await client.restText(),
        `ERR body too short: ${sent} of ${announced} bytes came\n`,
      );
    }
    await assertUnharmed(nodes);
  });

  await step(
    "a client that falls silent within a body and then goes away stores nothing",
    async () => {
      const clients = await Promise.all([1, 2, 3, 4].map(async (turn) => {
        const client = await LineClient.open(nodes.at(turn % 3).port, "NODE PING\n");
        await client.send(`FILE PUSH 1200000 silent ${turn}\n`);
        // Part 1 is complete, and so is its backup; of part 2 half has come.
        await client.send(randomBytes(600_000));
        return client;
      }));
      for (const { port } of nodes.nodes) {
        await waitUntil("it stages", 5_000, async () => {
          return (await stagedFiles(nodes.dataDir, port)).length > 0;
        });
        assertEquals(await list(port), listOf([]));
        assertEquals(await askText(port, "FILE PULL silent 1\n"), "ERR file not found\n");
      }
      // The PONG has not been read: so the connection is reset, not ended.
      for (const client of clients) client.close();
      await assertUnharmed(nodes);
    },
  );

  await step("clients that fall silent in their pushes hold up nobody", async () => {
    const { port } = nodes.at(0);
    // More of them than a node takes on at once: with nothing, with a part, and drop by drop.
    const silent = await Promise.all(
      Array.from({ length: 36 }, async (_, at) => {
        const size = at % 2 === 0 ? 100_000 : 1_200_000;
        const client = await LineClient.open(port, `FILE PUSH ${size} silent ${at}\n`);
        await client.send(randomBytes(at % 3 === 0 ? 0 : 50_000));
        return client;
      }),
    );
    const dripping = setInterval(() => {
      for (const client of silent.slice(0, 6)) client.send("x").catch(() => {/* it is over */});
    }, 200);
    try {
      for (
        const [name, size] of [["small", 1_000], ["middle", 200_000], ["large", 3_000_000]] as const
      ) {
        const begun = performance.now();
        await push(port, name, randomBytes(size));
        assertEquals((await download(port, name)).bytes, size);
        assertLess(performance.now() - begun, 5_000, `'${name}' had to wait`);
        assertEquals(await askText(port, `FILE DELETE ${name}\n`), "OK\n");
      }
    } finally {
      clearInterval(dripping);
      for (const client of silent) client.close();
    }
    await assertUnharmed(nodes);
  });

  await step(
    "clients that read nothing of a large file hold up nobody and take no memory",
    async () => {
      const { port } = nodes.at(0);
      const bytes = randomBytes(48 * 1024 * 1024);
      await push(nodes.at(1).port, "large", bytes);
      const idle = await Promise.all(
        Array.from({ length: 40 }, (_, at) => {
          return LineClient.open(port, at % 2 === 0 ? "FILE PULL large\n" : "FILE GET large\n");
        }),
      );
      for (const each of nodes.ports) {
        assertEquals((await download(each, "large")).bytes, bytes.length);
        assertEquals(await askText(each, "NODE PING\n"), "PONG\n");
      }
      for (const client of idle) client.close();
      await waitUntil("their connections end", 10_000, async () => {
        const [, open] = /^connections: ([0-9]+)$/m.exec(await askText(port, "NODE INFO\n")) ?? [];
        return Number(open) < 40;
      });
      assertEquals(await askText(port, "FILE DELETE large\n"), "OK\n");
      await assertUnharmed(nodes);
    },
  );

  await step("a huge announced size is refused or takes nothing until the bytes come", async () => {
    const { port } = nodes.at(0);
    const huge = Number.MAX_SAFE_INTEGER;
    assertEquals(
      await told(port, `FILE PUSH ${huge} huge\n`),
      `ERR File size is too large (${huge} > 1000000000)\n`,
    );
    assertEquals(await told(port, `FILE PUSH 1${huge} huge\n`), "ERR invalid size for FILE PUSH\n");
    const announced = [
      "FILE PUSH 1000000000 huge",
      `FILE RELAY-STREAM t 127.0.0.1:1 ${huge} 3 1 huge`,
      `FILE RELAY-BLOB t 127.0.0.1:1 1000000000 huge`,
      "FILE COMMIT 67108864",
      "CATALOG FORGET 67108864",
      "RING VIEW 16777216",
    ];
    const clients = await Promise.all(
      announced.flatMap((line) =>
        Array.from({ length: 30 }, () => LineClient.open(port, `${line}\nx`))
      ),
    );
    for (const each of nodes.ports) assertEquals(await askText(each, "NODE PING\n"), "PONG\n");
    for (const client of clients) client.close();
    await assertUnharmed(nodes);
  });

  await step("endless lists are refused, however many come at once", async () => {
    const { port } = nodes.at(0);
    const endless = new Uint8Array(20 * 1024 * 1024).fill(65);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => told(port, bytesOf("FILE TAGS-SET ", endless))),
    );
    for (const answer of answers) assertEquals(answer, "ERR line too long\n");
    // Long lines have a budget of 64 MiB, and move to a longer buffer as they grow.
    await assertUnharmed(nodes, memoryMiBMax + 96);
  });
});

Deno.test("a size that the disk has no room for is refused where there is no limit", async () => {
  await using nodes = await ringOfThree("--file-size=0");
  assertMatch(
    await told(nodes.at(0).port, `FILE PUSH ${Number.MAX_SAFE_INTEGER} huge\nx`),
    /^ERR Not enough disk space \([0-9]+ > [0-9]+\)\n$/,
  );
  await assertUnharmed(nodes);
});

Deno.test("2,000 connections at once are served or refused, and the ring goes on", async () => {
  await using nodes = await ringOfThree();
  const [first = 0, second = 0] = nodes.ports;
  const clients: LineClient[] = [];
  try {
    for (let turn = 0; turn < 40; turn++) {
      const opening = Array.from({ length: 50 }, () => LineClient.open(first));
      clients.push(...await Promise.all(opening));
    }
    const answers = await Promise.all(clients.map(async (client) => {
      await client.send("NODE PING\n").catch(() => {/* it has refused and gone */});
      return await client.line().catch(() => "");
    }));
    const counts = new Map(
      Map.groupBy(answers, (answer) => answer).entries().map(
        ([answer, { length }]) => [answer, length],
      ),
    );
    const served = counts.get("PONG\n") ?? 0;
    assert(served > 900 && served <= 1024, `${served} were served`);
    assert((counts.get("ERR busy\n") ?? 0) > 0, "somebody is told why");
    assertEquals([...counts.keys()].toSorted(), ["", "ERR busy\n", "PONG\n"].slice(-counts.size));
    assertEquals(await askText(second, "NODE PING\n"), "PONG\n");
  } finally {
    for (const client of clients) client.close();
  }
  await waitUntil("there is room again", 60_000, async () => {
    return await askText(first, "NODE PING\n") === "PONG\n";
  });
});

Deno.test("a record with a version from far in the future is refused, and blocks no name", async () => {
  await using nodes = await ringOfThree();
  const { port } = nodes.at(0);
  await push(port, "blocked", randomBytes(10_000));
  const ahead = (days: number) =>
    nextVersion(Date.now() + 86_400_000 * days, new Uint8Array(10), undefined);
  for (const version of ["7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ahead(400)]) {
    const record = formatRecord({
      kind: "tombstone",
      name: "blocked",
      version,
      pushId: version,
      timeMs: 0,
    });
    assertEquals(
      await askText(port, `FILE COMMIT ${record.length}\n${record}`),
      `ERR the version is more than a year ahead of the clock: ${version}\n`,
    );
  }
  for (const each of nodes.ports) {
    assertEquals((await download(each, "blocked")).bytes, 10_000);
    await push(each, "blocked", randomBytes(10_000));
  }
  assertEquals(await askText(port, "FILE DELETE blocked\n"), "OK\n");
  await assertUnharmed(nodes);
});
