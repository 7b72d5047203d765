import { type Standard, standards } from '../checks/mappings.js';
import { manualDuties } from './manual-duties.js';
import type { CheckResult, StandardView } from './result.js';

function byNumber(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

/** The checks seen from each standard's clauses. What a clause asks beyond them stays for a person. */
export function complianceView(results: readonly CheckResult[]): StandardView[] {
  return (Object.keys(standards) as Standard[]).map((standard) => {
    const clauses = [...new Set(results.flatMap((result) => result.maps[standard]))].sort(byNumber);
    return {
      standard,
      title: standards[standard],
      manual: manualDuties[standard],
      clauses: clauses.map((clause) => {
        const concerned = results.filter((result) => result.maps[standard].includes(clause));
        const ids = (status: CheckResult['status']) =>
          concerned.filter((one) => one.status === status).map((one) => one.id);
        return { clause, failed: ids('fail'), passed: ids('pass'), unknown: ids('unknown') };
      }),
    };
  });
}
