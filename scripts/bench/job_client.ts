import { BenchClient, type Transfer, type TransferOptions } from "./client.ts";
import type { LoadJob } from "./load_job.ts";

/** One client of a job: a connection to each address. */
export class JobClient {
  readonly #job: LoadJob;
  readonly #prefix: string;
  readonly #index: number;
  readonly #shares: { client: BenchClient; size: number }[];

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
    // Clients that begin together do not ask for the same file.
    const index = operation === "push" ? number : (number + this.#index) % nameCount;
    const name = `${this.#prefix}-${index}`;
    const options = (size: number): TransferOptions => ({ name, size, hashed });
    const [only, ...others] = this.#shares;
    if (only === undefined) throw new Error("a job without an address");
    // The usual case without what it takes to wait for several.
    if (others.length === 0) return await only.client[operation](options(only.size));
    await Promise.all(
      this.#shares.map(({ client, size }) => client[operation](options(size))),
    );
    return {};
  }

  /** Ends the call under way, with an error there. */
  close(): void {
    for (const { client } of this.#shares) client.close();
  }
}
