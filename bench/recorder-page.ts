import type { Page } from "playwright-core";

/** Nodes of the common page, and of the huge one. */
export const NODES = 9_151;
export const HUGE_NODES = 50_000;

/** One kind of work of a page or a person. */
export interface Workload {
  readonly name: string;
  readonly about: string;
  run(page: Page): Promise<void>;
}

/** What is done on the common page, in this order. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "rows",
    about: "20 times a table cleared, and 1,000 rows appended one by one",
    run: (page) =>
      page.evaluate(async () => {
        const body = document.querySelector("#rows")!;
        for (let time = 0; time < 20; time++) {
          body.textContent = "";
          for (let at = 0; at < 1_000; at++) {
            const row = document.createElement("tr");
            for (let cell = 0; cell < 4; cell++) row.insertCell().textContent = `row ${at} of ${time}, cell ${cell}`;
            body.append(row);
          }
          await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
        }
      }),
  },
  {
    name: "keys",
    about: "200 key presses in a field",
    async run(page) {
      await page.focus("#field");
      for (let at = 0; at < 200; at++) await page.keyboard.press("abcdefghij"[at % 10]!);
    },
  },
  {
    name: "moves",
    about: "2,000 moves of pointer and mouse, 200 scrolls",
    run: (page) =>
      page.evaluate(async () => {
        const targets = document.querySelectorAll("p");
        for (let frame = 0; frame < 200; frame++) {
          for (let at = 0; at < 10; at++) {
            const target = targets[(frame * 10 + at) % targets.length]!;
            const init = { bubbles: true, composed: true, clientX: frame * 3, clientY: at * 5 };
            target.dispatchEvent(new PointerEvent("pointermove", init));
            target.dispatchEvent(new MouseEvent("mousemove", init));
          }
          window.scrollTo(0, (frame % 50) * 20);
          await new Promise(requestAnimationFrame);
        }
      }),
  },
  {
    name: "styles",
    about: "200 elements that are not shown, 300 frames of setAttribute('style')",
    run: (page) =>
      page.evaluate(async () => {
        const elements = [...document.querySelectorAll("#styled i")];
        for (let frame = 0; frame < 300; frame++) {
          for (const [at, element] of elements.entries()) {
            element.setAttribute(
              "style",
              `transform: translate(${frame}px, ${at % 7}px); opacity: ${(frame % 100) / 100}`,
            );
          }
          await new Promise(requestAnimationFrame);
        }
      }),
  },
];

/** 5,000 changes of the huge page in one task: texts, attributes, elements that go and come. */
export const HUGE: Workload = {
  name: "changes",
  about: "5,000 changes in one task",
  run: (page) =>
    page.evaluate(async () => {
      const elements = document.querySelectorAll("p");
      for (let at = 0; at < 1_000; at++) {
        elements[at]!.setAttribute("data-at", String(at));
        elements[at + 1_000]!.firstChild!.nodeValue = `text ${at}`;
        elements[at + 2_000]!.remove();
        elements[at + 3_000]!.append(elements[at + 4_000]!);
        elements[at + 5_000]!.insertAdjacentHTML("afterend", "<p>one <b>two</b></p>");
      }
      await new Promise(requestAnimationFrame);
    }),
};

/** A page with that many nodes: paragraphs of an element, its text and a bold word, in sections of 50. */
export function toPage(nodes: number): string {
  const parts: string[] = [];
  // Not shown, or what they cost to draw would hide what they cost to record.
  parts.push(`<div id="styled" hidden>${"<i></i>".repeat(200)}</div>`);
  let count = 221;
  for (let at = 0; count + 5 <= nodes; at++) {
    if (at % 50 === 0) {
      parts.push(at === 0 ? `<section class="c${at % 900}">` : `</section><section class="c${at % 900}">`);
      count++;
    }
    parts.push(`<p class="c${at % 900} d${at % 7}">Paragraph ${at} says <b>something</b> and ends.</p>`);
    count += 5;
  }
  return `<!doctype html><html lang="en"><head><title>Bench</title><link rel="stylesheet" href="/style.css"></head>
<body><input id="field"><table><tbody id="rows"></tbody></table>${parts.join("")}</section></body></html>`;
}

/** A style sheet of some 300 KB. */
export function toStylesheet(): string {
  return Array.from(
    { length: 2_200 },
    (_, at) =>
      `.c${at}.wide > .d${at % 9}:not(:last-child) { margin: ${at % 13}px auto; padding: ${at % 5}px; color: rgb(${at % 255}, 20, 40); ` +
      `background: #fff; }`,
  ).join("\n");
}
