/**
 * The scripts, each edition of netcat that this machine has, and a stand-in node that sends exactly
 * what a test tells it to. Like a real node it leaves the connection open after its answer, so a
 * script that waited for the end of the connection would run into the deadline here.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const scriptsUrl = new URL("../../scripts/", import.meta.url);
const scripts = [
  "delete_file.sh",
  "get_nodes.sh",
  "get_processes.sh",
  "heal_network.sh",
  "kill_all_nodes.sh",
  "kill_node.sh",
  "list_files.sh",
  "pull_file.sh",
  "push_file.sh",
  "stat_file.sh",
];

/** How long one script may take; a script that waits for something that never comes fails by it. */
const scriptDeadlineMs = 20_000;

/** When netcat gives up by itself: after the deadline, so that it cannot hide that it was left. */
const netcatTimeoutSeconds = 30;

const oddNames = [
  "two words.txt",
  " leading and trailing ",
  "grüße-日本語.txt",
  `"quoted", 'twice'`,
  "--help",
  "-n",
  "$(id) `id` $HOME *.ts",
];

// ---------------------------------------------------------------------------------------------
// Running scripts

/** What a script left behind. */
interface Outcome {
  readonly code: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a script and resolves when it and every process that holds its output has ended. */
type RunScript = (
  script: string,
  args: readonly string[],
  env?: Record<string, string>,
) => Promise<Outcome>;

function scriptRunner(netcat: string): RunScript {
  return async (script, args, env = {}) => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), scriptDeadlineMs);
    try {
      const output = await new Deno.Command(new URL(script, scriptsUrl), {
        args: [...args],
        env: { OUROBOROS_NC: netcat, OUROBOROS_TIMEOUT: `${netcatTimeoutSeconds}`, ...env },
        stdin: "null",
        signal: deadline.signal,
      }).output();
      // The script itself may have ended long before: netcat holds its output as well.
      if (deadline.signal.aborted) throw new Error(`${script} or its netcat ran for too long`);
      const decoder = new TextDecoder();
      return {
        code: output.code,
        bytes: output.stdout,
        stdout: decoder.decode(output.stdout),
        stderr: decoder.decode(output.stderr),
      };
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Every edition of netcat by Debian's names for them, else whatever is called `nc`. */
function findNetcats(): string[] {
  try {
    const { stdout } = new Deno.Command("bash", {
      args: ["-c", "type -P nc.openbsd nc.traditional ncat nc"],
    }).outputSync();
    const found = new TextDecoder().decode(stdout).split("\n").filter((path) => path !== "");
    return found.length > 1 ? found.filter((path) => !path.endsWith("/nc")) : found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // no bash either
    throw error;
  }
}

const netcats = findNetcats();
if (netcats.length === 0) {
  console.warn("The tests of the scripts are ignored: this machine has no netcat.");
}

/** Registers a test once for each netcat. */
function scriptTest(name: string, test: (run: RunScript) => Promise<void>): void {
  if (netcats.length === 0) {
    Deno.test({ name: `${name} (ignored: no netcat)`, ignore: true, fn: () => {} });
  }
  for (const netcat of netcats) {
    Deno.test(`${name} (${netcat.split("/").at(-1)})`, () => test(scriptRunner(netcat)));
  }
}

// ---------------------------------------------------------------------------------------------
// The stand-in node

/** One connection to the stand-in. */
class Wire {
  readonly #conn: Deno.TcpConn;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  /** The next bytes, at most `count`; none at the end. */
  async #some(count: number): Promise<Uint8Array> {
    if (this.#pending.length === 0) {
      const buffer = new Uint8Array(65_536);
      const read = await this.#conn.read(buffer);
      if (read === null) return new Uint8Array(0);
      this.#pending = buffer.subarray(0, read);
    }
    const bytes = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(bytes.length);
    return bytes;
  }

  /** The next line without its end; `undefined` when the client is done. */
  async readLine(): Promise<string | undefined> {
    const line: number[] = [];
    for (;;) {
      const [byte] = await this.#some(1);
      if (byte === undefined) return undefined;
      if (byte === 10) return new TextDecoder().decode(new Uint8Array(line));
      line.push(byte);
    }
  }

  /** The next `count` bytes, fewer only when the client ends early. */
  async readBody(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const body = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const bytes = await this.#some(count - filled);
      if (bytes.length === 0) break;
      body.set(bytes, filled);
      filled += bytes.length;
    }
    return body.subarray(0, filled);
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#conn.write(bytes.subarray(sent));
    }
  }

  /** Sends one byte a write, so that the client sees the answer in pieces. */
  async dribble(text: string): Promise<void> {
    for (const byte of new TextEncoder().encode(text)) await this.send(new Uint8Array([byte]));
  }

  close(): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // closed before
    }
  }
}

/** What a stand-in does with a line; it returns when its answer is sent. */
type Answer = (line: string, wire: Wire) => Promise<void>;

/** Listens on a free port and leaves what it says to the test. */
class StandInNode {
  /** Every line that came, of all connections. */
  readonly lines: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #wires: Wire[] = [];
  readonly #tasks: Promise<void>[] = [];

  constructor(answer: Answer) {
    this.#tasks.push(this.#accept(answer));
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(answer: Answer): Promise<void> {
    for await (const conn of this.#listener) {
      const wire = new Wire(conn);
      this.#wires.push(wire);
      this.#tasks.push(this.#serve(wire, answer));
    }
  }

  async #serve(wire: Wire, answer: Answer): Promise<void> {
    try {
      for (;;) {
        const line = await wire.readLine();
        if (line === undefined) break;
        this.lines.push(line);
        await answer(line, wire);
      }
    } catch (error) {
      // The script has gone, or the answer was to close.
      const expected = [
        Deno.errors.BadResource,
        Deno.errors.BrokenPipe,
        Deno.errors.ConnectionReset,
        Deno.errors.Interrupted,
      ];
      if (!expected.some((kind) => error instanceof kind)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const wire of this.#wires) wire.close();
    await Promise.all(this.#tasks);
  }
}

/** A node that answers each of these lines, and any other as the original answers what is new. */
function nodeThatSays(answers: Record<string, string>): StandInNode {
  return new StandInNode(async (line, wire) => {
    await wire.dribble(answers[line] ?? `ERR unknown ${line.split(" ")[0]} command\n`);
  });
}

/** A node that answers `FILE GET` of any name with this file. */
function nodeThatHas(file: Uint8Array, header: string): StandInNode {
  return new StandInNode(async (_line, wire) => {
    await wire.dribble(header);
    await wire.send(file);
  });
}

/** A node of the original program that has this one file, by its row of `FILE LIST`. */
function originalNodeThatHas(file: Uint8Array, row: string): StandInNode {
  return new StandInNode(async (line, wire) => {
    if (line === "FILE LIST") {
      await wire.dribble(`name,start,size\n"a, ""b"".txt",7000,3\n${row}\n`);
      wire.close();
    } else if (line.startsWith("FILE PULL ")) {
      await wire.send(file);
      wire.close();
    } else {
      await wire.send("ERR unknown FILE command\n");
    }
  });
}

/** A port that refuses connections. */
function refusingPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

// ---------------------------------------------------------------------------------------------
// Files

/** Bytes of every value, the same ones for the same length. */
function fileOf(length: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    file[index] = state >> 16;
  }
  return file;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function headerOf(file: Uint8Array<ArrayBuffer>, name: string): Promise<string> {
  return `FILE ${file.length} 01J00000000000000000000000 ${await sha256(file)} ${name}\n`;
}

/** A directory that goes with its `await using`. */
async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const twentyMiB = 20 * 1024 * 1024;

// ---------------------------------------------------------------------------------------------
// Push

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

// ---------------------------------------------------------------------------------------------
// Pull

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

// ---------------------------------------------------------------------------------------------
// Pull from an original node

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

// ---------------------------------------------------------------------------------------------
// The scripts that show an answer

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

// ---------------------------------------------------------------------------------------------
// Processes

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

// ---------------------------------------------------------------------------------------------
// All of them

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
