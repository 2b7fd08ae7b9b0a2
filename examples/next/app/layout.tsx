import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { SentieroScript } from "sentiero/react";
import { sentiero } from "../lib/sentiero";
import "./style.css";

export const metadata: Metadata = { title: "Bread" };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <SentieroScript {...sentiero.scriptAttributes()} />
        <nav>
          <Link href="/">Bread</Link> · <Link href="/hours">Opening hours</Link> · <a href="/sentiero">Recordings</a>
        </nav>
        {children}
      </body>
    </html>
  );
}
