/** One change of the document: numbers choose what and where. Every number means something on every document. */
export interface Change {
  readonly kind:
    | "add"
    | "addTree"
    | "move"
    | "swap"
    | "remove"
    | "takeApart"
    | "keep"
    | "putBack"
    | "attribute"
    | "style"
    | "text"
    | "html"
    | "shadow"
    | "comment"
    | "area"
    | "replace"
    | "many"
    | "wrap";
  readonly where: number;
  readonly what: number;
}

let made = 0;
/** Nodes that were taken out and may come back, as they are or with something new in them. */
const kept: Element[] = [];

/** Makes one change. */
export function change({ kind, where, what }: Change): void {
  const places = placesIn(document.querySelector("#stage")!);
  const place = places[where % places.length]!;
  const others = places.filter((other) => other instanceof Element && other !== places[0]) as Element[];
  const other = others[what % Math.max(others.length, 1)];
  switch (kind) {
    case "add":
      place.insertBefore(element(what), childOf(place, what));
      break;
    case "addTree": {
      const top = element(what);
      const inner = element(what + 1);
      top.append("a", inner, document.createComment("c"), "b");
      if (what % 2) place.insertBefore(top, childOf(place, what));
      inner.append(element(what + 2), "c");
      if (!(what % 2)) place.insertBefore(top, childOf(place, what));
      break;
    }
    case "move":
      if (other && !other.contains(place) && other.shadowRoot !== place && !isInside(place, other))
        place.insertBefore(other, childOf(place, what, other));
      break;
    case "swap": {
      const last = place.lastChild;
      if (last && place.firstChild !== last) place.insertBefore(last, place.firstChild);
      break;
    }
    case "remove":
      other?.remove();
      break;
    case "takeApart":
      if (other) {
        other.remove();
        const inner = other.firstElementChild;
        inner?.remove();
        if (inner && place.isConnected && !isInside(place, inner)) place.append(inner);
      }
      break;
    case "keep":
      if (other) {
        other.remove();
        kept.push(other);
        if (kept.length > 4) kept.shift();
      }
      break;
    case "putBack": {
      const back = kept.splice(what % Math.max(kept.length, 1), 1)[0];
      if (back && !back.isConnected && !isInside(place, back)) {
        if (what % 3 === 0) back.append(element(what));
        if (what % 3 === 1) back.firstChild?.remove();
        place.insertBefore(back, childOf(place, what));
      }
      break;
    }
    case "attribute":
      if (other && what % 5 === 0) other.removeAttribute("title");
      else other?.setAttribute(what % 2 ? "title" : "data-a", String(what));
      break;
    case "style":
      if (other && what % 2) (other as HTMLElement).style.setProperty("left", `${what % 50}px`);
      else other?.setAttribute("style", `top: ${what % 50}px; color: red`);
      break;
    case "text": {
      const text = [...place.childNodes].find((child) => child.nodeType === Node.TEXT_NODE);
      if (text) text.nodeValue = `text ${what}`;
      else place.append(`new ${what}`);
      break;
    }
    case "html":
      if (place instanceof HTMLElement)
        place.innerHTML = `<p>one ${what}<b>two</b></p>three<i></i><!-- four --><u>five</u>`;
      break;
    case "shadow":
      if (other instanceof HTMLElement && other.localName === "div" && !other.shadowRoot) {
        const root = other.attachShadow({ mode: "open" });
        root.innerHTML = "<slot></slot><em>in the shadow</em>";
        if (what % 2) root.append(element(what));
      }
      break;
    case "comment":
      place.insertBefore(document.createComment("c"), childOf(place, what));
      break;
    case "area": {
      const area = document.createElement("textarea");
      area.textContent = "first";
      place.insertBefore(area, childOf(place, what));
      break;
    }
    case "replace":
      if (place instanceof Element) place.replaceChildren(...[...place.childNodes].reverse(), element(what));
      break;
    case "many": {
      // More than is recorded at a time, one by one or at once.
      const around = element(what);
      if (what % 3 === 0) {
        around.innerHTML = "<p>a</p>b<i><u>c</u></i>".repeat(100);
        place.append(around);
        break;
      }
      for (let at = 0; at < 300; at++)
        place.insertBefore(element(what), what % 2 ? place.firstChild : null).append(String(at));
      break;
    }
    case "wrap":
      if (other?.parentNode) {
        const around = element(what);
        other.parentNode.replaceChild(around, other);
        around.append("w", other);
      }
  }
}

function element(what: number): Element {
  const made_ = document.createElement(["div", "p", "span", "section", "ul"][what % 5]!);
  made_.id = `n${made++}`;
  return made_;
}

/** Elements and shadow roots, in order. */
function placesIn(root: Element): (Element | ShadowRoot)[] {
  const inside = (parent: Element | ShadowRoot): (Element | ShadowRoot)[] =>
    [...parent.children].filter(({ localName }) => localName !== "textarea").flatMap(placesIn);
  return [root, ...inside(root), ...(root.shadowRoot ? [root.shadowRoot, ...inside(root.shadowRoot)] : [])];
}

function childOf(place: Node, what: number, except?: Node): Node | null {
  const child = place.childNodes[what % (place.childNodes.length + 1)] ?? null;
  return child === except ? null : child;
}

function isInside(node: Node, other: Node): boolean {
  for (let at: Node | null = node; at; at = at.parentNode ?? (at as Partial<ShadowRoot>).host ?? null) {
    if (at === other) return true;
  }
  return false;
}
