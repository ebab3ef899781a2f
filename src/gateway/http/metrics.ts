import type { HttpDependencies } from "./app.ts";
import type { App } from "./http_env.ts";

/**
 * `GET /metrics`: the text format of Prometheus, for this gateway and all nodes, which are asked now.
 * `?scope=gateway` leaves the nodes out, and asks none.
 */
export function metricsRoutes(app: App, { metrics }: HttpDependencies): void {
  app.get("/metrics", async (context) => {
    const isOwn = context.req.query("scope") === "gateway";
    const { text, contentType } = await (isOwn ? metrics.exposeOwn() : metrics.expose());
    return context.body(text, 200, {
      "content-type": contentType,
      "cache-control": "no-store",
    });
  });
}
