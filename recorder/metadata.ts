import { cutUrl } from "../src/privacy/url.ts";

/** Parameters of the address that name a campaign. */
const CAMPAIGN = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "ref"];
/** Ids of single clicks on an advertisement: that there was one says enough, the id itself names a person. */
const CLICK_IDS = ["gclid", "fbclid", "msclkid"];
const MAX_CAMPAIGN_CHARS = 100;
/** Names of what the recorder says itself; all that begin with `sentiero_` are kept for it, too. */
const OWN = [
  ...CAMPAIGN,
  ...CLICK_IDS,
  "url",
  "referrer",
  "userAgent",
  "viewport",
  "entry_url",
  "entry_referrer",
  "userId",
];

const MAX_KEYS = 50;
const MAX_VALUE_CHARS = 1024;

/** Values as they are sent. */
export type Metadata = Readonly<Record<string, string | number | boolean>>;

/**
 * Makes page-given values sendable: at most 50 keys, texts cut at 1,024 characters, addresses cut at `?` and `#`, objects as
 * JSON text, anything else left out.
 */
export function toMetadata(value: unknown): Metadata {
  const metadata: Record<string, string | number | boolean> = {};
  if (typeof value !== "object" || value === null) return metadata;
  for (const [key, entry] of Object.entries(value)) {
    if (Object.keys(metadata).length >= MAX_KEYS) break;
    const kept = toValue(entry);
    if (kept !== undefined) metadata[key.slice(0, MAX_VALUE_CHARS)] = kept;
  }
  return metadata;
}

/** Leaves out what a page says under the recorder's own names; these go to `onRefused`, if there are any. */
export function withoutOwn(metadata: Metadata, onRefused: (names: readonly string[]) => void): Metadata {
  const entries = Object.entries(metadata);
  const isOwn = ([name]: readonly [string, unknown]): boolean => OWN.includes(name) || name.startsWith("sentiero_");
  const refused = entries.filter(isOwn);
  if (refused.length === 0) return metadata;
  onRefused(refused.map(([name]) => name));
  return Object.fromEntries(entries.filter((entry) => !isOwn(entry)));
}

/** Joins two sets; the newer values win, and the oldest keys go when there are more than 50. */
export function mergeMetadata(older: Metadata, newer: Metadata): Metadata {
  const merged = Object.entries({ ...older, ...newer });
  return Object.fromEntries(merged.slice(-MAX_KEYS));
}

/** The page of this moment, and how its session came about; addresses still whole. */
export function describePage(session: {
  readonly entryUrl: string;
  readonly entryReferrer: string;
  readonly campaign: Metadata;
}): Metadata {
  return {
    url: location.href,
    referrer: document.referrer,
    userAgent: navigator.userAgent,
    viewport: `${window.innerWidth}x${window.innerHeight}`,
    entry_url: session.entryUrl,
    entry_referrer: session.entryReferrer,
    ...session.campaign,
  };
}

/** What is masked on this page, in the words of the options. The strict rules mask every input anyway. */
export function describeMasking(rules: {
  readonly privacy: "strict" | "balanced";
  readonly maskAllInputs: boolean;
}): Metadata {
  const { privacy, maskAllInputs } = rules;
  const isOpen = privacy === "balanced" && !maskAllInputs;
  return { sentiero_privacy: privacy, ...(isOpen && { sentiero_mask_inputs: false }) };
}

/** The campaign that an address names, before its query is cut; click ids only as `true`. */
export function campaignOf(url: string): Metadata {
  const campaign: Record<string, string | boolean> = {};
  try {
    const { searchParams } = new URL(url);
    for (const name of CAMPAIGN) {
      const value = searchParams.get(name);
      if (value) campaign[name] = value.slice(0, MAX_CAMPAIGN_CHARS);
    }
    for (const name of CLICK_IDS) if (searchParams.has(name)) campaign[name] = true;
  } catch {
    // An address without parts, such as `about:srcdoc`.
  }
  return campaign;
}

function toValue(value: unknown): string | number | boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  const text = typeof value === "object" && value !== null ? toJson(value) : value;
  if (typeof text !== "string") return undefined;
  return (/^https?:\/\//i.test(text) ? cutUrl(text) : text).slice(0, MAX_VALUE_CHARS);
}

function toJson(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
