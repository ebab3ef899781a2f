/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContext, Page } from "playwright-core";

/** How long the page may take to show what a test waits for, in ms. */
const showMs = 20_000;

/** How a page is looked at. */
export interface OpenPageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
}

/** The sizes that a page is looked at in: a small desktop, and a phone. */
export const pageSizes = [{ width: 1280, height: 800 }, { width: 390, height: 844 }] as const;

/** The gateway's page in a browser, and what went wrong in it so far; dispose closes it. */
export class OpenPage implements AsyncDisposable {
  readonly page: Page;
  /** What the console was told of errors, and errors that nobody caught. */
  readonly errors: string[] = [];
  /** Requests to anything but the gateway. */
  readonly foreignRequests: string[] = [];
  /** Windows such as those of `alert()`. */
  readonly popups: string[] = [];
  readonly #context: BrowserContext;

  constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(showMs);
    // From the first one on, as the browser is told of it only once somebody listens.
    page.on("filechooser", () => {});
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) this.foreignRequests.push(url);
    });
    page.on("dialog", (dialog) => {
      this.popups.push(dialog.message());
      // It may be gone with its page.
      dialog.dismiss().catch(() => {});
    });
  }

  /** Opens the page of a gateway, and waits until the ring is drawn. */
  static async at(
    browser: Browser,
    url: string,
    options: OpenPageOptions = {},
  ): Promise<OpenPage> {
    const { width = 1280, height = 800 } = options;
    const colorScheme = options.colorScheme ?? "light";
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const opened = new OpenPage(context, await context.newPage(), new URL(url).origin);
    await opened.page.goto(url);
    await opened.page.locator(".node").first().waitFor();
    return opened;
  }

  /** Waits until a node is drawn in a state. */
  async nodeIs(label: number, state: "alive" | "dead" | "waiting"): Promise<void> {
    const words = { alive: "alive", dead: "dead", waiting: "coming back" };
    await this.page.locator(`.node[aria-label^="Node ${label}, ${words[state]}"]`).waitFor();
  }

  /** The row of a file, which need not be there yet. */
  row(name: string): ReturnType<Page["locator"]> {
    return this.page.locator(".row").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** Presses Tab, or Shift+Tab, until what has the focus matches a selector. */
  async tabTo(selector: string, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    for (let presses = 0; presses < 60; presses++) {
      await this.page.keyboard.press(key);
      const isThere = await this.page.evaluate((selector) => {
        return document.activeElement?.matches(selector) ?? false;
      }, selector);
      if (isThere) return;
    }
    throw new Error(`Cannot reach '${selector}' by ${key}`);
  }

  /** Fails when anything went wrong in the page, or it talked to anybody else. */
  assertClean(): void {
    assertEquals([this.errors, this.foreignRequests, this.popups], [[], [], []]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
