import type { Redaction } from "../src/privacy/redaction.ts";

/** What of the redaction masking needs. */
export type MaskRedaction = Pick<Redaction, "text" | "urlAttribute">;

// Every part of these expressions takes what it began with to its end or to the end of the text, so that none begins twice.
const STRING = String.raw`"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?`;
const COMMENT = String.raw`\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?`;
const URL_TOKEN = String.raw`url\(\s*(?:${STRING}|[^)]*)`;
/** Declarations whose strings are shown; a custom property may be one. */
const SHOWN = String.raw`(?:content|--[\w-]{1,80})\s*:(?:${COMMENT}|${STRING}|[^;{}"'/]|\/)*`;

const BALANCED = new RegExp(`${COMMENT}|${URL_TOKEN}|${STRING}`, "gi");
const STRICT = new RegExp(`${COMMENT}|${SHOWN}|${URL_TOKEN}|${STRING}`, "gi");

/** rrweb's mark between the texts of one style element. */
const SPLIT = "/* rr_split */";

/** Fonts are needed for the layout, and hold nobody's data. */
const FONT = /\.(?:woff2?|ttf|otf|eot)(?:[?#]|$)|^\s*data:(?:application\/(?:x-)?|)font/i;

/** Signs of icon fonts, escaped or as they are: no words. */
const SIGN = /^(?:.{0,2}|(?:\\[\da-f]{1,6}\s?){1,3})$/iu;

/**
 * CSS as it may be recorded: comments go and addresses are redacted. `isStrict` empties addresses of pictures, and masks
 * strings that the page would show.
 */
export function maskCss(css: string, isStrict: boolean, redaction: MaskRedaction): string {
  // Most declarations of a page hold none of it.
  if (!/["'(]|\/\*/.test(css)) return css;
  return css.replace(isStrict ? STRICT : BALANCED, (token) => {
    if (isStrict && /^(?:content|--)/i.test(token)) {
      return token.replace(BALANCED, (inner) => maskToken(inner, true, redaction, true));
    }
    return maskToken(token, isStrict, redaction, false);
  });
}

function maskToken(token: string, isStrict: boolean, redaction: MaskRedaction, isShown: boolean): string {
  if (token.startsWith("/*")) return token === SPLIT ? token : "";
  const [, head, quote, inner] = /^(url\(\s*)?(["']?)([^]*?)\2$/i.exec(token)!;
  if (head) return head + quote + maskAddress(inner!, isStrict, redaction) + quote;
  if (isShown) return SIGN.test(inner!) ? token : quote + inner!.replace(/\\?\S/g, "*") + quote;
  // `@import "…"`, `image-set("…")`.
  return /[?#@]/.test(inner!) ? quote + redaction.urlAttribute(inner!, modeOf(isStrict)) + quote : token;
}

function maskAddress(url: string, isStrict: boolean, redaction: MaskRedaction): string {
  if (isStrict && !url.startsWith("#") && !FONT.test(url)) return "";
  return /[?#@]/.test(url) ? redaction.urlAttribute(url, modeOf(isStrict)) : url;
}

function modeOf(isStrict: boolean): "strip" | "keepFiltered" {
  return isStrict ? "strip" : "keepFiltered";
}
