import { assert, assertEquals } from "@std/assert";
import {
  rowAfterKey,
  rowsInView,
  scrollToShow,
} from "../../../src/gateway/dashboard/page/model/row_window.js";

const pure = { permissions: "none" } as const;

Deno.test("rowsInView() covers what is in view and little more", pure, () => {
  const view = { height: 400, rowHeight: 40, count: 10_000 };
  for (const scrollTop of [0, 1, 39, 40, 200_000, 399_600]) {
    const { first, end } = rowsInView({ ...view, scrollTop });
    assert(first * 40 <= scrollTop && end * 40 >= Math.min(scrollTop + 400, 400_000));
    assert(end - first <= 28, `${end - first} rows at ${scrollTop}`);
  }
});

Deno.test("rowsInView() keeps to the rows there are", pure, () => {
  const empty = { scrollTop: 0, height: 400, rowHeight: 40, count: 0 };
  assertEquals(rowsInView(empty), { first: 0, end: 0 });
  assertEquals(rowsInView({ ...empty, count: 3 }), { first: 0, end: 3 });
  // The list became shorter than what was scrolled over; a touch screen scrolls beyond the top.
  assertEquals(rowsInView({ ...empty, count: 3, scrollTop: 9_000 }), { first: 3, end: 3 });
  assertEquals(rowsInView({ ...empty, count: 3, scrollTop: -80 }), { first: 0, end: 3 });
});

Deno.test("scrollToShow() moves no further than it must", pure, () => {
  const view = { scrollTop: 100, height: 400, rowHeight: 40 };
  assertEquals(scrollToShow(5, view), 100);
  assertEquals(scrollToShow(1, view), 40);
  assertEquals(scrollToShow(20, view), 440);
});

Deno.test("rowAfterKey() stays within the list", pure, () => {
  const list = { row: 5, count: 100, pageRows: 10 };
  const keys = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "a"];
  assertEquals(keys.map((key) => rowAfterKey(key, list)), [6, 4, 14, 0, 0, 99, undefined]);
  assertEquals(rowAfterKey("ArrowDown", { ...list, row: 99 }), 99);
  assertEquals(rowAfterKey("ArrowDown", { ...list, count: 0 }), undefined);
});
