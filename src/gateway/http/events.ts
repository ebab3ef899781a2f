import type { HubPiece } from "../observe/event_hub.ts";
import type { HttpDependencies } from "./app.ts";
import type { App } from "./http_env.ts";

/** When a browser that has lost the connection is to come back, in ms. */
const retryMs = 2_000;

/**
 * `GET /events`: what happens in the ring, as server-sent events. First comes what the gateway and the
 * nodes have kept; a browser that comes back gets what it has missed, by its `Last-Event-ID`.
 */
export function eventRoutes(app: App, { events }: HttpDependencies): void {
  app.get("/events", async (context) => {
    if (context.req.method === "HEAD") return new Response(null, { headers });
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, context.env.gone]);
    const pieces = events.listen(context.req.header("last-event-id") ?? "", signal);
    // The first piece comes at once; what is refused is refused before the answer begins.
    const first = await pieces.next();
    const encoder = new TextEncoder();
    let text = `retry: ${retryMs}\n\n${first.done ? "" : formatPiece(first.value)}`;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (text === "") {
          const { done, value } = await pieces.next();
          if (done) return controller.close();
          text = formatPiece(value) || ": nothing has happened\n\n";
        }
        controller.enqueue(encoder.encode(text));
        text = "";
      },
      cancel() {
        gone.abort();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers });
  });
}

const headers = {
  "content-type": "text/event-stream",
  // Compressed, an event would wait in the compressor for the next one.
  "cache-control": "no-store, no-transform",
  "x-content-type-options": "nosniff",
};

/** A piece in the format of server-sent events. */
function formatPiece({ missed, events }: HubPiece): string {
  const told = events.map(({ id, json }) => `id: ${id}\ndata: ${json}\n\n`).join("");
  return missed === 0 ? told : `event: missed\ndata: {"count":${missed}}\n\n${told}`;
}
