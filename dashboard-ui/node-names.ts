import { EventType, IncrementalSource, eventData, isRecord, pageOf } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { originOf } from "./activity-item.ts";

/** What a person would call a recorded element. */
export interface NodeName {
  /** `button`, `link`, `field`, `checkbox` …, or the tag. */
  readonly role: string;
  /** Its text, label or placeholder, at most 60 characters; may be empty. */
  readonly text: string;
}

/** Follows a recording's DOM just far enough to say what was clicked and typed into. */
export interface NodeNames {
  /** Origin of the page; null where it is not known. */
  readonly origin: string | null;
  /** Takes the events in order. */
  read(event: RecordedEvent): void;
  /** The nearest thing around the node that people click or fill in, else the node itself; null for an unknown node. */
  nameOf(id: unknown): NodeName | null;
}

interface KnownNode {
  parentId: number;
  /** Lower case; empty for text. */
  readonly tag: string;
  readonly attributes: Record<string, unknown>;
  text: string;
  children: number[];
}

/** A page may have any number of nodes; naming is not worth more memory than this. */
const MAX_NODES = 100_000;
const MAX_TEXT = 60;
/** A click on an icon lands this many levels inside of its button at most. */
const MAX_CLIMB = 6;

/** Starts with an empty page. */
export function createNodeNames(): NodeNames {
  const nodes = new Map<number, KnownNode>();
  /** Labels by the id of the field they are for. */
  const labels = new Map<string, number>();
  let origin: string | null = null;

  return {
    get origin() {
      return origin;
    },
    read(event) {
      const page = pageOf(event);
      if (page) origin = originOf(page.href);
      const data = eventData(event);
      if (!data) return;
      if (event.type === EventType.FullSnapshot) {
        nodes.clear();
        labels.clear();
        add(data.node, 0, null);
      } else if (event.type === EventType.Incremental && data.source === IncrementalSource.Mutation) {
        mutate(data);
      }
    },
    nameOf(id) {
      const own = toKnown(id);
      if (!own) return null;
      let node: KnownNode | undefined = own;
      for (let climbed = 0; node && climbed <= MAX_CLIMB; climbed++) {
        const role = roleOf(node);
        if (role) return { role, text: labelOf(node, role) };
        node = nodes.get(node.parentId);
      }
      return { role: own.tag || "text", text: cut(own.tag ? textOf(own) : own.text) };
    },
  };

  function toKnown(id: unknown): KnownNode | undefined {
    return typeof id === "number" ? nodes.get(id) : undefined;
  }

  function mutate(data: Record<string, unknown>): void {
    for (const removed of toList(data.removes)) {
      const node = toKnown(removed.id);
      if (!node) continue;
      const siblings = nodes.get(node.parentId)?.children;
      const index = siblings?.indexOf(removed.id as number) ?? -1;
      if (index >= 0) siblings!.splice(index, 1);
      forget(removed.id as number);
    }
    for (const added of toList(data.adds)) {
      if (typeof added.parentId === "number") add(added.node, added.parentId, added.nextId);
    }
    for (const changed of toList(data.texts)) {
      const node = toKnown(changed.id);
      if (node && typeof changed.value === "string") node.text = changed.value.slice(0, 200);
    }
    for (const changed of toList(data.attributes)) {
      const node = toKnown(changed.id);
      if (node && isRecord(changed.attributes)) Object.assign(node.attributes, wanted(changed.attributes));
    }
  }

  // Loops instead of calling itself: a hostile tree may be deeper than the stack.
  function add(root: unknown, rootParent: number, nextId: unknown): void {
    const waiting: [node: unknown, parentId: number][] = [[root, rootParent]];
    for (let at = 0; at < waiting.length && nodes.size < MAX_NODES; at++) {
      const [node, parentId] = waiting[at]!;
      if (!isRecord(node) || typeof node.id !== "number") continue;
      const known: KnownNode = {
        parentId,
        tag: typeof node.tagName === "string" ? node.tagName.toLowerCase() : "",
        attributes: isRecord(node.attributes) ? wanted(node.attributes) : {},
        text: typeof node.textContent === "string" ? node.textContent.slice(0, 200) : "",
        children: [],
      };
      nodes.set(node.id, known);
      if (known.tag === "label" && typeof known.attributes.for === "string") labels.set(known.attributes.for, node.id);
      const siblings = nodes.get(parentId)?.children;
      const before = parentId === rootParent && typeof nextId === "number" ? (siblings?.indexOf(nextId) ?? -1) : -1;
      if (before >= 0) siblings!.splice(before, 0, node.id);
      else siblings?.push(node.id);
      if (Array.isArray(node.childNodes)) for (const child of node.childNodes) waiting.push([child, node.id]);
    }
  }

  function forget(rootId: number): void {
    const waiting = [rootId];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const node = nodes.get(id);
      if (!node) continue;
      nodes.delete(id);
      waiting.push(...node.children);
    }
  }

  function textOf(node: KnownNode): string {
    let text = "";
    const waiting = [...node.children].reverse();
    for (let id = waiting.pop(), steps = 0; id !== undefined && steps < 50; id = waiting.pop(), steps++) {
      const child = nodes.get(id);
      if (!child || /^(style|script|select|textarea)$/.test(child.tag)) continue;
      text += child.tag ? " " : child.text;
      if (text.length > MAX_TEXT * 2) break;
      waiting.push(...[...child.children].reverse());
    }
    return text;
  }

  /** The `<label>` around a field, or the one that names it. */
  function labelNode(field: KnownNode): KnownNode | undefined {
    let node: KnownNode | undefined = field;
    for (let climbed = 0; node && climbed < 3; climbed++) {
      node = nodes.get(node.parentId);
      if (node?.tag === "label") return node;
    }
    const id = field.attributes.id;
    return typeof id === "string" ? toKnown(labels.get(id)) : undefined;
  }

  function labelOf(node: KnownNode, role: string): string {
    const { attributes } = node;
    const given = attributes["aria-label"] ?? attributes.title;
    if (typeof given === "string" && given.trim() && !isMasked(given)) return cut(given);
    if (node.tag === "input" || node.tag === "textarea" || node.tag === "select") {
      if (role === "button" && typeof attributes.value === "string") return cut(attributes.value);
      const label = labelNode(node);
      const text = label ? cut(textOf(label)) : "";
      if (text && !isMasked(text)) return text;
      const hints = [attributes.placeholder, attributes.name, attributes.id];
      const hint = hints.find((hint) => typeof hint === "string" && !isMasked(hint));
      return typeof hint === "string" ? cut(hint) : "";
    }
    return cut(textOf(node));
  }
}

/** Whether a text is nothing but the asterisks that masking leaves. */
export function isMasked(text: string): boolean {
  return /^[*\s]+$/.test(text);
}

const KEPT = ["aria-label", "title", "placeholder", "name", "id", "type", "role", "value", "for"];

function wanted(attributes: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const key of KEPT) if (Object.hasOwn(attributes, key)) kept[key] = attributes[key];
  return kept;
}

function roleOf(node: KnownNode): string {
  const { role, type } = node.attributes;
  if (typeof role === "string" && /^(button|link|tab|menuitem|option|checkbox|switch)$/.test(role)) return role;
  switch (node.tag) {
    case "a":
      return "link";
    case "button":
    case "summary":
      return "button";
    case "label":
    case "option":
      return node.tag;
    case "select":
      return "list";
    case "textarea":
      return "field";
    case "input":
      if (type === "checkbox" || type === "radio") return type === "radio" ? "option" : "checkbox";
      return type === "submit" || type === "button" || type === "reset" ? "button" : "field";
    default:
      return "";
  }
}

function cut(text: string): string {
  const folded = text.replace(/\s+/g, " ").trim();
  return folded.length > MAX_TEXT ? `${folded.slice(0, MAX_TEXT - 1)}…` : folded;
}

function toList(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
