import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { compareMembers, hashMember, type Member } from "../../src/ring/member.ts";
import { at } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

const variants: readonly Member[] = [0, 1, 2].flatMap((epoch) =>
  (["Joining", "Alive", "Dead"] as const).flatMap((status) =>
    (["unknown", "ouroboros", "original"] as const).flatMap((program) =>
      ["", "{}"].map((options) => ({ address: at(7000), epoch, status, program, options }))
    )
  )
);

Deno.test(
  "compareMembers() is a total order, so that every node ends with the same news",
  pure,
  () => {
    for (const a of variants) {
      assertEquals(compareMembers(a, a), 0);
      for (const b of variants) {
        assertEquals(Math.sign(compareMembers(a, b)), -Math.sign(compareMembers(b, a)));
        if (a !== b) assertNotEquals(compareMembers(a, b), 0);
        for (const c of variants) {
          if (compareMembers(a, b) > 0 && compareMembers(b, c) > 0) {
            assert(compareMembers(a, c) > 0);
          }
        }
      }
    }
  },
);

Deno.test("compareMembers() lets Dead end its own epoch and no later one", pure, () => {
  const alive: Member = {
    address: at(7000),
    status: "Alive",
    epoch: 3,
    program: "ouroboros",
    options: "{}",
  };
  assert(compareMembers({ ...alive, status: "Dead" }, alive) > 0);
  assert(compareMembers({ ...alive, status: "Joining" }, alive) < 0);
  assert(compareMembers({ ...alive, status: "Dead", epoch: 2 }, alive) < 0);
  assert(
    compareMembers({ ...alive, status: "Joining", epoch: 4 }, { ...alive, status: "Dead" }) > 0,
  );
});

Deno.test("hashMember() differs with every field", pure, () => {
  const hashes = variants.map((member) => hashMember(member).join());
  assertEquals(new Set(hashes).size, variants.length);
});
