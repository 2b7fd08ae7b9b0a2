/** Puts the recorder into each page that the server renders. */
export default defineNitroPlugin((nitro) => {
  nitro.hooks.hook("render:html", (html) => {
    html.head.push(sentiero.scriptTag());
  });
});
