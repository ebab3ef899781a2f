import type { NodeAddress } from "../protocol/address.ts";
import { portOf } from "../protocol/address.ts";
import type { Child } from "./spawner.ts";

/** What the system knows of processes; tests have one that knows none. */
export interface ProcessTable {
  /** Whether a process of this id exists. */
  isRunning(pid: number): boolean;
  /** Ends a process at once; does nothing when there is none. */
  kill(pid: number): void;
  /** Who listens on a port of this machine, if the system tells. */
  listener(port: number): Promise<Listening | undefined>;
}

/** A process that listens on a port. */
export interface Listening {
  readonly pid: number;
  /** Its command line; empty when the system does not tell. */
  readonly args: readonly string[];
}

/** The machine's processes. */
export class SystemProcesses implements ProcessTable {
  isRunning(pid: number): boolean {
    try {
      // Signal 0 reaches nobody; it only asks. Deno's type does not list it.
      Deno.kill(pid, 0 as unknown as Deno.Signal);
      return true;
    } catch (error) {
      return error instanceof Deno.errors.PermissionDenied;
    }
  }

  kill(pid: number): void {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended, or belongs to another user: the port will tell.
    }
  }

  async listener(port: number): Promise<Listening | undefined> {
    if (Deno.build.os !== "linux") return undefined;
    const command = new Deno.Command("sh", {
      args: ["-c", listenerScript, "sh", String(port)],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    });
    try {
      const { stdout } = await command.output();
      const [pid = "", ...args] = new TextDecoder().decode(stdout).split("\n");
      return /^[0-9]+$/.test(pid) ? { pid: Number(pid), args } : undefined;
    } catch {
      // A machine without a shell: then nobody tells.
      return undefined;
    }
  }
}

/**
 * Prints the pid of who listens on port $1, then its command line, an argument a line. A shell does
 * it because /proc is closed to this program's own permissions.
 */
const listenerScript = `
end=$(printf ':%04X' "$1")
inode=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
  awk -v end="$end" '$4 == "0A" && substr($2, length($2) - 4) == end { print $10; exit }')
[ -n "$inode" ] || exit 1
pid=$(ls -l /proc/[0-9]*/fd 2>/dev/null |
  awk -v link="socket:[$inode]" '/^\\/proc\\// { split($1, path, "/") } $NF == link { print path[3]; exit }')
[ -n "$pid" ] || exit 1
echo "$pid"
tr '\\0' '\\n' < "/proc/$pid/cmdline"
`;

/** What the supervisor knows of the processes behind the addresses of its ring. */
export class ProcessBook {
  readonly #children = new Map<NodeAddress, Set<Child>>();
  readonly #pids = new Map<NodeAddress, number>();
  readonly #table: ProcessTable;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /** Notes a process that was started for an address, until it ends. */
  started(address: NodeAddress, child: Child): void {
    const children = this.#children.get(address) ?? new Set();
    this.#children.set(address, children.add(child));
    child.exited.then(() => children.delete(child));
  }

  /** Notes what the process behind an address told of itself. */
  told(address: NodeAddress, pid: number): void {
    if (Number.isSafeInteger(pid) && pid > 1) this.#pids.set(address, pid);
  }

  /** Whether a process that is known for the address still runs. */
  isRunning(address: NodeAddress): boolean {
    if ((this.#children.get(address)?.size ?? 0) > 0) return true;
    const pid = this.#pids.get(address);
    return pid !== undefined && this.#table.isRunning(pid);
  }

  /**
   * Ends every process that is known for an address, and who listens there if it is one of ours:
   * its pid was told, or its command line runs a node there. Nobody else is touched.
   */
  async kill(address: NodeAddress): Promise<void> {
    for (const child of this.#children.get(address) ?? []) child.kill();
    const told = this.#pids.get(address);
    const listening = await this.#table.listener(portOf(address));
    if (listening === undefined) {
      if (told !== undefined) this.#table.kill(told);
    } else if (listening.pid === told || runsOnPort(listening.args, portOf(address))) {
      this.#table.kill(listening.pid);
    }
  }
}

/**
 * Whether a command line runs a node or a gateway on the port, of this program or the original:
 * `… run --addr=127.0.0.1:7000 …`, `… gateway --port 8000 …`.
 */
function runsOnPort(args: readonly string[], port: number): boolean {
  const end = new RegExp(`(^|[:=])${port}$`);
  const role = args.findIndex((arg) => arg === "run" || arg === "gateway");
  return role >= 0 && args.slice(role).some((arg) => end.test(arg));
}
