import { EventType, IncrementalSource, isRecord } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { hostOf, type Masking } from "./masking.ts";

/** rrweb's types of nodes, not the DOM's. */
const ELEMENT = 2;
const TEXT = 3;
/** The only meta elements that change how a page looks; others hold tokens and descriptions. */
const KEPT_META = /^(?:viewport|color-scheme|theme-color)$/i;

/** Finds the page's node behind a recorded id. */
export type NodeLookup = (id: number) => Node | null;

/**
 * Masks in place what rrweb records past its mask functions: values of radio buttons, checkboxes and buttons, initial values of
 * fields that were emptied, default texts of text areas, masked texts and blocked parts in shadow roots, contents of meta elements.
 */
export function maskEvent(event: RecordedEvent, masking: Masking, lookup: NodeLookup): void {
  const { data } = event;
  if (!isRecord(data)) return;

  function nodeOf(id: unknown): Node | null {
    return typeof id === "number" ? lookup(id) : null;
  }

  function elementOf(id: unknown): Element | null {
    const node = nodeOf(id);
    return node?.nodeType === 1 ? (node as Element) : null;
  }

  function isShown(id: unknown): boolean {
    const node = nodeOf(id);
    return node === null || !masking.isBlockedInShadow(node as Element);
  }

  function maskTree(root: unknown, isMutation: boolean): void {
    const pending = [root];
    while (pending.length > 0) {
      const node = pending.pop();
      if (!isRecord(node)) continue;
      if (isRecord(node.attributes)) maskAttributes(node.attributes, node.tagName, node.id);
      // Of a snapshot, rrweb hands masking down itself, and text areas are seen from above.
      else if (node.type === TEXT && isMutation) node.textContent = maskTextOf(node.textContent, node.id);
      if (!Array.isArray(node.childNodes)) continue;
      for (const child of node.childNodes as unknown[]) {
        if (node.type === ELEMENT && node.tagName === "textarea" && isRecord(child)) {
          child.textContent = maskTextOf(child.textContent, child.id);
        } else pending.push(child);
      }
    }
  }

  function maskAttributes(attributes: Record<string, unknown>, tagName: unknown, id: unknown): void {
    switch (tagName) {
      case "input":
      case "textarea":
      case "select":
      case "button": {
        const element = elementOf(id);
        if (element) masking.notePassword(element);
        if (typeof attributes.value === "string") attributes.value = masking.maskInput(attributes.value, element);
        break;
      }
      case "option": {
        // rrweb leaves out which one is chosen, for every select; it belongs to those that are shown.
        delete attributes.selected;
        const option = elementOf(id) as HTMLOptionElement | null;
        const select = option?.closest("select");
        if (option?.selected && select && masking.maskInput("a", select) === "a") attributes.selected = true;
        break;
      }
      case "meta":
        if (!KEPT_META.test(String(attributes.name))) delete attributes.content;
    }
  }

  function maskTextOf(text: unknown, id: unknown): unknown {
    const parent = nodeOf(id)?.parentNode;
    if (typeof text !== "string" || !parent) return text;
    const host = hostOf(parent);
    // A text right under a shadow root belongs to the host; one in a template's content to no element.
    const element = parent.nodeType === 1 ? (parent as Element) : host;
    if (element?.localName === "textarea") return masking.maskInput(text, element);
    return host && element && masking.isTextMasked(element) ? masking.maskText(text, element) : text;
  }

  if (event.type === EventType.FullSnapshot) maskTree(data.node, false);
  else if (event.type !== EventType.Incremental) return;
  else if (data.source === IncrementalSource.Input && typeof data.text === "string") {
    data.text = masking.maskInput(data.text, elementOf(data.id));
  } else if (data.source === IncrementalSource.Mutation) {
    // A node right under a shadow root names the host as its parent, hence the node itself.
    data.adds = toList(data.adds).filter((added) => isShown(isRecord(added.node) ? added.node.id : null));
    data.attributes = toList(data.attributes).filter((changed) => isShown(changed.id));
    data.texts = toList(data.texts).filter((text) => isShown(text.id));
    for (const added of toList(data.adds)) maskTree(added.node, true);
    for (const changed of toList(data.attributes)) {
      const tagName = elementOf(changed.id)?.localName;
      if (isRecord(changed.attributes)) maskAttributes(changed.attributes, tagName, changed.id);
    }
    for (const text of toList(data.texts)) text.value = maskTextOf(text.value, text.id);
  }
}

function toList(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
