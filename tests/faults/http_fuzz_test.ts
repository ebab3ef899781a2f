/**
 * Requests that no client sends, on the gateway's port: broken heads and names, bodies that end early or
 * are framed wrong, several in one go. The gateway stays, answers the next request, and stores nothing
 * that did not come whole.
 *
 * @module
 */
import { httpFuzzTest } from "../support/faults/http_fuzz.ts";
import { seedsOr } from "../support/fuzz.ts";

httpFuzzTest(seedsOr(1));
