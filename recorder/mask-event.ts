import { parentNodeOf } from "./elements.ts";
import { EventType, IncrementalSource, isRecord } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { areKept, isControl, maskAttributes, maskDeclaration } from "./mask-attributes.ts";
import { maskCss } from "./mask-css.ts";
import type { Cover, Masking } from "./masking.ts";

/** rrweb's types of nodes, not the DOM's. */
const TEXT = 3;
const COMMENT = 5;

/** Sources of incremental events that hold CSS or drawings. */
const STYLE_SHEET_RULE = 8;
const CANVAS = 9;
const FONT = 10;
const STYLE_DECLARATION = 13;
const ADOPTED_STYLE_SHEET = 15;

/** Elements whose text is never seen. */
const UNSEEN = /^(?:script|noscript|noembed|noframes|iframe)$/;

/** What stays of an element that is left out. */
const BLOCKED_ATTRIBUTES = ["class", "rr_width", "rr_height"];

/** Finds the page's node behind a recorded id. */
export type NodeLookup = (id: number) => Node | null;

type Fields = Record<string, unknown>;

/**
 * Masks in place everything in an event of rrweb's that may hold what a person typed or chose, a secret, or, with the strict
 * rules, any word or picture. rrweb's own mask functions see a part of that only: no attribute but some values, no radio
 * buttons, no options, no shadow roots, nothing of what was covered later.
 */
export function maskEvent(event: RecordedEvent, masking: Masking, lookup: NodeLookup): void {
  const { data } = event;
  if (!isRecord(data)) return;
  const { isStrict, redaction } = masking;
  /** The page doesn't change while an event is masked. */
  const known = new Map<Node, Cover>();

  function nodeOf(id: unknown): Node | null {
    return typeof id === "number" ? lookup(id) : null;
  }

  function elementOf(id: unknown): Element | null {
    const node = nodeOf(id);
    return node?.nodeType === 1 ? (node as Element) : null;
  }

  function maskTree(node: unknown, around: Cover, parent: Node | null, parentName: string | undefined): void {
    if (!isRecord(node)) return;
    if (node.type === TEXT) {
      node.textContent = maskTextOf(node.textContent, around, parent, parentName);
    } else if (node.type === COMMENT) node.textContent = "";
    const name = toName(node.tagName);
    let cover = around;
    let inside = parent;
    if (isRecord(node.attributes)) {
      const element = elementOf(node.id);
      inside = element;
      if (element) cover = masking.coverIn(element, around);
      if (cover.isBlocked) return block(node);
      // A copy: rrweb adds what an image shows to its own object, when it has loaded.
      if (isStrict) node.attributes = { ...node.attributes };
      maskAttributesOf(node.attributes as Fields, name, element, cover, masking);
    }
    if (!Array.isArray(node.childNodes)) return;
    for (const child of node.childNodes as unknown[]) maskTree(child, cover, inside, name);
  }

  function maskTextOf(text: unknown, cover: Cover, parent: Node | null, parentName: string | undefined): unknown {
    if (typeof text !== "string" || text === "") return text;
    if (parentName === "style") return maskCss(text, isStrict, redaction);
    if (parentName !== undefined && UNSEEN.test(parentName)) return "";
    if (parentName === "textarea") return masking.maskInput(text, parent as Element);
    return cover.isMasked ? text.replace(/\S/g, "*") : text;
  }

  /** Whether a change within this node's parent is recorded, which it isn't once a part of the page is covered. */
  function isShown(id: unknown): boolean {
    const node = nodeOf(id);
    return node === null || !masking.coverOf(parentNodeOf(node), known).isBlocked;
  }

  function maskMutation(mutation: Fields): void {
    // A node right under a shadow root names the host as its parent, hence the node itself.
    mutation.adds = toList(mutation.adds).filter((added) => isShown(isRecord(added.node) ? added.node.id : null));
    mutation.attributes = toList(mutation.attributes).filter(({ id }) => !masking.coverOf(nodeOf(id), known).isBlocked);
    mutation.texts = toList(mutation.texts).filter((text) => isShown(text.id));
    for (const { node } of toList(mutation.adds)) {
      const at = isRecord(node) ? nodeOf(node.id) : null;
      const isDocument = at?.nodeType === 9;
      const parent = at && parentNodeOf(at);
      maskTree(node, masking.coverOf(isDocument ? at : parent, known), parent, parentNameOf(parent));
    }
    for (const { attributes, id } of toList(mutation.attributes)) {
      const element = elementOf(id);
      if (isRecord(attributes)) {
        maskAttributesOf(attributes, element?.localName, element, masking.coverOf(element, known), masking);
      }
    }
    for (const text of toList(mutation.texts)) {
      const at = nodeOf(text.id);
      const parent = at && parentNodeOf(at);
      text.value = maskTextOf(text.value, masking.coverOf(parent, known), parent, parentNameOf(parent));
    }
  }

  function maskInputEvent(input: Fields): void {
    const element = elementOf(input.id);
    input.text = masking.maskInput(String(input.text), element);
    if (element === null || masking.isInputMasked(element)) input.isChecked = false;
  }

  function css(text: unknown): unknown {
    return typeof text === "string" ? maskCss(text, isStrict, redaction) : text;
  }

  function maskStyleSheet(sheet: Fields): void {
    for (const rule of [...toList(sheet.adds), ...toList(sheet.rules)]) rule.rule = css(rule.rule);
    for (const name of ["replace", "replaceSync"]) if (name in sheet) sheet[name] = css(sheet[name]);
    for (const style of toList(sheet.styles)) maskStyleSheet(style);
    const { set } = sheet;
    if (isRecord(set) && typeof set.value === "string") {
      set.value = maskDeclaration(String(set.property), set.value, { isStrict, redaction });
    }
  }

  if (event.type === EventType.FullSnapshot) maskTree(data.node, masking.coverOf(nodeOf(1), known), null, undefined);
  if (event.type !== EventType.Incremental) return;
  switch (data.source) {
    case IncrementalSource.Mutation:
      return maskMutation(data);
    case IncrementalSource.Input:
      return maskInputEvent(data);
    case STYLE_SHEET_RULE:
    case STYLE_DECLARATION:
    case ADOPTED_STYLE_SHEET:
      return maskStyleSheet(data);
    case FONT:
      data.fontSource = css(data.fontSource);
      return;
    case CANVAS:
      // Drawn words and pictures; a replay does nothing with a list that is empty.
      if (isStrict) {
        data.commands = [];
        delete data.property;
        delete data.args;
      }
  }
}

/** Masks attributes of one element in place, as what lies on and around it says. */
export function maskAttributesOf(
  attributes: Fields,
  tagName: string | undefined,
  element: Element | null,
  cover: Cover,
  masking: Masking,
): void {
  // Most elements have a class and no more. Of a control more is asked: passwords are remembered by it.
  if (areKept(attributes) && !isControl(tagName)) return;
  // What a button says is the page's.
  const isOpen = element !== null && (!isControl(tagName) || tagName === "button" || !masking.isInputMasked(element));
  const rules = {
    redaction: masking.redaction,
    isStrict: masking.isStrict && cover.rule !== "unmask",
    isMasked: cover.isMasked || !isOpen,
    isSvg: element?.namespaceURI === "http://www.w3.org/2000/svg",
    tagName,
    maskValue: (value: string) => masking.maskInput(value, element),
  };
  maskAttributes(attributes, rules, element);
  // rrweb leaves out which one is chosen, for every select; it belongs to those that are shown.
  if (tagName === "option" && element) {
    delete attributes.selected;
    if (!rules.isMasked && (element as HTMLOptionElement).selected) attributes.selected = true;
  }
}

function block(node: Fields): void {
  const attributes = node.attributes as Fields;
  node.attributes = Object.fromEntries(
    BLOCKED_ATTRIBUTES.filter((name) => name in attributes).map((name) => [name, attributes[name]]),
  );
  node.childNodes = [];
}

function parentNameOf(parent: Node | null): string | undefined {
  return parent?.nodeType === 1 ? (parent as Element).localName : undefined;
}

function toName(name: unknown): string | undefined {
  return typeof name === "string" ? name.toLowerCase() : undefined;
}

function toList(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
