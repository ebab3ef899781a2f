import { assertEquals, assertStringIncludes } from "@std/assert";
import { oddNames, scriptsUrl, scriptTest } from "../support/script_runner.ts";
import {
  fileOf,
  headerOf,
  nodeThatHas,
  nodeThatSays,
  originalNodeThatHas,
  sha256,
  StandInNode,
  temporaryDirectory,
  twentyMiB,
} from "../support/stand_in_node.ts";

scriptTest("pull_file.sh writes exactly the file's bytes", async (run) => {
  for (const length of [0, 1, 70_000, twentyMiB]) {
    const file = fileOf(length);
    await using node = nodeThatHas(file, await headerOf(file, "a b.bin"));
    const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "a b.bin"]);
    assertEquals([outcome.code, outcome.stderr], [0, ""]);
    assertEquals(outcome.bytes.length, length);
    assertEquals(await sha256(outcome.bytes), await sha256(file));
    assertEquals(node.lines, ["FILE GET a b.bin"]);
  }
});

scriptTest("pull_file.sh leaves alone what follows the file", async (run) => {
  const file = fileOf(1000);
  await using node = new StandInNode(async (_line, wire) => {
    await wire.send(await headerOf(file, "a"));
    await wire.send(file);
    await wire.send("more\n");
  });
  const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "a"]);
  assertEquals([outcome.code, outcome.bytes], [0, file]);
});

scriptTest("pull_file.sh takes any name", async (run) => {
  const file = fileOf(10);
  await using node = nodeThatHas(file, await headerOf(file, "any"));
  for (const name of oddNames) {
    const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", name]);
    assertEquals([outcome.code, outcome.stderr, outcome.bytes], [0, "", file]);
  }
  assertEquals(node.lines, oddNames.map((name) => `FILE GET ${name}`));
});

scriptTest("pull_file.sh appends where its output is appended", async (run) => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/all`;
  await Deno.writeTextFile(path, "before\n");
  const file = new TextEncoder().encode("pulled\n");
  await using node = nodeThatHas(file, await headerOf(file, "a"));
  const script = decodeURIComponent(new URL("pull_file.sh", scriptsUrl).pathname);
  await Deno.writeTextFile(
    `${directory.path}/append.sh`,
    `#!/bin/sh\n"${script}" -p ${node.port} -f a >>"${path}"\n`,
    { mode: 0o755 },
  );
  const appendUrl = new URL(`file://${directory.path}/append.sh`).href;
  assertEquals((await run(appendUrl, [])).code, 0);
  assertEquals(await Deno.readTextFile(path), "before\npulled\n");
});

scriptTest("pull_file.sh reports the ring's ERR", async (run) => {
  await using node = nodeThatSays({ "FILE GET a": "ERR file not found\n" });
  const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "a"]);
  assertEquals([outcome.code, outcome.stdout, outcome.stderr], [1, "", "ERR file not found\n"]);
});

scriptTest("pull_file.sh fails when bytes are missing", async (run) => {
  const file = fileOf(100_000);
  const header = await headerOf(file, "a");
  for (const length of [0, 1, 99_999]) {
    await using node = new StandInNode(async (_line, wire) => {
      await wire.send(header);
      await wire.send(file.subarray(0, length));
      wire.close();
    });
    const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "a"]);
    assertEquals([outcome.code, outcome.bytes], [1, file.slice(0, length)]);
    assertStringIncludes(outcome.stderr, `'a' is short: ${length} of 100000 bytes came`);
  }
});

scriptTest("pull_file.sh fails when the bytes are not those of the SHA-256", async (run) => {
  const file = fileOf(1000);
  const header = await headerOf(file, "a");
  const damaged = file.slice();
  damaged[500]! ^= 1;
  await using node = nodeThatHas(damaged, header);
  const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "a"]);
  assertEquals([outcome.code, outcome.bytes], [1, damaged]);
  assertStringIncludes(outcome.stderr, "'a' is damaged");
});

scriptTest("pull_file.sh takes a file whose SHA-256 the ring does not know", async (run) => {
  const file = fileOf(1000);
  for (const unknown of ["", "-"]) {
    await using node = nodeThatHas(file, `FILE 1000 01J ${unknown} a\n`);
    const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "a"]);
    assertEquals([outcome.code, outcome.stderr, outcome.bytes], [0, "", file]);
  }
});

scriptTest("pull_file.sh asks an original node by LIST and PULL", async (run) => {
  const file = fileOf(twentyMiB);
  await using node = originalNodeThatHas(file, `b.bin,7001,${file.length}`);
  const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "dir/b.bin"]);
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
  assertEquals(await sha256(outcome.bytes), await sha256(file));
  assertEquals(node.lines, ["FILE GET b.bin", "FILE LIST", "FILE PULL b.bin"]);
});

scriptTest("pull_file.sh finds any name in an original node's list", async (run) => {
  const file = fileOf(10);
  for (const name of [...oddNames, "name", "a,7000,5", '"']) {
    const field = /[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
    await using node = originalNodeThatHas(file, `${field},7001,10`);
    const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", name]);
    assertEquals([name, outcome.code, outcome.stderr], [name, 0, ""]);
    assertEquals(outcome.bytes, file);
  }
});

scriptTest("pull_file.sh fails when an original node sends another size", async (run) => {
  const file = fileOf(10);
  for (const [size, problem] of [[11, "is short"], [9, "is longer"]] as const) {
    await using node = originalNodeThatHas(file, `a,7001,${size}`);
    const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "a"]);
    assertEquals(outcome.code, 1);
    assertStringIncludes(outcome.stderr, problem);
  }
});

scriptTest("pull_file.sh fails when an original node does not list the name", async (run) => {
  await using node = originalNodeThatHas(fileOf(10), "a,7001,10");
  const outcome = await run("pull_file.sh", ["-p", `${node.port}`, "-f", "b"]);
  assertEquals([outcome.code, outcome.stdout, outcome.stderr], [1, "", "ERR file not found\n"]);
});
