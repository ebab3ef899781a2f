/// <reference lib="dom" />
/**
 * The gateway's page in a real browser: at a live ring, and at a gateway that makes up what no test ring
 * has.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { Problem } from "../../src/gateway/http/problem.ts";
import { findChromium, startBrowser } from "../support/browser.ts";
import { FakeGateway } from "../support/fake_gateway.ts";
import { type LiveRing, liveRing } from "../support/live_ring.ts";
import { OpenPage, pageSizes } from "../support/open_page.ts";
import { waitUntil } from "../support/program.ts";
import { makeRandomFile, sha256OfFile, temporaryDirectory } from "../support/real_file.ts";

const bigBytes = 100 * 1024 * 1024;

/** How long a file of that size may take to be stored, or to come back, in ms. */
const bigMs = 90_000;

const hasChromium = findChromium() !== undefined;
if (!hasChromium) console.log("There is no Chromium: the tests of the page are ignored.");

/** A test with a browser, whose processes and sockets outlive what it opens in it. */
function pageTest(name: string, run: (browser: Browser) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasChromium,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using browser = await startBrowser();
      await run(browser);
    },
  });
}

pageTest("the page shows a node die and come back, without a reload", async (browser) => {
  await using ring = await liveRing(5, { waitTimeMs: 1_000 });
  await using opened = await OpenPage.at(browser, gatewayUrl(ring));
  const { page } = opened;
  for (const port of ring.ports) await opened.nodeIs(port, "alive");
  await page.evaluate(() => document.body.setAttribute("data-same-document", "yes"));
  const victim = ring.port(2);
  // It may be dead for no longer than it takes to look.
  await page.evaluate(watchStates, victim);
  await ring.kill(victim);
  await waitUntil("the node was drawn as dead, then as alive", 30_000, async () => {
    const states = await page.evaluate(() => document.body.dataset["states"] ?? "");
    return /dead.* alive$/.test(states);
  });
  await opened.nodeIs(victim, "alive");
  await page.getByText("All 5 nodes are alive").waitFor();
  await page.locator(".log").getByText(`Node ${victim} died`).first().waitFor();
  assertEquals(await page.getAttribute("body", "data-same-document"), "yes");
  opened.assertClean();
});

pageTest("a file of 100 MiB is stored, read and deleted by keyboard alone", async (browser) => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/big file ü.bin`;
  const sha256 = await makeRandomFile(path, bigBytes);
  await using ring = await liveRing(5);
  await using opened = await OpenPage.at(browser, gatewayUrl(ring));
  const { page } = opened;

  await opened.tabTo(".button.primary");
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Enter");
  // It may be there for no longer than it takes to look.
  await page.evaluate(watchProgress);
  await (await chooser).setFiles(path);
  await page.getByText("100 MiB stored").waitFor({ timeout: bigMs });
  assertEquals(await page.getAttribute("body", "data-progress-shown"), "yes");

  // Where its parts lie.
  await opened.tabTo(".row");
  await page.keyboard.press("Enter");
  await page.getByText("5 parts, 2 copies of each, all in place").waitFor();
  assertEquals(await page.locator(".part-mark.is-part").count(), 5);
  assertEquals(await page.locator(".part-mark.is-backup").count(), 5);

  await opened.tabTo(".row a");
  const download = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  const saved = await (await download).path();
  assertEquals(await sha256OfFile(saved), sha256);

  await opened.tabTo(".row", "Shift+Tab");
  await page.keyboard.press("Delete");
  await page.getByText("Delete this file?").waitFor();
  // To keep it is what a hasty Enter does.
  await page.keyboard.press("Enter");
  assertEquals(await page.locator("dialog[open]").count(), 0);
  assertEquals(await opened.row("big file ü.bin").count(), 1);
  await page.keyboard.press("Delete");
  await page.getByText("Delete this file?").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("No files yet").waitFor();
  const gone = await fetch(`${gatewayUrl(ring)}files/${encodeURIComponent("big file ü.bin")}`);
  await gone.body?.cancel();
  assertEquals(gone.status, 404);

  // Round the ring.
  await opened.tabTo(".node", "Shift+Tab");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `Node ${ring.port(1)}` }).waitFor();
  await page.getByText("Up for").waitFor();
  opened.assertClean();
});

pageTest(
  "files that are dropped are queued, healing and scrubbing say what came of it",
  async (browser) => {
    await using ring = await liveRing(3);
    await using opened = await OpenPage.at(browser, gatewayUrl(ring));
    const { page } = opened;
    await dropFiles(page, ["a.txt", "b.txt", "c.txt"]);
    await page.getByText("Uploads: all 3 done").waitFor();
    for (const name of ["a.txt", "b.txt", "c.txt"]) await opened.row(name).waitFor();
    // Another client's files show as well.
    await fetch(`${gatewayUrl(ring)}files/d.txt`, { method: "PUT", body: "hello" });
    await opened.row("d.txt").waitFor();
    await page.getByRole("button", { name: "Heal" }).click();
    await page.getByText("Heal: Every node was checked").waitFor();
    await page.getByRole("button", { name: "Scrub" }).click();
    await page.getByText(/Scrub: Verified \d+ copies: all good/).waitFor();
    opened.assertClean();
  },
);

pageTest(
  "the page has no serious fault that axe finds, light and dark, large and small",
  async (browser) => {
    await using gateway = new FakeGateway(5);
    gateway.storeQuietly(makeFiles(40));
    gateway.setStatus(3, "Dead");
    for (const colorScheme of ["light", "dark"] as const) {
      for (const size of pageSizes) {
        await using opened = await OpenPage.at(browser, gateway.url, { ...size, colorScheme });
        const { page } = opened;
        gateway.tell({ kind: "node-joining", node: "127.0.0.1:7004", epoch: 2 });
        await assertAccessible(page, `${colorScheme} ${size.width}: at first`);
        await page.locator(".row").nth(2).click();
        await page.getByText("5 parts, 2 copies of each").waitFor();
        await dropFiles(page, ["dropped.txt", "file-00001.bin"]);
        await page.getByText("there is a file of this name").waitFor();
        await assertAccessible(page, `${colorScheme} ${size.width}: a file`);
        await page.getByText("Skip").click();
        await page.locator(".node").first().click();
        await page.getByText("Up for").waitFor();
        await assertAccessible(page, `${colorScheme} ${size.width}: a node`);
        await page.locator(".row .danger").nth(1).click();
        await page.getByText("Delete this file?").waitFor();
        await assertAccessible(page, `${colorScheme} ${size.width}: a question`);
        gateway.files.delete("dropped.txt");
      }
    }
  },
);

pageTest("50 nodes and 10,000 files are as quick as few", async (browser) => {
  await using gateway = new FakeGateway(50);
  gateway.storeQuietly(makeFiles(10_000));
  await using opened = await OpenPage.at(browser, gateway.url);
  const { page } = opened;
  await page.getByText("10,000 files").waitFor();
  assertEquals(await page.locator(".node").count(), 50);
  const frames = await page.evaluate(scrollThrough);
  console.log(`Frames while 10,000 rows pass: ${JSON.stringify(frames)}`);
  assert(frames.rowsMax < 80, `${frames.rowsMax} rows in the document`);
  assert(frames.medianMs < 50, `a frame takes ${frames.medianMs} ms`);
  await page.locator(".table-body").evaluate((body) => body.scrollTo(0, body.scrollHeight));
  await opened.row("file-09999.bin").waitFor();
  await page.locator(".row").last().click();
  await page.keyboard.press("Home");
  await opened.row("file-00000.bin").waitFor();
  await page.keyboard.press("End");
  const focused = await page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex"));
  assertEquals(focused, "10001");
  await page.getByPlaceholder("Name begins with").fill("file-0420");
  await page.getByText("10 matches").waitFor();
  await page.getByPlaceholder("Name begins with").fill("");
  await page.getByText("10,000 files").waitFor();
  opened.assertClean();
});

pageTest("names of files are text, never anything else", async (browser) => {
  const hostile = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "javascript:alert(1)".replace(":", "\u2236"),
    "'; DROP TABLE files; --".replaceAll(";", ","),
    "${alert(1)}",
    "&lt;b&gt;&amp;",
    "%2F..%2Fetc%2Fpasswd",
    "?stat#x&y=1+1",
    "a\u202Egnp.exe",
    "  two  spaces  ",
    "名前 🐍 é",
    "x".repeat(200),
  ];
  await using gateway = new FakeGateway(3);
  gateway.storeQuietly(hostile.map((name) => ({ name, size: 3, timeMs: Date.now() })));
  await using opened = await OpenPage.at(browser, gateway.url);
  const { page } = opened;
  await page.locator(".row").nth(hostile.length - 1).waitFor();
  const shown = await page.locator(".row .cell-name").allTextContents();
  assertEquals(shown.toSorted(), hostile.toSorted());
  for (const name of hostile) {
    const row = page.locator(".row").nth(shown.indexOf(name));
    await row.click();
    await page.getByText("3 parts, 2 copies of each, all in place").waitFor();
    assertEquals(await page.locator(".detail h2").textContent(), name);
    await row.locator(".danger").click();
    assertEquals(await page.locator(".dialog-name").textContent(), name);
    await page.getByRole("button", { name: "Keep it" }).click();
    gateway.store({ name, size: 4, timeMs: Date.now() });
  }
  assertEquals(await page.locator("img, script:not([src]), b, iframe").count(), 0);
  // By the page a file of any name comes and goes.
  await dropFiles(page, ["<img src=y onerror=alert(2)>"]);
  const dropped = "<img src=y onerror=alert(2)>";
  await page.getByText("Uploads: all 1 done").waitFor();
  assert(gateway.files.has(dropped));
  await opened.row(dropped).locator(".danger").click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await opened.row(dropped).waitFor({ state: "detached" });
  assertEquals(gateway.files.has(dropped), false);
  opened.assertClean();
});

pageTest(
  "what goes wrong is said, and the page goes on when the gateway is back",
  async (browser) => {
    await using gateway = new FakeGateway(3);
    gateway.storeQuietly(makeFiles(3));
    await using opened = await OpenPage.at(browser, gateway.url);
    const { page } = opened;

    gateway.problems.set(
      "DELETE /files/file-00001.bin",
      new Problem(503, "not enough nodes alive"),
    );
    await opened.row("file-00001.bin").locator(".danger").click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("Cannot delete “file-00001.bin”. not enough nodes alive").waitFor();
    await page.getByRole("button", { name: "Close this message" }).click();
    assertEquals(await page.locator(".notice").count(), 0);

    gateway.problems.set("PUT /files/big.txt", new Problem(413, "File size is too large (5 > 4)"));
    await dropFiles(page, ["big.txt"]);
    await page.locator(".upload").getByText("File size is too large (5 > 4)").waitFor();

    // A name that is taken is asked about.
    await dropFiles(page, ["file-00002.bin"]);
    await page.getByRole("button", { name: "Replace file-00002.bin" }).click();
    await page.locator(".upload").getByText("5 B stored").waitFor();
    assertEquals(gateway.files.get("file-00002.bin")?.size, 5);

    await gateway.goAway();
    await page.getByText("The gateway does not answer").waitFor();
    gateway.storeQuietly([{ name: "meanwhile.txt", size: 1, timeMs: Date.now() }]);
    gateway.comeBack();
    await page.getByText("Live", { exact: true }).waitFor();
    await opened.row("meanwhile.txt").waitFor();
    assertEquals(await page.getByText("The gateway does not answer").count(), 0);
    assertEquals(opened.popups, []);
  },
);

pageTest("an upload that is cancelled leaves nothing", async (browser) => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/cancelled.bin`;
  await makeRandomFile(path, bigBytes);
  await using ring = await liveRing(3);
  await using opened = await OpenPage.at(browser, gatewayUrl(ring));
  const { page } = opened;
  // A connection as slow as a phone's, so that there is time to change one's mind.
  const session = await page.context().newCDPSession(page);
  const conditions = { offline: false, latency: 5, downloadThroughput: -1 };
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    ...conditions,
    uploadThroughput: 8 * 1024 * 1024,
  });
  await page.locator("input[type=file]").setInputFiles(path);
  await page.locator(".upload").getByText(/^[1-9][0-9]? % of 100 MiB/).waitFor();
  await page.getByRole("button", { name: "Cancel the upload of cancelled.bin" }).click();
  await page.getByText("cancelled, nothing was stored").waitFor();
  await session.send("Network.emulateNetworkConditions", { ...conditions, uploadThroughput: -1 });
  await dropFiles(page, ["after.txt"]);
  await opened.row("after.txt").waitFor();
  assertEquals(await opened.row("cancelled.bin").count(), 0);
  await waitUntil("nothing is listed of it", 10_000, async () => {
    const listed = await (await fetch(`${gatewayUrl(ring)}files`)).text();
    return listed.includes("after.txt") && !listed.includes("cancelled.bin");
  });
});

/** Where the page of a ring is. */
function gatewayUrl(ring: LiveRing): string {
  return `http://127.0.0.1:${ring.gatewayPort}/`;
}

/** Files that nobody stores, in the order of their names. */
function makeFiles(count: number): { name: string; size: number; timeMs: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `file-${String(index).padStart(5, "0")}.bin`,
    size: (index * 7_919) % 5_000_000,
    timeMs: Date.now() - index * 60_000,
  }));
}

/** Drops small files onto the page, as a pointer would. */
async function dropFiles(page: Page, names: string[]): Promise<void> {
  await page.evaluate((names) => {
    const dataTransfer = new DataTransfer();
    for (const name of names) dataTransfer.items.add(new File(["hello"], name));
    for (const type of ["dragenter", "dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true }));
    }
  }, names);
}

/** Notes at the body how a node is drawn from here on, each time that it changes. Runs in the page. */
function watchStates(label: number): void {
  const node = document.querySelector(`.node[aria-label^="Node ${label},"]`);
  if (node === null) throw new Error(`There is no node ${label}`);
  new MutationObserver(() => {
    const { states = "" } = document.body.dataset;
    document.body.dataset["states"] = `${states} ${node.getAttribute("aria-label")}`;
  }).observe(node, { attributes: true, attributeFilter: ["aria-label"] });
}

/** Notes at the body that an upload shows how far it is. Runs in the page. */
function watchProgress(): void {
  new MutationObserver(() => {
    if (document.querySelector(".upload progress") !== null) {
      document.body.dataset["progressShown"] = "yes";
    }
  }).observe(document.body, { childList: true, subtree: true });
}

/** Scrolls the list from its top to its end, a page a frame, and measures. Runs in the page. */
async function scrollThrough(): Promise<{ frames: number; medianMs: number; rowsMax: number }> {
  const body = document.querySelector(".table-body");
  if (body === null) throw new Error("There is no list");
  const times: number[] = [];
  let rowsMax = 0;
  let beforeMs = performance.now();
  for (let step = 0; step < 120; step++) {
    body.scrollTop = (body.scrollHeight * step) / 120;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const nowMs = performance.now();
    times.push(nowMs - beforeMs);
    beforeMs = nowMs;
    rowsMax = Math.max(rowsMax, document.querySelectorAll(".row").length);
  }
  times.sort((a, b) => a - b);
  return { frames: times.length, medianMs: Math.round(times[60] ?? NaN), rowsMax };
}

/** The part of axe's answer that is looked at. */
interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Fails when axe finds anything that is serious or worse; prints what is less. */
async function assertAccessible(page: Page, what: string): Promise<void> {
  // Not by a script in the document, which its policy forbids.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  const told = violations.map(({ id, impact, help, nodes }) =>
    `${impact} ${id}: ${help}\n    ${nodes.map(({ html }) => html.slice(0, 200)).join("\n    ")}`
  );
  if (told.length > 0) console.log(`${what}\n  ${told.join("\n  ")}`);
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assertEquals(grave.map(({ id }) => id), [], what);
}
