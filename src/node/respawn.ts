import type { NodeAddress } from "../protocol/address.ts";
import { pongReply } from "../protocol/replies.ts";
import type { RespawnOutcome } from "../ring/healing.ts";
import { ByteReader } from "../net/byte_reader.ts";
import type { Transport } from "../net/transport.ts";
import { writeText } from "../net/write_all.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { type SelfCommand, selfCommand } from "../runtime/self.ts";
import { nodeArgs, type NodeOptions } from "./options.ts";
import { respawnOptions } from "./shared_options.ts";

export type { RespawnOutcome };

/** The exit code of a node that finds its directory's lock or its port taken. */
export const portHeldExitCode = 75;

/** Starts nodes again. The seam at which tests and the simulation put their own. */
export interface Respawner {
  /**
   * Starts a process for a node with the options that its members know, and waits until it answers,
   * finds that another process is there, or fails. Never rejects; an abort is a failure.
   */
  respawn(address: NodeAddress, options: string, signal: AbortSignal): Promise<RespawnOutcome>;
}

/** What {@linkcode ProcessRespawner} works with. */
export interface ProcessRespawnerDependencies {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Logger;
  /** The program and arguments of a node; a test runs another program. */
  readonly command?: (options: NodeOptions) => SelfCommand;
}

/** How long a process may take until its node answers, in ms; then it is ended. */
const readyMs = 10_000;

/** The pause between two looks whether it answers, in ms: a look is a refused dial. */
const lookMs = 15;

/** How long one look may take, in ms. */
const answerMs = 1_000;

/**
 * Starts nodes as processes of their own, which outlive this one: detached, so that Ctrl-C in a
 * terminal is the supervisor's matter, without streams, and not waited for once they answer.
 */
export class ProcessRespawner implements Respawner {
  readonly #deps: ProcessRespawnerDependencies;

  constructor(deps: ProcessRespawnerDependencies) {
    this.#deps = deps;
  }

  async respawn(
    address: NodeAddress,
    options: string,
    signal: AbortSignal,
  ): Promise<RespawnOutcome> {
    try {
      signal.throwIfAborted();
      const child = this.#spawn(respawnOptions(address, options));
      return await this.#untilReady(address, child, signal);
    } catch (error) {
      return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #spawn(options: NodeOptions): Deno.ChildProcess {
    const self = this.#deps.command?.(options) ?? selfCommand(nodeArgs(options));
    const child = new Deno.Command(self.command, {
      args: self.args,
      env: self.env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
    this.#deps.log.debug("process started", { node: options.address, pid: child.pid });
    return child;
  }

  async #untilReady(
    address: NodeAddress,
    child: Deno.ChildProcess,
    signal: AbortSignal,
  ): Promise<RespawnOutcome> {
    const { clock } = this.#deps;
    const endMs = clock.nowMs() + readyMs;
    let exitCode: number | undefined;
    // The runtime reaps the child in any case; this only listens while it starts.
    child.status.then(({ code }) => exitCode = code, () => exitCode = -1);
    while (clock.nowMs() < endMs) {
      if (exitCode === portHeldExitCode) return { kind: "still-there" };
      if (exitCode !== undefined) {
        return { kind: "failed", reason: `its process ended with exit code ${exitCode}` };
      }
      if (await this.#answers(address, signal)) return { kind: "started" };
      await clock.sleep(lookMs, signal);
    }
    end(child);
    return { kind: "failed", reason: `it did not answer within ${readyMs} ms` };
  }

  /** Whether the node answers `NODE PING`. */
  async #answers(address: NodeAddress, signal: AbortSignal): Promise<boolean> {
    const { clock, transport } = this.#deps;
    const deadline = new AbortController();
    try {
      using conn = await transport.dial(address, { timeoutMs: answerMs, signal });
      // Whoever accepts and says nothing is not ready; the close ends the read.
      clock.sleep(answerMs, AbortSignal.any([signal, deadline.signal])).then(
        () => conn.close(),
        () => conn.close(),
      );
      await writeText(conn, "NODE PING\n");
      const line = await new ByteReader(conn).readLine(pongReply.length);
      return line instanceof Uint8Array && `${new TextDecoder().decode(line)}\n` === pongReply;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof Error)) throw error;
      return false;
    } finally {
      deadline.abort();
    }
  }
}

/** Ends a process that never became ready, unless it just ended by itself. */
function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
