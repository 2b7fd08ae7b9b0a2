/** What is read of a node. */
export interface RecordedNode {
  readonly id: number;
  readonly childNodes?: readonly RecordedNode[];
}

/** One of the `adds` of an event. */
export interface Addition {
  readonly parentId: number;
  readonly nextId: number | null;
  readonly node: RecordedNode;
}

/** What is read of an event. */
interface Recorded {
  readonly type: unknown;
  readonly data: {
    readonly source?: number;
    readonly node?: RecordedNode;
    readonly removes?: readonly { readonly id: number }[];
    readonly adds?: readonly Addition[];
  };
}

const FULL_SNAPSHOT = 2;
const MUTATION = 0;

/**
 * Additions that name a parent or a next sibling that is not there when they are made, one after the other. rrweb's player puts
 * some of them off until it is; nothing else has to.
 */
export function misplacedAdditions(events: readonly Recorded[]): Addition[] {
  const parents = new Map<number, number>();
  const misplaced: Addition[] = [];
  const add = (node: RecordedNode, parentId: number): void => {
    parents.set(node.id, parentId);
    for (const child of node.childNodes ?? []) add(child, node.id);
  };
  const remove = (id: number): void => {
    parents.delete(id);
    for (const [child, parent] of parents) if (parent === id) remove(child);
  };
  for (const { type, data } of events) {
    if (type === FULL_SNAPSHOT) {
      parents.clear();
      add(data.node!, 0);
    } else if (data.source === MUTATION) {
      for (const { id } of data.removes!) remove(id);
      for (const addition of data.adds!) {
        const { parentId, nextId, node } = addition;
        if (!parents.has(parentId) || (nextId !== null && parents.get(nextId) !== parentId)) misplaced.push(addition);
        add(node, parentId);
      }
    }
  }
  return misplaced;
}
