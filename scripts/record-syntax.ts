import { replaceCounted } from "./replace-counted.ts";

/** What a compiler made long in the text of rrweb, and how it is written today: smaller, and plain to what makes it smaller still. */
interface Rewrite {
  readonly why: string;
  readonly find: RegExp;
  readonly replace: string;
  /** How often it is there. */
  readonly times: number;
}

const REWRITES: readonly Rewrite[] = [
  {
    why: "an enum whose names are read as texts, never by their numbers",
    find: /^var MouseInteractions = .*\n((?: {2}MouseInteractions2\[.*\n)+) {2}return MouseInteractions2;\n.*;$/gm,
    replace: "const MouseInteractions = {\n$1};",
    times: 1,
  },
  {
    why: "its members",
    find: /^ {2}MouseInteractions2\[MouseInteractions2\["(\w+)"\] = (\d+)\] = "\1";$/gm,
    replace: "  $1: $2,",
    times: 11,
  },
  {
    // esbuild puts their numbers where they are used.
    why: "enums",
    find: /^var (\w+) = \/\* @__PURE__ \*\/ \(\(\1(2)\) => {\n((?: {2}\1\2\[.*\n)+) {2}return \1\2;\n}\)\(\1 \|\| {}\);$/gm,
    replace: "enum $1 {\n$3}",
    times: 6,
  },
  {
    why: "members of enums",
    find: /^ {2}\w+\[\w+\["(\w+)"\] = (\d+)\] = "\1";$/gm,
    replace: '  "$1" = $2,',
    times: 42,
  },
  { why: "fields that are not set yet", find: /^ +__publicField\(this, "\w+"\);\n/gm, replace: "", times: 29 },
  { why: "fields", find: /__publicField\(this, "(\w+)", /g, replace: "(this.$1 = ", times: 19 },
  // rrweb's own names for what it reads of nodes: functions, gathered in an object.
  { why: "functions by name, in an object", find: /\bindex\.(\w+)\(/g, replace: "domOf_$1(", times: 49 },
  {
    why: "the same functions",
    find: /^function ((?:owner|get|has|query)?(?:Document|RootNode)|childNodes|parentNode|parentElement|textContent|firstChild|lastChild|nextSibling|previousSibling|contains|host|shadowRoot)\((?=n)/gm,
    replace: "function domOf_$1(",
    times: 13,
  },
  {
    why: "optional chains",
    find: /\((_\w+) = ([\w.]+(?:\([\w.]+\)|\[\w+\])?)\) == null \? void 0 : \1(?:\.|(?=\[))/g,
    replace: "$2?.",
    times: 11,
  },
  { why: "optional chains of names", find: /\b(\w+) == null \? void 0 : \1\./g, replace: "$1?.", times: 4 },
];

/**
 * Writes it so. What comes out is TypeScript, for its enums.
 * @throws Error when something is there more or less often than it was.
 */
export function toCurrentSyntax(source: string): string {
  let text = source;
  for (const { why, find, replace, times } of REWRITES) text = replaceCounted(text, why, find, replace, times);
  return text;
}
