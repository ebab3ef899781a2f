import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { announcedDigests, DigestCheck, digestHeaders } from "../../../src/gateway/http/digests.ts";
import { fileName } from "../../../src/gateway/http/file_name.ts";
import { Problem } from "../../../src/gateway/http/problem.ts";
import { RequestBody } from "../../../src/gateway/http/request_body.ts";
import { Spool } from "../../../src/gateway/http/spool.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import { sha256 } from "../../support/live_ring.ts";
import { temporaryDirectory } from "../../support/real_file.ts";

const pure = { permissions: "none" } as const;
const encoder = new TextEncoder();

function requestOf(body: BodyInit): Request {
  return new Request("http://gateway/", { method: "PUT", body });
}

/** All bytes of a source, whose pieces go back as they come. */
async function readAll(
  source: Pick<RequestBody, "next" | "recycle">,
): Promise<Uint8Array<ArrayBuffer>> {
  const all: number[] = [];
  for (let piece = await source.next(); piece !== null; piece = await source.next()) {
    for (const byte of piece) all.push(byte);
    source.recycle(piece);
  }
  return Uint8Array.from(all);
}

function status(error: unknown): unknown {
  return error instanceof Problem ? error.status : error;
}

Deno.test("RequestBody gives the bytes of streams of either kind", pure, async () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251);
  for (const type of ["bytes", undefined] as const) {
    let at = 0;
    const next = () => at === bytes.length ? undefined : bytes.slice(at, at += 1_000);
    const stream = type === "bytes"
      ? new ReadableStream({
        type,
        pull(controller) {
          const piece = next();
          if (piece !== undefined) return controller.enqueue(piece);
          controller.close();
          controller.byobRequest?.respond(0);
        },
      })
      : new ReadableStream({
        pull(controller) {
          const piece = next();
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
      });
    const body = new RequestBody(requestOf(stream), { clock: new FakeClock(), size: 700 });
    assertEquals(await readAll(body), bytes);
  }
  const none = new RequestBody(new Request("http://gateway/"), { clock: new FakeClock() });
  assertEquals(await none.next(), null);
});

Deno.test("RequestBody gives up a client that sends nothing, or breaks off", pure, async () => {
  const clock = new FakeClock();
  let cancelled = false;
  const silent = new ReadableStream({ type: "bytes", cancel: () => void (cancelled = true) });
  const body = new RequestBody(requestOf(silent), { clock, stallMs: 1_000 });
  const reading = assertRejects(() => body.next());
  await settle();
  await clock.advance(1_100);
  assertEquals(status(await reading), 408);
  await body.cancel();
  assert(cancelled);
  const broken = new ReadableStream({ type: "bytes", pull: () => Promise.reject(new Error("x")) });
  const cut = new RequestBody(requestOf(broken), { clock });
  assertEquals(status(await assertRejects(() => cut.next())), 400);
  await cut.cancel();
});

Deno.test("fileName() refuses what would be rewritten", pure, () => {
  assertEquals(fileName("a%20b"), "a b");
  assertEquals(fileName("%3Cscript%3E"), "<script>");
  assertEquals(fileName("%C3%BC%F0%9F%98%80"), "ü😀");
  assertEquals(fileName("100%25"), "100%");
  const refused = [
    "a%2Fb",
    "a/b",
    "..",
    "%2E%2E",
    ".",
    "",
    "a%5Cb",
    "a%0Ab",
    "a%00b",
    "a:b",
    "%",
    "%ff",
  ];
  for (const name of [...refused, "x".repeat(201), "%C3%BC".repeat(101)]) {
    assertEquals(status(assertThrows(() => fileName(name))), 400, name);
  }
});

Deno.test("announcedDigests() reads every way to announce one", pure, () => {
  const bytes = encoder.encode("hello");
  const hex = sha256(bytes);
  const base64 = digestHeaders(hex)["digest"]?.slice("sha-256=".length) ?? "";
  const of = (headers: Record<string, string>) => announcedDigests(new Headers(headers));
  assertEquals(of({}), {});
  for (
    const headers of [
      { "content-digest": `sha-256=:${base64}:` },
      { "content-digest": `md5=:AAAA:, SHA-256=:${base64}:` },
      { "repr-digest": `sha-256=:${base64}:` },
      { "digest": `SHA-256=${base64}` },
      { "x-content-sha256": hex.toUpperCase() },
      { "x-content-sha256": base64 },
      { "x-content-sha256": hex, "content-digest": `sha-256=:${base64}:` },
    ]
  ) assertEquals(of(headers as Record<string, string>), { sha256: hex });
  for (
    const headers of [
      { "content-digest": `sha-256=${base64}` },
      { "content-digest": "sha-256=:AAAA:" },
      { "content-digest": `sha-512=:${base64}:` },
      { "content-digest": "sha-256" },
      { "digest": "sha-256=x" },
      { "x-content-sha256": "x" },
      { "x-content-sha256": "0".repeat(64), "digest": `sha-256=${base64}` },
    ]
  ) assertEquals(status(assertThrows(() => of(headers as Record<string, string>))), 400);
  const check = new DigestCheck({ sha256: hex }, ["sha256", "sha512"]);
  check.update(bytes);
  check.finish();
  const wrong = new DigestCheck({ sha256: hex }, ["sha256"]);
  wrong.update(encoder.encode("hellp"));
  assertEquals(status(assertThrows(() => wrong.finish())), 400);
});

Deno.test("Spool keeps a body of any size, and no more than it may", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/uploads`;
  await Deno.mkdir(path);
  await Deno.writeTextFile(`${path}/upload-left`, "by a crash");
  await Deno.writeTextFile(`${path}/other`, "not ours");
  await using spool = await Spool.open(path);
  const names = async () => (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  assertEquals(await names(), ["other"]);
  for (const size of [0, 1, 65_536, 65_537, 700_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index % 253);
    const body = new RequestBody(requestOf(bytes), { clock: new FakeClock() });
    await using spooled = await spool.take(body, 700_000);
    // Whatever happens to this process, the file is gone with it.
    if (Deno.build.os !== "windows") assertEquals(await names(), ["other"]);
    assertEquals([spooled.size, sha256(await readAll(spooled))], [size, sha256(bytes)]);
  }
  const large = new RequestBody(requestOf(new Uint8Array(90_000)), { clock: new FakeClock() });
  assertEquals(status(await assertRejects(() => spool.take(large, 89_999))), 413);
  assertEquals(await names(), ["other"]);
});

Deno.test("Spool in a temporary directory leaves none behind", async () => {
  const made: string[] = [];
  const original = Deno.makeTempDir;
  try {
    Deno.makeTempDir = async (options) => {
      const path = await original(options);
      made.push(path);
      return path;
    };
    await using spool = await Spool.open(undefined);
    const body = new RequestBody(requestOf(new Uint8Array(90_000)), { clock: new FakeClock() });
    await using spooled = await spool.take(body, 90_000);
    assertEquals(spooled.size, 90_000);
  } finally {
    Deno.makeTempDir = original;
  }
  assertEquals(made.length, 1);
  await assertRejects(() => Deno.stat(made[0] ?? "."), Deno.errors.NotFound);
});
