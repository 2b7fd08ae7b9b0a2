import { SentieroError } from "./errors.ts";
import { assetFile } from "./handlers/assets.ts";
import { escapeHtml, escapeJson } from "./http/responses.ts";
import type { ResolvedOptions } from "./options.ts";
import type { RedactionRules } from "./privacy/redaction.ts";
import { toRecorderConfig } from "./recorder-options.ts";

/** Where the recorder sends and comes from, in a page of the host. */
export interface ScriptTagOptions {
  /** Full path or URL of the events lane, such as `/sentiero/events`. @default basePath + "/events" */
  eventsUrl?: string;
  /** Base of the assets lane, such as `https://cdn.example/sentiero/assets`. @default beside `eventsUrl` */
  recorderUrl?: string;
  /** The page's CSP nonce, put on both tags. */
  nonce?: string;
}

/** The two tags that put the recorder into a page: its configuration, and the script of this build. */
export function renderScriptTag(options: ResolvedOptions, tag: ScriptTagOptions = {}): string {
  const eventsUrl = tag.eventsUrl ?? `${options.basePath}/events`;
  const src = `${(tag.recorderUrl ?? assetsBeside(eventsUrl)).replace(/\/+$/, "")}/${assetFile("loader")}`;
  const nonce = tag.nonce === undefined ? "" : ` nonce="${escapeHtml(tag.nonce)}"`;
  return (
    `<script type="application/json" id="sentiero-config"${nonce}>${escapeJson(toConfig(options, eventsUrl))}</script>\n` +
    `<script async src="${escapeHtml(src)}"${nonce}></script>`
  );
}

function assetsBeside(eventsUrl: string): string {
  if (eventsUrl.endsWith("/events")) return `${eventsUrl.slice(0, -"/events".length)}/assets`;
  throw new SentieroError(
    "RECORDER_URL_MISSING",
    `scriptTag() cannot tell where the recorder lies from eventsUrl ${JSON.stringify(eventsUrl)}: ` +
      'pass recorderUrl, the base of the assets lane, such as "/sentiero/assets"',
  );
}

/** What the recorder reads from the page. */
function toConfig(options: ResolvedOptions, eventsUrl: string): Record<string, unknown> {
  return {
    eventsUrl,
    ...toRecorderConfig(options),
    ...(!isDefault(options.redaction) && { redaction: options.redaction }),
    respectGpc: options.respectGpc,
    ...(options.userOptOut && { optOutCookieName: options.optOutCookieName }),
  };
}

/** Most hosts set no rule, and every page would carry them. */
function isDefault({ urlMode, ...lists }: RedactionRules): boolean {
  return urlMode === "strip" && Object.values(lists).every((list) => list.length === 0);
}
