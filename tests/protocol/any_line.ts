import { assert, assertEquals } from "@std/assert";
import { formatCommand } from "../../src/protocol/format.ts";
import { parseCommand } from "../../src/protocol/parse.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { nasty, randomCommands } from "./samples.ts";

const words = "FILE NODE NETMAP TOPOLOGY RING CATALOG PUSH PULL SET HOP PING STAGE RELAY-STREAM"
  .concat(
    " TAGS-SET GET-CHUNK 5 -1 99999999999999999 127.0.0.1:7000 t 7000->7001 7000=Alive a:1:2:3",
  )
  .split(" ");

/** Parses lines that nobody would send, a seed each: the answer is a clear error, or canonical. */
export function assertParsesAny(
  { firstSeed, lines }: { readonly firstSeed: number; readonly lines: number },
): void {
  for (let seed = firstSeed; seed < firstSeed + lines; seed++) {
    const random = new SeededRandom(seed);
    const line = seed % 2 === 0
      ? Array.from({ length: random.integer(9) }, () => random.pick([...words, ...nasty])).join(" ")
      : mutate(formatCommand(random.pick(randomCommands(random))), random);
    const result = parseCommand(line.replaceAll("\n", ""));
    if (!result.ok) {
      assert(!/[\r\n\0]/.test(result.error), `seed ${seed}: ${result.error}`);
      assert(result.error.length < 250, `seed ${seed}: ${result.error}`);
      continue;
    }
    // What is accepted is canonical.
    const again = formatCommand(result.command);
    assertEquals(parseCommand(again), result, `seed ${seed}: ${line}`);
  }
}

/** Drops, doubles or replaces a few characters. */
function mutate(line: string, random: SeededRandom): string {
  const units = [...line];
  for (let i = random.integer(4); i >= 0; i--) {
    units.splice(random.integer(units.length + 1), random.integer(3), random.text(nasty, 2));
  }
  return units.join("");
}
