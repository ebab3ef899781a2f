import { setImmediate } from "node:timers";
import { assertEquals, assertRejects } from "@std/assert";
import { TaskGroup } from "../../src/node/task_group.ts";

const pure = { permissions: "none" as const };

Deno.test("TaskGroup.all() waits for every task and throws the first failure", pure, async () => {
  const group = new TaskGroup();
  let ended = 0;
  const after = (turns: number) =>
    Array.from({ length: turns }).reduce<Promise<void>>(
      (before) => before.then(() => new Promise((resolve) => setImmediate(resolve))),
      Promise.resolve(),
    );
  group.add(after(5).then(() => void ended++));
  group.add(after(2).then(() => Promise.reject(new Error("first"))));
  group.add(Promise.reject(new Error("second")));
  group.add(after(9).then(() => void ended++));
  await assertRejects(() => group.all(), Error, "first");
  assertEquals(ended, 2);
});

Deno.test("TaskGroup.all() waits for what a task adds, and may be called again", pure, async () => {
  const group = new TaskGroup();
  const order: string[] = [];
  group.add(
    Promise.resolve().then(() => {
      order.push("outer");
      group.add(Promise.resolve().then(() => void order.push("inner")));
    }),
  );
  await group.all();
  assertEquals(order, ["outer", "inner"]);
  await group.all();
});

Deno.test(
  "TaskGroup keeps a failure from ending the process before all() is called",
  pure,
  async () => {
    const group = new TaskGroup();
    group.add(Promise.reject(new Error("early")));
    await new Promise((resolve) => setImmediate(resolve));
    await assertRejects(() => group.all(), Error, "early");
  },
);
