import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { createSession, isUser, SESSION_COOKIE, SESSION_SECONDS } from "../../lib/session";

async function signIn(form: FormData): Promise<void> {
  "use server";
  if (!isUser(form.get("user"), form.get("password"))) redirect("/sign-in?wrong=1");
  const isSecure = (await headers()).get("x-forwarded-proto") === "https";
  const cookie = { httpOnly: true, sameSite: "lax", secure: isSecure, maxAge: SESSION_SECONDS } as const;
  (await cookies()).set(SESSION_COOKIE, createSession(), cookie);
  redirect("/sentiero");
}

export default async function Page({ searchParams }: { searchParams: Promise<{ wrong?: string }> }) {
  const { wrong } = await searchParams;
  return (
    <form action={signIn}>
      <h1>Sign in</h1>
      <p>
        <label>
          User <input name="user" autoComplete="username" required />
        </label>
      </p>
      <p>
        <label>
          Password <input name="password" type="password" autoComplete="current-password" required />
        </label>
      </p>
      <p>
        <button>Sign in</button> {wrong && "Try again."}
      </p>
    </form>
  );
}
