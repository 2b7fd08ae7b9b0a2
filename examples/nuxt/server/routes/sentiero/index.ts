// The path itself, which the other route leaves out.
export { default } from "./[...path]";
