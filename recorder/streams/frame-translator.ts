// Nothing but types is imported: a value that the recorder's own file has too would make of it a file more at every start.

/** Ids of frames begin here. rrweb counts those of the page up from 1, so the two never meet. */
export const FIRST_FRAME_ID = 1_000_000_000;

/** A frame with more nodes is not recorded any further. */
const MAX_IDS = 200_000;
/** Deeper trees are cut; Chromium's parser stops at 512. */
const MAX_DEPTH = 600;

const DOCUMENT = 0;
const DOCUMENT_TYPE = 1;
const ELEMENT = 2;
const TEXT = 3;
const CDATA = 4;
const COMMENT = 5;

/** rrweb's sources of incremental events that mean the same in another page. */
const Source = {
  Mutation: 0,
  MouseMove: 1,
  MouseInteraction: 2,
  Scroll: 3,
  Input: 5,
  TouchMove: 6,
  MediaInteraction: 7,
  StyleSheetRule: 8,
  Drag: 12,
  StyleDeclaration: 13,
  Selection: 14,
  AdoptedStyleSheet: 15,
} as const;

type Fields = Record<string, unknown>;

/** Data of an incremental event, made of nothing but what was understood. */
export type ChangeData = Readonly<Fields>;

/**
 * Makes of a frame's events such as the page around it may record. What comes in is whatever the frame sent: nothing in it is
 * trusted, and a number in it only ever means a node that the frame itself has told of before.
 */
export interface FrameTranslator {
  /**
   * The frame's document under the element with this id, then where it is scrolled to; forgets what was there before. Null
   * for what is no snapshot.
   */
  attach(data: unknown, frameId: number): ChangeData[] | null;
  /** A change of that document; null where nothing is left of it. Throws where the frame has too many nodes. */
  change(data: unknown): ChangeData | null;
  /** The id that a node of the frame has in the recording; undefined for one that nobody told of. */
  idOf(id: unknown): number | undefined;
}

/** `next` gives an id that was not there before, for nodes and style sheets alike. */
export function createFrameTranslator(next: () => number): FrameTranslator {
  let ids = new Map<number, number>();
  let sheets = new Map<number, number>();
  let rootId = 0;

  function learn(known: Map<number, number>, id: unknown): number | undefined {
    if (!isNumber(id)) return undefined;
    const found = known.get(id);
    if (found !== undefined) return found;
    if (known.size >= MAX_IDS) throw new Error("a frame with too many nodes");
    const made = next();
    known.set(id, made);
    return made;
  }

  function idOf(id: unknown): number | undefined {
    return ids.get(id as number);
  }

  function sheetOf(id: unknown): number | undefined {
    return sheets.get(id as number);
  }

  /** A node and all below it, under ids of their own. */
  function toNode(given: unknown, depth: number): Fields | null {
    if (!isFields(given) || depth > MAX_DEPTH) return null;
    const id = learn(ids, given.id);
    const inside = id === undefined ? null : toContents(given, depth);
    if (!inside) return null;
    const node: Fields = { type: given.type, ...inside, id };
    if (given.isShadow === true) node.isShadow = true;
    // The frame's own document bears no such number in the frame, as that of a page does not.
    if (given.type !== DOCUMENT) node.rootId = idOf(given.rootId) ?? rootId;
    return node;
  }

  function toContents(given: Fields, depth: number): Fields | null {
    const childNodes = () => toList(given.childNodes, (child) => toNode(child, depth + 1));
    switch (given.type) {
      case DOCUMENT:
        if (rootId === 0) rootId = idOf(given.id)!;
        return { childNodes: childNodes(), ...pick(given, ["compatMode"], isText) };
      case DOCUMENT_TYPE:
        return { name: "html", publicId: "", systemId: "", ...pick(given, ["name", "publicId", "systemId"], isText) };
      case ELEMENT:
        if (!isText(given.tagName) || given.tagName === "") return null;
        return {
          tagName: given.tagName,
          attributes: toAttributes(given.attributes, false),
          childNodes: childNodes(),
          ...pick(given, ["isSVG", "isShadowHost", "isCustom"], isTrue),
        };
      case TEXT:
      case CDATA:
      case COMMENT:
        return { textContent: isText(given.textContent) ? given.textContent : "", ...pick(given, ["isStyle"], isTrue) };
      default:
        return null;
    }
  }

  function toMutation(data: Fields): ChangeData | null {
    const removes = toList(data.removes, (removed) => {
      const [id, parentId] = [idOf(removed.id), idOf(removed.parentId)];
      return id && parentId ? { parentId, id, ...pick(removed, ["isShadow"], isTrue) } : null;
    });
    // All nodes first: one may be named before it comes.
    const added = toList(data.adds, (add) => {
      const node = toNode(add.node, 0);
      return node && { add, node };
    });
    const adds = added.flatMap(({ add, node }) => {
      const parentId = idOf(add.parentId);
      return parentId ? [{ parentId, nextId: idOf(add.nextId) ?? null, node }] : [];
    });
    const texts = toList(data.texts, ({ id, value }) => {
      const known = idOf(id);
      return known && (isText(value) || value === null) ? { id: known, value } : null;
    });
    const attributes = toList(data.attributes, ({ id, attributes: given }) => {
      const known = idOf(id);
      return known ? { id: known, attributes: toAttributes(given, true) } : null;
    });
    if (removes.length + adds.length + texts.length + attributes.length === 0) return null;
    return {
      source: Source.Mutation,
      texts,
      attributes,
      removes,
      adds,
      ...pick(data, ["isAttachIframe"], isTrue),
    };
  }

  /** Which sheet a change of rules is about. */
  function toSheet({ id, styleId }: Fields): Fields | null {
    const [node, sheet] = [idOf(id), sheetOf(styleId)];
    return node || sheet ? { ...(node && { id: node }), ...(sheet && { styleId: sheet }) } : null;
  }

  function toAdopted(data: Fields): Fields | null {
    const id = idOf(data.id);
    if (!id) return null;
    const styles = toList(data.styles, ({ styleId, rules }) => {
      const known = learn(sheets, styleId);
      return known ? { styleId: known, rules: toRules(rules) } : null;
    });
    const styleIds = toNumbers(data.styleIds).flatMap((styleId) => sheetOf(styleId) ?? []);
    return { id, styleIds, ...(styles.length > 0 && { styles }) };
  }

  /** A part of an event that is about one node, with those of its fields that are named. */
  function about(data: Fields, names: readonly string[]): Fields | null {
    const id = idOf(data.id);
    return id ? { id, ...pick(data, names, isPlain) } : null;
  }

  function toData(data: Fields): Fields | null {
    switch (data.source) {
      case Source.MouseMove:
      case Source.TouchMove:
      case Source.Drag: {
        const positions = toList(data.positions, (position) =>
          [position.x, position.y, position.timeOffset].every(isNumber)
            ? about(position, ["x", "y", "timeOffset"])
            : null,
        );
        return positions.length > 0 ? { positions } : null;
      }
      case Source.MouseInteraction:
        return isNumber(data.type) ? about(data, ["type", "x", "y", "pointerType"]) : null;
      case Source.Scroll:
        return isNumber(data.x) && isNumber(data.y) ? about(data, ["x", "y"]) : null;
      case Source.Input:
        return isText(data.text) ? about(data, ["text", "isChecked", "userTriggered"]) : null;
      case Source.MediaInteraction:
        return isNumber(data.type)
          ? about(data, ["type", "currentTime", "volume", "muted", "loop", "playbackRate"])
          : null;
      case Source.StyleSheetRule: {
        const sheet = toSheet(data);
        const [adds, removes] = [toRules(data.adds), toList(data.removes, (removed) => toIndex(removed.index))];
        return (
          sheet && {
            ...sheet,
            ...(adds.length > 0 && { adds }),
            ...(removes.length > 0 && { removes }),
            ...pick(data, ["replace", "replaceSync"], isText),
          }
        );
      }
      case Source.StyleDeclaration: {
        const sheet = toSheet(data);
        const { set, remove } = data;
        return (
          sheet && {
            ...sheet,
            index: toNumbers(data.index),
            ...(isFields(set) && { set: pick(set, ["property", "value", "priority"], isText) }),
            ...(isFields(remove) && { remove: pick(remove, ["property"], isText) }),
          }
        );
      }
      case Source.Selection: {
        const ranges = toList(data.ranges, (range) => {
          const [start, end] = [idOf(range.start), idOf(range.end)];
          return start && end ? { start, end, ...pick(range, ["startOffset", "endOffset"], isNumber) } : null;
        });
        return { ranges };
      }
      case Source.AdoptedStyleSheet:
        return toAdopted(data);
      default:
        return null;
    }
  }

  return {
    idOf,
    attach(data, frameId) {
      ids = new Map();
      sheets = new Map();
      rootId = 0;
      if (!isFields(data) || !isFields(data.node) || data.node.type !== DOCUMENT) return null;
      const node = toNode(data.node, 0);
      if (!node) return null;
      const adds = [{ parentId: frameId, nextId: null, node }];
      const attached = { source: Source.Mutation, texts: [], attributes: [], removes: [], adds, isAttachIframe: true };
      const { left, top }: Fields = isFields(data.initialOffset) ? data.initialOffset : {};
      if (!isNumber(left) || !isNumber(top) || (left === 0 && top === 0)) return [attached];
      return [attached, { source: Source.Scroll, id: node.id, x: left, y: top }];
    },
    change(data) {
      if (!isFields(data)) return null;
      if (data.source === Source.Mutation) return toMutation(data);
      const made = toData(data);
      return made && { source: data.source, ...made };
    },
  };
}

/** `isChange`: null removes an attribute, and a style may come in parts. */
function toAttributes(given: unknown, isChange: boolean): Fields {
  if (!isFields(given)) return {};
  const names = Object.keys(given);
  const attributes = pick(given, names, (value) => isPlain(value) || (isChange && value === null));
  return isChange && isFields(given.style) ? { ...attributes, style: toStyle(given.style) } : attributes;
}

function toStyle(given: Fields): Fields {
  const isPart = (value: unknown): boolean =>
    isText(value) || value === false || (Array.isArray(value) && value.length === 2 && value.every(isText));
  return pick(given, Object.keys(given), isPart);
}

function toRules(given: unknown): Fields[] {
  return toList(given, ({ rule, index }) => (isText(rule) ? { rule, ...toIndex(index) } : null));
}

/** A rule's place, or its places from the outermost one in. */
function toIndex(index: unknown): Fields {
  return isNumber(index) ? { index } : Array.isArray(index) ? { index: toNumbers(index) } : {};
}

function toNumbers(given: unknown): number[] {
  return Array.isArray(given) ? given.filter(isNumber) : [];
}

function toList<Item>(given: unknown, convert: (item: Fields) => Item | null): Item[] {
  const made: Item[] = [];
  for (const item of Array.isArray(given) ? (given as unknown[]) : []) {
    const converted = isFields(item) ? convert(item) : null;
    if (converted !== null) made.push(converted);
  }
  return made;
}

function pick(given: Fields, names: readonly string[], isOne: (value: unknown) => boolean): Fields {
  return Object.fromEntries(names.filter((name) => isOne(given[name])).map((name) => [name, given[name]]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTrue(value: unknown): value is true {
  return value === true;
}

function isPlain(value: unknown): value is string | number | boolean {
  return isText(value) || isNumber(value) || typeof value === "boolean";
}
