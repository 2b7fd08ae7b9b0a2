import { randomBytes } from "node:crypto";

/** When a word was put into the page. */
export type Moment = "at load" | "later" | "changed" | "typed";

/** A word that must not leave a page. */
export interface Planted {
  /** Kind of the field, such as `hidden input`. */
  readonly kind: string;
  readonly moment: Moment;
  readonly word: string;
}

/** Words by where they stand, and HTML that holds them. */
export interface Planting {
  readonly planted: Planted[];
  /** A new word. */
  plant(kind: string, moment: Moment): string;
  /** Elements of every kind, each with a new word. */
  html(moment: Moment): string;
}

type Piece = readonly [kind: string, html: (word: string) => string];

/** Fields, hints and secrets, which are masked in any case. None of it makes the browser ask for anything by itself. */
const FIELDS: readonly Piece[] = [
  ["text input", (word) => `<input name="v-text" value="${word}">`],
  ["email input", (word) => `<input type="email" value="${word}@mail.example">`],
  ["search input", (word) => `<input type="search" value="${word}">`],
  ["tel input", (word) => `<input type="tel" value="${word}">`],
  ["url input", (word) => `<input type="url" value="https://${word}.example/">`],
  ["password input", (word) => `<input type="password" value="${word}">`],
  ["hidden input", (word) => `<input type="hidden" value="${word}">`],
  ["input of an unknown type", (word) => `<input type="bogus" value="${word}">`],
  ["checkbox value", (word) => `<input type="checkbox" value="${word}" checked>`],
  ["radio value", (word) => `<input type="radio" name="v-radio" value="${word}" checked>`],
  ["button value", (word) => `<input type="button" value="${word}"><button type="button" value="${word}">x</button>`],
  ["submit value", (word) => `<input type="submit" value="${word}">`],
  ["textarea", (word) => `<textarea>${word}</textarea>`],
  ["option value", (word) => `<select><option value="${word}">x</option></select>`],
  ["option text", (word) => `<select><option value="1">${word}</option></select>`],
  ["datalist", (word) => `<datalist><option value="${word}">${word}</option></datalist>`],
  ["placeholder", (word) => `<input placeholder="${word}">`],
  ["title of a field", (word) => `<input title="${word}">`],
  ["aria-label of a field", (word) => `<input aria-label="${word}">`],
  ["pattern", (word) => `<input pattern="${word}">`],
  ["data attribute of a field", (word) => `<input data-value="${word}">`],
  ["output", (word) => `<output>${word}</output>`],
  ["contenteditable", (word) => `<div contenteditable>${word}</div>`],
  ["role=textbox", (word) => `<div role="textbox">${word}</div>`],
  ["meta csrf-token", (word) => `<meta name="csrf-token" content="${word}">`],
  ["data-token", (word) => `<i data-token="${word}"></i>`],
  ["mail address in an attribute", (word) => `<i data-user="${word}@mail.example"></i>`],
  ["token in a link", (word) => `<a href="/?access_token=${word}">x</a>`],
  ["token in a form's address", (word) => `<form action="/?token=${word}"></form>`],
  [
    "field in a shadow root",
    (word) => `<span><template shadowrootmode="open"><input value="${word}"></template></span>`,
  ],
  ["field in srcdoc", (word) => `<iframe srcdoc="&lt;input value=${word}&gt;"></iframe>`],
  ["element with data-rr-block", (word) => `<p data-rr-block>${word}</p>`],
  ["element with data-rr-mask", (word) => `<p data-rr-mask>${word}</p>`],
];

/** The page's own words, which strict rules mask too. */
const TEXTS: readonly Piece[] = [
  ["text", (word) => `<p>${word}</p>`],
  ["button text", (word) => `<button type="button">${word}</button>`],
  ["title", (word) => `<i title="${word}"></i>`],
  ["alt", (word) => `<img alt="${word}">`],
  ["aria-label", (word) => `<i aria-label="${word}"></i>`],
  ["data attribute", (word) => `<i data-name="${word}"></i>`],
  ["attribute of a custom element", (word) => `<x-verify name-of="${word}"></x-verify>`],
  ["query of a link", (word) => `<a href="/?q=${word}">x</a>`],
  ["text in a drawing", (word) => `<svg><text>${word}</text></svg>`],
  ["content: in CSS", (word) => `<style>.v-none::before { content: "${word}" }</style>`],
];

/** Words to plant in one page. */
export function createPlanting(isStrict: boolean): Planting {
  const planted: Planted[] = [];
  const pieces = isStrict ? [...FIELDS, ...TEXTS] : FIELDS;

  function plant(kind: string, moment: Moment): string {
    const word = createWord();
    planted.push({ kind, moment, word });
    return word;
  }

  return {
    planted,
    plant,
    html: (moment) => pieces.map(([kind, html]) => html(plant(kind, moment))).join("\n"),
  };
}

/** Letters only, so that no pattern takes it for a card or a key. */
export function createWord(): string {
  return `zv${[...randomBytes(14)].map((byte) => String.fromCharCode(97 + (byte % 26))).join("")}`;
}

/** Whether a text holds a word, as it is or as base64. Its letters are the same in addresses and in JSON. */
export function holds(text: string, word: string): boolean {
  return text.includes(word) || base64Of(word).some((form) => text.includes(form));
}

/** Three alignments; the characters at the ends depend on the neighbours and are left out. */
function base64Of(word: string): string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.from("\0".repeat(shift) + word).toString("base64");
    return text.slice(shift === 0 ? 0 : 4, text.length - 4);
  });
}
