import { matches, parentNodeOf } from "./elements.ts";
import { createRedaction } from "../src/privacy/redaction.ts";
import type { MaskRedaction } from "./mask-css.ts";
import { stars } from "./mask-attributes.ts";

/** Names the masks by attribute; the configuration may name others for block, mask and ignore. */
export const UNMASK_SELECTOR = "[data-sentiero-unmask]";

/** What shows as text what a person chose or wrote. */
const FIELDS =
  "option,optgroup,output,textarea,[contenteditable]:not([contenteditable=false i])," +
  "[role=textbox],[role=searchbox],[role=combobox],[role=spinbutton]";

const DOCUMENT = 9;
/** Of shadow roots too. */
const FRAGMENT = 11;

/** Fields that are masked like passwords, whatever the page unmasks (https://html.spec.whatwg.org/#autofill). */
const SECRET_AUTOCOMPLETE = /\b(?:(?:current|new)-password|one-time-code|cc-(?:number|csc))\b/;

/** A payment card's number, as people type it: 13 to 19 digits, in groups or not. */
const CARD = /\d(?:[ -]?\d){12,18}/;

const MAX_PASSWORD_NAMES = 200;

/** What is masked. */
export interface MaskingRules {
  /** `strict` masks all texts, attributes and media. @default "balanced" */
  readonly privacy?: "strict" | "balanced";
  readonly maskAllInputs: boolean;
  /** Input types and tag names masked when not all are. */
  readonly maskInputOptions: Readonly<Record<string, unknown>>;
  /** Selects what is masked; null for nothing. */
  readonly maskTextSelector: string | null;
  /** Selects what is left out; null for nothing. */
  readonly blockSelector: string | null;
}

/** What the attributes on an element and around it, through shadow roots and frames, say of it. */
export interface Cover {
  /** Whether texts are masked, and attributes but for what the layout needs. */
  readonly isMasked: boolean;
  /** Whether it lies under a blocked element, or is one. */
  readonly isBlocked: boolean;
  /** The nearest attribute; null without one. */
  readonly rule: "mask" | "unmask" | null;
  readonly isField: boolean;
}

/** Decides what of inputs, texts and attributes is recorded. */
export interface Masking {
  readonly isStrict: boolean;
  readonly redaction: MaskRedaction;
  /** The value as it may be recorded. */
  maskInput(text: string, element: Element | null): string;
  /** Whether any value of this control, or what is chosen in it, is masked; remembers passwords. */
  isInputMasked(element: Element): boolean;
  /** `known` keeps what was found on the way up, for as long as the page doesn't change. */
  coverOf(node: Node | null, known?: Map<Node, Cover>): Cover;
  /** The cover of an element in one whose cover is known. */
  coverIn(element: Element, around: Cover): Cover;
}

/** Makes the masking functions of one page. `redaction` is that of the page's rules. */
export function createMasking(rules: MaskingRules, redaction: MaskRedaction = createRedaction()): Masking {
  const { maskTextSelector, blockSelector, maskAllInputs, maskInputOptions } = rules;
  const isStrict = rules.privacy === "strict";
  const top: Cover = { isMasked: isStrict, isBlocked: false, rule: null, isField: false };
  const marks = [UNMASK_SELECTOR, FIELDS, maskTextSelector, blockSelector].filter(Boolean).join();
  const passwords = new WeakSet<Element>();
  const passwordNames = new Set<string>();

  function isPassword(element: Element): boolean {
    if (passwords.has(element)) return true;
    const isNow = typeOf(element) === "password";
    const names = [element.id, element.getAttribute("name")].filter(Boolean) as string[];
    const isOne =
      isNow ||
      // What rrweb leaves on a field whose type changed.
      element.hasAttribute("data-rr-is-password") ||
      // A field that was made readable before the recorder came.
      SECRET_AUTOCOMPLETE.test(element.getAttribute("autocomplete") ?? "") ||
      // Frameworks put another element in its place.
      names.some((name) => passwordNames.has(name));
    if (isOne) passwords.add(element);
    if (isNow && passwordNames.size < MAX_PASSWORD_NAMES) for (const name of names) passwordNames.add(name);
    return isOne;
  }

  function isInputMasked(element: Element): boolean {
    if (element.localName === "input" && isPassword(element)) return true;
    const type = typeOf(element);
    // Nobody sees what is in it, so nobody can have meant it.
    if (type === "hidden") return true;
    const { rule } = coverOf(element);
    if (rule !== null) return rule === "mask";
    if (isStrict || maskAllInputs) return true;
    const tagName = element.localName === "option" ? "select" : element.localName;
    return Boolean(maskInputOptions[type] ?? maskInputOptions[tagName]);
  }

  function coverOf(node: Node | null, known?: Map<Node, Cover>): Cover {
    if (!node) return top;
    const found = known?.get(node);
    if (found) return found;
    const around = coverOf(parentOf(node), known);
    const cover = node.nodeType === 1 ? coverIn(node as Element, around) : around;
    known?.set(node, cover);
    return cover;
  }

  function coverIn(element: Element, around: Cover): Cover {
    if (!matches(element, marks) && !isFormAssociated(element)) return around;
    const rule = matches(element, UNMASK_SELECTOR)
      ? "unmask"
      : isSelected(element, maskTextSelector)
        ? "mask"
        : around.rule;
    const isField = around.isField || matches(element, FIELDS) || isFormAssociated(element);
    return {
      rule,
      isField,
      isMasked: rule === null ? isStrict || (isField && maskAllInputs) : rule === "mask",
      isBlocked: around.isBlocked || isSelected(element, blockSelector),
    };
  }

  return {
    isStrict,
    redaction,
    maskInput: (text, element) => (element === null || isInputMasked(element) || CARD.test(text) ? stars(text) : text),
    isInputMasked,
    coverOf,
    coverIn,
  };
}

/** What a node lies in: for a shadow root its host, for a document its frame. A link's `host` is text, hence the types. */
function parentOf(node: Node): Node | null {
  const parent = parentNodeOf(node);
  if (parent) return parent;
  if (node.nodeType === FRAGMENT) return (node as ShadowRoot).host ?? null;
  if (node.nodeType !== DOCUMENT) return null;
  try {
    return (node as Document).defaultView?.frameElement ?? null;
  } catch {
    // A frame of another origin.
    return null;
  }
}

/** The element whose shadow tree a node lies in, or null. The root of a removed subtree may be a link, and a link's `host` is text. */
export function hostOf(node: Node): Element | null {
  const root = node.getRootNode() as Partial<ShadowRoot>;
  return root.nodeType === FRAGMENT ? (root.host ?? null) : null;
}

/** Whether a custom element is a control. */
function isFormAssociated(element: Element): boolean {
  return (
    element.localName.includes("-") && (element.constructor as { formAssociated?: unknown }).formAssociated === true
  );
}

function isSelected(element: Element, selector: string | null): boolean {
  return selector !== null && matches(element, selector);
}

function typeOf(element: Element): string {
  const type: unknown = (element as HTMLInputElement).type;
  return typeof type === "string" ? type.toLowerCase() : "";
}
