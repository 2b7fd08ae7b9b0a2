import { isRecord } from "../src/rrweb/events.ts";
import { maskCss, type MaskRedaction } from "./mask-css.ts";

/** How attributes of an element are masked. */
export interface AttributeRules {
  readonly redaction: MaskRedaction;
  /** Whether pictures and other media are left out, and addresses are cut. */
  readonly isStrict: boolean;
  /** Whether only what the layout needs is kept as it is. */
  readonly isMasked: boolean;
  readonly isSvg: boolean;
  /** Lower case; undefined where it is not known. */
  readonly tagName: string | undefined;
  /** What may be recorded of the `value`. */
  maskValue(value: string): string;
}

type Kind = "keep" | "url" | "urls" | "css" | "drop" | "picture" | "secret" | "choice" | "hint" | "other";

function words(text: string): Set<string> {
  return new Set(text.split(" "));
}

/** What the layout and selectors need, and holds no words of anybody. */
const KEPT = words(
  "class id name type role rel media lang dir width height size rows cols colspan rowspan span align valign bgcolor color " +
    "border cellpadding cellspacing wrap start autocomplete tabindex slot part is contenteditable popover aria-current",
);
const URLS = words("href src action formaction poster data cite xlink:href background rr_src");

/** Names that say that their value is a secret. */
const SECRET =
  /csrf|xsrf|token|secret|passw|pwd|nonce|jwt|session|api-?key|signature|(?:^|-)(?:key|auth|otp|code|sig)$/;

/** Elements that show what their address names. An input does when it is an image. */
const MEDIA = words("img video audio source track image object embed iframe input");

/** Such elements whose box is as large as what they show. */
const SIZED = words("img video object embed input");

/** The only meta elements that change how a page looks; others hold tokens and descriptions. */
const KEPT_META = /^(?:viewport|color-scheme|theme-color)$/i;

const MAX_NAMES = 2_000;

/** Kinds by name as it was met: names come again and again. */
const kinds = new Map<string, Kind>();

/** Whether all of these are kept as they are, whatever the rules. */
export function areKept(attributes: Readonly<Record<string, unknown>>): boolean {
  for (const name in attributes) if (kindOf(name) !== "keep") return false;
  return true;
}

/**
 * Masks attributes of one element in place. `element` is asked for its size, where media are left out, and may be null.
 */
export function maskAttributes(
  attributes: Record<string, unknown>,
  rules: AttributeRules,
  element: Element | null,
): void {
  const { tagName, isStrict } = rules;
  const isMedia = isStrict && (tagName === undefined || MEDIA.has(tagName));
  if (tagName === "meta" && !KEPT_META.test(nameOf(attributes, element))) delete attributes.content;
  let isTaken = false;
  for (const name in attributes) {
    const kind = kindOf(name);
    if (kind === "keep") continue;
    const value = attributes[name];
    const isPicture = kind === "picture" || (isMedia && (kind === "url" || kind === "urls"));
    if (kind === "drop" || (isStrict && isPicture) || (kind === "choice" && rules.isMasked)) {
      isTaken ||= isPicture;
      delete attributes[name];
    } else if (typeof value === "string") {
      // Nothing to look at in an empty one, nor to hide.
      if (value !== "") attributes[name] = maskAttribute(name, value, kind, rules);
    } else if (name === "style" && isRecord(value)) maskStyles(value, rules);
  }
  if (isTaken && element && SIZED.has(tagName!)) keepSize(attributes, element);
}

function maskAttribute(name: string, value: string, kind: Kind, rules: AttributeRules): string {
  const { redaction, isStrict, tagName } = rules;
  switch (kind) {
    case "css":
      return maskCss(value, isStrict, redaction);
    case "url":
      return maskUrl(value, rules, !MEDIA.has(tagName!) && tagName !== "link");
    case "urls":
      return value.replace(/[^\s,]\S*/g, (url) => maskUrl(url, rules, false));
    case "secret":
      return stars(value);
    case "choice":
    case "picture":
      return value;
  }
  if (name === "value" && isControl(tagName)) return rules.maskValue(value);
  if (name === "content" && tagName === "meta") return value;
  // Drawings: their numbers look like those of cards.
  if (kind === "other" && rules.isSvg) return value;
  if (rules.isMasked && !isSwitch(name, value)) return stars(value);
  // No pattern matches anything shorter, but an address with its sign.
  return value.length > 12 || value.includes("@") ? redaction.text(value) : value;
}

function maskUrl(url: string, { redaction, isStrict }: AttributeRules, isLink: boolean): string {
  const scheme = /^https?:/.test(url) ? "http" : /^\s*([a-z][a-z\d+.-]*):/i.exec(url)?.[1]!.toLowerCase();
  // Text of a script, of a document, of a letter.
  if (scheme === "javascript" || scheme === "vbscript") return `${scheme}:`;
  if (scheme === "data") return !isStrict && /^\s*data:(?:image|font|audio|video)\//i.test(url) ? url : "data:,";
  if (isStrict) {
    if (scheme !== undefined && !/^(?:https?|blob|file|ftp)$/.test(scheme)) return `${scheme}:`;
    return redaction.text(redaction.urlAttribute(url, "strip"));
  }
  if (isLink) {
    const end = url.search(/[?#]/);
    const path = end < 0 ? url : url.slice(0, end);
    const clean = redaction.text(path);
    if (clean !== path) return clean;
  }
  return /[?#@]/.test(url) ? redaction.urlAttribute(url, "keepFiltered") : url;
}

/** rrweb's changes of a style: a value, a value with its priority, or false for one that is gone. */
function maskStyles(styles: Record<string, unknown>, rules: AttributeRules): void {
  for (const [property, value] of Object.entries(styles)) {
    if (typeof value === "string") styles[property] = maskDeclaration(property, value, rules);
    else if (Array.isArray(value)) value[0] = maskDeclaration(property, String(value[0]), rules);
  }
}

/** The value of one declaration, as {@link maskCss} masks it under its property. */
export function maskDeclaration(
  property: string,
  value: string,
  { isStrict, redaction }: Pick<AttributeRules, "isStrict" | "redaction">,
): string {
  return maskCss(`${property}:${value}`, isStrict, redaction).slice(property.length + 1);
}

function kindOf(name: string): Kind {
  let kind = kinds.get(name);
  if (kind === undefined) {
    if (kinds.size > MAX_NAMES) kinds.clear();
    kind = toKind(name.toLowerCase());
    kinds.set(name, kind);
  }
  return kind;
}

function toKind(name: string): Kind {
  if (KEPT.has(name) || /^data-(?:rr|sentiero)-/.test(name)) return "keep";
  if (URLS.has(name)) return "url";
  if (name.endsWith("srcset") || name === "ping") return "urls";
  if (name === "style" || name === "_csstext") return "css";
  if (name === "rr_dataurl") return "picture";
  if (name.startsWith("rr_")) return "keep";
  if (name === "nonce" || name === "srcdoc" || name === "integrity" || name.startsWith("on")) return "drop";
  if (name === "checked" || name === "selected" || name === "aria-checked") return "choice";
  if (SECRET.test(name)) return "secret";
  return /^(?:aria|data)-/.test(name) ? "hint" : "other";
}

/** Says on or off, and nothing about anybody. */
function isSwitch(name: string, value: string): boolean {
  return value === "true" || value === "false" || value === name;
}

/** Elements whose `value` a person gives, or a form sends. */
export function isControl(tagName: string | undefined): boolean {
  return tagName === undefined || /^(?:input|textarea|select|option|button)$/.test(tagName);
}

function nameOf(attributes: Record<string, unknown>, element: Element | null): string {
  return String(attributes.name ?? element?.getAttribute("name"));
}

/** As rrweb keeps the box of what is blocked. */
function keepSize(attributes: Record<string, unknown>, element: Element): void {
  const { width, height } = element.getBoundingClientRect();
  if (width > 0 && height > 0) Object.assign(attributes, { rr_width: `${width}px`, rr_height: `${height}px` });
}

/** As many asterisks as there are characters. */
export function stars(text: string): string {
  return "*".repeat(text.length);
}
