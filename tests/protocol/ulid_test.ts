import { assert, assertEquals, assertThrows } from "@std/assert";
import { isUlid, nextVersion, ulidTimeMs } from "../../src/protocol/ulid.ts";
import { SeededRandom } from "../support/seeded_random.ts";

const pure = { permissions: "none" } as const;
const zeros = new Uint8Array(10);
const ones = new Uint8Array(10).fill(255);
const highest = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ";

Deno.test("nextVersion() writes time and chance as the ULID spec does", pure, () => {
  // The example of the spec: 1469918176385 is 01ARYZ6S41.
  assertEquals(nextVersion(1469918176385, zeros, undefined), "01ARYZ6S410000000000000000");
  assertEquals(nextVersion(0, ones, undefined), "0000000000ZZZZZZZZZZZZZZZZ");
  assertEquals(nextVersion(2 ** 48 - 1, ones, undefined), highest);
  const counted = Uint8Array.from({ length: 10 }, (_, i) => i + 1);
  const chance = counted.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let text = "";
  for (let i = 0n; i < 16n; i++) text = alphabet.charAt(Number((chance >> (5n * i)) & 31n)) + text;
  assertEquals(nextVersion(0, counted, undefined), `0000000000${text}`);
});

Deno.test("nextVersion() clamps a clock that a ULID cannot hold", pure, () => {
  assertEquals(ulidTimeMs(nextVersion(-5, zeros, undefined)), 0);
  assertEquals(ulidTimeMs(nextVersion(1e300, zeros, undefined)), 2 ** 48 - 1);
  assertEquals(ulidTimeMs(nextVersion(12.9, zeros, undefined)), 12);
});

Deno.test("nextVersion() is above the version before it, whatever the clock says", pure, () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new SeededRandom(seed);
    const before = nextVersion(random.integer(2 ** 32), random.bytes(10), undefined);
    const nowMs = ulidTimeMs(before) + random.pick([-3_600_000, -1, 0, 1, 3_600_000]);
    const version = nextVersion(nowMs, random.bytes(10), before);
    assert(isUlid(version) && version > before, `seed ${seed}: ${version} ${before}`);
    if (nowMs > ulidTimeMs(before)) assertEquals(ulidTimeMs(version), nowMs, `seed ${seed}`);
    else assert(ulidTimeMs(version) - ulidTimeMs(before) <= 1, `seed ${seed}`);
  }
});

Deno.test(
  "nextVersion() makes different versions above one version by different chance",
  pure,
  () => {
    const before = nextVersion(1000, ones, undefined);
    const random = new SeededRandom(1);
    const versions = new Set(
      Array.from({ length: 1000 }, () => nextVersion(0, random.bytes(10), before)),
    );
    assertEquals(versions.size, 1000);
  },
);

Deno.test("nextVersion() carries, and ends at the highest ULID", pure, () => {
  assertEquals(nextVersion(0, zeros, "0000000000ZZZZZZZZZZZZZZZZ"), "00000000010000000000000000");
  assertEquals(nextVersion(0, zeros, "7ZZZZZZZZZZZZZZZZZZZZZZZZY"), highest);
  assertThrows(() => nextVersion(0, zeros, highest), RangeError, "there is none");
  assertThrows(() => nextVersion(0, zeros, "x"), RangeError, "no ULID");
  assertThrows(() => nextVersion(0, new Uint8Array(9), undefined), RangeError, "9 random bytes");
});

Deno.test("isUlid() takes the canonical form only", pure, () => {
  assert(isUlid(highest));
  for (
    const text of [
      "",
      "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
      highest.toLowerCase(),
      `${highest}Z`,
      highest.slice(1),
    ]
  ) {
    assert(!isUlid(text), text);
  }
  for (const letter of "ILOU") assert(!isUlid(`01ARYZ6S41000000000000000${letter}`));
  assert(!isUlid("01ARYZ6S410000000000000000\n"));
});
