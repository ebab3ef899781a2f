import type { Command } from "../protocol/command.ts";
import { errors, refusedHere } from "../protocol/errors.ts";
import { scrubReply } from "../protocol/peer_replies.ts";
import { okReply, pongReply } from "../protocol/replies.ts";
import type { Body } from "./body.ts";
import { serveCatalogPull } from "./catalog_exchange.ts";
import * as chunks from "./chunk_commands.ts";
import { serveDeleteIf, servePut } from "./conditional_commands.ts";
import type { NodeContext } from "./context.ts";
import * as files from "./file_commands.ts";
import { serveNodeInfo } from "./info.ts";
import * as observe from "./observe_commands.ts";
import { servePage } from "./page_command.ts";
import { serveRange } from "./range_command.ts";
import { serveCatalogForget } from "./tombstones.ts";
import type { Session } from "./session.ts";
import { serveStageAll } from "./small_push.ts";
import { serveStage } from "./stage_chain.ts";
import * as staging from "./staging_commands.ts";

/**
 * Serves one command: the one place that knows which part of the node answers what. An error that
 * it throws becomes an `ERR` line, unless bytes of the answer have gone out.
 */
export async function serveCommand(
  context: NodeContext,
  session: Session,
  command: Command,
  body: Body,
): Promise<void> {
  switch (command.kind) {
    case "node-ping":
      return await session.reply(pongReply);
    case "node-info":
      return await serveNodeInfo(context, session);
    case "node-scrub": {
      const { checked, repaired, lost } = await context.scrub.everywhere();
      const counts = `checked: ${checked}\nrepaired: ${repaired}\nlost: ${lost}\n`;
      return await session.reply(`${counts}${okReply}`);
    }
    case "node-scrub-local":
      return await session.reply(scrubReply(await context.scrub.here()));
    case "node-metrics":
      return await observe.serveMetrics(context, session);
    case "node-heal":
      return await observe.serveHeal(context, session);
    case "ring-events":
      return await observe.serveEvents(context, session, command.after);
    case "node-restrict":
      session.restricted = true;
      return await session.reply(okReply);
    case "node-stop":
      return await serveNodeStop(context, session, command.incarnation);
    case "node-kill":
      return serveNodeKill(context, session, command.incarnation);
    case "node-next":
      if (session.restricted) throw new Error(refusedHere("NODE NEXT"));
      return await session.reply(await context.ring.handle(command));
    case "node-status":
    case "node-heal-hop":
    case "node-heal-done":
    case "netmap-get":
    case "netmap-discover":
    case "netmap-hop":
    case "netmap-done":
    case "netmap-set":
    case "topology-walk":
    case "topology-hop":
    case "topology-done":
    case "topology-set":
    case "ring-forward":
    case "ring-ping":
    case "ring-stopping":
      return await session.reply(await context.ring.handle(command));
    case "ring-view":
      return await context.ring.serveView(body, session);
    case "file-push":
      return await files.servePush(context, session, command, body);
    case "file-pull":
      return await files.servePull(context, session, command.name);
    case "file-get":
      return await files.serveGet(context, session, command.name);
    case "file-list":
      return await files.serveList(context, session);
    case "file-range":
      return await serveRange(context, session, command);
    case "file-put":
      return await servePut(context, session, command);
    case "file-delete-if":
      return await serveDeleteIf(context, session, command);
    case "file-page":
      return await servePage(context, session, command);
    case "file-stat":
      return await files.serveStat(context, session, command.name);
    case "file-delete":
      return await files.serveDelete(context, session, command.name);
    case "file-relay-stream":
      return await staging.serveRelayStream(context, session, command, body);
    case "file-relay-blob":
      return await staging.serveRelayBlob(context, session, command, body);
    case "file-stage":
      return await serveStage(context, session, command, body);
    case "file-stage-all":
      return await serveStageAll(context, session, command, body);
    case "file-commit":
      return await staging.serveCommit(context, session, body);
    case "file-abort":
      return await staging.serveAbort(context, session, command.pushId);
    case "file-push-state":
      return await staging.servePushState(context, session, command.pushId);
    case "file-open":
      return await chunks.serveOpen(context, session, command);
    case "file-read":
      return await chunks.serveRead(session, command);
    case "file-fetch":
      return await chunks.serveFetch(context, session, command);
    case "file-get-chunk":
      return await chunks.serveChunk(context, session, command.chunk, "content");
    case "file-get-backup-chunk":
      return await chunks.serveChunk(context, session, command.chunk, "backup");
    case "file-get-chunk-for-backup":
      return await chunks.serveChunkForBackup(context, session, command.chunk);
    case "file-notify-chunk-saved":
      context.originals.chunkSaved(command.chunk);
      return await session.reply(okReply);
    case "file-tags-set":
      await context.originals.acceptTags(command.tags);
      return await session.reply(okReply);
    case "catalog-pull":
      return await serveCatalogPull(context, session, body);
    case "catalog-forget":
      return await serveCatalogForget(context, session, body);
    default: {
      const unserved: never = command;
      throw new TypeError(`Nobody serves ${JSON.stringify(unserved)}`);
    }
  }
}

/** Ends this process cleanly when the caller knows which one it talks to. */
async function serveNodeStop(
  context: NodeContext,
  session: Session,
  incarnation: string,
): Promise<void> {
  if (session.restricted) throw new Error(refusedHere("NODE STOP"));
  if (incarnation !== context.incarnation) throw new Error(errors.wrongIncarnation);
  await session.reply(okReply);
  session.end();
  context.stop("NODE STOP");
}

/** Ends this process as a crash would: nothing is finished, told or tidied up. */
function serveNodeKill(context: NodeContext, session: Session, incarnation: string): void {
  if (session.restricted) throw new Error(refusedHere("NODE KILL"));
  if (incarnation !== context.incarnation) throw new Error(errors.wrongIncarnation);
  context.log.warn("killed by NODE KILL");
  Deno.kill(Deno.pid, "SIGKILL");
}
