/**
 * The client's subcommands against nodes that go away, stall, or are of the original program.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { Program, runProgram, waitUntil } from "../support/program.ts";
import {
  fileOf,
  headerOf,
  originalNodeThatHas,
  StandInNode,
  temporaryDirectory,
} from "../support/stand_in_node.ts";

Deno.test("a push is tried again when its node dies before anything was sent", async () => {
  let deaths = 2;
  await using node = new StandInNode(async (line, wire) => {
    if (line === "NODE PING" && deaths-- > 0) wire.close();
    else if (line === "NODE PING") await wire.send("PONG\n");
    else {
      await wire.readBody(5);
      await wire.send("FILE 5 bytes split into 2 chunks and distributed\nOK\n");
    }
  });
  const ran = await runProgram(["push", "-", "--as=a", "-p", String(node.port)], {
    stdin: "hello",
  });
  assertEquals([ran.code, ran.stdout], [0, "Stored 'a': 5 bytes\n"]);
  const note = "note: Cannot push 'a': the connection to 127.0.0.1:" +
    `${node.port} broke; trying again for 10 s\n`;
  assertEquals(ran.stderr, note);
  assertEquals(node.lines, ["NODE PING", "NODE PING", "NODE PING", "FILE PUSH 5 a"]);
});

Deno.test("a push whose node dies later is not tried again, and says what is known", async () => {
  await using node = new StandInNode(async (line, wire) => {
    if (line === "NODE PING") return await wire.send("PONG\n");
    await wire.readBody(5);
    wire.close();
  });
  const ran = await runProgram(["push", "-", "--as=a", "-p", String(node.port)], {
    stdin: "hello",
  });
  assertEquals([ran.code, ran.stdout], [5, ""]);
  assertMatch(ran.stderr, /^error: Cannot push 'a': [^\n]*it may be stored or not[^\n]*\n$/);
  assertEquals(node.lines.length, 2);
});

Deno.test("a client of several files stops when the ring is gone", async () => {
  await using directory = await temporaryDirectory();
  const node = new StandInNode(async (_line, wire) => {
    await wire.send("ERR file not found\n");
    await node[Symbol.asyncDispose]();
  });
  const args = ["pull", "a", "b", "c", "--retry=0", "-p", String(node.port)];
  const ran = await runProgram(args, { cwd: directory.path });
  assertEquals([ran.code, ran.stdout], [1, "0 of 3 files fetched\n"]);
  assertMatch(
    ran.stderr,
    /^error: Cannot pull 'a': file not found[^\n]*\nerror: No ring [^\n]*\n$/,
  );
});

Deno.test({
  name: "Ctrl-C ends a transfer with 130 and leaves no part of a file",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await temporaryDirectory();
    const file = fileOf(100);
    const header = await headerOf(file, "a");
    await using node = new StandInNode(async (_line, wire) => {
      await wire.send(header);
      await wire.send(file.subarray(0, 50));
    });
    await using program = new Program(["pull", "a", "-p", String(node.port)], {
      cwd: directory.path,
    });
    const names = async () =>
      await Array.fromAsync(Deno.readDir(directory.path), ({ name }) => name);
    await waitUntil("it writes", 20_000, async () => (await names()).length === 1);
    program.signal("SIGINT");
    assertEquals(await program.exited, 130);
    assertEquals([program.stdout, program.stderr, await names()], ["", "", []]);
  },
});

Deno.test("the client works with an original node, as far as that knows how", async () => {
  await using directory = await temporaryDirectory();
  const file = fileOf(1_000);
  await using node = originalNodeThatHas(file, "b.bin,7000,1000");
  const at = ["-p", String(node.port), "--retry=0"];
  const pulled = await runProgram(["pull", "b.*", ...at], { cwd: directory.path });
  assertEquals(
    [pulled.code, pulled.stdout, pulled.stderr],
    [0, "Fetched 'b.bin' to 'b.bin': 1000 bytes\n", ""],
  );
  assertEquals(await Deno.readFile(`${directory.path}/b.bin`), file);
  const stat = await runProgram(["stat", "b.bin", ...at]);
  assertEquals(stat.stdout, "name: b.bin\nsize: 1000\nstart: 127.0.0.1:7000\n");
  const listed = await runProgram(["list", "b*", ...at]);
  assertEquals(listed.stdout, "name,start,size\nb.bin,7000,1000\n");
  const missing = await runProgram(["stat", "c", ...at]);
  assertEquals(missing.code, 3);
  const scrubbed = await runProgram(["scrub", ...at]);
  assertEquals(scrubbed.code, 1);
  assertMatch(scrubbed.stderr, /an original node does not know how\n$/);
});

Deno.test("a configuration says where the ring is, and what it says wrong is one line", async () => {
  await using directory = await temporaryDirectory();
  const config = `${directory.path}/client.json`;
  await using node = originalNodeThatHas(fileOf(1), "b.bin,7000,1");
  await Deno.writeTextFile(config, JSON.stringify({ port: node.port, json: true }));
  const env = { OUROBOROS_ADDR: "127.0.0.1:1" };
  const listed = await runProgram(["list", "b*", "--config", config], { env });
  assertEquals([listed.code, listed.stderr], [0, ""]);
  assertEquals(JSON.parse(listed.stdout).length, 1);
  await Deno.writeTextFile(config, '{"prot": 1}');
  const wrong = await runProgram(["list", "--config", config]);
  assertEquals([wrong.code, wrong.stdout], [2, ""]);
  assertMatch(
    wrong.stderr,
    /^error: the configuration '[^\n]*' has 'prot', which is none of [^\n]*\n$/,
  );
});
