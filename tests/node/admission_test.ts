import { assertEquals, assertThrows } from "@std/assert";
import { Admission } from "../../src/node/admission.ts";
import type { NodeContext } from "../../src/node/context.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { address, self } from "../support/store_fixture.ts";

const pure = { permissions: "none" } as const;
const mebibyte = 1024 * 1024;
const away = address(1);

/** A node's disk of 100 MiB, of which pushes of another coordinator take some. */
class Disk {
  readonly clock = new FakeClock();
  freeBytes: number | undefined = 100 * mebibyte;
  /** What is staged here: whose it is, and bytes. */
  staged: { coordinator: typeof self | undefined; bytes: number }[] = [];
  /** The coordinators that are Alive. */
  readonly alive = new Set<string>();
  readonly admission: Admission;

  constructor() {
    const context = {
      clock: this.clock,
      self,
      chunks: { freeBytes: () => this.freeBytes, stagedPushes: () => this.staged },
      ring: { statusOf: (node: string) => this.alive.has(node) ? "Alive" : "Dead" },
    };
    this.admission = new Admission(context as unknown as NodeContext);
  }

  /** Stages more, which takes room. */
  stage(coordinator: typeof self | undefined, bytes: number): void {
    this.staged.push({ coordinator, bytes });
    if (this.freeBytes !== undefined) this.freeBytes -= bytes;
  }

  /** Time passes until the disk is looked at again. */
  async lookAgain(): Promise<void> {
    await this.clock.advance(1_000);
  }
}

Deno.test(
  "Admission refuses more while too much is staged for nodes that are away, and not after",
  pure,
  async () => {
    const disk = new Disk();
    disk.stage(away, 25 * mebibyte);
    disk.admission.reserve(mebibyte)[Symbol.dispose]();
    // A coordinator that nobody remembers may come back as well.
    disk.stage(undefined, 1);
    await disk.lookAgain();
    assertThrows(
      () => disk.admission.reserve(1),
      Error,
      `Too much is staged for nodes that are away (${25 * mebibyte + 1} > ${25 * mebibyte})`,
    );
    // It is back: what it staged will soon be committed or dropped.
    disk.alive.add(away);
    await disk.lookAgain();
    disk.admission.reserve(mebibyte)[Symbol.dispose]();

    disk.alive.clear();
    await disk.lookAgain();
    assertThrows(() => disk.admission.reserve(1), Error, "Too much is staged");
    // Its pushes were dropped.
    disk.staged = [];
    disk.freeBytes = 100 * mebibyte;
    await disk.lookAgain();
    disk.admission.reserve(mebibyte)[Symbol.dispose]();
  },
);

Deno.test(
  "Admission counts neither its own staged pushes nor a disk that does not tell",
  pure,
  async () => {
    const disk = new Disk();
    disk.stage(self, 90 * mebibyte);
    disk.admission.reserve(mebibyte)[Symbol.dispose]();
    disk.stage(away, 9 * mebibyte);
    await disk.lookAgain();
    assertThrows(() => disk.admission.reserve(1), Error, "Too much is staged");
    disk.freeBytes = undefined;
    await disk.lookAgain();
    disk.admission.reserve(1_000 * mebibyte)[Symbol.dispose]();
  },
);

Deno.test("Admission promises no byte of the disk twice", pure, async () => {
  const disk = new Disk();
  const room = 96 * mebibyte;
  const first = disk.admission.reserve(60 * mebibyte);
  const left = `Not enough disk space (${40 * mebibyte} > ${room - 60 * mebibyte})`;
  assertThrows(() => disk.admission.reserve(40 * mebibyte), Error, left);
  // What was written shows in what is free, and is promised no longer.
  first.written(50 * mebibyte);
  disk.freeBytes = 50 * mebibyte;
  await disk.lookAgain();
  assertThrows(() => disk.admission.reserve(40 * mebibyte), Error, `(${40 * mebibyte} > `);
  disk.admission.reserve(36 * mebibyte)[Symbol.dispose]();
  first[Symbol.dispose]();
  await disk.lookAgain();
  disk.admission.reserve(46 * mebibyte)[Symbol.dispose]();
  assertEquals(disk.clock.pending, 0);
});
