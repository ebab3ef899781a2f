import { BenchClient, type Transfer, type TransferOptions } from "./client.ts";
import { awaitCopies } from "./copies.ts";
import type { LoadJob } from "./load_job.ts";

/** One client of a job: a connection to each address. */
export class JobClient {
  readonly #job: LoadJob;
  readonly #prefix: string;
  readonly #index: number;
  readonly #shares: { client: BenchClient; size: number }[];
  #closed = false;

  /** @param index Which one of the job's clients it is, from 0. */
  constructor(job: LoadJob, index: number) {
    this.#job = job;
    this.#prefix = job.namePrefixes[index] ?? "";
    this.#index = index;
    const count = job.addresses.length;
    this.#shares = job.addresses.map((address, index) => ({
      client: new BenchClient(address),
      size: Math.floor(job.size / count) + (index < job.size % count ? 1 : 0),
    }));
  }

  /** Makes the connections that stay open, so that no call does. */
  async connect(): Promise<void> {
    // A connection for each call is part of the call.
    if (this.#job.operation === "pull") return;
    await Promise.all(this.#shares.map(({ client }) => client.connect()));
  }

  /** Does what the job is, for the n-th time from 0. */
  async call(number: number): Promise<Transfer> {
    const { operation, nameCount, hashed } = this.#job;
    const isPush = operation === "push" || operation === "store";
    // Clients that begin together do not ask for the same file.
    const index = isPush ? number : (number + this.#index) % nameCount;
    const name = `${this.#prefix}-${index}`;
    const options = (size: number): TransferOptions => ({ name, size, hashed });
    const [only, ...others] = this.#shares;
    if (only === undefined) throw new Error("a job without an address");
    const verb = operation === "store" ? "push" : operation;
    // The usual case without what it takes to wait for several.
    if (others.length === 0) {
      const transfer = await only.client[verb](options(only.size));
      if (operation === "store") await this.#awaitCopies(name);
      return transfer;
    }
    await Promise.all(this.#shares.map(({ client, size }) => client[verb](options(size))));
    return {};
  }

  /** Ends the call under way, with an error there. */
  close(): void {
    this.#closed = true;
    for (const { client } of this.#shares) client.close();
  }

  async #awaitCopies(name: string): Promise<void> {
    const { nodeDirectories = [], size } = this.#job;
    await awaitCopies({ name, size, nodeDirectories, isOver: () => this.#closed });
  }
}
