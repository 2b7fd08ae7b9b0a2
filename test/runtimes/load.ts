/** Imports a package as seen from this folder, whose packages are not those of the project. */
export function load(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ name) as Promise<unknown>;
}
