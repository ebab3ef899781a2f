import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseInvocation } from "../../src/cli/args.ts";
import { configBytesMax, readConfigFile } from "../../src/cli/config_file.ts";
import { UsageError } from "../../src/cli/flag.ts";

/** Reads a command line that may name the configuration `c`. */
function parse(line: string, config: Record<string, unknown>, environment = {}) {
  const variables: Record<string, string> = environment;
  const invocation = parseInvocation(line.split(" "), {
    env: (name) => variables[name],
    readConfig: (path) => ({ path, values: config }),
  });
  if (!("options" in invocation)) throw new Error(`${line} has no options`);
  return invocation;
}

function assertUsage(line: string, config: Record<string, unknown>, message: string) {
  assertEquals(assertThrows(() => parse(line, config), UsageError).message, message);
}

Deno.test("--config says what no flag says, in JSON's own types", () => {
  const config = {
    "nodes": 5,
    "base-port": "7100",
    "no-block": true,
    "durability": "relaxed",
    "dns-port": 8100,
  };
  const network = parse("set-network --config c --base-port 7200", config);
  if (network.kind !== "set-network") throw new Error(network.kind);
  const { nodeCount, basePort, gatewayPort, node } = network.options.network;
  assertEquals([nodeCount, basePort, gatewayPort, node.durability], [5, 7200, 8100, "relaxed"]);
  assertEquals(network.options.detach, true);
  const attached = parse("set-network --no-block false --config c", config);
  if (attached.kind !== "set-network") throw new Error(attached.kind);
  assertEquals(attached.options.detach, false);
});

Deno.test("--config takes a list where a flag takes one", () => {
  const nodes = ["127.0.0.1:7000", "127.0.0.1:7001"];
  for (const value of [nodes, nodes.join(",")]) {
    const gateway = parse("gateway --config c", { port: 8000, nodes: value });
    if (gateway.kind !== "gateway") throw new Error(gateway.kind);
    assertEquals(gateway.options.nodes.map(String), nodes);
  }
  assertUsage(
    "run --config c",
    { "data-dir": ["a", "b"] },
    `'data-dir' in the configuration 'c' takes a text or a number, not ["a","b"]`,
  );
});

Deno.test("--config counts behind the flags and before the environment", () => {
  const environment = { OUROBOROS_ADDR: "env:1", PORT: "9100" };
  const target = (line: string, config: Record<string, unknown>) => {
    const invocation = parse(line, config, environment);
    if (invocation.kind !== "list") throw new Error(invocation.kind);
    return [...invocation.options.target.map(String), invocation.options.guessed];
  };
  assertEquals(target("list --config c", {}), ["env:1", false]);
  assertEquals(target("list --config c", { port: 7005 }), ["127.0.0.1:7005", false]);
  assertEquals(target("list --config c --port 7006", { host: "h", port: 7005 }), ["h:7006", false]);
  // A flag takes the place of what it excludes.
  assertEquals(target("list --config c --addr a:1", { host: "h", port: 7005 }), ["a:1", false]);
  assertEquals(target("list --config c --port 7006", { addr: "a:1" }), ["127.0.0.1:7006", false]);
  const run = parse("run --config c", { port: 9200 }, environment);
  if (run.kind !== "run") throw new Error(run.kind);
  assertEquals(String(run.options.address), "127.0.0.1:9200");
});

Deno.test("--config tells in one line what is wrong in it", () => {
  assertUsage(
    "completions bash --config c",
    {},
    "unknown flag '--config'; see 'ouroboros completions --help'",
  );
  assertUsage(
    "heal --config c",
    { prot: 1 },
    "the configuration 'c' has 'prot', which is none of quiet, addr, host, port, retry",
  );
  // Names from Object's prototype, hidden flags and another configuration are none of them either.
  for (const [name, command] of [["toString", "run"], ["test-hooks", "run"], ["config", "run"]]) {
    const error = assertThrows(() => parse(`${command} --config c`, { [name ?? ""]: true }));
    assertMatch(String(error), new RegExp(`has '${name}', which is none of addr, port, `));
  }
  assertUsage(
    "list --config c",
    { port: 0 },
    "'port' in the configuration 'c' takes a port from 1 to 65535, not '0'",
  );
  // Also where a flag makes it meaningless: it is wrong for the next command line.
  assertUsage(
    "list --port 1 --config c",
    { port: 1.5 },
    "'port' in the configuration 'c' takes a port from 1 to 65535, not '1.5'",
  );
  assertUsage(
    "list --config c",
    { json: "yes" },
    `'json' in the configuration 'c' takes true or false, not "yes"`,
  );
  assertUsage(
    "list --config c",
    { addr: "h:1", port: 2 },
    "the configuration 'c' has 'addr' and 'port', which exclude each other",
  );
  assertUsage(
    "list --config c",
    { host: "" },
    "'host' in the configuration 'c' needs a value: HOST",
  );
  assertUsage("list --config", {}, "--config needs a value: FILE");
});

Deno.test("readConfigFile() reads one JSON object of bounded size", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/c.json`;
  const failure = async (text: string) => {
    // One byte a character, so that what is no UTF-8 can be written.
    await Deno.writeFile(path, Uint8Array.from(text, (character) => character.charCodeAt(0)));
    const { message } = assertThrows(() => readConfigFile(path), UsageError);
    assertEquals(message.includes("\n"), false);
    return message.replace(`cannot use the configuration '${path}': `, "");
  };
  try {
    const object = { port: 1, "data-dir": "ü" };
    await Deno.writeTextFile(path, JSON.stringify(object).padEnd(configBytesMax - 1));
    assertEquals(readConfigFile(path), { path, values: object });
    assertEquals(await failure(" ".repeat(configBytesMax + 1)), "it is larger than 65536 bytes");
    assertMatch(await failure("{port: 1}"), /^it is not JSON \(/);
    assertMatch(await failure(""), /^it is not JSON \(/);
    for (const text of ["[]", "null", "1", '"a"']) {
      assertEquals(await failure(text), 'it has to be one JSON object, such as {"port": 8000}');
    }
    assertEquals(await failure("{\xff}"), "it is not UTF-8");
    await Deno.remove(path);
    const { message } = assertThrows(() => readConfigFile(path), UsageError);
    assertMatch(message, /: no such file$/);
    assertMatch(assertThrows(() => readConfigFile(directory), UsageError).message, /directory/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
