import { isRecord } from "../src/rrweb/events.ts";

/** What of a page's head is left out of the recording, by the names of rrweb's `slimDOMOptions`. */
export type SlimDom = Readonly<Record<string, unknown>>;

/** What of a recorded node is looked at. */
interface Node {
  readonly type: number;
  readonly tagName?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** rrweb's types of nodes. */
const COMMENT = 5;

/** Meta elements by what their `name` or `property` says: machines read them, and a replay shows none. */
const META: readonly (readonly [option: string, names: RegExp, properties?: RegExp])[] = [
  ["headFavicon", /^(?:msapplication-tile(?:image|color)|application-name)$/],
  ["headMetaDescKeywords", /^description|keywords$/],
  ["headMetaSocial", /^(?:og|twitter):|^pinterest$/, /^(?:og|twitter|fb):/],
  ["headMetaRobots", /^(?:robots|googlebot|bingbot)$/],
  ["headMetaAuthorship", /^(?:author|generator|framework|publisher|progid)$/, /^(?:article|product):/],
  [
    "headMetaVerification",
    /^(?:google-site-verification|yandex-verification|csrf-token|p:domain_verify|verify-v1|verification|shopify-checkout-api-token)$/,
  ],
];

const ICON = /^(?:shortcut |apple-touch-)?icon$/;

/** All of it; or what the options of rrweb that a configuration gives say. */
export function toSlimDom(given: unknown): SlimDom {
  if (isRecord(given)) return given;
  const others = ["script", "comment", "headWhitespace", "headMetaHttpEquiv", "headTitleMutations"];
  return Object.fromEntries([...others, ...META.map(([option]) => option)].map((option) => [option, true]));
}

/** Whether a node is left out. Takes the place of rrweb's own function, and says the same. */
export function isLeftOut({ type, tagName, attributes }: Node, slim: SlimDom): boolean {
  if (type === COMMENT) return Boolean(slim.comment);
  const lower = (name: string): string => String(attributes![name] ?? "").toLowerCase();
  if (tagName === "script") return Boolean(slim.script);
  if (tagName === "link") {
    const { rel, as, href } = attributes!;
    return Boolean(
      (slim.headFavicon && rel === "shortcut icon") ||
      (slim.script &&
        (rel === "modulepreload" ||
          (rel === "preload" && as === "script") ||
          (rel === "prefetch" && /^[^?#]*\.js(?:[?#]|$)/.test(String(href))))),
    );
  }
  if (tagName !== "meta") return false;
  if (slim.headMetaHttpEquiv && attributes!["http-equiv"] !== undefined) return true;
  if (slim.headFavicon && ICON.test(lower("rel"))) return true;
  return META.some(
    ([option, names, properties]) => slim[option] && (names.test(lower("name")) || properties?.test(lower("property"))),
  );
}
