import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createFrameTranslator,
  FIRST_FRAME_ID,
  type FrameTranslator,
} from "../../recorder/streams/frame-translator.ts";

const FRAME = 7;

interface RecordedNode {
  readonly type: number;
  readonly id: number;
  readonly rootId?: number;
  readonly textContent?: string;
  readonly tagName?: string;
  readonly childNodes?: readonly RecordedNode[];
}

function create(): FrameTranslator {
  let last = FIRST_FRAME_ID;
  return createFrameTranslator(() => ++last);
}

/** A document with one element per tree, numbered in the order of the document from `first` on. */
function toDocument(shape: readonly unknown[], first: number): RecordedNode {
  let next = first;
  const toElement = (children: readonly unknown[]): RecordedNode => ({
    type: 2,
    tagName: "div",
    id: next++,
    childNodes: (children as unknown[][]).map(toElement),
  });
  return { type: 0, id: next++, childNodes: [toElement(shape)] };
}

function flatten(node: RecordedNode): RecordedNode[] {
  return [node, ...(node.childNodes ?? []).flatMap(flatten)];
}

function attach(translator: FrameTranslator, node: unknown, more: object = {}): RecordedNode {
  const [change] = translator.attach({ node, ...more }, FRAME)!;
  return (change!.adds as { node: RecordedNode }[])[0]!.node;
}

const { tree: shapes } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 5 }, fc.constant([]), fc.array(tie("tree"), { maxLength: 4 })),
})) as {
  tree: fc.Arbitrary<unknown[]>;
};

/** Every number that says which node or sheet is meant. */
function idsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (typeof value !== "object" || value === null) return [];
  const isId = /^(?:id|parentId|nextId|rootId|styleId|start|end)$/;
  return Object.entries(value).flatMap(([name, field]) => {
    if (name === "attributes" && !Array.isArray(field)) return [];
    if (name === "styleIds") return field as unknown[];
    return isId.test(name) && field !== null ? [field] : idsIn(field);
  });
}

describe("events of a frame", () => {
  test("become a document under the frame's element, with the same shape and one new id per node", () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 50 }), (shape, first) => {
        const given = toDocument(shape, first);
        const translator = create();
        const [change] = translator.attach({ node: given }, FRAME)!;
        expect(change).toMatchObject({ source: 0, isAttachIframe: true, removes: [], texts: [], attributes: [] });
        expect(change!.adds).toEqual([{ parentId: FRAME, nextId: null, node: expect.anything() }]);
        const made = flatten((change!.adds as { node: RecordedNode }[])[0]!.node);
        const before = flatten(given);
        expect(made.map(({ type, tagName }) => [type, tagName])).toEqual(
          before.map(({ type, tagName }) => [type, tagName]),
        );
        expect(made.map(({ childNodes }) => childNodes?.length)).toEqual(
          before.map(({ childNodes }) => childNodes?.length),
        );
        expect(made.map(({ id }) => id)).toEqual(before.map(({ id }) => translator.idOf(id)));
        expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
        expect(Math.min(...made.map(({ id }) => id))).toBeGreaterThan(FIRST_FRAME_ID);
        for (const { rootId } of made.slice(1)) expect(rootId).toBe(made[0]!.id);
      }),
    );
  });

  test("never meet those of another frame, whatever their numbers", () => {
    fc.assert(
      fc.property(shapes, shapes, (one, other) => {
        let last = FIRST_FRAME_ID;
        const made = [one, other].flatMap((shape) =>
          flatten(
            attach(
              createFrameTranslator(() => ++last),
              toDocument(shape, 1),
            ),
          ).map(({ id }) => id),
        );
        expect(new Set(made).size).toBe(made.length);
      }),
    );
  });

  test("of any shape at all name no node but those the frame has told of", () => {
    const names =
      "source type id parentId nextId rootId node childNodes attributes adds removes texts value positions x y timeOffset " +
      "styleId styleIds styles rules rule index ranges start end set remove tagName textContent style __proto__ text";
    const key = fc.constantFrom(...names.split(" "));
    const leaf = fc.oneof(
      fc.integer({ min: -3, max: 20 }),
      fc.string({ maxLength: 4 }),
      fc.boolean(),
      fc.constant(null),
    );
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(key, tie("any"), { maxKeys: 8 }),
      ),
    })) as { any: fc.Arbitrary<unknown> };
    fc.assert(
      fc.property(any, any, fc.integer({ min: 0, max: 17 }), (snapshot, change, source) => {
        const translator = create();
        for (const attached of translator.attach({ node: snapshot }, FRAME) ?? []) {
          const [parent, ...ids] = attached.source === 0 ? idsIn(attached) : [FRAME, ...idsIn(attached)];
          expect(parent).toBe(FRAME);
          for (const id of ids) expect(id).toBeGreaterThan(FIRST_FRAME_ID);
        }
        attach(translator, toDocument([[], []], 1));
        const made = translator.change({ ...(change as object), source });
        for (const id of idsIn(made)) expect(id).toBeGreaterThan(FIRST_FRAME_ID);
        expect(() => JSON.stringify(made)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });

  test("keep what they say of nodes, rules, sheets, fields and selections", () => {
    const translator = create();
    attach(translator, toDocument([[], []], 1));
    const at = (id: number): number => translator.idOf(id)!;
    const change = (data: object): unknown => translator.change(data);
    const added = change({
      source: 0,
      adds: [
        {
          parentId: 2,
          nextId: 11,
          node: { type: 2, id: 10, tagName: "p", attributes: { class: "a" }, childNodes: [] },
        },
        { parentId: 2, nextId: 3, node: { type: 3, id: 11, textContent: "text", rootId: 1 } },
      ],
      removes: [{ id: 4, parentId: 2 }],
      texts: [{ id: 11, value: "other" }],
      attributes: [
        { id: 3, attributes: { title: null, style: { color: ["red", "important"], width: false, top: "1px" } } },
      ],
    });
    expect(added).toEqual({
      source: 0,
      adds: [
        {
          parentId: at(2),
          nextId: at(11),
          node: { type: 2, id: at(10), rootId: at(1), tagName: "p", attributes: { class: "a" }, childNodes: [] },
        },
        { parentId: at(2), nextId: at(3), node: { type: 3, id: at(11), rootId: at(1), textContent: "text" } },
      ],
      removes: [{ id: at(4), parentId: at(2) }],
      texts: [{ id: at(11), value: "other" }],
      attributes: [
        { id: at(3), attributes: { title: null, style: { color: ["red", "important"], width: false, top: "1px" } } },
      ],
    });
    const same: [object, object][] = [
      [
        { source: 1, positions: [{ x: 1, y: 2, id: 3, timeOffset: -4 }] },
        { source: 1, positions: [{ x: 1, y: 2, id: at(3), timeOffset: -4 }] },
      ],
      [
        { source: 2, type: 2, id: 3, x: 5, y: 6, pointerType: 0 },
        { source: 2, type: 2, id: at(3), x: 5, y: 6, pointerType: 0 },
      ],
      [
        { source: 3, id: 1, x: 0, y: 9 },
        { source: 3, id: at(1), x: 0, y: 9 },
      ],
      [
        { source: 5, id: 3, text: "***", isChecked: false },
        { source: 5, id: at(3), text: "***", isChecked: false },
      ],
      [
        { source: 7, id: 3, type: 0, currentTime: 1.5, muted: true },
        { source: 7, id: at(3), type: 0, currentTime: 1.5, muted: true },
      ],
      [
        { source: 8, id: 3, adds: [{ rule: "a {}", index: [0, 1] }], removes: [{ index: 2 }] },
        { source: 8, id: at(3), adds: [{ rule: "a {}", index: [0, 1] }], removes: [{ index: 2 }] },
      ],
      [
        { source: 13, id: 3, index: [0], set: { property: "top", value: "1px", priority: "important" } },
        { source: 13, id: at(3), index: [0], set: { property: "top", value: "1px", priority: "important" } },
      ],
      [
        { source: 14, ranges: [{ start: 3, startOffset: 0, end: 11, endOffset: 2 }] },
        { source: 14, ranges: [{ start: at(3), startOffset: 0, end: at(11), endOffset: 2 }] },
      ],
    ];
    for (const [given, made] of same) expect(change(given)).toEqual(made);
    const adopted = change({
      source: 15,
      id: 1,
      styleIds: [1],
      styles: [{ styleId: 1, rules: [{ rule: "b {}", index: 0 }] }],
    });
    const sheet = (adopted as { styleIds: number[] }).styleIds[0]!;
    expect(sheet).toBeGreaterThan(FIRST_FRAME_ID);
    expect(adopted).toEqual({
      source: 15,
      id: at(1),
      styleIds: [sheet],
      styles: [{ styleId: sheet, rules: [{ rule: "b {}", index: 0 }] }],
    });
    expect(change({ source: 8, styleId: 1, replaceSync: "c {}" })).toEqual({
      source: 8,
      styleId: sheet,
      replaceSync: "c {}",
    });
  });

  test("say nothing of the page around: its viewport, its fonts, drawings, nodes that nobody told of", () => {
    const translator = create();
    attach(translator, toDocument([], 1));
    for (const data of [
      { source: 4, width: 10, height: 10 },
      { source: 9, id: 2, commands: [] },
      { source: 10, family: "f", fontSource: "url(x)" },
      { source: 2, type: 2, id: FRAME },
      { source: 5, id: FRAME, text: "typed" },
      { source: 0, removes: [{ id: FRAME, parentId: 2 }], texts: [{ id: 99, value: "" }], adds: [], attributes: [] },
      { source: 0, adds: [{ parentId: FRAME, nextId: null, node: { type: 3, id: 12, textContent: "x" } }] },
      null,
      [],
    ]) {
      expect(translator.change(data)).toBeNull();
    }
  });

  test("tell where the document was scrolled to, and of frames in it", () => {
    const translator = create();
    const node = {
      type: 0,
      id: 1,
      childNodes: [{ type: 2, id: 2, tagName: "iframe", attributes: {}, childNodes: [] }],
    };
    expect(translator.attach({ node, initialOffset: { left: 0, top: 40 } }, FRAME)![1]).toEqual({
      source: 3,
      id: translator.idOf(1),
      x: 0,
      y: 40,
    });
    const inner = { type: 0, id: 3, childNodes: [{ type: 2, id: 4, rootId: 3, tagName: "html", attributes: {} }] };
    const change = translator.change({
      source: 0,
      adds: [{ parentId: 2, nextId: null, node: inner }],
      isAttachIframe: true,
    });
    expect(change).toMatchObject({
      isAttachIframe: true,
      adds: [{ parentId: translator.idOf(2), node: { childNodes: [{ rootId: translator.idOf(3) }] } }],
    });
  });

  test("cost nothing without bounds: too many nodes are refused, a tree that is too deep is cut", () => {
    const childNodes = Array.from({ length: 200_001 }, (_, at) => ({ type: 3, id: at + 2, textContent: "" }));
    expect(() => create().attach({ node: { type: 0, id: 1, childNodes } }, FRAME)).toThrow("too many nodes");
    let deep: object = { type: 3, id: 1, textContent: "deepest" };
    for (let id = 2; id < 20_000; id++) deep = { type: 2, id, tagName: "b", attributes: {}, childNodes: [deep] };
    const made = attach(create(), { type: 0, id: 20_000, childNodes: [deep] });
    expect(flatten(made).length).toBeLessThan(1_000);
  });
});
