import { describe, expect, test, vi } from "vitest";
import { maskEvent } from "../../recorder/mask-event.ts";
import { createMasking, type MaskingRules } from "../../recorder/masking.ts";
import { textOf } from "../../recorder/shown-text.ts";

const rules: MaskingRules = {
  maskAllInputs: true,
  maskInputOptions: {},
  maskTextSelector: "[data-rr-mask]",
  blockSelector: "[data-rr-block]",
};

/** As much of an element as masking looks at; selectors are lists of tag names, `[attribute]` and `[attribute=value]`. */
function element(tag: string, attributes: Record<string, string> = {}, parent: object | null = null): Element {
  const fake = {
    nodeType: 1,
    tagName: tag.toUpperCase(),
    localName: tag,
    type: attributes.type ?? (tag === "input" ? "text" : tag === "select" ? "select-one" : undefined),
    parentNode: parent,
    selected: "selected" in attributes,
    id: attributes.id ?? "",
    hasAttribute: (name: string) => name in attributes,
    getAttribute: (name: string) => attributes[name] ?? null,
    matches: (selector: string) =>
      selector.split(",").some((part) => {
        const [, name, value] = /^\[([\w-]+)=?([\w-]*)\]/.exec(part) ?? [];
        if (name === undefined) return part === tag;
        return name in attributes && (!value || attributes[name] === value);
      }),
    getBoundingClientRect: () => ({ width: 40, height: 30 }),
  };
  return fake as unknown as Element;
}

// What a browser's prototypes give, past what a form's fields may hide.
vi.stubGlobal(
  "Element",
  class {
    matches(this: Element, selector: string): boolean {
      return this.matches(selector);
    }
    getAttribute(this: Element, name: string): string | null {
      return this.getAttribute(name);
    }
  },
);
vi.stubGlobal(
  "Node",
  class {
    get parentNode(): unknown {
      return Object.getOwnPropertyDescriptor(this, "parentNode")?.value;
    }
  },
);

/** A shadow root. */
function shadow(host: Element): object {
  return { nodeType: 11, host, parentNode: null };
}

const text = (parent: object): Node => ({ nodeType: 3, parentNode: parent }) as unknown as Node;

describe("inputs", () => {
  const masking = createMasking(rules);

  test.each(["text", "email", "hidden", "radio", "checkbox", "file", "number"])("masks %s", (type) => {
    expect(masking.maskInput("value", element("input", { type }))).toBe("*****");
  });

  test("masks text areas, selects and buttons' values", () => {
    for (const tag of ["textarea", "select", "button"]) expect(masking.maskInput("ab", element(tag))).toBe("**");
  });

  test("masks values of buttons, which forms send", () => {
    expect(masking.maskInput("Send", element("input", { type: "submit" }))).toBe("****");
  });

  test("never shows hidden fields, which nobody can have meant to unmask", () => {
    const form = element("form", { "data-sentiero-unmask": "" });
    expect(masking.maskInput("token", element("input", { type: "hidden" }, form))).toBe("*****");
  });

  test("shows what is unmasked, itself or from above", () => {
    const field = element("input", {}, element("div", { "data-sentiero-unmask": "" }));
    expect(masking.maskInput("free", field)).toBe("free");
    expect(masking.maskInput("free", element("input", { "data-sentiero-unmask": "" }))).toBe("free");
  });

  test("the nearer attribute wins", () => {
    const shown = element("div", { "data-sentiero-unmask": "" });
    const hidden = element("div", { "data-rr-mask": "" }, shown);
    expect(masking.maskInput("no", element("input", {}, hidden))).toBe("**");
    expect(masking.maskInput("yes", element("input", { "data-sentiero-unmask": "" }, hidden))).toBe("yes");
  });

  test("looks through shadow roots", () => {
    const root = shadow(element("my-field", { "data-sentiero-unmask": "" }));
    expect(masking.maskInput("free", element("input", {}, root))).toBe("free");
  });

  test.each([true, false])("masks passwords whatever is configured or unmasked (maskAllInputs %s)", (maskAllInputs) => {
    const open = createMasking({ ...rules, maskAllInputs, maskInputOptions: { password: false, input: false } });
    const field = element("input", { type: "password", "data-sentiero-unmask": "" });
    expect(open.maskInput("secret", field)).toBe("******");
  });

  test("keeps masking a password that a button made readable", () => {
    const open = createMasking({ ...rules, maskAllInputs: false });
    const field = element("input", { type: "password" }) as HTMLInputElement;
    expect(open.isInputMasked(field)).toBe(true);
    field.type = "text";
    expect(open.maskInput("secret", field)).toBe("******");
    expect(open.maskInput("secret", element("input", { "data-rr-is-password": "true" }))).toBe("******");
    expect(open.maskInput("secret", element("input", { autocomplete: "current-password" }))).toBe("******");
  });

  test("remembers a password's name from a snapshot, though nothing was typed yet", () => {
    const open = createMasking({ ...rules, maskAllInputs: false });
    const field = element("input", { type: "password", name: "pass" });
    const node = { type: 2, id: 1, tagName: "input", attributes: { type: "password", name: "pass" }, childNodes: [] };
    maskEvent({ type: 2, data: { node }, timestamp: 0 }, open, () => field);
    expect(open.maskInput("secret", element("input", { name: "pass" }))).toBe("******");
  });

  test("keeps masking what takes a password's place: an element of the same name or id", () => {
    const open = createMasking({ ...rules, maskAllInputs: false });
    open.isInputMasked(element("input", { type: "password", name: "pass", id: "p1" }));
    expect(open.maskInput("secret", element("input", { name: "pass" }))).toBe("******");
    expect(open.maskInput("secret", element("input", { id: "p1", "data-sentiero-unmask": "" }))).toBe("******");
    expect(open.maskInput("free", element("input", { name: "other" }))).toBe("free");
  });

  test("without maskAllInputs masks the named types, hidden fields and what lies in a masked part", () => {
    const some = createMasking({ ...rules, maskAllInputs: false, maskInputOptions: { email: true, select: true } });
    expect(some.maskInput("ab", element("input"))).toBe("ab");
    expect(some.maskInput("ab", element("input", { type: "email" }))).toBe("**");
    expect(some.maskInput("ab", element("select"))).toBe("**");
    expect(some.maskInput("ab", element("input", { type: "hidden" }))).toBe("**");
    expect(some.maskInput("ab", element("input", {}, element("div", { "data-rr-mask": "" })))).toBe("**");
  });

  test("keeps codes and card numbers masked where a page unmasks everything", () => {
    const open = element("form", { "data-sentiero-unmask": "" });
    for (const autocomplete of ["cc-number", "section-a cc-csc", "one-time-code"]) {
      expect(masking.maskInput("123", element("input", { autocomplete }, open))).toBe("***");
    }
    expect(masking.maskInput("4929-1234 5678 9012", element("input", {}, open))).toBe("*".repeat(19));
    expect(masking.maskInput("+43 664 123456", element("input", {}, open))).toBe("+43 664 123456");
  });

  test("masks when the element is unknown", () => {
    expect(masking.maskInput("ab", null)).toBe("**");
  });
});

describe("what an element is called elsewhere", () => {
  /** An element whose children are texts and elements. */
  const tree = (tag: string, attributes: Record<string, string>, children: readonly (string | object)[]): Element => {
    const parent = element(tag, attributes) as unknown as Record<string, unknown>;
    const nodes = children.map((child) =>
      typeof child === "string" ? { nodeType: 3, data: child, firstChild: null } : child,
    );
    for (const [index, node] of nodes.entries()) {
      Object.assign(node, { parentNode: parent, nextSibling: nodes[index + 1] ?? null });
    }
    return Object.assign(parent, { firstChild: nodes[0] ?? null }) as unknown as Element;
  };

  test("is its text, folded and cut, without fields", () => {
    const masking = createMasking(rules);
    expect(textOf(masking, tree("a", {}, [" Book \n", tree("b", {}, ["now"]), "!"]), 20)).toBe("Book now!");
    expect(textOf(masking, tree("a", {}, ["Book now"]), 4)).toBe("Book");
    expect(textOf(masking, tree("label", {}, ["Name", tree("textarea", {}, ["Jane"])]), 20)).toBe("Name");
    expect(textOf(masking, tree("div", { contenteditable: "" }, ["Jane"]), 20)).toBe("****");
  });

  test("is masked or left out where the recording is", () => {
    const masking = createMasking(rules);
    expect(textOf(masking, tree("a", { "data-rr-mask": "" }, ["Book now"]), 20)).toBe("**** ***");
    expect(textOf(masking, tree("p", {}, ["Hi ", tree("b", { "data-rr-block": "" }, ["Jane"])]), 20)).toBe("Hi");
    const strict = createMasking({ ...rules, privacy: "strict" });
    expect(textOf(strict, tree("a", {}, ["Book", tree("b", { "data-sentiero-unmask": "" }, ["now"])]), 20)).toBe(
      "****now",
    );
  });

  test("is an attribute where asked for, as the recording shows it, and never the value of a field", () => {
    const masking = createMasking(rules);
    expect(textOf(masking, tree("button", { "aria-label": "Close" }, []), 20, "aria-label")).toBe("Close");
    expect(textOf(masking, tree("input", { "aria-label": "Name" }, []), 20, "aria-label")).toBe("****");
    expect(textOf(masking, tree("input", { type: "submit", value: "Send" }, []), 20, "value")).toBe("****");
    expect(textOf(masking, tree("img", { alt: "jane@mail.example" }, []), 40, "alt")).toBe("[redacted]");
    expect(textOf(masking, tree("img", {}, []), 40, "alt")).toBe("");
    expect(textOf(masking, tree("p", { "data-rr-block": "", title: "Jane" }, []), 40, "title")).toBe("");
  });
});

describe("texts", () => {
  test("are masked under a mask, and shown where they are unmasked in it", () => {
    const masking = createMasking(rules);
    const hidden = element("p", { "data-rr-mask": "" });
    expect(masking.coverOf(hidden)).toMatchObject({ isMasked: true, rule: "mask" });
    expect(masking.coverOf(element("b", { "data-sentiero-unmask": "" }, hidden))).toMatchObject({
      isMasked: false,
      rule: "unmask",
    });
  });
});

describe("events", () => {
  const masking = createMasking(rules);
  const mask = (data: object, nodes: Record<number, unknown>, type = 3) => {
    const event = { type, data, timestamp: 1 };
    maskEvent(event, masking, (id) => (nodes[id] as Node) ?? null);
    return JSON.stringify(event);
  };

  test("masks what a snapshot shows past rrweb's own masking", () => {
    const area = element("textarea");
    const select = element("select", { "data-sentiero-unmask": "" });
    const tree = {
      type: 0,
      id: 1,
      childNodes: [
        { type: 2, id: 2, tagName: "input", attributes: { type: "radio", value: "diabetes" }, childNodes: [] },
        { type: 2, id: 3, tagName: "textarea", attributes: {}, childNodes: [{ type: 3, id: 4, textContent: "draft" }] },
        { type: 2, id: 5, tagName: "meta", attributes: { name: "csrf-token", content: "token" }, childNodes: [] },
        {
          type: 2,
          id: 6,
          tagName: "meta",
          attributes: { name: "viewport", content: "width=device-width" },
          childNodes: [],
        },
        {
          type: 2,
          id: 10,
          tagName: "select",
          attributes: {},
          childNodes: [{ type: 2, id: 7, tagName: "option", attributes: {}, childNodes: [] }],
        },
        { type: 2, id: 8, tagName: "p", attributes: {}, childNodes: [{ type: 3, id: 9, textContent: "visible" }] },
      ],
    };
    const nodes = {
      2: element("input", { type: "radio" }),
      3: area,
      4: text(area),
      5: element("meta", { name: "csrf-token" }),
      6: element("meta", { name: "viewport" }),
      7: element("option", { selected: "" }, select),
      8: element("p"),
      10: select,
    };
    const json = mask({ node: tree }, nodes, 2);
    for (const secret of ["diabetes", "draft", '"token"']) expect(json).not.toContain(secret);
    for (const kept of ["width=device-width", "visible", '"selected":true']) expect(json).toContain(kept);
  });

  test("masks input events of radio buttons and of fields that are gone", () => {
    expect(
      mask({ source: 5, id: 1, text: "diabetes", isChecked: true }, { 1: element("input", { type: "radio" }) }),
    ).not.toContain("diabetes");
    expect(mask({ source: 5, id: 2, text: "gone" }, {})).not.toContain("gone");
  });

  test("masks mutations: added fields, changed values, texts of text areas, masked texts in shadow roots", () => {
    const area = element("textarea");
    const root = shadow(element("my-card", { "data-rr-mask": "" }));
    const json = mask(
      {
        source: 0,
        adds: [
          { parentId: 9, node: { type: 2, id: 1, tagName: "input", attributes: { value: "added" }, childNodes: [] } },
        ],
        attributes: [{ id: 2, attributes: { value: "changed", class: "kept" } }],
        texts: [
          { id: 3, value: "written" },
          { id: 4, value: "shadow" },
          { id: 5, value: "plain" },
        ],
      },
      {
        1: element("input"),
        2: element("input", { type: "checkbox" }),
        3: text(area),
        4: text(root),
        5: text(element("p")),
      },
    );
    for (const secret of ["added", "changed", "written", "shadow"]) expect(json).not.toContain(`"${secret}"`);
    for (const kept of ["kept", "plain"]) expect(json).toContain(kept);
  });

  test("takes texts of a link that was removed meanwhile: a link's host is a text, not an element", () => {
    const link = Object.assign(element("a"), { host: "127.0.0.1", getRootNode: (): unknown => link });
    expect(mask({ source: 0, texts: [{ id: 1, value: "kept" }] }, { 1: text(link) })).toContain("kept");
  });

  test("leaves out what is added or changed in the shadow root of a blocked element", () => {
    const root = shadow(element("my-card", {}, element("div", { "data-rr-block": "" })));
    const json = mask(
      {
        source: 0,
        adds: [
          { parentId: 9, node: { type: 2, id: 1, tagName: "p", attributes: {}, childNodes: [], textContent: "added" } },
        ],
        attributes: [{ id: 2, attributes: { title: "changed" } }],
        texts: [{ id: 3, value: "written" }],
      },
      { 1: element("p", {}, root), 2: element("p", {}, root), 3: text(root) },
    );
    expect(JSON.parse(json)).toMatchObject({ data: { adds: [], attributes: [], texts: [] } });
  });

  test("leaves anything of another shape alone", () => {
    expect(() => {
      mask({ source: 0, removes: 5, adds: [null, { node: null }, 5], attributes: "x", texts: [{ id: "a" }] }, {});
      maskEvent({ type: 2 }, masking, () => null);
    }).not.toThrow();
  });
});
