import { assertEquals, assertThrows } from "@std/assert";
import { defaultNodeOptions } from "../../src/node/options.ts";
import { respawnOptions, sharedOptions } from "../../src/node/shared_options.ts";
import { formatAddress } from "../../src/protocol/address.ts";

const pure = { permissions: "none" } as const;
const address = formatAddress("127.0.0.1", 7003);

Deno.test(
  "respawnOptions() gives the options that sharedOptions() wrote, and a log of its own",
  pure,
  () => {
    const options = { ...defaultNodeOptions, address, gossipIntervalMs: 500, logJson: true };
    assertEquals(respawnOptions(address, sharedOptions(options)), {
      ...options,
      logFile: "nodes/7003/node.log",
      awaitsRing: true,
    });
  },
);

Deno.test("sharedOptions() is the same for nodes that differ in address and log only", pure, () => {
  const one = { ...defaultNodeOptions, address, logFile: "a.log" };
  const other = { ...defaultNodeOptions, address: formatAddress("127.0.0.1", 7004) };
  assertEquals(sharedOptions(one), sharedOptions(other));
});

Deno.test("respawnOptions() refuses what sharedOptions() does not write", pure, () => {
  const good: Record<string, unknown> = JSON.parse(sharedOptions(defaultNodeOptions));
  for (const key of Object.keys(good).filter((key) => key !== "logJson")) {
    for (const bad of [undefined, null, -1, 1.5, "", [], {}]) {
      const text = JSON.stringify({ ...good, [key]: bad });
      assertThrows(() => respawnOptions(address, text), SyntaxError, key);
    }
  }
  for (const text of ["", "null", "7", "[]"]) {
    assertThrows(() => respawnOptions(address, text), SyntaxError);
  }
});
