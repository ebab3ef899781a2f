/**
 * The limits of the protocol and of the connections that carry it, by name. Units are the last
 * word of each name. A number here bounds a line, a list, a queue or a wait; what it trades is said
 * beside it.
 */

/** A command line without its newline. Longer ones are answered `ERR line too long`. */
export const lineBytesMax = 64 * 1024;

/** The same for the lines that carry a list of nodes or files: about 400,000 short tags. */
export const listLineBytesMax = 16 * 1024 * 1024;

/** A file name in UTF-8: with `.part-10000-of-10000` behind it, it must fit in 255. */
export const nameBytesMax = 200;

/**
 * The body of a refused command that is read and thrown away to keep the connection; with a longer
 * one it is cheaper for both sides to connect again.
 */
export const drainBytesMax = 1024 * 1024;

/** The bytes one checksum covers, and the size of a usual buffer that moves payload. */
export const blockBytes = 256 * 1024;

/**
 * A file up to this size is small: its bytes are gathered before anything is done with them, and go to
 * each node of its placement in one message. Streams to every holder cost more than that up to about here.
 */
export const smallFileBytesMax = 4 * blockBytes;

/** Connections a node serves at once; the next ones are answered `ERR busy`. */
export const connectionsMax = 1024;

/** How long a connection may wait for its next command. */
export const idleMs = 60_000;

/** How long a transfer may go without a byte moving. */
export const stallMs = 30_000;

/** All payload buffers of a process; who finds none free waits. */
export const bufferPoolBytes = 32 * 1024 * 1024;

/** A record in JSON: the checksums of a file of about 1 TiB fit. */
export const recordBytesMax = 64 * 1024 * 1024;

/** A view of the ring in JSON: some hundred bytes for each of {@linkcode ringNodesMax} members. */
export const viewBytesMax = 16 * 1024 * 1024;

/**
 * A file of at most this many bytes is read as a whole, all its parts at once, and only then sent. It must
 * fit in one buffer of a large transfer.
 */
export const wholeFileBytesMax = 4 * blockBytes;

/** Room for the line of an answer to `FILE FETCH`, in the buffer that its bytes are in. */
export const fetchLineBytesMax = 16;

/** What one `FILE FETCH` gives of several parts: a usual buffer. One part alone may fill a long one. */
export const fetchedBytesMax = blockBytes - fetchLineBytesMax;

/** Parts that one `FILE FETCH` asks for: a node of a small ring has a few of each file. */
export const fetchedPartsMax = 64;

/** Parts of one file, as it has at most one for each node. */
export const partsMax = 10_000;

/** Nodes of one ring, and so the items of a history or a netmap. */
export const ringNodesMax = 10_000;

/** Copies of one part, the holder's included. */
export const copiesMax = 4;

/** Hops a `RING FORWARD` may still make: six times round the largest ring. */
export const ttlMax = 65_535;

/** How long `RING STOPPING` may keep the ring from healing, in seconds. */
export const stoppingSecondsMax = 600;

/** Characters of a refused parameter that an error repeats. */
export const echoCharsMax = 80;

/** The port of a node that is told none, as in the original. */
export const defaultNodePort = 9000;

/** The port of the first node of a network, as in the original. */
export const defaultBasePort = 7000;

/** The gateway's port in `deno task ring`. */
export const defaultGatewayPort = 8000;
