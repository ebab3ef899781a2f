export const scriptsUrl = new URL("../../scripts/", import.meta.url);
export const scripts = [
  "delete_file.sh",
  "get_nodes.sh",
  "get_processes.sh",
  "heal_network.sh",
  "kill_all_nodes.sh",
  "kill_node.sh",
  "list_files.sh",
  "pull_file.sh",
  "push_file.sh",
  "stat_file.sh",
];

/** How long one script may take; a script that waits for something that never comes fails by it. */
export const scriptDeadlineMs = 20_000;

/** When netcat gives up by itself: after the deadline, so that it cannot hide that it was left. */
export const netcatTimeoutSeconds = 30;

export const oddNames = [
  "two words.txt",
  " leading and trailing ",
  "grüße-日本語.txt",
  `"quoted", 'twice'`,
  "--help",
  "-n",
  "$(id) `id` $HOME *.ts",
];

/** What a script left behind. */
export interface Outcome {
  readonly code: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a script and resolves when it and every process that holds its output has ended. */
export type RunScript = (
  script: string,
  args: readonly string[],
  env?: Record<string, string>,
) => Promise<Outcome>;

export function scriptRunner(netcat: string): RunScript {
  return async (script, args, env = {}) => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), scriptDeadlineMs);
    try {
      const output = await new Deno.Command(new URL(script, scriptsUrl), {
        args: [...args],
        env: { OUROBOROS_NC: netcat, OUROBOROS_TIMEOUT: `${netcatTimeoutSeconds}`, ...env },
        stdin: "null",
        signal: deadline.signal,
      }).output();
      // The script itself may have ended long before: netcat holds its output as well.
      if (deadline.signal.aborted) throw new Error(`${script} or its netcat ran for too long`);
      const decoder = new TextDecoder();
      return {
        code: output.code,
        bytes: output.stdout,
        stdout: decoder.decode(output.stdout),
        stderr: decoder.decode(output.stderr),
      };
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Every edition of netcat by Debian's names for them, else whatever is called `nc`. */
export function findNetcats(): string[] {
  try {
    const { stdout } = new Deno.Command("bash", {
      args: ["-c", "type -P nc.openbsd nc.traditional ncat nc"],
    }).outputSync();
    const found = new TextDecoder().decode(stdout).split("\n").filter((path) => path !== "");
    return found.length > 1 ? found.filter((path) => !path.endsWith("/nc")) : found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // no bash either
    throw error;
  }
}

export const netcats = findNetcats();
if (netcats.length === 0) {
  console.warn("The tests of the scripts are ignored: this machine has no netcat.");
}

/** Registers a test once for each netcat. */
export function scriptTest(name: string, test: (run: RunScript) => Promise<void>): void {
  if (netcats.length === 0) {
    Deno.test({ name: `${name} (ignored: no netcat)`, ignore: true, fn: () => {} });
  }
  for (const netcat of netcats) {
    Deno.test(`${name} (${netcat.split("/").at(-1)})`, () => test(scriptRunner(netcat)));
  }
}
