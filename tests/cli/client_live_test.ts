import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs/exists";
import { freePorts, liveRing, sha256 } from "../support/live_ring.ts";
import { runProgram } from "../support/program.ts";

/** A directory for files that are pushed and pulled. */
async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "ouroboros-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("the program explains itself", async () => {
  const bare = await runProgram([]);
  assertEquals([bare.code, bare.stdout], [2, ""]);
  assertStringIncludes(bare.stderr, "Usage: ouroboros COMMAND [flags]");
  const help = await runProgram(["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch((await runProgram(["--version"])).stdout, /^ouroboros [0-9]+\.[0-9]+\.[0-9]+\n$/);
  const wrong = await runProgram(["run", "--prot", "1"]);
  assertEquals(
    [wrong.code, wrong.stdout, wrong.stderr],
    [2, "", "error: unknown flag '--prot'; see 'ouroboros run --help'\n"],
  );
});

Deno.test("push, list, pull and status work through the gateway", async () => {
  await using ring = await liveRing(3);
  await using files = await temporary();
  const { path } = files;
  const at = ["-p", String(ring.gatewayPort)];
  const bytes = new Uint8Array(1_000_003).map((_, index) => (index * 17) % 251);
  await Deno.writeFile(`${path}/a b,"c".bin`, bytes);
  const pushed = await runProgram(["push", `${path}/a b,"c".bin`, ...at]);
  assertEquals([pushed.code, pushed.stderr], [0, ""]);
  assertEquals(pushed.stdout, `Stored 'a b,"c".bin': 976.6 KiB\n`);
  const listed = await runProgram(["list"], {
    env: { OUROBOROS_ADDR: `127.0.0.1:${ring.port(1)}` },
  });
  assertEquals(listed.stdout, `name,start,size\n"a b,""c"".bin",${ring.port(0)},1000003\n`);
  const pulled = await runProgram(["pull", 'a b,"c".bin', "-o", "copy", ...at], { cwd: path });
  assertEquals([pulled.code, pulled.stderr], [0, ""]);
  assertEquals(
    pulled.stdout,
    `Fetched 'a b,"c".bin' to 'copy': 976.6 KiB, SHA-256 verified\n`,
  );
  assertEquals(sha256(await Deno.readFile(`${path}/copy`)), sha256(bytes));
  const piped = await runProgram(["pull", 'a b,"c".bin', "-o", "-", ...at]);
  assertEquals(sha256(piped.stdoutBytes), sha256(bytes));
  const status = await runProgram(["status", ...at]);
  assertMatch(
    status.stdout,
    /^3 nodes, all Alive\n(127\.0\.0\.1:[0-9]+ {2}Alive {2}ready, .*\n){3}$/,
  );
  const healed = await runProgram(["heal", ...at]);
  assertEquals([healed.code, healed.stdout], [0, "Healed: 3 nodes, all Alive\n"]);
});

Deno.test("push takes standard input, an empty file, and a name", async () => {
  await using ring = await liveRing(2);
  await using files = await temporary();
  const at = ["-p", String(ring.port(0))];
  const fromStdin = await runProgram(["push", "-", "--as", "typed", ...at], { stdin: "hello" });
  assertEquals([fromStdin.code, fromStdin.stdout], [0, "Stored 'typed': 5 bytes\n"]);
  await Deno.writeFile(`${files.path}/empty`, new Uint8Array());
  const empty = await runProgram(["push", `${files.path}/empty`, "--as", "ü:|", ...at]);
  assertEquals([empty.code, empty.stdout], [0, "Stored 'ü__': 0 bytes\n"]);
  assertEquals((await runProgram(["pull", "typed", "-o", "-", ...at])).stdout, "hello");
  assertEquals((await runProgram(["pull", "ü__", ...at], { cwd: files.path })).code, 0);
  assertEquals((await Deno.stat(`${files.path}/ü__`)).size, 0);
});

Deno.test("clients say in one line what went wrong, and leave nothing behind", async () => {
  await using ring = await liveRing(2, { args: ["--file-size=10"] });
  await using files = await temporary();
  const { path } = files;
  const at = ["-p", String(ring.gatewayPort)];
  await Deno.writeFile(`${path}/large`, new Uint8Array(3_000_000));
  const nobody = freePorts(1);
  const cases: [number, string[], string][] = [
    [
      1,
      ["push", `${path}/large`, ...at],
      "Cannot push 'large': File size is too large (3000000 > 10); --file-size of the ring is the limit",
    ],
    [1, ["push", `${path}/none`, ...at], `Cannot push '${path}/none': no such file`],
    [1, ["push", path, ...at], `Cannot push '${path}': it is a directory`],
    [
      3,
      ["pull", "none", ...at],
      "Cannot pull 'none': file not found; 'ouroboros list' shows what is stored",
    ],
    [1, ["pull", "none", "-o", "no/such", ...at], "Cannot write 'no/such': no such directory"],
    [
      4,
      ["list", "--retry", "0", "-p", String(nobody)],
      `No ring answers at 127.0.0.1:${nobody}; start one with 'ouroboros set-network', or say where it is ` +
      "with --host and --port",
    ],
    [1, ["stop", "-p", String(nobody)], `No ring answers at 127.0.0.1:${nobody}: nothing to stop`],
  ];
  for (const [code, args, message] of cases) {
    const ran = await runProgram(args, { cwd: path });
    assertEquals(
      [ran.code, ran.stdout, ran.stderr],
      [code, "", `error: ${message}\n`],
      args.join(" "),
    );
  }
  assertEquals((await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name), ["large"]);
});

Deno.test("pull never leaves a part of a file under its name", async () => {
  await using files = await temporary();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const answered = (async () => {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(100));
    await conn.write(new TextEncoder().encode(`FILE 100 v1 ${"0".repeat(64)} a\nonly a part`));
  })();
  const ran = await runProgram(["pull", "a", "-p", String(port)], { cwd: files.path });
  await answered;
  listener.close();
  assertEquals([ran.code, ran.stderr], [
    1,
    "error: Cannot pull 'a': it ended after 11 of 100 bytes\n",
  ]);
  assertEquals(await exists(`${files.path}/a`), false);
  assert((await Array.fromAsync(Deno.readDir(files.path))).length === 0);
});
