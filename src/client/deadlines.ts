/**
 * How long a client waits, in milliseconds, and what each wait trades: too short gives up on a ring
 * that is only busy, too long leaves a user before a silent terminal.
 */

/** To be connected: a ring on the same network answers in a millisecond. */
export const dialMs = 5_000;

/** For the answer to a question that needs no disk and no other node. */
export const answerMs = 10_000;

/** For a whole list: 100,000 files are some megabytes. */
export const listMs = 120_000;

/** Without a byte moving while a file is pushed or pulled; a node waits 30 s for a buffer. */
export const transferStallMs = 75_000;

/** For the last answer to a push, once its bytes are sent: syncs, commit, a node found dead. */
export const commitMs = 120_000;

/** For a scrub, which reads every stored byte once: a terabyte an hour. */
export const scrubMs = 3_600_000;

/** For a heal walk; the ring itself gives up after 60 s. */
export const healMs = 90_000;
