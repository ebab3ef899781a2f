import { basename } from "node:path";

/** How a user calls this program here: the binary's name, or the task that runs the source. */
export function programName(): string {
  if (!Deno.build.standalone) return "deno task start";
  const name = basename(Deno.execPath());
  return name === "" ? "ouroboros" : name;
}
