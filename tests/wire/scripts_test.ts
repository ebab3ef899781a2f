import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { scripts, scriptsUrl, scriptTest } from "../support/script_runner.ts";
import {
  nodeThatSays,
  refusingPort,
  StandInNode,
  temporaryDirectory,
} from "../support/stand_in_node.ts";

const askingScripts = [
  { script: "get_nodes.sh", line: "NETMAP GET", answer: "7000=Alive\n7001=Dead\nOK\n", args: [] },
  { script: "heal_network.sh", line: "NODE HEAL", answer: "OK network healed\n", args: [] },
  { script: "delete_file.sh", line: "FILE DELETE a b", answer: "OK\n", args: ["-f", "a b"] },
  {
    script: "stat_file.sh",
    line: "FILE STAT a b",
    answer: "name: a b\nsize: 3\nOK\n",
    args: ["-f", "a b"],
  },
] as const;

scriptTest("each asking script shows the answer and stops at its end", async (run) => {
  for (const { script, line, answer, args } of askingScripts) {
    await using node = nodeThatSays({ [line]: answer });
    const outcome = await run(script, ["-p", `${node.port}`, ...args]);
    assertEquals([outcome.code, outcome.stdout, outcome.stderr], [0, answer, ""]);
    assertEquals(node.lines, [line]);
  }
});

scriptTest("each asking script fails with the ring's ERR", async (run) => {
  for (const { script, line, args } of askingScripts) {
    await using node = nodeThatSays({ [line]: "ERR it does not work\n" });
    const outcome = await run(script, ["-p", `${node.port}`, ...args]);
    assertEquals([outcome.code, outcome.stdout, outcome.stderr], [1, "", "ERR it does not work\n"]);
  }
});

scriptTest("list_files.sh shows the list up to the end of the connection", async (run) => {
  const list = 'name,start,size\n"a, ""b"".txt",7000,3\nOK,7001,5\nERR x,7001,5\n';
  await using node = new StandInNode(async (_line, wire) => {
    await wire.dribble(list);
    wire.close();
  });
  const outcome = await run("list_files.sh", ["-p", `${node.port}`]);
  assertEquals([outcome.code, outcome.stdout, outcome.stderr], [0, list, ""]);
});

scriptTest("list_files.sh fails with the ring's ERR", async (run) => {
  await using node = nodeThatSays({ "FILE LIST": "ERR catching up\n" });
  const outcome = await run("list_files.sh", ["-p", `${node.port}`]);
  assertEquals([outcome.code, outcome.stdout, outcome.stderr], [1, "", "ERR catching up\n"]);
});

/** A process that a node may tell as its own, or by another name one that it may not. */
function victim(name = "ouroboros"): Deno.ChildProcess {
  return new Deno.Command("bash", { args: ["-c", 'exec -a "$0" sleep 60', name] }).spawn();
}

/** A node that tells this pid, and a netmap of itself, the port given and a dead node. */
function nodeWithPid(pid: number, also: number): StandInNode {
  const node: StandInNode = new StandInNode(async (line, wire) => {
    await wire.dribble(
      line === "NETMAP GET"
        ? `${node.port}=Alive\n127.0.0.1:${also}=Alive\n1=Dead\nOK\n`
        : `address: 127.0.0.1:${node.port}\npid: ${pid}\nversion: 0.1.0\nuptime: 12 s\nOK\n`,
    );
  });
  return node;
}

scriptTest("kill_node.sh ends the process that the node tells", async (run) => {
  const process = victim();
  await using node = nodeWithPid(process.pid, 2);
  const outcome = await run("kill_node.sh", ["-p", `${node.port}`]);
  if (outcome.code !== 0) process.kill("SIGTERM");
  assertEquals((await process.status).signal, "SIGKILL");
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
});

scriptTest("kill_node.sh kills nothing but a node of this machine", async (run) => {
  const process = victim();
  const stranger = victim("stranger");
  try {
    const cases: [string, string, RegExp][] = [
      ["0.0.0.0", `pid: ${process.pid}\nOK\n`, /a process of 0\.0\.0\.0/],
      [
        "127.0.0.1",
        `address: 127.0.0.1:2\npid: ${process.pid}\nOK\n`,
        /leads to .* 127\.0\.0\.1:2/,
      ],
      ["127.0.0.1", `pid: ${stranger.pid}\nOK\n`, /is not a node of this machine/],
      ["127.0.0.1", "pid: 4999999\nOK\n", /is not a node of this machine/], // no such process
      ["127.0.0.1", "pid: 1\nOK\n", /does not tell its pid/],
      ["127.0.0.1", "pid: -1\nOK\n", /does not tell its pid/],
      ["127.0.0.1", "address: 127.0.0.1:2\nOK\n", /does not tell its pid/],
      ["127.0.0.1", "ERR unknown NODE command\n", /original program/],
      ["127.0.0.1", "ERR catching up\n", /ERR catching up/],
    ];
    for (const [host, info, problem] of cases) {
      await using node = nodeThatSays({ "NODE INFO": info });
      const outcome = await run("kill_node.sh", ["-h", host, "-p", `${node.port}`]);
      assertEquals([outcome.code, outcome.stdout], [1, ""]);
      assertMatch(outcome.stderr, problem);
    }
  } finally {
    for (const unharmed of [process, stranger]) unharmed.kill("SIGTERM");
  }
  for (const unharmed of [process, stranger]) {
    assertEquals((await unharmed.status).signal, "SIGTERM");
  }
});

scriptTest("kill_all_nodes.sh ends every node of the netmap", async (run) => {
  const processes = [victim(), victim()] as const;
  await using other = nodeWithPid(processes[1].pid, 2);
  await using node = nodeWithPid(processes[0].pid, other.port);
  const outcome = await run("kill_all_nodes.sh", ["-p", `${node.port}`]);
  for (const process of processes) {
    if (outcome.code !== 0) process.kill("SIGTERM");
    assertEquals((await process.status).signal, "SIGKILL");
  }
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
});

scriptTest("kill_all_nodes.sh kills the rest and fails when one cannot be killed", async (run) => {
  const process = victim();
  await using node = nodeWithPid(process.pid, refusingPort());
  const outcome = await run("kill_all_nodes.sh", ["-p", `${node.port}`]);
  if (!outcome.stdout.includes(`${process.pid}`)) process.kill("SIGTERM");
  assertEquals([outcome.code, (await process.status).signal], [1, "SIGKILL"]);
  assertStringIncludes(outcome.stderr, "does not tell its pid");
});

scriptTest("kill_all_nodes.sh fails before the ring knows its nodes", async (run) => {
  await using node = nodeThatSays({ "NETMAP GET": "(empty)\nOK\n" });
  const outcome = await run("kill_all_nodes.sh", ["-p", `${node.port}`]);
  assertEquals([outcome.code, outcome.stdout], [1, ""]);
  assertStringIncludes(outcome.stderr, "no node to kill");
});

scriptTest("get_processes.sh shows a row a node", async (run) => {
  await using original = nodeThatSays({});
  await using node = nodeWithPid(4321, original.port);
  const outcome = await run("get_processes.sh", ["-p", `${node.port}`]);
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
  const rows = outcome.stdout.trimEnd().split("\n").map((row) => row.split(/ {2,}/));
  assertEquals(rows, [
    ["PORT", "PID", "STATE", "UPTIME", "VERSION"],
    [`${node.port}`, "4321", "Alive", "12 s", "0.1.0"],
    [`${original.port}`, "-", "Alive", "-", "original"],
    ["1", "-", "Dead", "-", "-"],
  ]);
});

scriptTest("get_processes.sh shows a node that does not answer as silent", async (run) => {
  const closed = refusingPort();
  await using node = nodeWithPid(4321, closed);
  const outcome = await run("get_processes.sh", ["-p", `${node.port}`]);
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
  assertMatch(outcome.stdout, new RegExp(`^${closed} +- +silent +- +-$`, "m"));
});

scriptTest("every script tells its use and ends well on --help", async (run) => {
  for (const script of scripts) {
    const outcome = await run(script, ["--help"]);
    assertEquals([outcome.code, outcome.stderr], [0, ""]);
    assertMatch(outcome.stdout, new RegExp(`^Usage: ${script} .*--help`, "s"));
  }
});

scriptTest("every script ends with 2 on wrong arguments", async (run) => {
  for (const script of scripts) {
    const mistakes = [
      ["--unknown"],
      ["-x"],
      ["stray"],
      ["-p"],
      ["--host"],
      ["-p", "0"],
      ["-p", "65536"],
      ["-p", "7000x"],
      ["--port="],
      ["-h", "-e"],
      ["-h", ""],
    ];
    const takesFile = /^(push|pull|delete|stat)_/.test(script);
    mistakes.push(...takesFile ? [[], ["-f", ""]] : [["-f", "a"], ["--as", "a"]]);
    if (takesFile && script !== "push_file.sh") mistakes.push(["-f", "dir/"]);
    for (const args of mistakes) {
      const outcome = await run(script, args);
      assertEquals([script, args, outcome.code, outcome.stdout], [script, args, 2, ""]);
      assertMatch(outcome.stderr, new RegExp(`^${script}: [^\n]+\n$`));
    }
  }
});

/** Arguments with which a script gets as far as the connection. */
async function argumentsOf(script: string, path: string): Promise<string[]> {
  if (!/^(push|pull|delete|stat)_/.test(script)) return [];
  await Deno.writeTextFile(path, "a\n");
  return ["-f", path];
}

scriptTest("every script fails when the connection is refused", async (run) => {
  await using directory = await temporaryDirectory();
  for (const script of scripts) {
    const args = await argumentsOf(script, `${directory.path}/a`);
    const outcome = await run(script, ["-p", `${refusingPort()}`, ...args]);
    assertEquals([script, outcome.code, outcome.stdout], [script, 1, ""]);
    assertStringIncludes(outcome.stderr, "no answer from 127.0.0.1 port");
  }
});

scriptTest("every script fails when the node closes without an answer", async (run) => {
  await using directory = await temporaryDirectory();
  await using node = new StandInNode((_line, wire) => Promise.resolve(wire.close()));
  for (const script of scripts) {
    const args = await argumentsOf(script, `${directory.path}/a`);
    const outcome = await run(script, ["-p", `${node.port}`, ...args]);
    assertEquals([script, outcome.code, outcome.stdout], [script, 1, ""]);
    assertStringIncludes(outcome.stderr, "no answer");
  }
});

scriptTest("every script gives up on a node that stays silent", async (run) => {
  await using directory = await temporaryDirectory();
  await using node = new StandInNode(async () => {});
  await Promise.all(scripts.map(async (script) => {
    const args = await argumentsOf(script, `${directory.path}/${script}`);
    const outcome = await run(script, ["-p", `${node.port}`, ...args], { OUROBOROS_TIMEOUT: "1" });
    assertEquals([script, outcome.code, outcome.stdout], [script, 1, ""]);
    assertStringIncludes(outcome.stderr, "no answer");
  }));
});

scriptTest("the scripts run from any directory", async (_run) => {
  const { code, stdout } = await new Deno.Command(new URL("get_nodes.sh", scriptsUrl), {
    args: ["--help"],
    cwd: "/",
  }).output();
  assertEquals(code, 0);
  assertMatch(new TextDecoder().decode(stdout), /^Usage: get_nodes\.sh/);
});

/** Whether this machine has shellcheck. */
function hasShellcheck(): boolean {
  try {
    return new Deno.Command("shellcheck", { args: ["--version"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const shellcheckFound = hasShellcheck();
if (!shellcheckFound) console.warn("The test of the scripts' style is ignored: no shellcheck.");

Deno.test({
  name: `shellcheck finds nothing in the scripts${shellcheckFound ? "" : " (ignored: missing)"}`,
  ignore: !shellcheckFound,
  fn: async () => {
    const { code, stdout } = await new Deno.Command("shellcheck", {
      args: [...scripts, "lib/ring.sh"].map((script) =>
        decodeURIComponent(new URL(script, scriptsUrl).pathname)
      ),
    }).output();
    assertEquals([code, new TextDecoder().decode(stdout)], [0, ""]);
  },
});
