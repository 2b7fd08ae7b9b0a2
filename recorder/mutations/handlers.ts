type Handler = () => void;

/** By list, the handlers of each document and shadow root in it: what they close over lives no longer than that. */
const handlersOf = new WeakMap<Handler[], WeakMap<Node, Handler[]>>();

/** The entries of each document and shadow root. */
const entriesOf = new WeakMap<Node, Handler[]>();

/** Whose handlers an entry of a list calls. */
const ownerOf = new WeakMap<Handler, WeakRef<Node>>();

/** Entries of what is gone are a few bytes each; they are taken out now and then. */
const PRUNE_EVERY = 256;
let added = 0;

/**
 * Adds to rrweb's list of what ends its listening to a document or a shadow root. rrweb's own way keeps everything that it
 * ever listened to, with all that is in it, as long as the page is recorded; this way it can go when the page lets go of it.
 */
export function addHandler(list: Handler[], owner: Node, handler: Handler): void {
  const owners = handlersOf.get(list) ?? new WeakMap<Node, Handler[]>();
  handlersOf.set(list, owners);
  const known = owners.get(owner);
  if (known) return void known.push(handler);
  owners.set(owner, [handler]);
  const reference = new WeakRef(owner);
  const entry: Handler = () => {
    const node = reference.deref();
    const handlers = node && owners.get(node);
    if (!handlers) return;
    owners.delete(node);
    for (const one of handlers) runQuietly(one);
  };
  ownerOf.set(entry, reference);
  entriesOf.set(owner, [...(entriesOf.get(owner) ?? []), entry]);
  list.push(entry);
  if (++added % PRUNE_EVERY === 0) prune(list);
}

/** Ends all listening to a document that is gone: some of it is done elsewhere, for which rrweb would keep the document. */
export function endHandlers(owner: Node): void {
  for (const entry of entriesOf.get(owner) ?? []) entry();
  entriesOf.delete(owner);
}

function prune(list: Handler[]): void {
  const kept = list.filter((entry) => ownerOf.get(entry)?.deref() !== undefined || !ownerOf.has(entry));
  list.splice(0, list.length, ...kept);
}

/** A frame that is no more may refuse; the others still have their turn. */
function runQuietly(handler: Handler): void {
  try {
    handler();
  } catch {
    // There is nothing left to end.
  }
}
