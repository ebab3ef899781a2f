import { explain } from "../client/client_error.ts";
import { askPing, deleteStoredFile } from "../client/questions.ts";
import { explainHarmless } from "./ask_ring.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import type { DeleteOptions } from "./client_options.ts";
import { eachFile } from "./each_file.ts";
import { showName } from "./output.ts";

/** `ouroboros delete NAME…`: returns when the deletes are durable. */
export async function deleteFile(options: DeleteOptions, context: CliContext): Promise<number> {
  using client = clientContext(options, context);
  return await eachFile(client, {
    items: [...new Set(options.names)],
    done: "deleted",
    async run(name) {
      const doing = `delete ${showName(name)}`;
      await client.attempt(async () => {
        using peer = await client.connect();
        await askPing(peer).catch((error) => {
          throw explainHarmless(error, doing);
        });
        await deleteStoredFile(peer, name).catch((error) => {
          const consequence = "before it said so; 'ouroboros stat' tells whether it is gone";
          throw explain(error, doing, { consequence, mayBeDone: true });
        });
      });
      client.tell(`Deleted ${showName(name)}`);
      return undefined;
    },
  });
}
