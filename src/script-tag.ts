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

/** The attributes of the one script element that puts the recorder into a page. Plain data, so that it may go to a client. */
export interface ScriptAttributes {
  readonly async: true;
  readonly src: string;
  /** The recorder's configuration as JSON. */
  readonly "data-sentiero-config": string;
  readonly nonce?: string;
}

/** The two tags that put the recorder into a page: its configuration, and the script of this build. */
export function renderScriptTag(options: ResolvedOptions, tag: ScriptTagOptions = {}): string {
  const { src, config } = describe(options, tag);
  const nonce = tag.nonce === undefined ? "" : ` nonce="${escapeHtml(tag.nonce)}"`;
  return (
    `<script type="application/json" id="sentiero-config"${nonce}>${escapeJson(config)}</script>\n` +
    `<script async src="${escapeHtml(src)}"${nonce}></script>`
  );
}

/** The same as one element, for libraries that make elements and may move them: its configuration moves along. */
export function toScriptAttributes(options: ResolvedOptions, tag: ScriptTagOptions = {}): ScriptAttributes {
  const { src, config } = describe(options, tag);
  const { nonce } = tag;
  return { async: true, src, "data-sentiero-config": JSON.stringify(config), ...(nonce !== undefined && { nonce }) };
}

function describe(options: ResolvedOptions, tag: ScriptTagOptions): { src: string; config: object } {
  const eventsUrl = tag.eventsUrl ?? `${options.basePath}/events`;
  const src = `${(tag.recorderUrl ?? assetsBeside(eventsUrl)).replace(/\/+$/, "")}/${assetFile("loader")}`;
  return { src, config: toConfig(options, eventsUrl) };
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
