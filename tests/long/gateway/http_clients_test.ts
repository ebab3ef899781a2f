/**
 * The programs that people have, before a real ring: what they do by themselves has to work, without a
 * header that they do not send.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { liveRing, sha256 } from "../../support/live_ring.ts";
import { waitUntil } from "../../support/program.ts";
import { randomBytes, temporaryDirectory } from "../../support/real_file.ts";
import { openDescriptors } from "../../support/system_processes.ts";

/** What a program printed, and its exit code. */
interface Run {
  readonly code: number;
  readonly text: string;
  readonly errors: string;
}

/** Runs a program in a directory. */
async function run(
  cwd: string,
  command: string,
  args: readonly string[],
  stdin?: Uint8Array,
): Promise<Run> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(stdin);
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

function isMissing(command: string): boolean {
  try {
    return !new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return true;
  }
}

const bytes = randomBytes(5_000_003);

Deno.test({
  name: "curl stores, resumes, asks conditionally, and notices what is cut",
  ignore: isMissing("curl"),
  async fn() {
    await using ring = await liveRing(3);
    await using directory = await temporaryDirectory();
    const { path } = directory;
    const url = `http://127.0.0.1:${ring.gatewayPort}/files/a%20b.bin`;
    const curl = (...args: string[]) => run(path, "curl", ["--silent", "--show-error", ...args]);
    await Deno.writeFile(`${path}/whole`, bytes);
    const status = ["--output", "/dev/null", "--write-out", "%{http_code}"];
    assertEquals((await curl("-T", "whole", ...status, url)).text, "201");
    const piped = ["--silent", "-T", "-", ...status, `${url}2`];
    assertEquals((await run(path, "curl", piped, bytes)).text, "201");
    const expect = ["-T", "whole", "-H", "Expect: 100-continue", ...status, url];
    assertEquals((await curl(...expect)).text, "200");
    for (const name of [url, `${url}2`]) {
      assertEquals((await curl("--output", "copy", name)).code, 0);
      assertEquals(sha256(await Deno.readFile(`${path}/copy`)), sha256(bytes));
    }
    await Deno.writeFile(`${path}/part`, bytes.subarray(0, 1_234_567));
    assertEquals((await curl("-C", "-", "--output", "part", url)).code, 0);
    assertEquals(sha256(await Deno.readFile(`${path}/part`)), sha256(bytes));
    // Complete already: the answer is 416, and curl takes it for that.
    assertEquals((await curl("-C", "-", "--output", "part", ...status.slice(2), url)).text, "416");
    await curl("--etag-save", "etag", "--output", "copy", url);
    assertEquals((await curl("--etag-compare", "etag", ...status, url)).text, "304");
    assertEquals((await curl("-z", "copy", "--remote-time", ...status, url)).text, "304");
    assertEquals((await curl("-T", "whole", "-H", "If-None-Match: *", ...status, url)).text, "412");
    assertEquals((await curl("--head", url)).text.startsWith("HTTP/1.1 200 OK\r\n"), true);
    assertEquals((await curl("--request", "DELETE", ...status, url)).text, "204");
    assertEquals((await curl("--fail", url)).code, 22);
  },
});

Deno.test({
  name: "wget goes on where it was broken off",
  ignore: isMissing("wget"),
  async fn() {
    await using ring = await liveRing(3);
    await using directory = await temporaryDirectory();
    const url = `http://127.0.0.1:${ring.gatewayPort}/files/resumed.bin`;
    await fetch(url, { method: "PUT", body: bytes }).then((answer) => answer.body?.cancel());
    await Deno.writeFile(`${directory.path}/resumed.bin`, bytes.subarray(0, 2_345_678));
    const ran = await run(directory.path, "wget", ["--continue", url]);
    assertEquals(ran.code, 0, ran.errors);
    assertStringIncludes(ran.errors, "206 Partial Content");
    assertEquals(sha256(await Deno.readFile(`${directory.path}/resumed.bin`)), sha256(bytes));
  },
});

const python = `
import hashlib, http.client, sys
body = bytes(range(256)) * 8000
digest = hashlib.sha256(body).hexdigest()
conn = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
def ask(method, path, body=None, headers={}, **more):
    conn.request(method, path, body=body, headers=headers, **more)
    answer = conn.getresponse()
    return answer, answer.read()
answer, _ = ask("PUT", "/files/python", body)
assert answer.status == 201, answer.status
answer, _ = ask("PUT", "/files/python", iter([body[:1000], body[1000:]]), encode_chunked=True,
    headers={"Transfer-Encoding": "chunked"})
assert answer.status == 200, answer.status
answer, data = ask("GET", "/files/python")
assert hashlib.sha256(data).hexdigest() == digest
answer, data = ask("HEAD", "/files/python")
assert (answer.status, answer.getheader("Content-Length"), data) == (200, str(len(body)), b"")
answer, data = ask("GET", "/files/python", headers={"Range": "bytes=10-19"})
assert (answer.status, data) == (206, body[10:20])
answer, _ = ask("DELETE", "/files/python")
assert answer.status == 204
answer, _ = ask("GET", "/files/python")
assert answer.status == 404
print("all on one connection")
`;

Deno.test({
  name: "Python's http.client does all on one connection",
  ignore: isMissing("python3"),
  async fn() {
    await using ring = await liveRing(3);
    const ran = await run(".", "python3", ["-c", python, String(ring.gatewayPort)]);
    assertEquals([ran.code, ran.text], [0, "all on one connection\n"], ran.errors);
  },
});

/** One request on a connection of its own; its status. */
async function askOnce(port: number, request: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(4_096);
  let text = "";
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return text.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

Deno.test({
  name: "20,000 connections over HTTP one after another leak no descriptor",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using ring = await liveRing(2);
    const pids = [await ring.pid(ring.gatewayPort), await ring.pid(ring.port(0))];
    const before = await Promise.all(pids.map(openDescriptors));
    let after = before;
    const end = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    const requests = [
      [`GET /healthz${end}\r\n`, "200"],
      [`PUT /files/small${end}Content-Length: 5\r\n\r\nhello`, "200"],
      [`GET /files/small${end}\r\n`, "200"],
      [`GET /files/small${end}Range: bytes=1-2\r\n\r\n`, "206"],
      [`GET /files/none${end}\r\n`, "404"],
      // Cut, and refused: nothing of them may stay either.
      [`GET /files/a%2Fb${end}\r\n`, "400"],
      [`GET /nodes${end}Origin: http://evil.example\r\n\r\n`, "200"],
      [`DELETE /files/small${end}Origin: http://evil.example\r\n\r\n`, "403"],
    ] as const;
    assertEquals(await askOnce(ring.gatewayPort, requests[1][0]), "201");
    const atOnce = 16;
    await Promise.all(Array.from({ length: atOnce }, async (_, worker) => {
      for (let done = worker; done < 20_000; done += atOnce) {
        const [request, status] = requests[done % requests.length] ?? requests[0];
        assertEquals(await askOnce(ring.gatewayPort, request), status, request);
      }
    }));
    await waitUntil(
      () => `all connections are closed: ${after}, at first ${before}`,
      40_000,
      async () => {
        after = await Promise.all(pids.map(openDescriptors));
        // The pools keep some connections at rest, and let go of them in time.
        return after.every((count, index) => count <= (before[index] ?? 0) + 20);
      },
    );
  },
});
