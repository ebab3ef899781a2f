import { selfCommand } from "../runtime/self.ts";

/** Starts processes of this program; tests have one that starts none. */
export interface Spawner {
  /** Starts one with these arguments; it outlives this process. */
  spawn(args: readonly string[]): Child;
}

/** A process that was started. */
export interface Child {
  readonly pid: number;
  /** Resolves with its exit code when it has ended; never rejects. */
  readonly exited: Promise<number>;
  /** Ends it at once; does nothing when it has ended. */
  kill(): void;
}

/**
 * Starts real processes. Each has a session of its own, so that Ctrl-C in the terminal reaches only
 * the supervisor, and no stream of ours, so that nobody who reads our output waits for them.
 */
export class ProcessSpawner implements Spawner {
  spawn(args: readonly string[]): Child {
    const self = selfCommand(args);
    const child = new Deno.Command(self.command, {
      args: self.args,
      env: self.env,
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    // Whether this process lives on is decided elsewhere.
    child.unref();
    return {
      pid: child.pid,
      exited: child.status.then((status) => status.code),
      kill: () => {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended already, which is what was wanted.
        }
      },
    };
  }
}
