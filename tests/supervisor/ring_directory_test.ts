import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { exists } from "@std/fs/exists";
import { defaultHttpOptions } from "../../src/gateway/options.ts";
import { defaultNodeOptions } from "../../src/node/options.ts";
import { NetworkError } from "../../src/supervisor/network_error.ts";
import { type NetworkPlan, planNetwork } from "../../src/supervisor/plan.ts";
import { claimRingDirectory, ringsIn } from "../../src/supervisor/ring_directory.ts";

/** A data directory that goes away after the test. */
class DataDir implements AsyncDisposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ouroboros-test-" });

  plan(nodeCount: number, basePort = 7000, host = "127.0.0.1"): NetworkPlan {
    return planNetwork({
      host,
      basePort,
      nodeCount,
      gatewayPollMs: 5_000,
      gatewayBalance: "first",
      gatewayHttp: defaultHttpOptions,
      overwrite: false,
      node: { ...defaultNodeOptions, dataDir: this.path },
    });
  }

  async write(name: string): Promise<void> {
    const path = `${this.path}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, "kept");
  }

  has(name: string): Promise<boolean> {
    return exists(`${this.path}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

async function assertOtherShape(plan: NetworkPlan, words: string): Promise<void> {
  const error = await assertRejects(() => claimRingDirectory(plan, false), NetworkError);
  assertEquals(error.exitCode, 2);
  assertStringIncludes(error.message, words);
  assertFalse(error.message.includes("\n"));
}

Deno.test("claimRingDirectory() makes room for a new ring and remembers its shape", async () => {
  await using data = new DataDir();
  const plan = data.plan(3);
  await claimRingDirectory(plan, false);
  assert(await data.has("7002"));
  assertEquals([...await ringsIn(data.path)], [[plan.ringDirectory, plan.shape]]);
});

Deno.test("claimRingDirectory() keeps a ring of the same shape, also after a node's loss", async () => {
  await using data = new DataDir();
  await claimRingDirectory(data.plan(3), false);
  await data.write("7001/content/a.part-001-of-003");
  await Deno.remove(`${data.path}/7002`, { recursive: true });
  await claimRingDirectory(data.plan(3), false);
  assert(await data.has("7001/content/a.part-001-of-003"));
});

Deno.test("claimRingDirectory() refuses a ring of another shape", async () => {
  await using data = new DataDir();
  await claimRingDirectory(data.plan(3), false);
  await assertOtherShape(
    data.plan(5),
    `holds a ring of 3 nodes (7000 to 7002), not 5 nodes (7000 to 7004)`,
  );
  await assertOtherShape(data.plan(2), "not 2 nodes (7000 and 7001)");
  await assertOtherShape(data.plan(3, 7001), "not 3 nodes (7001 to 7003)");
  await assertOtherShape(data.plan(3, 7100), "not 3 nodes (7100 to 7102)");
  await assertOtherShape(data.plan(3, 7000, "127.0.0.2"), "3 nodes on 127.0.0.1 (7000 to 7002)");
});

Deno.test("claimRingDirectory() judges nodes without a ring's file by their directories", async () => {
  await using data = new DataDir();
  for (const port of [7000, 7001, 7002]) await data.write(`${port}/content/a`);
  await assertOtherShape(data.plan(2), "holds a ring of 3 nodes (7000 to 7002)");
  await assertOtherShape(data.plan(3, 7001), "holds a ring of 3 nodes (7000 to 7002)");
  await claimRingDirectory(data.plan(3), false);
  await using other = new DataDir();
  await other.write("9000/content/a");
  await claimRingDirectory(other.plan(3), false);
});

Deno.test("claimRingDirectory() that overwrites deletes only its own ports", async () => {
  await using data = new DataDir();
  await claimRingDirectory(data.plan(5), false);
  for (const port of [7000, 7001, 7002, 7003, 7004]) await data.write(`${port}/content/a`);
  await data.write("notes/mine.txt");
  await claimRingDirectory(data.plan(3), true);
  for (const port of [7000, 7001, 7002]) assertFalse(await data.has(`${port}/content/a`));
  for (const kept of ["7003/content/a", "7004/content/a", "notes/mine.txt"]) {
    assert(await data.has(kept), kept);
  }
  await claimRingDirectory(data.plan(3), false);
  await assertOtherShape(data.plan(5), "holds a ring of 3 nodes");
});

Deno.test("claimRingDirectory() that overwrites lets two rings share a directory", async () => {
  await using data = new DataDir();
  await claimRingDirectory(data.plan(2, 7000), false);
  await data.write("7000/content/a");
  await claimRingDirectory(data.plan(2, 7100), true);
  assert(await data.has("7000/content/a"));
  await claimRingDirectory(data.plan(2, 7000), false);
  await claimRingDirectory(data.plan(2, 7100), false);
});

Deno.test("ringsIn() passes over a damaged file and a missing directory", async () => {
  await using data = new DataDir();
  assertEquals((await ringsIn(`${data.path}/none`)).size, 0);
  const bad = ["not JSON", "[]", "null", '{"host":"h","ports":[]}', '{"host":1,"ports":[7000]}'];
  for (const [index, text] of bad.entries()) {
    await Deno.mkdir(`${data.path}/ring-${7000 + index}`);
    await Deno.writeTextFile(`${data.path}/ring-${7000 + index}/ring.json`, text);
  }
  assertEquals((await ringsIn(data.path)).size, 0);
});
