import { html, type TemplateResult } from "lit";
import "./sentiero-copy-button.ts";

/** A text in which what stands between backticks is code that can be copied. */
export function codeText(text: string): (string | TemplateResult)[] {
  const parts = text.split(/`([^`]+)`/);
  // A full stop behind code looks like a part of it.
  if (parts.length > 1 && parts.at(-1) === ".") parts.pop();
  return parts.map((part, index) => (index % 2 === 0 ? part : code(part)));
}

/** Code that can be copied; styled by `sectionStyles`. */
export function code(text: string): TemplateResult {
  return html`<span class="code"
    ><code>${text}</code><sentiero-copy-button plain square label="Copy ${text}" .text=${text}></sentiero-copy-button
  ></span>`;
}
