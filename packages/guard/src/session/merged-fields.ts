type Fields = Readonly<Record<string, unknown>>;

/** The newest state with the fields that this request changed or removed. A field both changed is this request's. */
export function mergedFields(base: Fields, mine: Fields, newest: Fields): Record<string, unknown> {
  const result: Record<string, unknown> = { ...newest };
  for (const field of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    if (JSON.stringify(base[field]) === JSON.stringify(mine[field])) continue;
    if (field in mine) result[field] = mine[field];
    else delete result[field];
  }
  return result;
}
