import { assertEquals } from "@std/assert";
import type { Logger } from "../../src/runtime/log.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { noFailpoint } from "../../src/store/failpoint.ts";
import { StorePaths } from "../../src/store/paths.ts";
import { Quarantine } from "../../src/store/quarantine.ts";

Deno.test("Quarantine keeps 256 files, and deletes the next ones", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const paths = new StorePaths(directory);
    Deno.mkdirSync(paths.quarantine);
    const warnings: string[] = [];
    const log: Logger = { ...silentLogger, warn: (event) => void warnings.push(event) };
    const quarantine = new Quarantine({ paths, log, failpoint: noFailpoint });
    const take = (text: string, label: string) => {
      Deno.writeTextFileSync(`${directory}/damaged`, text);
      return quarantine.take(`${directory}/damaged`, label, "a test says so");
    };
    for (let file = 1; file <= 256; file++) assertEquals(take(`${file}`, "a.part"), true);
    assertEquals(quarantine.count(), 256);
    assertEquals(new Set(warnings), new Set(["file quarantined"]));
    // Each has a name of its own, the first one the label.
    assertEquals(Deno.readTextFileSync(`${paths.quarantine}/a.part`), "1");
    assertEquals(Deno.readTextFileSync(`${paths.quarantine}/a.part-256`), "256");

    for (const label of ["a.part", "b.part"]) assertEquals(take("more", label), true);
    assertEquals(quarantine.count(), 256);
    assertEquals(warnings.slice(256), Array(2).fill("damaged file deleted as quarantine is full"));
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["quarantine"]);
    assertEquals(quarantine.take(`${directory}/damaged`, "a.part", "it is not there"), false);

    // Somebody has looked at one of them: there is room again.
    Deno.removeSync(`${paths.quarantine}/a.part-7`);
    take("new", "b.part");
    assertEquals(Deno.readTextFileSync(`${paths.quarantine}/b.part`), "new");
    assertEquals(quarantine.count(), 256);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
