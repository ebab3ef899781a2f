import { assert, assertEquals, assertStringIncludes, assertThrows, fail } from "@std/assert";
import { resolve } from "node:path";
import { type ArgsContext, type Invocation, parseInvocation } from "../../src/cli/args.ts";
import { commands, isCommandName } from "../../src/cli/commands.ts";
import { UsageError } from "../../src/cli/flag.ts";
import { gatewayArgs } from "../../src/gateway/options.ts";
import { nodeArgs, type NodeOptions } from "../../src/node/options.ts";
import { formatAddress } from "../../src/protocol/address.ts";
import { networkArgs, type NetworkOptions } from "../../src/supervisor/options.ts";

/** A relative path is resolved, for which the working directory is looked up. */
const readsOnly = { permissions: { read: true } } as const;

/** No environment, and no configuration. */
const noContext: ArgsContext = {
  env: () => undefined,
  readConfig: (path) => fail(`${path} is read`),
};

function parse(line: string, environment: Record<string, string> = {}): Invocation {
  const context: ArgsContext = { ...noContext, env: (name) => environment[name] };
  return parseInvocation(line === "" ? [] : line.split(" "), context);
}

/** The invocations of one kind, of which some share a variant. */
type Of<K extends Invocation["kind"], I = Invocation> = I extends { kind: infer Kind }
  ? K extends Kind ? I : never
  : never;

/** The options of an invocation that must be of one kind. */
function optionsOf<K extends Exclude<Invocation["kind"], "help" | "version">>(
  kind: K,
  line: string,
  environment: Record<string, string> = {},
): Of<K> extends { options: infer Options } ? Options : never {
  const invocation = parse(`${kind} ${line}`.trim(), environment);
  assertEquals(invocation.kind, kind);
  assert("options" in invocation);
  return invocation.options as ReturnType<typeof optionsOf<K>>;
}

function assertUsage(line: string, message: string, environment: Record<string, string> = {}) {
  const error = assertThrows(() => parse(line, environment), UsageError);
  assertEquals(error.message, message);
}

Deno.test("parseInvocation() of nothing is help that exits with 2", readsOnly, () => {
  assertEquals(parse(""), { kind: "help", exitCode: 2 });
});

Deno.test("parseInvocation() knows -h, --help, help, -V and --version", readsOnly, () => {
  for (const line of ["-h", "--help", "help", "help nonsense"]) {
    assertEquals(parse(line), { kind: "help", exitCode: 0 });
  }
  for (const line of ["-V", "--version"]) assertEquals(parse(line), { kind: "version" });
  for (const command of Object.keys(commands).filter(isCommandName)) {
    for (const line of [`${command} --help`, `${command} -h`, `help ${command}`]) {
      assertEquals(parse(line), { kind: "help", command, exitCode: 0 });
    }
  }
});

Deno.test("parseInvocation() takes what follows -- for operands", readsOnly, () => {
  assertEquals(optionsOf("push", "-- --help").files, ["--help"]);
  assertEquals(optionsOf("pull", "-- -x").names, ["-x"]);
});

Deno.test("run has the defaults of the original and ours", readsOnly, () => {
  assertEquals<NodeOptions>(optionsOf("run", ""), {
    address: formatAddress("127.0.0.1", 9000),
    dataDir: resolve("nodes"),
    gossipIntervalMs: 5_000,
    fileBytesMax: 1_000_000_000,
    durability: "fsync",
    copies: 2,
    placement: "auto",
    partBytesMin: 0,
    scrubRateMiB: 8,
    cacheBytes: 32 * 1024 * 1024,
    logLevel: "info",
    logJson: false,
  });
});

Deno.test("run takes its address from --addr, -p, then PORT", readsOnly, () => {
  const environment = { PORT: "9100" };
  const address = (line: string) => String(optionsOf("run", line, environment).address);
  assertEquals(address("--addr 10.0.0.1:7000"), "10.0.0.1:7000");
  assertEquals(address("--addr=[::1]:7000"), "[::1]:7000");
  assertEquals(address("-p 7001"), "127.0.0.1:7001");
  assertEquals(address("-p7001"), "127.0.0.1:7001");
  assertEquals(address("--port=7001"), "127.0.0.1:7001");
  assertEquals(address(""), "127.0.0.1:9100");
  assertUsage(
    "run --addr 127.0.0.1:1 -p 1",
    "--addr and --port exclude each other: give one of them",
  );
  assertUsage("run", "the environment's PORT takes a port from 1 to 65535, not '0x1'", {
    PORT: "0x1",
  });
});

Deno.test("run reads what nodeArgs() writes", readsOnly, () => {
  const options: NodeOptions = {
    address: formatAddress("::1", 7003),
    dataDir: resolve("some where/nodes"),
    gossipIntervalMs: 0,
    fileBytesMax: 0,
    durability: "relaxed",
    copies: 3,
    placement: "direct",
    partBytesMin: 65_536,
    scrubRateMiB: 0,
    cacheBytes: 0,
    awaitsRing: true,
    logLevel: "debug",
    logJson: true,
    logFile: "some where/nodes/7003/node.log",
    testHooks: true,
  };
  const [command = "", ...args] = nodeArgs(options);
  assertEquals(parseInvocation([command, ...args], noContext), {
    kind: "run",
    options,
  });
});

Deno.test("set-network takes the original's flags, long and short", readsOnly, () => {
  const short = optionsOf("set-network", "-n 5 -p 7100 -w 100 -f 0 -o --no-block --wait-ms 200");
  const long = optionsOf(
    "set-network",
    "--nodes 5 --base-port 7100 --wait-time 100 --file-size 0 --overwrite-nodes-dir --no-block",
  );
  assertEquals(short, long);
  assertEquals(short.detach, true);
  assertEquals(short.network.overwrite, true);
  assertEquals([short.network.nodeCount, short.network.basePort], [5, 7100]);
  assertEquals([short.network.node.gossipIntervalMs, short.network.node.fileBytesMax], [100, 0]);
  const plain = optionsOf("set-network", "");
  assertEquals([plain.network.nodeCount, plain.network.basePort, plain.detach], [3, 7000, false]);
  assertEquals(plain.network.gatewayPort, undefined);
});

Deno.test("set-network takes as many copies as there are nodes, at most", readsOnly, () => {
  assertEquals(optionsOf("set-network", "-n 4 --copies 4").network.node.copies, 4);
  assertEquals(optionsOf("set-network", "-n 3").network.node.copies, 2);
  assertEquals(optionsOf("set-network", "-n 1").network.node.copies, 1);
  assertUsage(
    "set-network -n 3 --copies 4",
    "--copies 4 needs as many nodes, and --nodes is 3",
  );
});

Deno.test("set-network lets the last of two values count", readsOnly, () => {
  assertEquals(optionsOf("set-network", "--nodes 5 -n 3").network.nodeCount, 3);
  assertEquals(optionsOf("set-network", "-n 3 --nodes 5").network.nodeCount, 5);
});

Deno.test("set-network reads what networkArgs() writes", readsOnly, () => {
  const network: NetworkOptions = {
    host: "127.0.0.2",
    basePort: 7200,
    nodeCount: 4,
    gatewayPort: 8100,
    gatewayPollMs: 50,
    gatewayBalance: "least-connections",
    gatewayHttp: {
      corsOrigins: ["https://example.org", "null"],
      allowedHosts: ["ring.example.org"],
      allowKill: true,
    },
    overwrite: true,
    node: {
      dataDir: resolve("x"),
      gossipIntervalMs: 250,
      fileBytesMax: 9,
      durability: "relaxed",
      copies: 1,
      placement: "relay",
      partBytesMin: 7,
      scrubRateMiB: 99,
      cacheBytes: 5,
      logLevel: "warn",
      logJson: true,
      testHooks: true,
    },
  };
  const argv = [...networkArgs(network), "--report-ready"];
  assertEquals(parseInvocation(argv, noContext), {
    kind: "set-network",
    options: { network, detach: false, reportReady: true },
  });
});

Deno.test("set-network refuses ports that cannot be", readsOnly, () => {
  assertUsage("set-network -p 65535", "3 nodes from port 65535 on would need port 65537");
  assertUsage(
    "set-network --dns-port 7002",
    "--dns-port 7002 is one of the nodes' ports, 7000 to 7002",
  );
});

Deno.test("gateway reads what gatewayArgs() writes", readsOnly, () => {
  const options = {
    address: formatAddress("127.0.0.1", 8000),
    nodes: [formatAddress("127.0.0.1", 7000), formatAddress("127.0.0.1", 7001)],
    pollMs: 100,
    balance: "round-robin",
    spoolDir: "/data/uploads",
    http: {
      corsOrigins: ["https://example.org"],
      allowedHosts: ["ring.example.org", "::2"],
      allowKill: true,
    },
    supervisor: formatAddress("127.0.0.1", 40_000),
    logLevel: "error",
    logJson: false,
    logFile: "gateway.log",
  } as const;
  assertEquals(parseInvocation(gatewayArgs(options), noContext), {
    kind: "gateway",
    options,
  });
});

Deno.test("gateway needs a port and nodes", readsOnly, () => {
  assertUsage("gateway --nodes 127.0.0.1:1", "gateway needs --port PORT, where it listens");
  assertUsage("gateway -p 1", "gateway needs --nodes HOST:PORT,…, the ring's nodes");
  assertUsage(
    "gateway -p 1 --nodes 7000",
    "--nodes takes HOST:PORT, as in 127.0.0.1:7000, not '7000'",
  );
});

Deno.test("clients look where they are told, else at the usual places", readsOnly, () => {
  const target = (line: string, environment = {}) =>
    optionsOf("list", line, environment).target.map(String);
  const environment = { OUROBOROS_ADDR: "10.0.0.1:9" };
  assertEquals(target(""), ["127.0.0.1:8000", "127.0.0.1:7000"]);
  assertEquals(target("", environment), ["10.0.0.1:9"]);
  assertEquals(target("", { OUROBOROS_ADDR: "7005" }), ["127.0.0.1:7005"]);
  assertEquals(target("-p 7003", environment), ["127.0.0.1:7003"]);
  assertEquals(target("--host h -p 7003", environment), ["h:7003"]);
  assertEquals(target("--host h", environment), ["h:8000", "h:7000"]);
  assertUsage("list", "OUROBOROS_ADDR is 'x': it takes HOST:PORT", { OUROBOROS_ADDR: "x" });
});

Deno.test("push and pull keep an operand that looks like a number", readsOnly, () => {
  assertEquals(optionsOf("push", "007").files, ["007"]);
  assertEquals(optionsOf("pull", "1e3 -o -").names, ["1e3"]);
  assertEquals(optionsOf("pull", "1e3 -o -").output, "-");
  assertEquals(optionsOf("push", "- --as n").as, "n");
  assertUsage(
    "push -",
    "push - reads standard input: give the file a name with --as NAME",
  );
});

Deno.test("stop finds the ring by one thing", readsOnly, () => {
  assertEquals(optionsOf("stop", "").where, "unsaid");
  assertEquals(optionsOf("stop", "-p 7000").where, "address");
  assertEquals(optionsOf("stop", "", { OUROBOROS_ADDR: "h:1" }).where, "address");
  const byDirectory = optionsOf("stop", "--data-dir d", { OUROBOROS_ADDR: "h:1" });
  assertEquals([byDirectory.where, byDirectory.dataDir], ["data-dir", resolve("d")]);
  assertUsage(
    "stop -p 7000 --data-dir d",
    "--data-dir and --port exclude each other: give one of them",
  );
});

Deno.test("parseInvocation() says in one line what is wrong", readsOnly, () => {
  assertUsage("nonsense", "unknown command 'nonsense'; 'ouroboros --help' lists the commands");
  assertUsage("--nodes 3", "unknown flag '--nodes'; 'ouroboros --help' lists the commands");
  assertUsage("run --prot 1", "unknown flag '--prot'; see 'ouroboros run --help'");
  assertUsage("run -x", "unknown flag '-x'; see 'ouroboros run --help'");
  assertUsage("run --__proto__ 1", "unknown flag '--__proto__'; see 'ouroboros run --help'");
  assertUsage("run 7000", "unexpected argument '7000'; see 'ouroboros run --help'");
  assertUsage("push", "push needs FILE; see 'ouroboros push --help'");
  assertUsage("stat a b", "unexpected argument 'b'; see 'ouroboros stat --help'");
  assertUsage("run --port", "--port needs a value: PORT");
  assertUsage("run --port=", "--port needs a value: PORT");
  assertUsage("run --port abc", "--port takes a port from 1 to 65535, not 'abc'");
  assertUsage("run -p 0", "--port takes a port from 1 to 65535, not '0'");
  assertUsage("run -p 70000", "--port takes a port from 1 to 65535, not '70000'");
  assertUsage(
    "run --wait-time 1.5",
    "--wait-time takes milliseconds from 0 to 86400000, not '1.5'",
  );
  assertUsage("run -f -1", "unknown flag '-1'; see 'ouroboros run --help'");
  assertUsage("run -f=-1", "--file-size takes a number of bytes of 0 or more, not '-1'");
  assertUsage("run --durability no", "--durability takes fsync or relaxed, not 'no'");
  assertUsage("run --copies 9", "--copies takes a whole number from 1 to 4, not '9'");
  assertUsage("set-network -n 0", "--nodes takes a whole number from 1 to 10000, not '0'");
  assertUsage("list --host a/b", "--host takes a host name or IP address, not 'a/b'");
});

Deno.test("a usage error names the flag, however it was written", readsOnly, () => {
  const error = assertThrows(() => parse("set-network -w x"), UsageError);
  assertStringIncludes(error.message, "--wait-time");
});
