/**
 * A floor process of the benchmark: what is left of a node when everything is taken away that makes a
 * ring of it. It receives a file over loopback and writes it to two files; or reads one and sends it.
 * No checksums, no catalog, no other node. Nobody can do less and have the bytes, so this is what the
 * ring is measured by. It speaks `FILE PUSH`, `FILE PULL` and `FILE GET`, so that the clients are the
 * same as the ring's.
 *
 * `SYNC <n>`
 * is for itself, see below. Arguments: the directory for the files, and `fsync` or `relaxed`. It writes its port on standard
 * output when it listens, and ends with its standard input.
 *
 * @module
 */

/**
 * Bytes of a buffer. Half of it is slower. Four times as much make a push up to a quarter faster, and a pull
 * no faster; the bounds were set by this.
 */
const bufferBytes = 256 * 1024;

/** Bytes of a command line, at most. */
const lineBytesMax = 1024;

const [directory = ".", durability = "relaxed"] = Deno.args;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await Deno.stdout.write(new TextEncoder().encode(`${listener.addr.port}\n`));
  const accepting = acceptAll(listener);
  // Whoever started this process holds the other end for as long as it wants the process.
  while (await Deno.stdin.read(new Uint8Array(1)) !== null);
  listener.close();
  await accepting;
  Deno.exit(0);
}

async function acceptAll(listener: Deno.TcpListener): Promise<void> {
  const free: Buffers[] = [];
  try {
    while (true) void serve(await listener.accept(), free);
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
    // The listener was closed, which is the end.
  }
}

/** Serves a connection, with buffers that another one has left if there are any. */
async function serve(connection: Deno.TcpConn, free: Buffers[]): Promise<void> {
  const buffers = free.pop() ?? [new Uint8Array(bufferBytes), new Uint8Array(bufferBytes)];
  try {
    connection.setNoDelay(true);
    while (await serveCommand(connection, buffers));
  } catch (error) {
    console.error(`floor: ${error instanceof Error ? error.message : error}`);
  } finally {
    connection.close();
    free.push(buffers);
  }
}

type Buffers = readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];

/** Serves a command; `false` when the connection is to be closed. */
async function serveCommand(connection: Deno.TcpConn, buffers: Buffers): Promise<boolean> {
  const first = buffers[0];
  let length = 0;
  let end = -1;
  while (end === -1) {
    const count = await connection.read(first.subarray(length));
    if (count === null) return false;
    end = first.subarray(0, length + count).indexOf(0x0a);
    length += count;
    if (end === -1 && length > lineBytesMax) throw new Error("line too long");
  }
  const line = new TextDecoder().decode(first.subarray(0, end));
  const push = /^FILE PUSH ([0-9]+) (.+)$/.exec(line);
  if (push !== null) {
    const body = { size: Number(push[1]), start: end + 1, length: length - end - 1 };
    await receive(connection, { name: push[2] ?? "", buffers, ...body });
    await sendAll(connection, new TextEncoder().encode("OK\n"));
    return true;
  }
  const count = /^SYNC ([0-9]+)$/.exec(line)?.[1];
  if (count !== undefined) {
    await syncSmallFiles(Number(count));
    await sendAll(connection, new TextEncoder().encode("OK\n"));
    return true;
  }
  const [, verb, name] = /^FILE (PULL|GET) (.+)$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`cannot serve '${line}'`);
  await answer(connection, { name, buffers, hasHeader: verb === "GET" });
  return verb === "GET";
}

interface Received {
  readonly name: string;
  readonly size: number;
  readonly buffers: Buffers;
  /** Where the bytes lie in the first buffer that came with the line, and how many. */
  readonly start: number;
  readonly length: number;
}

/** Receives a body into one buffer while the other is written to both files. */
async function receive(connection: Deno.TcpConn, body: Received): Promise<void> {
  const options = { write: true, create: true, truncate: true };
  const files = await Promise.all(
    ["content", "backup"].map((copy) => Deno.open(`${directory}/${body.name}.${copy}`, options)),
  );
  try {
    let bytes: Uint8Array = body.buffers[0].subarray(body.start, body.start + body.length);
    let left = body.size - body.length;
    let next = 1;
    while (true) {
      const writing = Promise.all(files.map((file) => writeAll(file, bytes)));
      if (left === 0) {
        await writing;
        break;
      }
      const buffer = body.buffers[next % 2 as 0 | 1];
      const [count] = await Promise.all([connection.read(buffer.subarray(0, left)), writing]);
      if (count === null) throw new Error("the body ended early");
      bytes = buffer.subarray(0, count);
      left -= count;
      next += 1;
    }
    if (durability === "fsync") await Promise.all(files.map((file) => file.syncData()));
  } finally {
    for (const file of files) file.close();
  }
}

/** Sends a file: one buffer while the other is read into. */
async function answer(
  connection: Deno.TcpConn,
  { name, buffers, hasHeader }: { name: string; buffers: Buffers; hasHeader: boolean },
): Promise<void> {
  using file = await Deno.open(`${directory}/${name}.content`);
  const { size } = await file.stat();
  let count = await file.read(buffers[0]);
  if (hasHeader) {
    await sendAll(connection, new TextEncoder().encode(`FILE ${size} - - ${name}\n`));
  }
  let sent = 0;
  for (let next = 1; count !== null && sent < size; next++) {
    const current = buffers[(next + 1) % 2 as 0 | 1].subarray(0, count);
    sent += count;
    const buffer = buffers[next % 2 as 0 | 1];
    [count] = await Promise.all([
      sent < size ? file.read(buffer) : null,
      sendAll(connection, current),
    ]);
  }
}

/**
 * Does what the push of a small file cannot do without when it is to be on the disk: a file for each
 * copy, all side by side, and then two writes to a catalog, one after the other, each of them synced.
 */
async function syncSmallFiles(count: number): Promise<void> {
  const bytes = new Uint8Array(256);
  const write = async (name: string) => {
    const options = { create: true, append: true };
    using file = await Deno.open(`${directory}/${name}`, options);
    await writeAll(file, bytes);
    await file.syncData();
  };
  const id = crypto.randomUUID();
  await Promise.all(Array.from({ length: count }, (_, index) => write(`sync-${id}-${index}`)));
  await write("sync-catalog");
  await write("sync-catalog");
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

async function sendAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}
