/** A node and all under it as text, with shadow roots and frames, without what is not recorded. */
export function describe(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return JSON.stringify(node.nodeValue);
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  const element = node as Element;
  if (element.localName === "script") return "";
  if (element.localName === "style") {
    return `<style>${[...((element as HTMLStyleElement).sheet?.cssRules ?? [])].map(({ cssText }) => cssText).join("")}</>`;
  }
  if (element.localName === "textarea") return `<textarea>${(element as HTMLTextAreaElement).value}</>`;
  const attributes = [...element.attributes]
    .filter(
      ({ name }) => !name.startsWith("rr_") && name !== "data-rr-is-password" && name !== "src" && name !== "srcdoc",
    )
    .map(
      ({ name, value }) =>
        ` ${name}=${JSON.stringify(name === "style" ? element.getAttribute("style")!.replace(/\s|;$/g, "") : value)}`,
    )
    .sort()
    .join("");
  const inside = [...element.childNodes].map(describe).join("");
  const shadow = element.shadowRoot ? `#shadow[${[...element.shadowRoot.childNodes].map(describe).join("")}]` : "";
  const frame = element.localName === "iframe" ? (element as HTMLIFrameElement).contentDocument?.body : null;
  return `<${element.localName}${attributes}>${shadow}${frame ? `#frame[${describe(frame)}]` : ""}${inside}</>`;
}
