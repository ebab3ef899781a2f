import { assert, assertEquals, assertThrows } from "@std/assert";
import { RotatingFile } from "../../src/runtime/rotating_file.ts";

async function inDirectory(run: (path: string, directory: string) => void): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    run(`${directory}/node.log`, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

Deno.test("RotatingFile appends, also to what an earlier process wrote", () =>
  inDirectory((path) => {
    for (const line of ["one", "two"]) {
      using file = new RotatingFile(path);
      file.writeLine(line);
      assert(read(path).endsWith(`${line}\n`));
    }
    assertEquals(read(path), "one\ntwo\n");
  }));

Deno.test("RotatingFile keeps one old file and never grows past its limit", () =>
  inDirectory((path, directory) => {
    using file = new RotatingFile(path, { bytesMax: 1_024 });
    for (let line = 0; line < 1_000; line++) {
      file.writeLine(`line ${line} ${"x".repeat(line % 300)}`);
      assert(Deno.statSync(path).size <= 1_024);
    }
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), [
      "node.log",
      "node.log.1",
    ]);
    const lines = (read(`${path}.1`) + read(path)).trimEnd().split("\n");
    const last = lines.map((line) => Number(line.split(" ")[1]));
    assertEquals(last, last.map((_, index) => 1_000 - last.length + index));
  }));

Deno.test("RotatingFile turns a full file of an earlier process away", () =>
  inDirectory((path) => {
    Deno.writeTextFileSync(path, "old\n".repeat(1_000));
    using file = new RotatingFile(path, { bytesMax: 1_024 });
    file.writeLine("new");
    assertEquals(read(path), "new\n");
    assertEquals(read(`${path}.1`).length, 4_000);
  }));

Deno.test("RotatingFile cuts a line that is longer than the file may be", () =>
  inDirectory((path) => {
    using file = new RotatingFile(path, { bytesMax: 1_024 });
    file.writeLine("x".repeat(5_000));
    file.writeLine("y");
    assertEquals(read(`${path}.1`), `${"x".repeat(1_023)}\n`);
    assertEquals(read(path), "y\n");
  }));

Deno.test("RotatingFile drops lines while there is no place, and says so later", () =>
  inDirectory((path, directory) => {
    using file = new RotatingFile(`${directory}/later/node.log`);
    file.writeLine("lost");
    file.writeLine("lost as well");
    Deno.mkdirSync(`${directory}/later`);
    file.writeLine("kept");
    file.writeLine("kept too");
    assertEquals(
      read(`${directory}/later/node.log`),
      "(2 lines could not be written)\nkept\nkept too\n",
    );
    file.close();
    file.writeLine("after the end");
    assertThrows(() => new RotatingFile(path, { bytesMax: 10 }), RangeError);
  }));

Deno.test("RotatingFile begins anew when its file was deleted", () =>
  inDirectory((path) => {
    using file = new RotatingFile(path);
    file.writeLine("nobody reads this");
    Deno.removeSync(path);
    file.writeLine("but this");
    assertEquals(read(path), "but this\n");
  }));
