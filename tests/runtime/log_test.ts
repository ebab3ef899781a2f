import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createLogger, type LoggerOptions, silentLogger } from "../../src/runtime/log.ts";

type Log = ReturnType<typeof createLogger>;

/** The lines that a logger writes to its file. */
async function linesOf(
  options: Partial<LoggerOptions>,
  run: (log: Log) => void,
): Promise<string[]> {
  const file = await Deno.makeTempFile();
  try {
    using log = createLogger({ level: "debug", json: false, name: "node 7000", ...options, file });
    run(log);
    return (await Deno.readTextFile(file)).split("\n").slice(0, -1);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("createLogger() writes an event and its fields as text", async () => {
  const [line = ""] = await linesOf({}, (log) => {
    log.info("chunk stored", { name: "a b.txt", bytes: 3, part: undefined, ok: true, to: ["x"] });
  });
  const expected = ' info node 7000: chunk stored name="a b.txt" bytes=3 ok=true to=["x"]';
  assertMatch(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /);
  assertEquals(line.slice(24), expected);
});

Deno.test("createLogger() writes JSON lines, and fields replace nothing", async () => {
  const [line = ""] = await linesOf({ json: true }, (log) => {
    log.warn("node died", { address: "127.0.0.1:7001", level: "mine", big: 3n });
  });
  const { time, ...rest } = JSON.parse(line);
  assertMatch(time, /Z$/);
  assertEquals(rest, {
    level: "warn",
    name: "node 7000",
    event: "node died",
    address: "127.0.0.1:7001",
    level_: "mine",
    big: "3",
  });
});

Deno.test("createLogger() drops what is less important than its level", async () => {
  for (const [level, count] of [["debug", 4], ["info", 3], ["warn", 2], ["error", 1]] as const) {
    const lines = await linesOf({ level }, (log) => {
      log.debug("d");
      log.info("i");
      log.warn("w");
      log.error("e");
    });
    assertEquals(lines.length, count);
  }
});

Deno.test("createLogger() tells errors with their causes", async () => {
  const [line = ""] = await linesOf({}, (log) => {
    const cause = new Deno.errors.ConnectionRefused("refused");
    log.error("heal failed", { error: new Error("cannot reach it", { cause }) });
  });
  assertStringIncludes(line, 'error="Error: cannot reach it (ConnectionRefused: refused)"');
});

Deno.test("createLogger() survives what cannot be written, and keeps it on one line", async () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const loop = new Error("loop");
  loop.cause = loop;
  for (const json of [false, true]) {
    const lines = await linesOf({ json }, (log) => {
      log.info("odd\n2026 error forged", {
        cycle,
        loop,
        symbol: Symbol("s"),
        run: () => {},
        "": null,
      });
      log.info("name", { name: "a\n\x1b[31mb" });
      log.info("none");
    });
    assertEquals(lines.length, 3);
    assertEquals(lines.some((line) => line.includes("\x1b")), false);
  }
});

Deno.test("createLogger() writes to stderr, and lives on when nobody reads it", async () => {
  const log = new URL("../../src/runtime/log.ts", import.meta.url).href;
  const script = `
    import { createLogger } from ${JSON.stringify(log)};
    const log = createLogger({ level: "info", json: false, name: "test" });
    for (let line = 0; line < 2_000; line++) log.info("x".repeat(1_000));
    console.log("lived on");
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, script);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", `--config=${config}`, file],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stderr.getReader();
    const { value } = await reader.read();
    assertStringIncludes(new TextDecoder().decode(value), " info test: xxx");
    await reader.cancel();
    const output = await new Response(child.stdout).text();
    assertEquals([(await child.status).code, output], [0, "lived on\n"]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("silentLogger takes everything", { permissions: "none" }, () => {
  silentLogger.debug("d");
  silentLogger.info("i", {});
  silentLogger.warn("w");
  silentLogger.error("e");
});
