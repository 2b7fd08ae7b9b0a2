import { Basket } from "./basket";

export default function Page() {
  return (
    <>
      <h1>Bread, baked at night</h1>
      <Basket />
    </>
  );
}
