import { Basket } from "../basket";

export default function Page() {
  return (
    <>
      <h1>Open from six to noon</h1>
      <Basket />
    </>
  );
}
