/**
 * The scripts against a live ring, with each edition of netcat that this machine has.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { type LiveRing, liveRing, sha256 } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";
import { makeRandomFile, temporaryDirectory } from "../support/real_file.ts";
import { netcats, oddNames, type Outcome, scriptRunner } from "../support/script_runner.ts";
import { isListening } from "../support/system_processes.ts";
import { listOf, netmapOf } from "../support/wire_client.ts";

const bytes = 3_000_001;

Deno.test({
  name: "the scripts work on a live ring",
  ignore: netcats.length === 0,
  fn: async (t) => {
    await using directory = await temporaryDirectory();
    await using ring = await liveRing(3, { args: ["--log-level=warn"] });
    const step = async (name: string, fn: () => Promise<void>) => {
      // What the supervisor prints meanwhile is read by the test around it.
      await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
    };
    const door = ["-p", String(ring.port(1))];

    for (const [index, netcat] of netcats.entries()) {
      const names = index === 0 ? oddNames : oddNames.slice(0, 1);
      const run = scriptRunner(netcat);
      const edition = netcat.split("/").at(-1);
      await step(`files come back as they went in (${edition})`, async () => {
        const files = { directory: `${directory.path}/${edition}`, names: ["nothing", ...names] };
        await assertKeepsFiles(ring, run, files);
      });
    }

    const run = scriptRunner(netcats[0] ?? "");
    await step("get_nodes.sh and get_processes.sh show the ring", async () => {
      assertEquals(stdoutOf(await run("get_nodes.sh", door)), netmapOf(ring.ports));
      const table = stdoutOf(await run("get_processes.sh", door)).trimEnd().split("\n");
      assertMatch(table[0] ?? "", /^PORT +PID +STATE +UPTIME +VERSION$/);
      for (const [index, port] of ring.ports.entries()) {
        const [shown, pid, state] = (table[index + 1] ?? "").split(/ +/);
        assertEquals([Number(shown), Number(pid), state], [port, await ring.pid(port), "Alive"]);
      }
    });

    await step("kill_node.sh kills a node, heal_network.sh waits until it is back", async () => {
      const port = ring.port(2);
      const pid = await ring.pid(port);
      const killed = stdoutOf(await run("kill_node.sh", ["--port", String(port)]));
      assertEquals(killed, `Killed the node at port ${port} (pid ${pid}).\n`);
      assertEquals(stdoutOf(await run("heal_network.sh", door)), "OK network healed\n");
      assertNotEquals(await ring.pid(port), pid);
    });

    await step("kill_all_nodes.sh kills all, and the supervisor brings them back", async () => {
      const old = await Promise.all(ring.ports.map((port) => ring.pid(port)));
      const killed = stdoutOf(await run("kill_all_nodes.sh", door));
      assertEquals(killed, `Killed the nodes with the pids ${old.join(" ")}.\n`);
      await waitUntil("the old nodes are gone", 30_000, async () => {
        const pids = await Promise.all(ring.ports.map((port) => ring.pid(port).catch(() => 0)));
        return pids.every((pid) => !old.includes(pid));
      });
      await ring.waitAllAlive();
    });

    await step("a ring that is gone is exit code 1", async () => {
      assertEquals(await ring.quit(), 0);
      await waitUntil("nobody listens", 5_000, async () => !await isListening(ring.port(1)));
      for (const script of ["list_files.sh", "get_nodes.sh", "heal_network.sh"]) {
        const { code, stdout, stderr } = await run(script, door);
        assertEquals([code, stdout], [1, ""]);
        assertNotEquals(stderr, "");
      }
    });
  },
});

/** Pushes through one port, and lists, pulls, shows and deletes through the others. */
async function assertKeepsFiles(
  ring: LiveRing,
  run: ReturnType<typeof scriptRunner>,
  { directory, names }: { readonly directory: string; readonly names: readonly string[] },
): Promise<void> {
  const [first, second] = [String(ring.port(0)), String(ring.port(1))];
  const gateway = ["-h", "127.0.0.1", "-p", String(ring.gatewayPort)];
  await Deno.mkdir(directory);
  const sums = new Map<string, string>();
  for (const name of names) {
    const size = name === "nothing" ? 0 : bytes;
    sums.set(name, await makeRandomFile(`${directory}/${name}`, size));
    const pushed = await run("push_file.sh", ["--file", `${directory}/${name}`, "-p", first]);
    assertEquals(
      stdoutOf(pushed),
      `FILE ${size} bytes split into 3 chunks and distributed\nOK\n`,
    );
  }
  const rows = names.map((name) => ({
    name,
    start: ring.port(0),
    size: name === "nothing" ? 0 : bytes,
  }));
  assertEquals(stdoutOf(await run("list_files.sh", ["--port", second])), listOf(rows));
  for (const [name, sum] of sums) {
    const pulled = await run("pull_file.sh", ["-f", name, ...gateway]);
    assertEquals([pulled.code, pulled.stderr, sha256(pulled.bytes)], [0, "", sum], name);
  }
  const [, some = ""] = names;
  const shown = stdoutOf(await run("stat_file.sh", ["-f", some, "-p", second]));
  assert(shown.includes(`sha256: ${sums.get(some)}\n`), shown);
  for (const name of names) {
    assertEquals(stdoutOf(await run("delete_file.sh", ["-f", name, "-p", second])), "OK\n");
  }
  assertEquals(stdoutOf(await run("list_files.sh", gateway)), listOf([]));
  for (const script of ["pull_file.sh", "delete_file.sh", "stat_file.sh"]) {
    const { code, stdout, stderr } = await run(script, ["-f", some, "-p", second]);
    assertEquals([code, stdout, stderr], [1, "", "ERR file not found\n"]);
  }
  const { code } = await run("push_file.sh", ["-f", `${directory}/no such file`, "-p", first]);
  assertEquals(code, 2);
}

/** What a script that did its work has printed. */
function stdoutOf({ code, stdout, stderr }: Outcome): string {
  assertEquals([code, stderr], [0, ""], stdout);
  return stdout;
}
