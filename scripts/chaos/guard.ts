/**
 * Waits beside a chaos run until that is over, and clears up after one that was killed: then this
 * process's input ends, without `done`. The first line of the input is the run's directory.
 *
 * @module
 */
import { toText } from "@std/streams/to-text";
import { clearRun } from "./leftovers.ts";

if (import.meta.main) {
  const [directory = "", last] = (await toText(Deno.stdin.readable)).split("\n");
  if (directory !== "" && last !== "done") {
    console.error(`chaos: the run was killed; clearing ${directory}`);
    await clearRun(directory);
  }
}
