import { parentNodeOf } from "../elements.ts";
import { LEFT_OUT, type Mirror, type Pending, UNKNOWN } from "./pending.ts";

/** What rrweb reads of a MutationRecord. */
export interface Change {
  readonly type: "attributes" | "characterData" | "childList";
  readonly target: Node;
  readonly addedNodes: readonly Node[];
  readonly removedNodes: readonly Node[];
  readonly attributeName: string | null;
  readonly oldValue: string | null;
}

/** Where the changes of one document go. */
export interface Channel {
  /** rrweb's callback: it records the changes before it returns. */
  deliver(changes: readonly Change[]): void;
}

/**
 * Nodes handed over at a time: some 2 to 4 ms of rrweb's work on a desktop, so that a time budget is kept on slower machines
 * too. What is bigger is recorded in parts, parents first.
 */
const NODES_AT_ONCE = 250;

/** A removal costs a tenth of an addition. */
const REMOVALS_AT_ONCE = 1_000;

const NONE: readonly Node[] = [];

/** What brings pending changes to rrweb. */
export interface Delivery {
  /** Hands changes over until there are none, or the time is over. At least one part of each kind is. */
  run(isOver: () => boolean): void;
}

/**
 * The order is such that rrweb never meets a node it can't place: removals first, then what changed in recorded nodes, then
 * additions, under recorded parents only and each before the sibling on its left.
 * `seesShadows` tells whether there are shadow roots at all.
 */
export function createDelivery(
  pending: Pending,
  mirror: Mirror,
  channelOf: (document: Document) => Channel | undefined,
  seesShadows: () => boolean,
): Delivery {
  const { added, refused, removed, attributes, texts, textAreas, isRecorded } = pending;
  // Where a long run of new siblings goes on: finding its end again and again would take time by the square of its length.
  let next: Node | null = null;

  function send(document: Document | null, changes: readonly Change[]): boolean {
    const channel = document ? channelOf(document) : undefined;
    if (changes.length > 0) channel?.deliver(changes);
    return channel !== undefined;
  }

  /** Takes the first entries of one document and hands them over. */
  function runRemovals(): void {
    let document: Document | null = null;
    const byParent = new Map<Node, Node[]>();
    let count = 0;
    for (const [node, parent] of removed) {
      const owner = documentOf(parent);
      document ??= owner;
      if (owner !== document) continue;
      removed.delete(node);
      const nodes = byParent.get(parent);
      if (nodes) nodes.push(node);
      else byParent.set(parent, [node]);
      if (++count >= REMOVALS_AT_ONCE) break;
    }
    const changes = Array.from(byParent, ([target, nodes]) => childListOf(target, NONE, nodes));
    // A document that is gone took its nodes along; their ids are all that is left of them.
    const isSent = send(document, changes);
    for (const nodes of byParent.values()) {
      for (const node of nodes) {
        if (!isSent) mirror.removeNodeFromMap(node);
        if (seesShadows()) forgetShadows(node);
      }
    }
    if (!seesShadows()) return;
    for (const [parent, nodes] of byParent) {
      // What left a shadow tree after its host did: a player knows the host no more, and so doesn't remove it.
      const host = parent.nodeType === Node.DOCUMENT_FRAGMENT_NODE ? (parent as ShadowRoot).host : null;
      if (host ? !isRecorded(host) : mirror.getId(parent) === UNKNOWN) nodes.forEach(forget);
    }
  }

  /** rrweb forgets what was removed, but not what is in the shadow roots under it. */
  function forgetShadows(node: Node): void {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    for (const { shadowRoot } of [node as Element, ...(node as Element).querySelectorAll("*")]) {
      shadowRoot?.childNodes.forEach(forget);
    }
  }

  /**
   * Takes a node's id too: a player doesn't forget what was in a shadow root either. It would take it, with what was in it
   * then, for what comes back by the same id.
   */
  function forget(root: Node): void {
    mirror.removeNodeFromMap(root);
    forgetShadows(root);
    const takeId = (node: Node): void => {
      mirror.nodeMetaMap.delete(node);
      for (let child = node.firstChild; child; child = child.nextSibling) takeId(child);
    };
    takeId(root);
  }

  function runChanges(): void {
    let document: Document | null = null;
    const changes: Change[] = [];
    const take = (node: Node, list: { delete(node: Node): boolean }): boolean => {
      const owner = documentOf(node);
      document ??= owner;
      return owner === document && list.delete(node);
    };
    for (const [target, names] of attributes) {
      if (changes.length >= NODES_AT_ONCE) break;
      // One that left is recorded with its attributes when it comes back.
      if (!take(target, attributes as Map<Node, unknown>) || !isRecorded(target)) continue;
      for (const [attributeName, oldValue] of names) {
        changes.push({ ...empty("attributes", target), attributeName, oldValue });
      }
    }
    for (const [target, oldValue] of texts) {
      if (changes.length >= NODES_AT_ONCE) break;
      if (take(target, texts)) changes.push({ ...empty("characterData", target), oldValue });
    }
    for (const target of textAreas) {
      if (take(target, textAreas as Set<Node>)) changes.push(empty("childList", target));
    }
    send(document, changes);
  }

  function runAdditions(): void {
    let document: Document | null = null;
    const changes: Change[] = [];
    let count = 0;
    for (const node of next && added.has(next) ? [next] : added) {
      const top = node.isConnected ? topOf(node) : null;
      if (!top) {
        added.delete(node);
        continue;
      }
      const owner = documentOf(top);
      document ??= owner;
      if (owner !== document) continue;
      const run: Node[] = [];
      const last = lastOfRun(top);
      let isPast = false;
      for (next = last; next && count < NODES_AT_ONCE; next = siblingOf(next, "previousSibling")) {
        if (isPast && !added.has(next)) break;
        isPast ||= next === top;
        added.delete(next);
        const size = claim(next);
        // Alone; its children wait until it is recorded.
        if (size > NODES_AT_ONCE) for (const child of childrenOf(next)) added.add(child);
        run.push(next);
        count += size;
      }
      changes.push(childListOf(parentNodeOf(top)!, run, NONE));
      if (count >= NODES_AT_ONCE) break;
    }
    send(document, changes);
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (mirror.getId(node) === UNKNOWN) refused.add(node);
    }
  }

  /** The node, or the one above it, whose parent is recorded; null where nothing is recorded. */
  function topOf(node: Node): Node | null {
    for (let top = node; ;) {
      const parent = parentOf(top);
      if (!parent) return null;
      if (refused.has(top)) return null;
      if (isRecorded(parent)) return top;
      if (parent.nodeType === Node.DOCUMENT_NODE || mirror.getId(parent) === LEFT_OUT) return null;
      top = parent;
    }
  }

  /**
   * The next sibling to one side that is or will be in the recording. rrweb looks past what it leaves out as well, to place a
   * node before the next one: a comment on its right doesn't make it independent of what is behind the comment.
   */
  function siblingOf(node: Node, side: "previousSibling" | "nextSibling"): Node | null {
    let at = node[side];
    while (at && !added.has(at) && (mirror.getId(at) === LEFT_OUT || refused.has(at))) at = at[side];
    return at;
  }

  /** The last of those on the right that have to be recorded before a node can be placed. */
  function lastOfRun(node: Node): Node {
    let last = node;
    for (let at = siblingOf(last, "nextSibling"); at; at = siblingOf(last, "nextSibling")) {
      if (!added.has(at) && mirror.getId(at) !== UNKNOWN) break;
      last = at;
    }
    return last;
  }

  /** Counts a node and what is under it, up to one more than is handed over at a time. What is under it goes with it. */
  function claim(root: Node): number {
    let count = 0;
    const waiting = [root];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (++count > NODES_AT_ONCE) break;
      added.delete(node);
      waiting.push(...childrenOf(node, NODES_AT_ONCE));
    }
    return count;
  }

  return {
    run(isOver) {
      do {
        if (removed.size > 0) runRemovals();
        // Nothing may be added while something that left is still recorded: it may be the same node.
        if (removed.size > 0) continue;
        if (attributes.size + texts.size + textAreas.size > 0) runChanges();
        if (added.size > 0) runAdditions();
      } while (!pending.isEmpty && !isOver());
      // Nothing that left may be held on to.
      if (added.size === 0) next = null;
    },
  };
}

/** The parent of a node; of one right under a shadow root, the host. */
function parentOf(node: Node): Node | null {
  const parent = parentNodeOf(node);
  return parent?.nodeType === Node.DOCUMENT_FRAGMENT_NODE ? ((parent as ShadowRoot).host ?? null) : parent;
}

function documentOf(node: Node): Document {
  return node.ownerDocument ?? (node as Document);
}

/** Children, those under a shadow root first; at most one more than `max`. */
function childrenOf(node: Node, max = Infinity): Node[] {
  const children: Node[] = [];
  for (const parent of [(node as Partial<Element>).shadowRoot, node]) {
    for (let at = parent?.firstChild; at && children.length <= max; at = at.nextSibling) children.push(at);
  }
  return children;
}

function childListOf(target: Node, addedNodes: readonly Node[], removedNodes: readonly Node[]): Change {
  return { ...empty("childList", target), addedNodes, removedNodes };
}

function empty(type: Change["type"], target: Node): Change {
  return { type, target, addedNodes: NONE, removedNodes: NONE, attributeName: null, oldValue: null };
}
