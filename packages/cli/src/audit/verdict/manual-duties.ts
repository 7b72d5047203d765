import type { Standard } from '../checks/mappings.js';

/** What each standard asks of people, contracts and buildings: no program sees it, so an assessor has to. */
export const manualDuties: Readonly<Record<Standard, readonly string[]>> = {
  owasp: [
    'A04:2021 threat modelling and secure design of the application',
    'A08:2021 integrity of the build and deployment pipeline',
    'ASVS V1 architecture and its documentation',
  ],
  'pci-dss-4.0.1': [
    '3.2.1 how long account data is kept, and why',
    '7.2.4 review of user accounts every six months',
    '9 physical access',
    '10.4.1 daily review of logs',
    '11.4 penetration tests',
    '12.10 the incident response plan, tested yearly',
  ],
  hipaa: [
    '164.308(a)(1)(ii)(A) the risk analysis as a whole',
    '164.308(a)(3) authorization and clearance of the workforce',
    '164.308(a)(5) training',
    '164.308(a)(6) incident procedures',
    '164.308(b) contracts with business associates',
    '164.310 physical safeguards',
  ],
  soc2: [
    'CC1 to CC5 control environment, communication, risk assessment',
    'CC6.2 approval and removal of access',
    'CC6.4 physical access',
    'CC7.4 response to incidents',
    'CC8.1 approval of changes',
    'CC9.2 vendors',
  ],
  gdpr: [
    'Art. 5(1)(b) and (c) purpose and minimisation',
    'Art. 6 lawfulness of processing',
    'Art. 12 to 22 rights of the persons concerned',
    'Art. 28 contracts with processors',
    'Art. 30 records of processing',
    'Art. 33 and 34 notification of breaches',
    'Art. 35 impact assessment',
    'Art. 44 to 49 transfers to third countries',
  ],
  'iso-27001-2022': [
    'Clauses 4 to 10 the management system',
    'A.5.1 policies',
    'A.5.19 to A.5.22 suppliers',
    'A.5.24 to A.5.28 incidents',
    'A.6 people',
    'A.7 physical controls',
  ],
  'nist-800-53r5': [
    'AC-2(j) review of accounts',
    'AT training',
    'CA-2 independent assessment',
    'CP-4 tests of the contingency plan',
    'IR-4 handling of incidents',
    'PE physical protection',
    'PS personnel security',
  ],
  'ley-1581': [
    'Art. 8 rights of the person',
    'Art. 9 authorization by the person',
    'Art. 14 and 15 queries and complaints',
    'Art. 17(k) internal manual of policies',
    'Art. 25 national register of databases',
    'Art. 26 transfers to third countries',
  ],
};
