import { createElement, type ReactElement } from "react";
import type { ScriptAttributes } from "../src/script-tag.ts";

/**
 * The recorder's script element, for React 18 and 19.
 *
 * ```tsx
 * // app/layout.tsx, a server component
 * <SentieroScript {...sentiero.scriptAttributes()} />
 * ```
 *
 * The attributes are plain data: where components run in browsers too, hand them over from the server (a loader, props).
 * React 19 puts the element into the head, once.
 */
export function SentieroScript(attributes: ScriptAttributes): ReactElement {
  // Browsers hide a nonce from scripts, so that it never looks like the server's.
  return createElement("script", { ...attributes, suppressHydrationWarning: true });
}
