import { assertParsesAny } from "../../protocol/any_line.ts";

Deno.test("parseCommand() never throws, whatever the line", { permissions: "none" }, () => {
  assertParsesAny({ firstSeed: 2_001, lines: 20_000 });
});
