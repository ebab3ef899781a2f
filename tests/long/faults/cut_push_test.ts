/**
 * Clients that leave in the middle of a push, at any byte and in any way: the earlier version stays,
 * and nothing of the new one is left behind.
 *
 * @module
 */
import { cutPushTest } from "../../support/faults/cut_push.ts";

cutPushTest({ isLong: true });
