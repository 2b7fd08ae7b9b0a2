import type { Edit } from "./record-trims.ts";

/**
 * How rrweb adds nodes. Removals and additions never come to it together (`recorder/mutations/delivery.ts`), so nothing is left
 * of what it keeps to tell them apart; and no addition is lost for what stands on its right.
 */
export const ADDITIONS: readonly Edit[] = [
  {
    why: "a node is placed before the next one that is recorded: rrweb lost it when that was not the next but one",
    find: /while \(nextId === IGNORED_NODE\) {\n(.*\n.*\n +}\n) +if \(nextId === -1\) {\n.*\n +continue;\n +}\n/,
    replace: "while (nextId < 0) {\n$1",
  },
  {
    why: "what moved comes in the order in which it was handed over, not after all that is new: others are placed before it",
    find: /^ {6}if \(this\.addedSet\.has\(n\) \|\| this\.movedSet\.has\(n\)\) return;\n {6}if \(this\.mirror\.hasNode\(n\)\) {\n(?:.*\n)+? {6}} else {\n.*\n.*\n {6}}\n/m,
    replace: `      if (this.addedSet.has(n) || isIgnored(n, this.mirror, this.slimDOMOptions) && this.mirror.hasNode(n)) return;
      this.addedSet.add(n);
`,
    chars: 574,
  },
  {
    why: "so it is not added at the end",
    find: /^ {6}for \(const n2 of this\.movedSet\) {\n(?:.*\n)+? {6}}\n/m,
    replace: "",
    chars: 254,
  },
  {
    why: "nor looked for above a node",
    find: /^ {12}if \(!inDom\(parentNode2\)\) {\n(?:.*\n)+? {12}}\n/m,
    replace: "            ancestorBad = !inDom(parentNode2);\n",
    chars: 363,
  },
  {
    why: "what is under a dropped node is no part of the document either",
    find: /^ +this\.droppedSet\.add\(n\);\n(?= +continue;)/m,
    replace: "",
  },
  {
    why: "nothing is added when something is removed",
    find: /^ {12}if \(this\.addedSet\.has\(n\)\) {\n(?:.*\n)+? {12}} else {\n/m,
    replace: "            if (!isAncestorRemoved(m.target, this.mirror)) {\n",
    chars: 412,
  },
  {
    why: "so what was under it is not kept",
    find: /^ +processRemoves\(n, this\.removesSubTreeCache\);\n/m,
    replace: "",
  },
  {
    why: "by any of three lists",
    find: /^ +(?:this\.|__publicField\(this, ")(?:movedSet|movedMap|droppedSet|removesSubTreeCache)\b.*\n/gm,
    replace: "",
    times: 8,
  },
  {
    why: "whose functions go",
    find: /^function deepDelete\((?:.*\n)+?function _isSelfOrAncestorInSet\((?:.*\n)+?}\n/m,
    replace: "",
    chars: 701,
  },
  { why: "with the keys of one", find: /^const moveKey = .*\n/m, replace: "" },
  {
    why: "what is under a node comes from the last to the first, each before the one on its left",
    find: "index.childNodes(n).forEach((childN) => this.genAdds(childN));",
    replace:
      "for (let childN = index.lastChild(n); childN; childN = index.previousSibling(childN)) this.genAdds(childN);",
  },
  {
    why: "and what is under its shadow root",
    find: /index\.childNodes\(index\.shadowRoot\(n\)\)\.forEach\(\(childN\) => {\n +this\.genAdds\(childN, n\);\n +}\);/,
    replace:
      "for (let childN = index.lastChild(index.shadowRoot(n)); childN; childN = index.previousSibling(childN)) this.genAdds(childN);",
  },
  { why: "wherever that is", find: "this.genAdds(n, m.target)", replace: "this.genAdds(n)" },
  { why: "nobody asks", find: '"genAdds", (n, target) =>', replace: '"genAdds", (n) =>' },
];
