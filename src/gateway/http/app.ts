import { Hono } from "hono";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { NodePicker } from "../node_picker.ts";
import { dashboardRoutes } from "../dashboard/routes.ts";
import type { EventHub } from "../observe/event_hub.ts";
import type { GatewayMetrics } from "../observe/gateway_metrics.ts";
import type { GatewayHttpOptions } from "../options.ts";
import { eventRoutes } from "./events.ts";
import { fileRoutes } from "./files.ts";
import { guard } from "./guard.ts";
import { healthRoutes } from "./health.ts";
import type { App, Handler, HttpEnv } from "./http_env.ts";
import { metricsRoutes } from "./metrics.ts";
import { nodeRoutes } from "./nodes.ts";
import { openApiRoutes } from "./openapi.ts";
import { originalRoutes } from "./original_paths.ts";
import { Problem, problemResponse, toProblem } from "./problem.ts";
import { rawPath } from "./raw_path.ts";
import type { RingAccess } from "./ring_access.ts";
import type { Spool } from "./spool.ts";

/** What the routes work with. */
export interface HttpDependencies {
  readonly ring: RingAccess;
  readonly picker: NodePicker;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly log: Logger;
  readonly options: GatewayHttpOptions;
  readonly events: EventHub;
  readonly metrics: GatewayMetrics;
}

/** Adds the routes of one concern. */
export type RouteGroup = (app: App, dependencies: HttpDependencies) => void;

/** Everything that is served, a group a line. */
const groups: readonly RouteGroup[] = [
  fileRoutes,
  nodeRoutes,
  healthRoutes,
  eventRoutes,
  metricsRoutes,
  openApiRoutes,
  originalRoutes,
  dashboardRoutes,
];

/**
 * The gateway's HTTP as a function of a request. Whatever a route throws becomes a problem
 * (RFC 9457); a path that is there for other methods only is a 405 that names them.
 */
export function httpHandler(dependencies: HttpDependencies): Handler {
  const app = routedApp(dependencies);
  return guard((request, gone) => app.fetch(request, { gone }), dependencies.options);
}

/** The routes, for the handler and for the test that compares them with their description. */
export function routedApp(dependencies: HttpDependencies): App {
  const app: App = new Hono<HttpEnv>({ getPath: rawPath });
  for (const group of groups) group(app, dependencies);
  app.notFound((context) => {
    const methods = methodsOf(app, rawPath(context.req.raw));
    if (methods.length === 0) return problemResponse(new Problem(404, "There is nothing here"));
    const allow = [...methods, "OPTIONS"].join(", ");
    if (context.req.method === "OPTIONS") {
      return new Response(null, { status: 204, headers: { allow } });
    }
    const detail = `This takes ${methods.join(", ")}`;
    return problemResponse(new Problem(405, detail, { headers: { allow } }));
  });
  app.onError((error, context) => {
    const problem = toProblem(error);
    const { method } = context.req;
    if (problem.status === 500) {
      dependencies.log.error("request failed", { method, error: problem.cause });
    } else dependencies.log.debug("request refused", { method, reason: problem.message });
    return problemResponse(problem);
  });
  return app;
}

/** The methods that a path is there for. */
function methodsOf(app: App, path: string): string[] {
  const there = ["GET", "PUT", "POST", "DELETE"].filter((method) =>
    app.router.match(method, path)[0].length > 0
  );
  return there.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]);
}
