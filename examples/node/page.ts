/** Two pages, enough to have something to watch: a link between them, and a button that changes something. */
export function renderPage(path: string, scriptTag: string): string {
  const isHome = path === "/";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${isHome ? "Bread" : "Opening hours"}</title>
${scriptTag}
<style>body { font: 1.1rem/1.5 system-ui; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }</style>
</head>
<body>
<nav><a href="/">Bread</a> · <a href="/hours">Opening hours</a> · <a href="/sentiero">Recordings</a></nav>
<h1>${isHome ? "Bread, baked at night" : "Open from six to noon"}</h1>
<p><button type="button">Put a loaf into the basket</button> <output>0</output></p>
<p><label>A word to the baker <input name="word"></label></p>
<script type="module">
  const output = document.querySelector("output");
  document.querySelector("button").addEventListener("click", () => (output.value = Number(output.value) + 1));
</script>
</body>
</html>
`;
}
