/** A visitor's hand on one tab. Each act ends with a short pause; selectors are Playwright's, and the first match counts. */
export interface Hand {
  pause(ms: number): Promise<void>;
  click(selector: string, pauseMs?: number): Promise<void>;
  open(path: string): Promise<void>;
  /** A click that leads to another document. */
  follow(selector: string): Promise<void>;
  type(selector: string, text: string): Promise<void>;
  select(selector: string, value: string): Promise<void>;
  scroll(pixels: number): Promise<void>;
  /** Brings the tab to the front. */
  front(): Promise<void>;
}

/** One visit to the demo site that `scripts/record-demo.ts` makes and keeps. */
export interface Visit {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** The part of the user agent in brackets. */
  readonly system: string;
  readonly isTouch?: boolean;
  readonly isDark?: boolean;
  run(hand: Hand, openTab: () => Promise<Hand>): Promise<void>;
}

const systems = {
  mac: "Macintosh; Intel Mac OS X 10_15_7",
  windows: "Windows NT 10.0; Win64; x64",
  linux: "X11; Linux x86_64",
  phone: "Linux; Android 10; K",
} as const;

/** In the order in which they are made; the names are file names. */
export const visits: readonly Visit[] = [
  {
    name: "desktop-booking",
    width: 1440,
    height: 900,
    system: systems.mac,
    async run(hand) {
      await hand.open("/");
      await hand.scroll(900);
      await hand.scroll(-300);
      await hand.follow(".more");
      await hand.click('.filters label:has([value="lake"])');
      await hand.click('.filters label:has([value=""])');
      await hand.select("[name=sort]", "price");
      await hand.follow('a[href="/huts/lago-muto"]');
      await hand.click("#next");
      await hand.pause(500);
      await hand.click("#next");
      await hand.scroll(500);
      await hand.click("summary >> nth=1");
      await hand.click("summary >> nth=2");
      await hand.scroll(-600);
      await hand.click(".choice >> nth=1");
      await hand.click('[data-step="1"]');
      await hand.click('[data-step="1"]');
      await hand.click("[name=liner]");
      await hand.click("#booking [type=submit]");
      await hand.follow('.top nav a[href="/planner"]');
      await hand.select("#add-stage select", "luna");
      await hand.click("#add-stage button");
      await hand.click('#tabs a[href="/planner/packing"]');
      await hand.click("#packing input >> nth=0");
      await hand.click("#packing input >> nth=2");
      await hand.type("[name=item]", "Harmonica");
      await hand.click("#add-item button");
      await hand.click('#tabs a[href="/planner/summary"]');
      await hand.click("#ask");
    },
  },
  {
    name: "laptop-joining",
    width: 1280,
    height: 720,
    system: systems.windows,
    async run(hand) {
      await hand.open("/");
      await hand.scroll(300);
      await hand.follow(".nav-join");
      await hand.type("[name=name]", "Nora Tschurtschenthaler");
      await hand.type("[name=email]", "nora@example.org");
      await hand.type("[name=password]", "edelweiss-1968");
      await hand.select("[name=country]", "Italy");
      await hand.click(".choice >> nth=1");
      await hand.type("[name=group]", "The Slow Goats");
      await hand.type("[name=card]", "4242424242424242");
      await hand.type("[name=note]", "We bring a dog that is afraid of cows.");
      await hand.click("form#join [type=submit]");
      await hand.pause(400);
      await hand.click("[name=rules]");
      await hand.click("form#join [type=submit]");
      await hand.follow('#welcome a[href="/planner"]');
      await hand.click("#add-stage button");
    },
  },
  {
    name: "phone-browsing",
    width: 390,
    height: 844,
    system: systems.phone,
    isTouch: true,
    async run(hand) {
      await hand.open("/");
      await hand.scroll(700);
      await hand.scroll(900);
      await hand.scroll(-1500);
      await hand.follow('.buttons a[href="/huts"]');
      await hand.click('.filters label:has([value="family"])');
      await hand.scroll(600);
      await hand.follow('a[href="/huts/larice"]');
      await hand.scroll(500);
      await hand.click("summary >> nth=0");
      await hand.scroll(700);
      await hand.click('[data-step="1"]');
      await hand.click("#booking [type=submit]");
      await hand.follow('.top nav a[href="/planner"]');
      await hand.click('#tabs a[href="/planner/packing"]');
      await hand.click("#packing input >> nth=1");
    },
  },
  {
    name: "tablet-round",
    width: 820,
    height: 1180,
    system: systems.phone,
    isTouch: true,
    async run(hand) {
      await hand.open("/");
      await hand.scroll(1300);
      await hand.click("#add-round");
      await hand.follow('.top nav a[href="/planner"]');
      await hand.click('[aria-label="Move Rifugio Lago Muto up"]');
      await hand.click('a[href="/planner/stage/corno-storto"]');
      await hand.pause(400);
      await hand.click('.stage-detail a[href="/planner"]');
      await hand.click('[aria-label="Remove Bivacco Corno Storto"]');
      await hand.select("#add-stage select", "tre-fontane");
      await hand.click("#add-stage button");
      await hand.click('#tabs a[href="/planner/summary"]');
      await hand.click("#ask");
    },
  },
  {
    name: "laptop-trouble",
    width: 1280,
    height: 720,
    system: systems.linux,
    isDark: true,
    async run(hand) {
      await hand.open("/help");
      await hand.click("#throw");
      await hand.pause(300);
      for (let count = 0; count < 4; count++) await hand.click("#throw", 60);
      await hand.click("#reject");
      await hand.click("#missing");
      await hand.pause(400);
      await hand.select("#report [name=hut]", "corno-storto");
      await hand.click('[value="detour"]');
      await hand.type("#report textarea", "A larch lies across the path below the second bridge.");
      await hand.click("#report [type=submit]");
      await hand.follow('.bottom a[href="/privacy"]');
      await hand.scroll(600);
      await hand.click(".samples input >> nth=1");
    },
  },
  {
    name: "desktop-two-tabs",
    width: 1440,
    height: 900,
    system: systems.windows,
    async run(hand, openTab) {
      await hand.open("/huts");
      await hand.scroll(400);
      const second = await openTab();
      await second.open("/huts/ventosa");
      await second.scroll(300);
      await second.click("summary >> nth=0");
      await hand.front();
      await hand.follow('.top nav a[href="/planner"]');
      await second.front();
      await second.scroll(-300);
      await second.click("#booking [type=submit]");
      await second.follow('a[href="/huts/larice"]');
      await second.click("#booking [type=submit]");
      await hand.front();
      await hand.pause(300);
      await hand.click('[aria-label="Remove Malga Ventosa"]');
    },
  },
  {
    name: "phone-privacy",
    width: 390,
    height: 844,
    system: systems.phone,
    isTouch: true,
    isDark: true,
    async run(hand) {
      await hand.open("/privacy");
      await hand.scroll(500);
      await hand.type(".samples input >> nth=0", " in October");
      await hand.type(".samples input >> nth=1", " the Brave");
      await hand.scroll(900);
      await hand.follow(".bottom a >> nth=0");
      await hand.scroll(800);
    },
  },
  {
    name: "desktop-lost",
    width: 1440,
    height: 900,
    system: systems.mac,
    async run(hand) {
      await hand.open("/huts/monte-che-non-esiste");
      await hand.follow('.lost a[href="/"]');
      await hand.follow('.signpost a[href="/huts/luna"]');
      await hand.click("#next");
      await hand.scroll(700);
      await hand.scroll(-700);
      await hand.follow(".crumbs a");
      await hand.click('.filters label:has([value="winter"])');
      await hand.click('.filters label:has([value="summit"])');
    },
  },
];
