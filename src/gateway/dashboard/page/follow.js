// @ts-check
import { askNode, askNodes, askTraffic } from "./api/gateway.js";
import { watchEvents } from "./api/watch.js";

/** @import { Actions } from "./actions.js" */
/** @import { RingEvent } from "./model/ring_events.js" */
/** @import { Store } from "./model/store.js" */

/** How often the page asks how the ring is while it is told of changes, in ms, and while it is not. */
const lookLiveMs = 5_000;
const lookPollingMs = 1_500;

/** How soon after an event of a node the page asks, in ms: several come at once. */
const lookSoonMs = 300;

/** How often the clock of the page moves on, in ms: ages and the plot follow it. */
const tickMs = 1_000;

/** The least time between two loads of the list of files, in ms, and in times of what a load takes. */
const reloadMs = 2_000;
const reloadShare = 10;

/** Keeps what the page knows like the ring: by its events, and by asking now and then. */
export class Follower {
  #store;
  #actions;
  #eventsCome = false;
  #isLooking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #nextLook;
  /** The catalog that the list of files was loaded at. */
  #catalog = "";
  #mayReloadMs = 0;

  /**
   * @param {Store} store
   * @param {Actions} actions
   */
  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
  }

  /** Begins, for as long as the page is open. */
  start() {
    setInterval(() => this.#store.apply({ kind: "tick", nowMs: Date.now() }), tickMs);
    watchEvents({
      onEvent: (event) => this.#onEvent(event),
      onOpen: (isOpen) => {
        this.#eventsCome = isOpen;
        this.#lookSoon(0);
      },
    });
    // A page in the background is looked at again as it comes to the front.
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#lookSoon(0);
    });
    this.#lookSoon(0);
  }

  /** @param {RingEvent} event */
  #onEvent(event) {
    this.#store.apply({ kind: "event", event });
    const { selection } = this.#store.state;
    const isAboutNode = event.kind.startsWith("node-") || event.kind.startsWith("heal-");
    const isAboutFile = selection?.kind === "file" && selection.name === event.name;
    if (isAboutNode || isAboutFile || event.kind === "files-changed") this.#lookSoon(lookSoonMs);
  }

  /** @param {number} pauseMs */
  #lookSoon(pauseMs) {
    clearTimeout(this.#nextLook);
    this.#nextLook = setTimeout(() => this.#look(), pauseMs);
  }

  async #look() {
    if (this.#isLooking) return this.#lookSoon(lookSoonMs);
    this.#isLooking = true;
    try {
      const nodes = await askNodes();
      this.#store.apply({ kind: "nodes", nodes });
      this.#store.apply({ kind: "link", link: this.#eventsCome ? "live" : "polling" });
      await Promise.all([this.#lookAtFigures(), this.#lookAtTraffic()]);
      await this.#actions.refreshSelection();
    } catch {
      // Whatever it is, the page says that it knows nothing new, and asks again.
      this.#store.apply({ kind: "link", link: "away" });
    } finally {
      this.#isLooking = false;
      this.#lookSoon(this.#eventsCome ? lookLiveMs : lookPollingMs);
    }
  }

  /** Has one node tell how many files there are, and loads their list again when any has changed. */
  async #lookAtFigures() {
    const node = this.#store.state.nodes.find(({ state }) => state === "alive");
    if (node === undefined) return;
    const figures = await askNode(node.label).catch(() => undefined);
    if (figures === undefined) return;
    this.#store.apply({ kind: "figures", figures });
    const isSame = figures.catalog === this.#catalog && this.#store.state.filesLoaded;
    const startedMs = performance.now();
    if (isSame || startedMs < this.#mayReloadMs) return;
    if (await this.#actions.loadFiles()) this.#catalog = figures.catalog;
    const tookMs = performance.now() - startedMs;
    this.#mayReloadMs = performance.now() + Math.max(reloadMs, tookMs * reloadShare);
  }

  async #lookAtTraffic() {
    const counters = await askTraffic().catch(() => undefined);
    if (counters !== undefined) this.#store.apply({ kind: "counters", ...counters });
  }
}
