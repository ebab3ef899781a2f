/**
 * The client's subcommands against a live ring, and against one that cuts or damages a file.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { liveRing, sha256 } from "../support/live_ring.ts";
import { programCommand, runProgram } from "../support/program.ts";
import {
  makeRandomFile,
  randomBytes,
  sha256OfFile,
  temporaryDirectory,
} from "../support/real_file.ts";
import { listOf, push } from "../support/wire_client.ts";

const bytes = 5_000_011;

Deno.test("the client stores and fetches files, and says how the ring is", async (t) => {
  await using ring = await liveRing(3, { args: ["--log-level=warn"] });
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  const gateway = ["--host", "127.0.0.1", "--port", String(ring.gatewayPort)];
  const name = `it's "100 %" – ok.bin`;
  const sum = await makeRandomFile(`${cwd}/${name}`, bytes);
  const rows = [{ name, start: ring.port(0), size: bytes }];
  const step = async (what: string, fn: () => Promise<void>) => {
    // What the supervisor prints meanwhile is read by the test around it.
    await t.step({ name: what, fn, sanitizeOps: false, sanitizeResources: false });
  };

  await step("push, list, pull", async () => {
    assertEquals(
      await outputOf(["push", name, ...gateway], { cwd }),
      `Stored '${name}': 4.8 MiB\n`,
    );
    assertEquals(await outputOf(["list", "-p", String(ring.port(2))]), listOf(rows));
    const fetched = await outputOf(["pull", name, "-o", "copy.bin", ...gateway], { cwd });
    assertEquals(fetched, `Fetched '${name}' to 'copy.bin': 4.8 MiB, SHA-256 verified\n`);
    assertEquals(await sha256OfFile(`${cwd}/copy.bin`), sum);
  });

  await step("from standard input, to standard output, by OUROBOROS_ADDR", async () => {
    const env = { OUROBOROS_ADDR: `127.0.0.1:${ring.port(1)}` };
    const stdin = randomBytes(100_001);
    const stored = await outputOf(["push", "-", "--as=-piped-"], { stdin, env });
    assertEquals(stored, "Stored '-piped-': 97.7 KiB\n");
    const pulled = await runProgram(["pull", "-o", "-", "--", "-piped-"], { env });
    assertEquals([pulled.code, pulled.stderr], [0, ""]);
    assertEquals(sha256(pulled.stdoutBytes), sha256(stdin));
  });

  await step("what cannot be is one line and an exit code, and leaves nothing", async () => {
    const before = await namesIn(cwd);
    const cases = [
      { args: ["push", "no such file"], code: 1, stderr: /^error: Cannot push 'no such file': / },
      { args: ["push", "."], code: 1, stderr: /^error: Cannot push '.': it is a directory\n$/ },
      {
        args: ["pull", "nothing"],
        code: 3,
        stderr: /^error: Cannot pull 'nothing': file not found/,
      },
      { args: ["pull", "no*"], code: 3, stderr: /^error: Cannot pull 'no\*': no stored file / },
      { args: ["pull", name, "-o", "a/b"], code: 1, stderr: /^error: [^\n]*no such directory\n$/ },
      {
        args: ["delete", "nothing"],
        code: 3,
        stderr: /^error: Cannot delete 'nothing': file not /,
      },
      {
        args: ["stat", "nothing"],
        code: 3,
        stderr: /^error: Cannot show 'nothing': file not found/,
      },
    ];
    for (const { args, code, stderr } of cases) {
      const ran = await runProgram([...args, ...gateway], { cwd });
      assertEquals([ran.code, ran.stdout], [code, ""], args.join(" "));
      assertMatch(ran.stderr, /^[^\n]+\n$/);
      assertMatch(ran.stderr, stderr);
    }
    assertEquals(await namesIn(cwd), before);
  });

  await step("several files, patterns and directories", async () => {
    await Deno.mkdir(`${cwd}/into`);
    for (const each of ["1.txt", "2.txt"]) await Deno.writeTextFile(`${cwd}/${each}`, each);
    assertEquals(
      await outputOf(["push", "1.txt", "[2].txt", ...gateway], { cwd }),
      "Stored '1.txt': 5 bytes\nStored '2.txt': 5 bytes\n2 files stored, 10 bytes\n",
    );
    const partly = await runProgram(["pull", "?.txt", "nothing", "-o", "into", ...gateway], {
      cwd,
    });
    assertEquals(partly.code, 3);
    assertMatch(
      partly.stdout,
      /^Fetched '1\.txt' to 'into.1\.txt': .*\n.*\n2 of 3 files fetched, /,
    );
    assertEquals(await namesIn(`${cwd}/into`), ["1.txt", "2.txt"]);
    assertEquals(await outputOf(["delete", "-q", "1.txt", "2.txt", ...gateway]), "");
    assertEquals(
      JSON.parse(await outputOf(["list", "--json", "*.bin", ...gateway])),
      [{ name, start: `127.0.0.1:${ring.port(0)}`, size: bytes }],
    );
  });

  await step("stat tells where every copy lies, delete leaves nothing of it", async () => {
    await Deno.writeTextFile(`${cwd}/short-lived`, "12345");
    await outputOf(["push", "short-lived", "-p", String(ring.port(1))], { cwd });
    const stat = await outputOf(["stat", "short-lived", ...gateway]);
    const copies = [[1, 0], [2, 1], [0, 2]].map((places) =>
      places.map((place) => `127.0.0.1:${ring.port(place)}`)
    );
    assertMatch(stat, /^name: short-lived\nsize: 5\nsha256: [0-9a-f]{64}\nversion: [0-9A-Z]{26}\n/);
    for (const [part, nodes] of copies.entries()) {
      const line = `\npart ${part + 1}: ${nodes.map((node) => `${node} ok`).join(", ")}\n`;
      assert(stat.includes(line), `${line} in ${stat}`);
    }
    const { parts } = JSON.parse(await outputOf(["stat", "short-lived", "--json", ...gateway]));
    assertEquals(parts, copies.map((nodes) => nodes.map((node) => ({ node, state: "ok" }))));
    const deleted = await outputOf(["delete", "short-lived", "-p", String(ring.port(2))]);
    assertEquals(deleted, "Deleted 'short-lived'\n");
    for (const [command, verb] of [["stat", "show"], ["pull", "pull"], ["delete", "delete"]]) {
      const ran = await runProgram([command ?? "", "short-lived", ...gateway], {
        cwd: `${cwd}/into`,
      });
      const error = `error: Cannot ${verb} 'short-lived': file not found`;
      assertEquals([ran.code, ran.stdout, ran.stderr.startsWith(error)], [3, "", true], ran.stderr);
    }
  });

  await step("status and heal", async () => {
    const well = await outputOf(["status", ...gateway]);
    assertMatch(well, /^3 nodes, all Alive\n/);
    for (const port of ring.ports) {
      assertMatch(well, new RegExp(`\n127\\.0\\.0\\.1:${port} +Alive +ready, up `));
    }
    const pid = await ring.kill(ring.port(1));
    assertEquals(
      await outputOf(["heal", "-p", String(ring.port(2))]),
      "Healed: 3 nodes, all Alive\n",
    );
    assertNotEquals(await ring.pid(ring.port(1)), pid);
  });

  await step("stop, and then nobody answers", async () => {
    assertMatch(await outputOf(["stop", ...gateway]), /^Stopped the ring of 3 nodes on /);
    assertEquals(await ring.supervisor.exited, 0);
    for (const command of ["list", "status", "heal", "stop", "pull a"]) {
      const retry = command === "stop" ? [] : ["--retry=0"];
      const ran = await runProgram([...command.split(" "), ...retry, ...gateway], { cwd });
      assertEquals([ran.code, ran.stdout], [command === "stop" ? 1 : 4, ""]);
      assertMatch(ran.stderr, /^error: No ring answers at [^\n]+\n$/);
    }
  });
});

Deno.test("pull leaves no file when the ring cuts or changes it", async () => {
  await using ring = await liveRing(2, { gateway: false });
  await using directory = await temporaryDirectory();
  const cwd = directory.path;
  await push(ring.port(0), "a.bin", randomBytes(bytes));
  await Deno.writeTextFile(`${cwd}/a.bin`, "an earlier one");
  for (const [what, why] of [["cut", /ended|broke/], ["change", /SHA-256/]] as const) {
    await using proxy = new BadProxy(ring.port(0), what);
    const ran = await runProgram(["pull", "a.bin", "-p", String(proxy.port)], { cwd });
    assertEquals([ran.code, ran.stdout], [1, ""]);
    assertMatch(ran.stderr, /^error: Cannot pull 'a\.bin': [^\n]+\n$/);
    assertMatch(ran.stderr, why);
    assertEquals(await namesIn(cwd), ["a.bin"]);
    assertEquals(await Deno.readTextFile(`${cwd}/a.bin`), "an earlier one");
  }
});

Deno.test("pull to standard output fails when its node is killed", async () => {
  await using ring = await liveRing(2, { waitTimeMs: 60_000, gateway: false });
  await push(ring.port(0), "a.bin", randomBytes(40_000_003));
  const { command, args } = programCommand(["pull", "a.bin", "-o", "-", "-p", `${ring.port(0)}`]);
  await using child = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // A reader that pauses keeps the rest at the node.
  const reader = child.stdout.getReader();
  let received = (await reader.read()).value?.length ?? 0;
  await ring.kill(ring.port(0));
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    received += read.value.length;
  }
  const [{ code }, stderr] = await Promise.all([child.status, toText(child.stderr)]);
  assertEquals(code, 1);
  assert(received > 0 && received < 40_000_003, `${received} bytes came`);
  assertMatch(stderr, /^error: Cannot pull 'a\.bin': [^\n]+\n$/);
});

Deno.test("what is no command line is one line and exit code 2", async () => {
  const wrong = [
    ["launch"],
    ["list", "--prot=1"],
    ["list", "--port=70000"],
    ["push"],
    ["run", "--wait-time=soon"],
    ["set-network", "--nodes=0"],
    ["set-network", "--nodes=3", "--copies=4"],
    ["gateway", "--port=1"],
  ];
  const runs = await Promise.all(wrong.map((args) => runProgram(args)));
  for (const [index, { code, stdout, stderr }] of runs.entries()) {
    assertEquals([code, stdout], [2, ""], wrong[index]?.join(" "));
    assertMatch(stderr, /^error: [^\n]+\n$/);
  }
});

Deno.test("--help of everything, and --version", async () => {
  const commands = ["run", "set-network", "gateway", "push", "pull", "list", "status", "heal"];
  const all = [[], ...[...commands, "stop"].map((command) => [command])];
  const helps = await Promise.all(all.map((args) => outputOf([...args, "--help"])));
  for (const [index, help] of helps.entries()) {
    assertMatch(help, /^[^\n]*\n/);
    for (const command of index === 0 ? commands : all[index] ?? []) assert(help.includes(command));
  }
  assertMatch(await outputOf(["--version"]), /^ouroboros \d+\.\d+\.\d+[^\n]*\n$/i);
});

/** What the program prints when all is well. */
async function outputOf(
  args: readonly string[],
  options: Parameters<typeof runProgram>[1] = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(args, options);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

async function namesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
}

/** Stands before a node and spoils what it sends after 1 MB. */
class BadProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #done: Promise<void>;

  constructor(nodePort: number, what: "cut" | "change") {
    this.#done = this.#serve(nodePort, what);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#done;
  }

  async #serve(nodePort: number, what: "cut" | "change"): Promise<void> {
    for await (const client of this.#listener) {
      const node = await Deno.connect({ hostname: "127.0.0.1", port: nodePort });
      const up = client.readable.pipeTo(node.writable).catch(() => {/* one of them has gone */});
      let passed = 0;
      const spoil = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          passed += piece.length;
          if (passed > 1_000_000 && what === "cut") return controller.terminate();
          if (passed > 1_000_000 && passed - piece.length <= 1_000_000) piece[0] = ~(piece[0] ?? 0);
          controller.enqueue(piece);
        },
      });
      await node.readable.pipeThrough(spoil).pipeTo(client.writable).catch(() => {/* as above */});
      await up;
    }
  }
}
