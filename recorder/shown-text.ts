import { attributeOf } from "./elements.ts";
import { maskAttributesOf } from "./mask-event.ts";
import type { Cover, Masking } from "./masking.ts";

/** Elements without words of the page: code, and fields, whose values are never given. */
const WORDLESS = /^(?:script|style|noscript|template|textarea|select|datalist|iframe|object|svg)$/;

/**
 * The text of an element as the recording may show it, white space folded: masked where the recording masks it, empty where
 * it is left out, at most `maxChars` characters. With `attribute`, what the recording shows of that attribute instead.
 */
export function textOf(masking: Masking, element: Element, maxChars: number, attribute?: string): string {
  const known = new Map<Node, Cover>();
  let text = "";

  function walk(node: Node): void {
    const cover = masking.coverOf(node.nodeType === 3 ? node.parentNode : node, known);
    if (cover.isBlocked) return;
    if (node.nodeType === 3) {
      const folded = (node as Text).data.slice(0, maxChars * 4).replace(/\s+/g, " ");
      text += cover.isMasked ? folded.replace(/\S/g, "*") : masking.redaction.text(folded);
    } else if (WORDLESS.test((node as Element).localName)) return;
    for (let child = node.firstChild; child && text.length <= maxChars; child = child.nextSibling) walk(child);
  }

  if (attribute === undefined) walk(element);
  else text = shownAttributeOf(masking, element, attribute);
  return text.trim().slice(0, maxChars);
}

function shownAttributeOf(masking: Masking, element: Element, name: string): string {
  const cover = masking.coverOf(element);
  if (cover.isBlocked) return "";
  const attributes: Record<string, unknown> = { [name]: attributeOf(element, name) };
  maskAttributesOf(attributes, element.localName, element, cover, masking);
  return String(attributes[name] ?? "");
}
