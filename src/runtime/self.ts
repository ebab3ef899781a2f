import { fileURLToPath } from "node:url";

/** A command line, ready for `Deno.Command`. */
export interface SelfCommand {
  /** The path of the executable. */
  readonly command: string;
  readonly args: string[];
  /** What it has in its environment besides what it gets from this process. */
  readonly env: Record<string, string>;
}

/** What a child may do under `deno run`; everything else is refused without a question. */
export const permissionFlags: readonly string[] = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-env=PORT,OUROBOROS_ADDR",
  "--allow-sys=statfs",
];

/**
 * How V8 runs the program: with less memory for garbage than it would take. Its young objects get at most
 * 4 MiB, a quarter, twice over, and one thread collects them, as each would keep pages for what it copies.
 * More garbage is taken for old then, so V8 looks for it once there is 30 % more than it kept the last
 * time. With half of V8's 16 MiB for the young alone a busy node was 30 to 70 MiB smaller; with all that it
 * is 6 to 7 smaller still, and takes no more CPU. With 1 MiB for the young, which is what
 * `--optimize-for-size` comes to, it would: keeping many objects for a moment takes three times as long.
 *
 * The tasks have the same flags: the compiled code that Deno keeps is of no use to a process with others.
 */
export const v8Flags =
  "--v8-flags=--max-semi-space-size=4,--no-parallel-scavenge,--heap-growing-percent=30";

/**
 * How glibc runs the program; other systems ignore it. By default each of a dozen threads gets a heap of
 * its own, and keeps in it what it once needed: V8's compilers and the calls of files need most of it
 * one after the other. With one heap for all of them a process is 5 to 7 MiB smaller, and takes no more CPU.
 */
const allocatorEnv: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: "1" };

/**
 * The command that starts this program again with other arguments, from any working directory.
 * A compiled program is its own executable, and has the flags of V8 inside; else it is `deno run` of
 * `main.ts` beside `src/`, with the flags and permissions above and the configuration that lies there.
 */
export function selfCommand(args: readonly string[]): SelfCommand {
  const command = Deno.execPath();
  const env = { ...allocatorEnv };
  if (Deno.build.standalone) return { command, args: [...args], env };
  const main = new URL("../../main.ts", import.meta.url);
  const config = new URL("../../deno.json", import.meta.url);
  return {
    command,
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      v8Flags,
      ...permissionFlags,
      `--config=${fileURLToPath(config)}`,
      fileURLToPath(main),
      ...args,
    ],
    env,
  };
}
