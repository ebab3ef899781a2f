import { assertEquals, assertStringIncludes } from "@std/assert";
import { oddNames, scriptTest } from "../support/script_runner.ts";
import {
  fileOf,
  sha256,
  StandInNode,
  temporaryDirectory,
  twentyMiB,
} from "../support/stand_in_node.ts";

scriptTest("push_file.sh sends the size, the name and the bytes", async (run) => {
  await using directory = await temporaryDirectory();
  for (const length of [0, 1, 70_000, twentyMiB]) {
    const file = fileOf(length);
    await Deno.writeFile(`${directory.path}/a.bin`, file);
    const answer = `FILE ${length} bytes split into 5 chunks and distributed\nOK\n`;
    let body = new Uint8Array(0);
    await using node = new StandInNode(async (_line, wire) => {
      body = await wire.readBody(length);
      await wire.dribble(answer);
    });
    const outcome = await run("push_file.sh", [
      ...["-p", `${node.port}`],
      ...["-f", `${directory.path}/a.bin`],
    ]);
    assertEquals([outcome.code, outcome.stdout, outcome.stderr], [0, answer, ""]);
    assertEquals(node.lines, [`FILE PUSH ${length} a.bin`]);
    assertEquals(await sha256(body), await sha256(file));
  }
});

scriptTest("push_file.sh takes any name, of the file or by --as", async (run) => {
  await using directory = await temporaryDirectory();
  await using node = nodeThatPushes();
  const port = `--port=${node.port}`;
  for (const name of oddNames) {
    await Deno.writeTextFile(`${directory.path}/${name}`, "a\n");
    const byPath = await run("push_file.sh", [port, "--file", `${directory.path}/${name}`]);
    assertEquals([byPath.code, byPath.stderr], [0, ""]);
    const byOption = await run("push_file.sh", [
      ...[port, "-f", `${directory.path}/${name}`],
      ...["--as", `as ${name}`],
    ]);
    assertEquals([byOption.code, byOption.stderr], [0, ""]);
  }
  assertEquals(
    node.lines,
    oddNames.flatMap((name) => [`FILE PUSH 2 ${name}`, `FILE PUSH 2 as ${name}`]),
  );
});

/** A node that takes pushes and keeps nothing. */
function nodeThatPushes(): StandInNode {
  return new StandInNode(async (line, wire) => {
    await wire.readBody(Number(line.split(" ")[2]));
    await wire.send("FILE 2 bytes split into 5 chunks and distributed\nOK\n");
  });
}

scriptTest("push_file.sh never lets a name begin another command", async (run) => {
  await using directory = await temporaryDirectory();
  await using node = nodeThatPushes();
  await Deno.writeTextFile(`${directory.path}/a`, "a\n");
  const outcome = await run("push_file.sh", [
    ...["-p", `${node.port}`, "-f", `${directory.path}/a`],
    ...["--as", "../b\nNODE STOP 1\r\nc:d;e|f\\g"],
  ]);
  assertEquals([outcome.code, node.lines], [0, ["FILE PUSH 2 b_NODE STOP 1__c_d_e_f_g"]]);
});

scriptTest("push_file.sh knows the answers of a ring of one", async (run) => {
  await using directory = await temporaryDirectory();
  await Deno.writeTextFile(`${directory.path}/a`, "a\n");
  const stored = "FILE 2 bytes 'a' stored locally\n";
  for (const answer of [`${stored}OK\n`, `${stored}OK`, stored, stored.trimEnd()]) {
    await using node = new StandInNode(async (_line, wire) => {
      await wire.readBody(2);
      await wire.send(answer);
      wire.close();
    });
    const outcome = await run("push_file.sh", ["-p", `${node.port}`, "-f", `${directory.path}/a`]);
    assertEquals([outcome.code, outcome.stderr], [0, ""]);
    assertStringIncludes(outcome.stdout, stored);
  }
});

scriptTest("push_file.sh reports an ERR that comes before the bytes were read", async (run) => {
  await using directory = await temporaryDirectory();
  await Deno.writeFile(`${directory.path}/a`, fileOf(twentyMiB));
  const error = `ERR File size is too large (${twentyMiB} > 1000)\n`;
  await using node = new StandInNode(async (_line, wire) => {
    await wire.readBody(100_000);
    await wire.send(error);
    await new Promise<void>((resolve) => setTimeout(resolve, 100));
    wire.close();
  });
  const outcome = await run("push_file.sh", ["-p", `${node.port}`, "-f", `${directory.path}/a`]);
  assertEquals([outcome.code, outcome.stdout, outcome.stderr], [1, "", error]);
});

scriptTest("push_file.sh fails when the node goes away while it sends", async (run) => {
  await using directory = await temporaryDirectory();
  await Deno.writeFile(`${directory.path}/a`, fileOf(twentyMiB));
  await using node = new StandInNode(async (_line, wire) => {
    await wire.readBody(100_000);
    wire.close();
  });
  const outcome = await run("push_file.sh", ["-p", `${node.port}`, "-f", `${directory.path}/a`]);
  assertEquals([outcome.code, outcome.stdout], [1, ""]);
  assertStringIncludes(outcome.stderr, "no answer");
});

scriptTest("push_file.sh refuses what is no readable file", async (run) => {
  await using directory = await temporaryDirectory();
  for (const path of [directory.path, `${directory.path}/missing`]) {
    const outcome = await run("push_file.sh", ["-f", path]);
    assertEquals([outcome.code, outcome.stdout], [2, ""]);
    assertStringIncludes(outcome.stderr, path);
  }
});
