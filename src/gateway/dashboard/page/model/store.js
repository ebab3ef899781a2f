// @ts-check
/** @import { Change, PageState } from "./state.js" */
import { changed } from "./state.js";

/** Holds the state of the page and tells when it changes. */
export class Store {
  #state;
  #listener = () => {};

  /** @param {PageState} state */
  constructor(state) {
    this.#state = state;
  }

  /** What the page knows now. */
  get state() {
    return this.#state;
  }

  /** @param {Change} change */
  apply(change) {
    const before = this.#state;
    this.#state = changed(before, change);
    if (this.#state !== before) this.#listener();
  }

  /**
   * Calls back after every change.
   *
   * @param {() => void} listener
   */
  onChange(listener) {
    this.#listener = listener;
  }
}
