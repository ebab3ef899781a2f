/**
 * Makes a program listen somewhere else than it says, so that a proxy can take its place: loaded before
 * main.ts, see {@linkcode ProxiedProgram}. Which ports move is said in a file in the working directory,
 * which every process of the ring inherits.
 *
 * @module
 */

/** The file: an object of ports that others know, to ports that are listened on. */
export const movedPortsFile = "moved_ports.json";

const listen = Deno.listen;

/** Replaces `Deno.listen`; everything else of the program stays as it is. */
function listenElsewhere(options: Deno.TcpListenOptions): Deno.TcpListener {
  const { port = 0 } = options;
  return listen({ ...options, port: movedPorts()[port] ?? port });
}

function movedPorts(): Readonly<Record<number, number>> {
  try {
    return JSON.parse(Deno.readTextFileSync(movedPortsFile)) as Record<number, number>;
  } catch (error) {
    // Somewhere else nothing moves.
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

if (new URL(import.meta.url).pathname.endsWith("/listen_elsewhere.ts")) {
  Object.defineProperty(Deno, "listen", { value: listenElsewhere });
}
