/** What can only be seen from outside a process: how it starts itself, stops and dies. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { permissionFlags, selfCommand, v8Flags } from "../../src/runtime/self.ts";

const source = new URL("../../src/runtime/", import.meta.url).href;

/** A copy of the program's skeleton, with a `main.ts` of the test's own. */
async function withProgram(main: string, run: (self: string, elsewhere: string) => Promise<void>) {
  const directory = await Deno.makeTempDir({ prefix: "it's a test " });
  try {
    await Deno.mkdir(`${directory}/src/runtime`, { recursive: true });
    await Deno.mkdir(`${directory}/elsewhere`);
    const self = `${directory}/src/runtime/self.ts`;
    await Deno.copyFile(new URL("self.ts", source), self);
    await Deno.writeTextFile(`${directory}/deno.json`, '{"imports": {"x": "./x.ts"}}');
    await Deno.writeTextFile(`${directory}/x.ts`, 'export const x = "from x";');
    await Deno.writeTextFile(`${directory}/main.ts`, main);
    await run(self, `${directory}/elsewhere`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("selfCommand() starts main.ts with the program's permissions, from anywhere", () =>
  withProgram(
    `import { x } from "x";
    const state = async (name: string, rest = {}) =>
      (await Deno.permissions.query({ name, ...rest } as Deno.PermissionDescriptor)).state;
    console.log(JSON.stringify([x, Deno.args, await state("net"), await state("read"),
      await state("write"), await state("run"), await state("env", { variable: "PORT" }),
      await state("env", { variable: "HOME" }), await state("sys", { kind: "statfs" }),
      await state("sys", { kind: "hostname" }), await state("ffi"), await state("import")]));`,
    async (self, elsewhere) => {
      const { selfCommand } = await import(self);
      const { command, args } = selfCommand(["run", "--addr=127.0.0.1:7000", "a b"]);
      const output = await new Deno.Command(command, { args, cwd: elsewhere, stdin: "null" })
        .output();
      assertEquals(new TextDecoder().decode(output.stderr), "");
      const [x, given, ...states] = JSON.parse(new TextDecoder().decode(output.stdout));
      assertEquals([x, given], ["from x", ["run", "--addr=127.0.0.1:7000", "a b"]]);
      assertEquals(states.slice(0, 5), Array(5).fill("granted"));
      assertEquals(states[5], "prompt");
      assertEquals(states[6], "granted");
      assertEquals(states.slice(7, 9), ["prompt", "prompt"]);
    },
  ));

Deno.test("permissionFlags and v8Flags are those of the tasks", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  for (const task of ["ring", "start"]) {
    const flags = [v8Flags, ...permissionFlags].join(" ");
    assertStringIncludes(config.tasks[task].command, `deno run ${flags} main.ts`);
  }
  assertEquals(selfCommand([]).command, Deno.execPath());
});

/** Runs a script that prints "ready", sends it signals, and gives what it printed and its end. */
async function signalled(script: string, first: Deno.Signal, later: Deno.Signal[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", script],
    stdout: "piped",
  }).spawn();
  let output = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += chunk;
    // The others only after the first is told, or the system may deliver them in another order.
    if (output === "ready\n") child.kill(first);
    else if (output.endsWith("stopping on " + first + "\n")) {
      later.forEach((name) => child.kill(name));
    }
  }
  return { output, status: await child.status };
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test({
    name: `ShutdownSignal aborts on ${name}, and further signals change nothing`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const { output, status } = await signalled(
        `import { ShutdownSignal } from "${source}shutdown.ts";
        const shutdown = new ShutdownSignal();
        const alive = setInterval(() => {}, 1_000);
        shutdown.signal.addEventListener("abort", () => {
          console.log(shutdown.signal.reason.signalName, shutdown.signal.reason.message);
          setTimeout(() => { console.log("end"); shutdown[Symbol.dispose](); clearInterval(alive); }, 200);
        });
        console.log("ready");`,
        name,
        ["SIGTERM", "SIGINT"],
      );
      assertEquals(output, `ready\n${name} stopping on ${name}\nend\n`);
      assertEquals(status.code, 0);
    },
  });
}

Deno.test("logCrashes() tells of errors that nobody caught, and the process dies", async () => {
  for (const crash of ["throw new Error('boom')", "Promise.reject(new Error('boom'))"]) {
    const child = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--quiet",
        "--no-config",
        `import { logCrashes } from "${source}crash_log.ts";
        const none = () => {};
        const error = (event, fields) => console.log(event, fields.error.message, typeof fields.stack);
        logCrashes({ debug: none, info: none, warn: none, error });
        setTimeout(() => { ${crash} }, 0);`,
      ],
    }).output();
    assertStringIncludes(new TextDecoder().decode(child.stdout), "boom string");
    assertEquals(child.code, 1);
  }
});
