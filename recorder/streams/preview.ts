const MAX_CHARS = 1_024;
const MAX_DEPTH = 4;
const MAX_ENTRIES = 50;

/**
 * A value as a text for people, at most 1,024 characters: four levels of objects, an element as its tag, id and classes. Runs
 * no getter, and stops as soon as the text is full.
 */
export function toPreview(value: unknown): string {
  let text = "";
  const above: object[] = [];

  function write(part: string): void {
    if (text.length <= MAX_CHARS) text += part.slice(0, MAX_CHARS + 1 - text.length);
  }

  function writeValue(value: unknown): void {
    if (typeof value === "string") return write(above.length === 0 ? value : JSON.stringify(value.slice(0, MAX_CHARS)));
    if (typeof value === "function") return write("ƒ");
    if (typeof value !== "object" || value === null)
      return write(`${String(value)}${typeof value === "bigint" ? "n" : ""}`);
    if (value instanceof Error) return write(String(value.stack || value.message));
    if (value instanceof Node) return write(describeNode(value));
    if (value instanceof Date) return write(String(Number(value) ? value.toISOString() : "Invalid Date"));
    if (value instanceof RegExp) return write(String(value));
    if (above.includes(value)) return write("(circular)");
    if (above.length === MAX_DEPTH) return write(Array.isArray(value) ? "[…]" : "{…}");
    above.push(value);
    if (value instanceof Map) writeEntries("Map", value.entries());
    else if (value instanceof Set) writeEntries("Set", value.entries());
    else writeObject(value);
    above.pop();
  }

  function writeEntries(name: "Map" | "Set", entries: Iterable<[unknown, unknown]>): void {
    write(`${name} {`);
    let count = 0;
    for (const [key, value] of entries) {
      if (count > 0) write(", ");
      if (++count > MAX_ENTRIES || text.length > MAX_CHARS) {
        write("…");
        break;
      }
      if (name === "Map") {
        writeValue(key);
        write(" => ");
      }
      writeValue(value);
    }
    write("}");
  }

  function writeObject(object: object): void {
    const isArray = Array.isArray(object);
    write(isArray ? "[" : "{");
    let count = 0;
    // Not `Object.entries`, which would run every getter and list all of a long array first.
    for (const key in object) {
      if (text.length > MAX_CHARS) break;
      const property = Object.getOwnPropertyDescriptor(object, key);
      if (!property) continue;
      if (count++ > 0) write(", ");
      if (count > MAX_ENTRIES) {
        write("…");
        break;
      }
      if (!isArray) write(`${key}: `);
      if ("value" in property) writeValue(property.value);
      else write("(getter)");
    }
    write(isArray ? "]" : "}");
  }

  try {
    writeValue(value);
  } catch {
    write("(unreadable)");
  }
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS - 1)}…` : text;
}

function describeNode(node: Node): string {
  if (!(node instanceof Element)) return node.nodeName;
  const id = Element.prototype.getAttribute.call(node, "id");
  return `<${[`${node.localName}${id ? `#${id}` : ""}`, ...node.classList].join(".")}>`;
}
