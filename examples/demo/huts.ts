import type { Landscape } from "./scenes.ts";

/** One hut of the invented valley. Prices are euros a night and person, with supper and breakfast. */
export interface Hut {
  readonly slug: string;
  readonly name: string;
  /** One line for cards. */
  readonly line: string;
  /** Two or three sentences for the hut's own page. */
  readonly text: string;
  readonly altitude: number;
  readonly beds: number;
  readonly price: number;
  /** Walking time from the valley station. */
  readonly hours: string;
  /** Metres of ascent from the valley station. */
  readonly ascent: number;
  readonly grade: "easy" | "middling" | "hard";
  readonly tags: readonly ("family" | "lake" | "winter" | "summit")[];
  readonly supper: string;
  readonly keeper: string;
  readonly landscape: Landscape;
}

/** Lowest first, as the list shows them. */
export const huts: readonly Hut[] = [
  {
    slug: "ventosa",
    name: "Malga Ventosa",
    line: "A working dairy with nine bunks above the cow shed.",
    text: "The bells start at five and the butter is on the table by seven. Ventosa is the shortest walk in the valley, wide enough for a pushchair, and the only place where supper may help with the milking.",
    altitude: 1760,
    beds: 9,
    price: 39,
    hours: "1 h 15",
    ascent: 410,
    grade: "easy",
    tags: ["family"],
    supper: "Barley soup, alpine cheese, bilberry cake",
    keeper: "Ilse and Bruno",
    landscape: { seed: 11, ground: "meadow", trees: "fir", hut: "long" },
  },
  {
    slug: "larice",
    name: "Rifugio Larice",
    line: "Larch woods, a south wall for the sun and the best polenta below 2,000 metres.",
    text: "Larice stands where the wood thins out, with a bench along its whole south wall. In October the larches turn and the terrace fills up; in June you will have it to yourself, and the brook for company.",
    altitude: 1940,
    beds: 34,
    price: 48,
    hours: "2 h 10",
    ascent: 590,
    grade: "easy",
    tags: ["family", "winter"],
    supper: "Polenta with mushrooms, apple strudel",
    keeper: "Marta",
    landscape: { seed: 24, ground: "meadow", trees: "larch", hut: "wide" },
  },
  {
    slug: "tre-fontane",
    name: "Rifugio Tre Fontane",
    line: "Three springs, one sauna barrel and a library of damp crime novels.",
    text: "Three springs rise behind the house and all of them run through the washroom. Tre Fontane lies on the old cattle path, so it makes a gentle second day from Larice and a good place to wait for weather.",
    altitude: 2080,
    beds: 28,
    price: 52,
    hours: "3 h 00",
    ascent: 730,
    grade: "middling",
    tags: ["family"],
    supper: "Canederli in broth, pear tart",
    keeper: "Tobias",
    landscape: { seed: 37, ground: "meadow", trees: "fir", hut: "wide" },
  },
  {
    slug: "lago-muto",
    name: "Rifugio Lago Muto",
    line: "A lake without an echo. Bring a towel and no expectations of warmth.",
    text: "They say that the lake swallows sound, and it is true that nobody shouts here. The boat shed is now the dormitory, so you fall asleep over the water. Swimming is allowed, and short.",
    altitude: 2210,
    beds: 22,
    price: 56,
    hours: "3 h 40",
    ascent: 860,
    grade: "middling",
    tags: ["lake", "family"],
    supper: "Trout or lentils, chestnut cream",
    keeper: "Agnese",
    landscape: { seed: 42, ground: "lake", trees: "fir", hut: "wide" },
  },
  {
    slug: "corno-storto",
    name: "Bivacco Corno Storto",
    line: "Eight bunks, a stove, no keeper. Leave it as you would like to find it.",
    text: "A tin box bolted to the rock under the crooked horn. There is wood, there are blankets, and there is a book in which people have been lying about the wind since 1968. Nobody cooks for you.",
    altitude: 2740,
    beds: 8,
    price: 18,
    hours: "5 h 20",
    ascent: 1390,
    grade: "hard",
    tags: ["winter", "summit"],
    supper: "Whatever you carried up",
    keeper: "Nobody",
    landscape: { seed: 58, ground: "rock", trees: "none", hut: "small" },
  },
  {
    slug: "luna",
    name: "Capanna della Luna",
    line: "On the edge of the glacier, an hour below the summit and a long way above everything else.",
    text: "Breakfast is at three, because the snow bridges soften by nine. Luna is for people who have a rope and know what to do with it; everyone else is welcome to come for the stars and stay behind.",
    altitude: 2980,
    beds: 40,
    price: 64,
    hours: "6 h 30",
    ascent: 1630,
    grade: "hard",
    tags: ["summit"],
    supper: "Goulash, dumplings, a lot of tea",
    keeper: "Samir and Lucia",
    landscape: { seed: 73, ground: "glacier", trees: "none", hut: "long" },
  },
];
