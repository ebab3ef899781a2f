/**
 * Two plain processes of the benchmark that small pulls with a connection each are measured by. `server`
 * accepts, reads, answers 1 KiB and closes; `proxy <port>` passes both ways on what comes, to a server on
 * that port. Nothing that is written in Deno and answers a connection can do less. It writes its port on
 * standard output when it listens, and ends with its standard input.
 *
 * @module
 */

/** Bytes of an answer. */
const answerBytes = 1024;

/** Bytes of a buffer. */
const bufferBytes = 16 * 1024;

const [kind, upstreamPort] = Deno.args;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await Deno.stdout.write(new TextEncoder().encode(`${listener.addr.port}\n`));
  const serve = kind === "proxy" ? proxy : answer;
  const accepting = acceptAll(listener, serve);
  // Whoever started this process holds the other end for as long as it wants the process.
  while (await Deno.stdin.read(new Uint8Array(1)) !== null);
  listener.close();
  await accepting;
  Deno.exit(0);
}

async function acceptAll(
  listener: Deno.TcpListener,
  serve: (connection: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  try {
    while (true) void serve(await listener.accept());
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
    // The listener was closed, which is the end.
  }
}

async function answer(connection: Deno.TcpConn): Promise<void> {
  const bytes = new Uint8Array(answerBytes);
  try {
    connection.setNoDelay(true);
    if (await connection.read(new Uint8Array(answerBytes)) !== null) await connection.write(bytes);
  } finally {
    connection.close();
  }
}

async function proxy(connection: Deno.TcpConn): Promise<void> {
  try {
    connection.setNoDelay(true);
    using upstream = await Deno.connect({ hostname: "127.0.0.1", port: Number(upstreamPort) });
    upstream.setNoDelay(true);
    // The client's side ends when the answer does.
    const asking = pass(connection, upstream).catch(() => {});
    await pass(upstream, connection);
    connection.close();
    await asking;
  } catch {
    // The other side is gone, and so is who could be told.
  }
}

async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(bufferBytes);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await to.write(buffer.subarray(0, count));
  }
}
