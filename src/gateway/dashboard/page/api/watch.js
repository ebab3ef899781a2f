// @ts-check
import { parseRingEvent } from "../model/ring_events.js";

/** @import { RingEvent } from "../model/ring_events.js" */

/** How long to wait before events are asked for again, in ms: first, then twice that … */
const retryFirstMs = 1_000;

/** … up to this. */
const retryMaxMs = 15_000;

/**
 * Listens to `/events` for as long as the page is open. The browser connects again by itself when a
 * connection breaks, but gives up where the answer is no stream of events.
 *
 * @param {object} listener
 * @param {(event: RingEvent) => void} listener.onEvent
 * @param {(isOpen: boolean) => void} listener.onOpen Told when events begin or cease to come.
 */
export function watchEvents({ onEvent, onOpen }) {
  let retryMs = retryFirstMs;
  const listen = () => {
    const source = new EventSource("/events");
    source.addEventListener("open", () => {
      retryMs = retryFirstMs;
      onOpen(true);
    });
    source.addEventListener("message", ({ data }) => {
      const event = parseRingEvent(data);
      if (event !== undefined) onEvent(event);
    });
    source.addEventListener("error", () => {
      onOpen(false);
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, retryMs);
      retryMs = Math.min(retryMs * 2, retryMaxMs);
    });
  };
  listen();
}
