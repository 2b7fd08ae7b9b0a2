/** Names the masks by attribute; the configuration may name others for block, mask and ignore. */
export const UNMASK_SELECTOR = "[data-sentiero-unmask]";

/** `Node.DOCUMENT_FRAGMENT_NODE`. */
const FRAGMENT = 11;

/** Fields that are masked like passwords, whatever the page unmasks (https://html.spec.whatwg.org/#autofill). */
const SECRET_AUTOCOMPLETE = /\b(?:(?:current|new)-password|one-time-code|cc-(?:number|csc))\b/;

/** A payment card's number, as people type it: 13 to 19 digits, in groups or not. */
const CARD = /\d(?:[ -]?\d){12,18}/;

/** Labels of buttons are part of the page, not something a person put in. */
const LABEL_TYPES = new Set(["submit", "button", "reset", "image"]);

/** Decides what of inputs and texts is recorded. */
export interface Masking {
  /** The value as it may be recorded. */
  maskInput(text: string, element: Element | null): string;
  /** The text of an element under a mask selector as it may be recorded. */
  maskText(text: string, element: Element | null): string;
  /** Whether texts of this element are masked, which rrweb doesn't see through a shadow root. */
  isTextMasked(element: Element): boolean;
  /** Whether the element lies in a shadow root under a blocked element; rrweb goes on recording what is added there. */
  isBlockedInShadow(element: Element): boolean;
  /** Remembers a password field, so that it stays masked when a "show" button changes its type. */
  notePassword(element: Element): void;
}

/** What is masked. */
export interface MaskingRules {
  readonly maskAllInputs: boolean;
  /** Input types and tag names masked when not all are. */
  readonly maskInputOptions: Readonly<Record<string, unknown>>;
  /** Selects what is masked; null for nothing. */
  readonly maskTextSelector: string | null;
  /** Selects what is left out; null for nothing. */
  readonly blockSelector: string | null;
}

/** Makes the masking functions of one page. */
export function createMasking(rules: MaskingRules): Masking {
  const passwords = new WeakSet<Element>();

  function isPassword(element: Element): boolean {
    if (passwords.has(element)) return true;
    const isOne =
      typeOf(element) === "password" ||
      // What rrweb leaves on a field whose type changed.
      element.hasAttribute("data-rr-is-password") ||
      // A field that was made readable before the recorder came.
      SECRET_AUTOCOMPLETE.test(element.getAttribute("autocomplete") ?? "");
    if (isOne) passwords.add(element);
    return isOne;
  }

  function isMasked(element: Element): boolean {
    const nearest = nearestRule(element, rules.maskTextSelector);
    if (nearest !== null) return nearest === "mask";
    if (rules.maskAllInputs) return true;
    const type = typeOf(element);
    return (
      type === "hidden" ||
      Boolean(rules.maskInputOptions[type] ?? rules.maskInputOptions[element.tagName.toLowerCase()])
    );
  }

  return {
    maskInput(text, element) {
      if (element === null) return stars(text);
      if (isPassword(element)) return stars(text);
      if (LABEL_TYPES.has(typeOf(element)) && element.tagName.toLowerCase() === "input") return text;
      return isMasked(element) || CARD.test(text) ? stars(text) : text;
    },
    maskText(text, element) {
      if (element !== null && nearestRule(element, rules.maskTextSelector) === "unmask") return text;
      return text.replace(/\S/g, "*");
    },
    isTextMasked: (element) => nearestRule(element, rules.maskTextSelector) === "mask",
    isBlockedInShadow(element) {
      for (let at = hostOf(element); at; at = hostOf(at)) {
        if (rules.blockSelector && at.closest(rules.blockSelector)) return true;
      }
      return false;
    },
    notePassword(element) {
      isPassword(element);
    },
  };
}

/** The nearest attribute decides, through shadow roots; on one element "unmask" wins. */
function nearestRule(element: Element, maskSelector: string | null): "mask" | "unmask" | null {
  const selector = maskSelector ? `${UNMASK_SELECTOR},${maskSelector}` : UNMASK_SELECTOR;
  for (let at: Element | null = element; at; at = hostOf(at)) {
    const found: Element | null = at.closest(selector);
    if (found) return found.matches(UNMASK_SELECTOR) ? "unmask" : "mask";
  }
  return null;
}

/** The element whose shadow tree a node lies in, or null. The root of a removed subtree may be a link, and a link's `host` is text. */
export function hostOf(node: Node): Element | null {
  const root = node.getRootNode() as Partial<ShadowRoot>;
  return root.nodeType === FRAGMENT ? (root.host ?? null) : null;
}

function typeOf(element: Element): string {
  const type: unknown = (element as HTMLInputElement).type;
  return typeof type === "string" ? type.toLowerCase() : "";
}

function stars(text: string): string {
  return "*".repeat(text.length);
}
