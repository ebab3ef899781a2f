/**
 * A node dies, or loses its disk, while a push is at a known stage: what was acknowledged stays right
 * through every other node at once, and the push has one outcome everywhere in the end.
 *
 * @module
 */
import { pushStagesTest } from "../../support/faults/push_stages.ts";

pushStagesTest({ isLong: true });
