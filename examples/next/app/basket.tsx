"use client";

import { useState } from "react";

export function Basket() {
  const [loaves, setLoaves] = useState(0);
  return (
    <p>
      <button type="button" onClick={() => setLoaves(loaves + 1)}>
        Put a loaf into the basket
      </button>{" "}
      <output>{loaves}</output>
    </p>
  );
}
