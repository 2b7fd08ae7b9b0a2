/** What rrweb knows of nodes: the ids it gave, and which of them stand in the recorded document. */
export interface Mirror {
  /** -1 for a node that never was recorded, -2 for one that never will be. */
  getId(node: Node | null): number;
  getNode(id: number): Node | null;
  /** The ids; a node that left keeps its own. */
  readonly nodeMetaMap: WeakMap<Node, unknown>;
  /** Forgets the ids of a node and of what is under it. */
  removeNodeFromMap(node: Node): void;
}

/** The id that rrweb gives to what it leaves out: comments, scripts. */
export const LEFT_OUT = -2;

/** The id of a node that never was recorded. */
export const UNKNOWN = -1;

/** What differs between the recorded document and the page, with nothing in it that undid itself. */
export interface Pending {
  /** Nodes that stand somewhere new. What is under them came with them. */
  readonly added: Set<Node>;
  /** Nodes that rrweb did not want where they are: what is blocked, what it doesn't know. */
  readonly refused: WeakSet<Node>;
  /** Recorded nodes that left their place, with the parent they have in the recording. */
  readonly removed: Map<Node, Node>;
  /** By element and name, the value that the recording has. */
  readonly attributes: Map<Element, Map<string, string | null>>;
  /** Recorded texts, with what the recording has; and those of text areas. */
  readonly texts: Map<Node, string | null>;
  /** Text areas whose default text changed. */
  readonly textAreas: Set<Element>;
  /** Whether a style element or a text in one is among them. */
  readonly touchesStyle: boolean;
  readonly isEmpty: boolean;
  /** Takes in what a MutationObserver saw, in order. */
  take(records: readonly MutationRecord[]): void;
  clear(): void;
  /** Forgets what is in one document: all of it was just recorded. */
  forget(document: Document): void;
  /** Whether a node stands in the recorded document. */
  isRecorded(node: Node): boolean;
}

/** A set of nodes, or a map by nodes. */
interface NodeKeys {
  keys(): Iterable<Node>;
  delete(node: Node): boolean;
}

/** Nothing pending yet. */
export function createPending(mirror: Mirror): Pending {
  const added = new Set<Node>();
  const refused = new WeakSet<Node>();
  const removed = new Map<Node, Node>();
  const attributes = new Map<Element, Map<string, string | null>>();
  const texts = new Map<Node, string | null>();
  const textAreas = new Set<Element>();
  let touchesStyle = false;

  function isRecorded(node: Node): boolean {
    const id = mirror.getId(node);
    return id > 0 && mirror.getNode(id) === node;
  }

  function isEmpty(): boolean {
    return added.size + removed.size + attributes.size + texts.size + textAreas.size === 0;
  }

  function takeChildren({ target, addedNodes, removedNodes }: MutationRecord): void {
    const { nodeName } = target;
    if (nodeName === "STYLE") touchesStyle = true;
    const isTextArea = nodeName === "TEXTAREA";
    if (isTextArea) textAreas.add(target as Element);
    // Where both are in one record, the old ones went first.
    for (let at = 0; at < removedNodes.length; at++) {
      const node = removedNodes[at]!;
      if (node.nodeName === "STYLE") touchesStyle = true;
      // What came and went was never recorded here; if it was recorded elsewhere, that place is remembered already.
      if (!added.delete(node) && !isTextArea && !removed.has(node) && isRecorded(node)) removed.set(node, target);
    }
    if (isTextArea) return;
    for (let at = 0; at < addedNodes.length; at++) {
      const node = addedNodes[at]!;
      added.add(node);
      refused.delete(node);
    }
  }

  function takeAttribute({ target, attributeName, oldValue }: MutationRecord): void {
    const element = target as Element;
    const name = attributeName!;
    if (name === "type" && oldValue?.toLowerCase() === "password") keepPassword(element);
    // What isn't recorded yet will be with the attributes it has then.
    if (!isRecorded(element)) return;
    const known = attributes.get(element);
    if (!known) attributes.set(element, new Map([[name, oldValue]]));
    else if (!known.has(name)) known.set(name, oldValue);
  }

  function takeText({ target, oldValue }: MutationRecord): void {
    const parentName = target.parentNode?.nodeName;
    if (parentName === "STYLE") touchesStyle = true;
    if (!texts.has(target) && (parentName === "TEXTAREA" || isRecorded(target))) texts.set(target, oldValue);
  }

  return {
    added,
    refused,
    removed,
    attributes,
    texts,
    textAreas,
    get touchesStyle() {
      return touchesStyle && !isEmpty();
    },
    get isEmpty() {
      return isEmpty();
    },
    take(records) {
      if (isEmpty()) touchesStyle = false;
      for (const record of records) {
        if (record.type === "childList") takeChildren(record);
        else if (record.type === "attributes") takeAttribute(record);
        else takeText(record);
      }
    },
    clear() {
      for (const kind of [added, removed, attributes, texts, textAreas]) kind.clear();
    },
    forget(document) {
      for (const kind of [added, attributes, texts, textAreas] as readonly NodeKeys[]) {
        for (const node of kind.keys()) if (node.ownerDocument === document) kind.delete(node);
      }
      for (const [node, parent] of removed)
        if (parent === document || parent.ownerDocument === document) removed.delete(node);
    },
    isRecorded,
  };
}

/** Marks a password field that was made readable, at once: rrweb and the masking go by the mark, and may look much later. */
function keepPassword(element: Element): void {
  if (element.localName === "input" && element.getAttribute("type")?.toLowerCase() !== "password") {
    element.setAttribute("data-rr-is-password", "true");
  }
}
