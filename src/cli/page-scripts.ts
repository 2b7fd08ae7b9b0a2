/** Expressions that are evaluated in a page. They are text: this program has no DOM, and a page none of this program. */

const BOX = "sentiero-verify-";

/** Defines how HTML is put into the page, also where its policy wants trusted types. */
const ADD = `(html, id) => {
  const policy = globalThis.trustedTypes && trustedTypes.createPolicy(id, { createHTML: (text) => text });
  const box = document.createElement("div");
  box.id = id;
  box.innerHTML = policy ? policy.createHTML(html) : html;
  for (const template of box.querySelectorAll("template[shadowrootmode]")) {
    template.parentNode.attachShadow({ mode: "open" }).append(template.content);
    template.remove();
  }
  document.body.append(box);
}`;

/** Adds elements to the page as soon as it is there, before a recorder looks at it. To be run in every new document. */
export function addAtLoad(html: string): string {
  return `if (window === top && location.protocol !== "about:") {
  addEventListener("DOMContentLoaded", () => (${ADD})(${JSON.stringify(html)}, "${BOX}first"), { capture: true, once: true });
}`;
}

/** Adds elements to a page that is there. */
export function addNow(html: string): string {
  return `(${ADD})(${JSON.stringify(html)}, "${BOX}later")`;
}

/** What is changed by {@link change}, and how. Each is looked for among what {@link addNow} has added. */
const CHANGES: Readonly<Record<string, string>> = {
  "text input": `at("[name=v-text]").value = word`,
  "hidden input": `at("[type=hidden]").setAttribute("value", word)`,
  "password input": `{ const field = at("[type=password]"); field.type = "text"; field.setAttribute("value", word); field.value = word; }`,
  textarea: `at("textarea").value = word`,
  placeholder: `at("[placeholder]").placeholder = word`,
  "title of a field": `at("input[title]").title = word`,
  "option text": `at("option[value='1']").text = word`,
  output: `at("output").value = word`,
  contenteditable: `at("[contenteditable]").textContent = word`,
  "token in a link": `at("a").href = "/?access_token=" + word`,
  "meta csrf-token": `at("meta").content = word`,
  "element with data-rr-mask": `at("[data-rr-mask]").firstChild.data = word`,
  "address of the page": `history.replaceState(history.state, "", "?token=" + word)`,
};

/** The kinds that {@link change} knows. */
export const CHANGED_KINDS: readonly string[] = Object.keys(CHANGES);

/** Changes one of the added elements. */
export function change(kind: string, word: string): string {
  return `{ const word = ${JSON.stringify(word)}; const at = (selector) => document.querySelector("#${BOX}later " + selector); ${CHANGES[kind]} }`;
}

/** What a field is called that the page shows on purpose. */
export const UNMASKED = "unmasked field of the page: ";

/** Finds all fields that text can be typed into, shadow roots and frames included; answers what to call them. */
export const FIND_FIELDS: string = `(() => {
  const TYPES = ["text", "email", "search", "tel", "url", "password"];
  const fields = [];
  const names = [];
  const add = (element, kind) => {
    const isOurs = element.closest("[id^=${BOX}]") || (element.getRootNode().host || element).closest("[id^=${BOX}]");
    fields.push(element);
    const isShown = element.type !== "password" && element.closest("[data-sentiero-unmask]");
    const name = (isShown ? "${UNMASKED}" : "field of the page: ") + (element.name || element.id || kind);
    names.push(isOurs ? kind : name);
  };
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) walk(element.shadowRoot);
      if (element.localName === "iframe") {
        try { if (element.contentDocument) walk(element.contentDocument); } catch {}
      }
      if (element.readOnly || element.disabled) continue;
      if (element.localName === "input" && TYPES.includes(element.type)) add(element, element.type + " input");
      else if (element.localName === "textarea") add(element, "textarea");
      else if (element.isContentEditable && element.hasAttribute("contenteditable")) add(element, "contenteditable");
    }
  };
  walk(document);
  globalThis.__sentieroVerifyFields = fields;
  return names;
})()`;

/** Puts the cursor into one of the found fields; answers whether it went there. */
export function focusField(index: number): string {
  return `(() => {
    const field = globalThis.__sentieroVerifyFields[${index}];
    field.focus({ preventScroll: true });
    return field.getRootNode().activeElement === field;
  })()`;
}

/** Leaves a field, which is when a change counts. */
export function leaveField(index: number): string {
  return `globalThis.__sentieroVerifyFields[${index}].blur()`;
}

/** Sends a form of its own, which goes nowhere; forms of the page are left alone. */
export const SUBMIT: string = `(() => {
  const form = document.createElement("form");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.append(...document.querySelectorAll("#${BOX}later > input"));
  document.getElementById("${BOX}later").append(form);
  form.requestSubmit();
})()`;

/** Lets the control word leave, as text of the page or in an event of Sentiero's own. */
export function sendControl(word: string, isText: boolean): string {
  return `(() => {
    const word = ${JSON.stringify(word)};
    if (${isText}) document.body.append(Object.assign(document.createElement("p"), { textContent: word }));
    const api = globalThis.Sentiero;
    if (api && api.addCustomEvent) api.addCustomEvent("verify-privacy", { word });
  })()`;
}

/** Makes the page believe that it was left, which is when recorders send what they have. */
export const HIDE = `(() => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
  Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
})()`;

/** Says yes where a recorder waits for it. */
export const OPT_IN = `globalThis.Sentiero && globalThis.Sentiero.optIn && globalThis.Sentiero.optIn()`;
