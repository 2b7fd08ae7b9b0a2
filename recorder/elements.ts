// A form gives its inputs by their names, before what all elements have: `form.matches` may be an input
// (https://html.spec.whatwg.org/#the-form-element). What the recorder asks of a page's elements goes past that.

/** Whether a selector selects an element. */
export function matches(element: Element, selector: string): boolean {
  return Element.prototype.matches.call(element, selector);
}

/** The value of an attribute; null without it. */
export function attributeOf(element: Element, name: string): string | null {
  return Element.prototype.getAttribute.call(element, name);
}

/** The node right above one. */
export function parentNodeOf(node: Node): Node | null {
  return Reflect.get(Node.prototype, "parentNode", node) as Node | null;
}
