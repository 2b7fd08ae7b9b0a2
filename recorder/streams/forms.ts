import { attributeOf } from "../elements.ts";
import { listen } from "./listen.ts";
import type { Stream } from "./stream.ts";

/** `__form_submit`: which form was sent, on which page and where to, never a value. */
export const captureForms: Stream = (context) => {
  if (!context.config.trackForms) return;
  listen<SubmitEvent>(window, "submit", context, (event) => {
    const form = event.composedPath()[0] as Element;
    // Attributes, because a field called "action" hides the form's property.
    const action = event.submitter?.getAttribute("formaction") ?? attributeOf(form, "action") ?? "";
    context.emit("__form_submit", {
      name: attributeOf(form, "name") ?? undefined,
      id: attributeOf(form, "id") ?? undefined,
      url: context.cutUrl(location.href),
      action: context.cutUrl(new URL(action, document.baseURI).href).replace(`${location.origin}/`, "/"),
      nodeId: context.idOf(form),
    });
  });
};
