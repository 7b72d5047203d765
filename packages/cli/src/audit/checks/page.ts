import { RedkeepError } from 'redkeep';

/** The page of a check, below `docs/`. */
export const pageOf = (check: { readonly id: string }): string => `checks/${check.id.toLowerCase()}.md`;

/** The address of this page. The client alone knows where the documentation is, and says it by its errors. */
export const addressOf = (check: { readonly id: string }): string =>
  new RedkeepError(check.id, '', { docs: pageOf(check) }).docs;
