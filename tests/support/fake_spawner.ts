import type { Child, Spawner } from "../../src/supervisor/spawner.ts";

/** A process that does not exist; a test ends it. */
export class FakeChild implements Child {
  readonly pid: number;
  readonly args: readonly string[];
  readonly exited: Promise<number>;
  /** Whether somebody killed it. */
  killed = false;
  /** Ends it with an exit code. */
  readonly end: (exitCode: number) => void;

  constructor(pid: number, args: readonly string[]) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.pid = pid;
    this.args = args;
    this.exited = promise;
    this.end = resolve;
  }

  kill(): void {
    this.killed = true;
    this.end(137);
  }
}

/** Starts nothing, and remembers what it was asked to start. */
export class FakeSpawner implements Spawner {
  /** Oldest first. */
  readonly children: FakeChild[] = [];
  /** Called for each child, when it has been made. */
  onSpawn: (child: FakeChild) => void = () => {};

  spawn(args: readonly string[]): FakeChild {
    const child = new FakeChild(1_000 + this.children.length, args);
    this.children.push(child);
    this.onSpawn(child);
    return child;
  }
}
