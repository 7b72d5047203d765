/** The `name:value` lines of INFO and CLUSTER INFO. */
export function parseInfo(reply: unknown): Map<string, string> {
  const lines = String(reply).split(/\r?\n/);
  return new Map(
    lines.flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 && !line.startsWith('#') ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
}
