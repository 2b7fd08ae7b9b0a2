import { fail, redirect, type Actions } from "@sveltejs/kit";
import { createSession, isUser, SESSION_COOKIE, SESSION_SECONDS } from "#lib/server/session.ts";

export const actions: Actions = {
  default: async ({ request, cookies }) => {
    const form = await request.formData();
    if (!isUser(form.get("user"), form.get("password"))) return fail(403, { isWrong: true });
    // Of SvelteKit's own accord httpOnly, sameSite=lax, and secure but on http://localhost.
    cookies.set(SESSION_COOKIE, createSession(), { path: "/", maxAge: SESSION_SECONDS });
    redirect(303, "/sentiero");
  },
};
