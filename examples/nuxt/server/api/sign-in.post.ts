export default defineEventHandler(async (event) => {
  const { user, password } = (await readBody<Record<string, unknown> | undefined>(event)) ?? {};
  if (!isUser(user, password)) return sendRedirect(event, "/sign-in?wrong=1", 303);
  const session = await openSession(event);
  await session.update({ user: String(user) });
  return sendRedirect(event, "/sentiero", 303);
});
