/** Whether a key press belongs to a field that the viewer types into, to an open dialog, or to the browser. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  const path = event.composedPath();
  if (path.some((node) => node instanceof HTMLDialogElement)) return true;
  const target = path[0];
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !isButton(target)))
  );
}

/** Whether a key press lands on something that the space bar or Enter works by itself. */
export function isOnControl(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (/^(BUTTON|A|SUMMARY)$/.test(target.tagName) || isButton(target));
}

function isButton(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement && /^(button|submit|checkbox|radio)$/.test(target.type);
}
