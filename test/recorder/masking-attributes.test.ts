import { describe, expect, test } from "vitest";
import { maskAttributes, type AttributeRules } from "../../recorder/mask-attributes.ts";
import { maskCss } from "../../recorder/mask-css.ts";
import { createRedaction } from "../../src/privacy/redaction.ts";

const redaction = createRedaction();
const open: AttributeRules = {
  redaction,
  isStrict: false,
  isMasked: false,
  isSvg: false,
  tagName: "div",
  maskValue: (value) => "*".repeat(value.length),
};
const closed = { ...open, isStrict: true, isMasked: true };
const box = {
  getBoundingClientRect: () => ({ width: 40, height: 30 }),
  hasAttribute: () => false,
  getAttribute: () => null,
} as unknown as Element;

function mask(attributes: Record<string, unknown>, rules: Partial<AttributeRules> = {}, from = open): unknown {
  maskAttributes(attributes, { ...from, ...rules }, box);
  return attributes;
}

describe("attributes of a page that is shown", () => {
  test("stay as they are", () => {
    const attributes = {
      class: "a b",
      title: "Hut on the pass",
      "data-state": "open",
      alt: "A hut",
      href: "/huts?page=2",
    };
    expect(mask({ ...attributes })).toEqual(attributes);
  });

  test("lose the values of secret parameters, and keep the others", () => {
    expect(mask({ href: "/x?token=abc&page=2" }, { tagName: "a" })).toEqual({ href: "/x?token=[redacted]&page=2" });
    expect(mask({ srcset: "/a.png?sig=abc 1x, /b.png?w=2 2x" }, { tagName: "img" })).toEqual({
      srcset: "/a.png?sig=[redacted] 1x, /b.png?w=2 2x",
    });
  });

  test("lose what is code: handlers, srcdoc, javascript: and data: addresses of documents", () => {
    expect(mask({ onclick: "x('a')", srcdoc: "<p>a", nonce: "abc" })).toEqual({});
    expect(mask({ href: "javascript:x('a')" }, { tagName: "a" })).toEqual({ href: "javascript:" });
    expect(mask({ href: " data:text/html,<p>a" }, { tagName: "a" })).toEqual({ href: "data:," });
    expect(mask({ src: "data:image/png;base64,AAAA" }, { tagName: "img" })).toEqual({
      src: "data:image/png;base64,AAAA",
    });
  });

  test("are masked where their name says that they are secret, and redacted where they look so", () => {
    expect(mask({ "data-csrf-token": "abc", "data-apikey": "abc", "data-user": "jane@mail.example" })).toEqual({
      "data-csrf-token": "***",
      "data-apikey": "***",
      "data-user": "[redacted]",
    });
  });

  test("in links lose mail addresses in the path; paths of pictures stay, so that they load", () => {
    expect(mask({ href: "/u/jane@mail.example?x=1" }, { tagName: "a" })).toEqual({ href: "/u/[redacted]" });
    const src = `/${"ab".repeat(20)}.png`;
    expect(mask({ src }, { tagName: "img" })).toEqual({ src });
  });

  test("a change that takes an attribute away is kept", () => {
    expect(mask({ title: null, value: null, style: { color: false } }, { tagName: "input", isMasked: true })).toEqual({
      title: null,
      value: null,
      style: { color: false },
    });
  });

  test("of meta elements keep their content only where it changes how the page looks", () => {
    expect(mask({ name: "viewport", content: "width=1" }, { tagName: "meta" })).toEqual({
      name: "viewport",
      content: "width=1",
    });
    expect(mask({ property: "user", content: "Jane" }, { tagName: "meta" })).toEqual({ property: "user" });
  });
});

describe("attributes of what is masked", () => {
  test("keep what the layout needs, and nothing that has words", () => {
    const kept = {
      class: "a",
      id: "b",
      type: "text",
      autocomplete: "name",
      width: "4",
      "aria-expanded": "true",
      hidden: "",
    };
    const masked = mask(
      { ...kept, placeholder: "Jane", pattern: "J.*", "data-x": "J", email: "j", checked: true },
      {
        tagName: "input",
        isMasked: true,
      },
    );
    expect(masked).toEqual({ ...kept, placeholder: "****", pattern: "***", "data-x": "*", email: "*" });
  });

  test("drawings keep their lines", () => {
    const path = { d: "M1 2 3 4 5 6 7 8 9 0 1 2 3 4", viewBox: "0 0 24 24" };
    expect(mask({ ...path }, { isSvg: true, tagName: "path" }, closed)).toEqual(path);
    expect(mask({ "aria-label": "Jane" }, { isSvg: true }, closed)).toEqual({ "aria-label": "****" });
  });
});

describe("with the strict rules", () => {
  test("pictures keep their box and nothing else", () => {
    expect(
      mask({ src: "/jane.png", srcset: "/j.png 2x", rr_dataURL: "data:", alt: "Jane" }, { tagName: "img" }, closed),
    ).toEqual({
      alt: "****",
      rr_width: "40px",
      rr_height: "30px",
    });
    expect(mask({ "xlink:href": "/jane.png", width: "4" }, { tagName: "image", isSvg: true }, closed)).toEqual({
      width: "4",
    });
  });

  test("addresses are cut", () => {
    expect(mask({ href: "https://a.example/x?q=jane#y" }, { tagName: "a" }, closed)).toEqual({
      href: "https://a.example/x",
    });
    expect(mask({ href: "tel:123" }, { tagName: "a" }, closed)).toEqual({ href: "tel:" });
  });
});

describe("CSS", () => {
  const url = 'a{background:url("/p.png?token=abc&w=1")}';

  test("loses comments and secret parameters", () => {
    expect(maskCss(`/* jane */${url}/* rr_split */b{}`, false, redaction)).toBe(
      'a{background:url("/p.png?token=[redacted]&w=1")}/* rr_split */b{}',
    );
    expect(maskCss("a{background:url(/p.png?sig=abc)}", false, redaction)).toBe(
      "a{background:url(/p.png?sig=[redacted])}",
    );
    expect(maskCss('@import "/a.css?token=abc";', false, redaction)).toBe('@import "/a.css?token=[redacted]";');
    expect(maskCss("a{content:'What? #1'}", false, redaction)).toBe("a{content:'What? #1'}");
  });

  test("with the strict rules shows no pictures and no words, but icons and fonts", () => {
    const strict = (css: string): string => maskCss(css, true, redaction);
    expect(strict(url)).toBe('a{background:url("")}');
    expect(strict(`a{content:"Jane \\"J\\" Doe";font-family:"Open Sans"}`)).toBe(
      'a{content:"**** *** ***";font-family:"Open Sans"}',
    );
    expect(strict(":root{--name:'Jane';--size:4px}")).toBe(":root{--name:'****';--size:4px}");
    expect(strict(String.raw`a{content:"\f101"}b{content:"→"}`)).toBe(String.raw`a{content:"\f101"}b{content:"→"}`);
    expect(strict('@font-face{src:url("/a.woff2?v=1")}')).toBe('@font-face{src:url("/a.woff2")}');
    expect(strict("a{fill:url(#paint)}")).toBe("a{fill:url(#paint)}");
  });

  test.each(["/*", '"', "url(", 'url("', "--a", "content:", "/*/", "--a:/"])(
    "takes time in proportion to its length: %s",
    (part) => {
      // Anything quadratic takes minutes here.
      for (const isStrict of [true, false])
        expect(typeof maskCss(part.repeat(200_000), isStrict, redaction)).toBe("string");
    },
  );
});
