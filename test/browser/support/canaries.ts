/** A secret word that stands in one place of a page. */
export interface Canary {
  /** Where it stands. */
  readonly place: string;
  readonly word: string;
  /** Whether it may only be recorded with the balanced rules: text of the page itself. */
  readonly isPageText: boolean;
}

/** A page full of canaries. */
export interface CanaryPage {
  readonly canaries: readonly Canary[];
  readonly html: string;
  /** What the page's frame shows, at `/frame`. */
  readonly frame: string;
  /** Query and fragment under which the page is opened. */
  readonly suffix: string;
  /** What is typed, by selector. */
  readonly typed: Readonly<Record<string, string>>;
  /** Name of the file that is chosen in `#file`. */
  readonly fileName: string;
}

/** A page with a secret in every kind of field and attribute. `window.later()` adds and changes; `tags` are put into the head. */
export function createCanaryPage(tags: string): CanaryPage {
  const canaries: Canary[] = [];
  const plant = (place: string, isPageText: boolean): string => {
    const word = `kestrel${String(canaries.length).padStart(3, "0")}nest`;
    canaries.push({ place, word, isPageText });
    return word;
  };
  /** Never recorded. */
  const secret = (place: string): string => plant(place, false);
  /** Not recorded with the strict rules. */
  const text = (place: string): string => plant(place, true);

  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${text("title")}</title>
<meta name="csrf-token" content="${secret("meta csrf-token")}"><meta name="x-api-key" content="${secret("meta x-api-key")}">
<style nonce="${secret("nonce")}">/* ${secret("comment in CSS")} */
.a { background: url("/p.png?token=${secret("url() in a style element")}") }
.b { background: url(/p.png?access_token=${secret("unquoted url() in a style element")}) }
.c::before { content: "${text("content: in a style element")}" }
.d { --label: "${text("custom property in a style element")}" }</style>
${tags}</head><body>
<!-- ${secret("comment")} --><noscript>${secret("noscript")}</noscript>
<form id="form" action="/send?token=${secret("form action")}" onsubmit="return false">
<input type="hidden" id="hidden" value="${secret("hidden")}"><input type="hidden" id="hidden-2">
<input type="text" value="${secret("text value")}"><input value="${secret("value without a type")}">
<input type="bogus" value="${secret("value of an unknown type")}"><input type="password" value="${secret("password value")}">
<input type="checkbox" value="${secret("checkbox value")}" checked><input type="radio" name="r" value="${secret("radio value")}">
<input type="radio" id="radio" name="r" value="${secret("chosen radio value")}"><input type="button" value="${secret("button value")}">
<input type="submit" value="${secret("submit value")}" formaction="/other?token=${secret("formaction")}">
<input type="image" alt="${secret("image input alt")}" src="/p.png?sig=${secret("image input src")}">
<input type="range" min="0" max="${secret("max")}"><button type="button" value="${secret("value of a button element")}">Go</button>
<textarea id="area" placeholder="${secret("textarea placeholder")}">${secret("textarea text")}</textarea>
<select id="select"><optgroup label="${secret("optgroup label")}"><option value="${secret("option value")}">${secret("option text")}</option>
<option value="2" selected label="${secret("option label")}">${secret("chosen option text")}</option></optgroup></select>
<input list="list"><datalist id="list"><option value="${secret("datalist value")}">${secret("datalist text")}</option></datalist>
<input id="hint" placeholder="${secret("placeholder")}" title="${secret("title of an input")}" aria-label="${secret("aria-label of an input")}"
 pattern="${secret("pattern")}" data-note="${secret("data attribute of an input")}" onfocus="x('${secret("onfocus")}')">
<output>${secret("output")}</output><div contenteditable id="edit">${secret("contenteditable text")}</div>
<div role="textbox">${secret("role=textbox")}</div><div role="combobox">${secret("role=combobox")}</div>
<input id="typed"><input id="secret" type="password"><input id="file" type="file"><select id="added"></select>
<button>${text("button text")}</button><label>${text("label")}</label><fieldset><legend>${text("legend")}</legend></fieldset></form>
<form data-sentiero-unmask onsubmit="return false"><input id="pass" name="pass" type="password" value="${secret("password in an unmasked form")}">
<input type="hidden" value="${secret("hidden in an unmasked form")}"><input autocomplete="one-time-code" value="${secret("code in an unmasked form")}"></form>
<a id="link" href="/x?access_token=${secret("link token")}">link</a><a href="//user:${secret("link password")}@host.example/">link</a>
<a href="/x#id_token=${secret("link fragment")}">link</a><a href="javascript:run('${secret("javascript: link")}')">link</a>
<a href="data:text/html,${secret("data: link")}">link</a><a href="mailto:${secret("mailto: link")}@mail.example">link</a>
<a href="/reset/jane.${secret("mail address in a path")}@mail.example" ping="/p?token=${secret("ping")}">link</a>
<a href="/search?q=${text("link query")}">link</a><a href="tel:${text("tel: link")}">link</a>
<img id="img" width="20" height="10" src="/p.png?sig=${secret("img src")}" srcset="/p.png?token=${secret("srcset")} 1x, /p.png?key=${secret("second of srcset")} 2x"
 alt="${text("alt")}" title="${text("title of an image")}" data-plain="${text("data attribute")}">
<img src="/${text("path of an image")}.png"><video poster="/p.png?token=${secret("poster")}" src="/v?token=${secret("video src")}"></video>
<object data="/p.png?auth=${secret("object data")}"></object><blockquote cite="/c?token=${secret("cite")}">quote</blockquote>
<svg width="9" height="9"><image xlink:href="/p.png?token=${secret("svg image")}"/><text>${text("svg text")}</text><title>${text("svg title")}</title>
<script>var s = "${secret("script in a drawing")}"</script></svg>
<p style="background:url('/p.png?token=${secret("url() in a style")}');--x:'${text("string in a style")}'">${text("paragraph")}</p>
<div data-api-token="${secret("data-api-token")}" data-user="jane.${secret("mail address in a data attribute")}@mail.example"
 data-jwt="eyJ${secret("jwt")}.eyJhbGciOiJ9.c2lnbmF0dXJl" onclick="run('${secret("onclick")}')">x</div>
<nav aria-label="${text("aria-label")}"><abbr title="${text("abbr title")}">ab</abbr></nav><x-card email="${text("attribute of a custom element")}"></x-card>
<details><summary>${text("summary")}</summary>${text("details")}</details>
<div data-rr-block>${secret("blocked")}<input value="${secret("value in a blocked part")}"></div>
<div data-rr-mask title="${secret("title in a masked part")}">${secret("masked")}<img alt="${secret("alt in a masked part")}"></div>
<div id="late-block"><b>x</b></div><x-field value="${secret("value of a custom control")}"></x-field><x-host></x-host>
<iframe id="frame" src="/frame?token=${secret("frame src")}"></iframe>
<iframe srcdoc='<input value="${secret("input in srcdoc")}"><p>${text("text in srcdoc")}</p><script>"${secret("script in srcdoc")}"</script>'></iframe>
<div id="slot"></div>
<script>
customElements.define("x-field", class extends HTMLElement { static formAssociated = true;
  connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = "<b>${secret("text in a custom control")}</b>"; } });
customElements.define("x-host", class extends HTMLElement {
  connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML =
    '<input id="inner" value="${secret("value in a shadow root")}"><p title="${text("title in a shadow root")}">${text("text in a shadow root")}</p><div data-rr-mask><i>${secret("masked in a shadow root")}</i></div>'; } });
document.cookie = "id=${secret("cookie")}"; localStorage.setItem("id", "${secret("localStorage")}"); sessionStorage.setItem("id", "${secret("sessionStorage")}");
const sheet = new CSSStyleSheet();
const byId = (id) => document.getElementById(id);
window.later = async () => {
  const frameOf = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 30)));
  sheet.replaceSync('.e { background: url("/p.png?token=${secret("adopted sheet")}") } .f::after { content: "${text("content: in an adopted sheet")}" }');
  document.adoptedStyleSheets = [sheet];
  sheet.insertRule('.g { background: url("/p.png?token=${secret("inserted rule")}") }');
  sheet.cssRules[0].style.setProperty("background", 'url("/p.png?token=${secret("set property")}")');
  byId("slot").style.backgroundImage = 'url("/p.png?token=${secret("changed style")}")';
  byId("slot").innerHTML = '<input type="hidden" value="${secret("added hidden")}"><input placeholder="${secret("added placeholder")}" value="${secret("added value")}">' +
    '<p title="${text("added title")}">${text("added text")}</p><a href="/y?token=${secret("added link")}">y</a><select><option>${secret("added option")}</option></select>' +
    '<meta name="token" content="${secret("added meta")}"><div contenteditable>${secret("added contenteditable")}</div><iframe srcdoc="${text("added srcdoc")}"></iframe>';
  byId("added").append(new Option("${secret("option added to a select")}", "${secret("value of an option added to a select")}"));
  byId("hidden").value = "${secret("changed hidden")}"; byId("hidden-2").setAttribute("value", "${secret("changed hidden attribute")}");
  byId("hint").placeholder = "${secret("changed placeholder")}"; byId("hint").value = "${secret("value set by a script")}";
  byId("hint").setAttribute("data-note", "${secret("changed data attribute of an input")}");
  byId("area").value = "${secret("textarea set by a script")}"; byId("area").firstChild.data = "${secret("changed text of a textarea")}";
  byId("select").options[0].text = "${secret("changed option text")}"; byId("select").selectedIndex = 0;
  byId("edit").firstChild.data = "${secret("changed contenteditable")}"; document.querySelector("output").value = "${secret("changed output")}";
  byId("link").href = "/z?token=${secret("changed link")}"; byId("link").firstChild.data = "${text("changed text")}";
  byId("img").src = "/p.png?token=${secret("changed img src")}"; byId("img").alt = "${text("changed alt")}";
  document.title = "${text("changed page title")}"; document.querySelector("x-host").shadowRoot.querySelector("p").textContent = "${text("changed text in a shadow root")}";
  document.querySelector("x-host").shadowRoot.querySelector("i").firstChild.data = "${secret("changed masked text in a shadow root")}";
  document.querySelector("x-host").shadowRoot.querySelector("input").setAttribute("value", "${secret("changed value in a shadow root")}");
  document.querySelector("[data-rr-mask]").firstChild.data = "${secret("changed masked text")}";
  byId("frame").contentDocument.querySelector("input").setAttribute("value", "${secret("changed value in a frame")}");
  byId("late-block").setAttribute("data-rr-block", ""); await frameOf();
  byId("late-block").firstChild.title = "${secret("attribute in a part blocked later")}"; byId("late-block").firstChild.firstChild.data = "${secret("text in a part blocked later")}";
  byId("late-block").append("${secret("text added to a part blocked later")}");
  const pass = byId("pass"); pass.type = "text"; pass.setAttribute("value", "${secret("password made readable")}"); await frameOf();
  const clone = pass.cloneNode(); clone.setAttribute("value", "${secret("clone of a readable password")}"); pass.after(clone); await frameOf();
  const other = document.createElement("input"); other.name = "pass"; other.setAttribute("value", "${secret("another element in a password's place")}"); pass.replaceWith(other);
  await frameOf(); other.after(pass); pass.setAttribute("value", "${secret("password put in again")}");
  history.pushState({}, "", "?token=${secret("pushed address")}#${secret("pushed fragment")}");
  console.log("${secret("console")}");
  setTimeout(() => { throw new Error("no mail to jane.${secret("mail address in an error")}@mail.example"); });
  Promise.reject(new Error("GET https://api.example/x?token=${secret("address in a rejection")}"));
};
</script></body></html>`;

  const frame = `<!doctype html><title>Frame</title><input id="framed" value="${secret("value in a frame")}"><p>${text("text in a frame")}</p>`;
  return {
    html,
    frame,
    suffix: `?token=${secret("query of the page")}#${secret("fragment of the page")}`,
    typed: {
      "#typed": secret("typed"),
      "#area": secret("typed into a textarea"),
      "#secret": secret("typed password"),
      "#edit": secret("typed into contenteditable"),
      "#inner": secret("typed in a shadow root"),
    },
    fileName: `${secret("name of a file")}.txt`,
    canaries,
  };
}

/** A word as it may stand in bytes that were sent. */
export function formsOf(word: string): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    // Three alignments; the characters at the ends depend on the neighbours and are left out.
    const text = Buffer.from("\0".repeat(shift) + word).toString("base64");
    return text.slice(shift === 0 ? 0 : 4, text.length - 4);
  });
  return [
    word,
    encodeURIComponent(word),
    encodeURIComponent(word).replaceAll("%20", "+"),
    JSON.stringify(word).slice(1, -1),
    word.replaceAll("/", "\\/"),
    ...base64,
  ];
}
